"""The stage of everybody at once: the rules of `stages` on the columns of `profiles`. Pure SQLGlot expressions."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from customer360.profiles.stages import INTERESTED_SESSIONS, INTERESTED_VIEWS, Windows

STAGE_COLUMNS = (
    "last_acted_at",
    "opted_in_at",
    "product_views",
    "orders_count",
    "sessions_count",
)
"""What a stage follows from."""


def stage_sql(
    windows: Windows,
    column: Callable[[str], exp.Expr],
    days_ago: Callable[[int], exp.Expr],
) -> exp.Case:
    """The stage of a row: `column` is one of it, `days_ago` the beginning of the shop's day so many days ago.

    Silent days are as many midnights, so times are compared; who never acted has no time and is never silent.
    """

    def silent(days: int) -> exp.Expr:
        return column("last_acted_at") < days_ago(days - 1)

    def at_least(name: str, count: int) -> exp.Expr:
        return column(name) >= exp.Literal.number(count)

    interested = exp.or_(
        at_least("sessions_count", INTERESTED_SESSIONS),
        exp.not_(column("opted_in_at").is_(exp.null())),
    )
    active = exp.or_(at_least("orders_count", 1), interested.copy())
    rules = (
        ("churned", silent(windows.churned_days)),
        ("at_risk", exp.and_(silent(windows.at_risk_days), active)),
        ("loyal", at_least("orders_count", 2)),
        ("converted", at_least("orders_count", 1)),
        ("engaged", exp.or_(interested, at_least("product_views", INTERESTED_VIEWS))),
    )
    case = exp.case()
    for stage, fits in rules:
        case = case.when(fits, exp.Literal.string(stage))
    return case.else_(exp.Literal.string("new"))
