"""Which touches bring the best customers? Those whose first order lies in the days, and all they brought since."""

from __future__ import annotations

from typing import Any

from customer360.errors import NotFound
from customer360.reports.model import Answer, Choice, Column, Question, Report, Row, Who
from customer360.reports.sql import Sql
from customer360.values import AMOUNT_SCALE

TOUCH = Choice(
    "touch",
    "Touch",
    (("first", "First touch"), ("last", "Last touch")),
)
BY = Choice(
    "by",
    "By",
    (("source", "Source"), ("medium", "Medium"), ("campaign", "Campaign")),
)
UNTOLD = {
    "source": "No visit known",
    "medium": "No medium",
    "campaign": "No campaign",
}
"""How customers are named whose visit told nothing, or who never visited."""
# More rows no page shows; who sorts by another figure wants it of sources that matter.
_MOST_ROWS = 200
_REPEAT_ORDERS = 2


def _answer(question: Question) -> Answer:
    sql = Sql()
    found = question.ask(
        sql,
        f"""
        with acquired as ({_acquired(question, sql)})
        select
            any_value(value) as value,
            count(*) as customers,
            sum(orders_count) as orders,
            sum(total_spend) as revenue,
            sum(total_spend) / sum(orders_count) as average_order_value,
            avg(ltv) as ltv,
            avg(churn_risk) as churn_risk,
            avg(cast(orders_count >= {_REPEAT_ORDERS} as integer)) as repeat_rate,
            grouping(folded) as is_total
        from acquired
        group by grouping sets ((folded), ())
        order by is_total desc, customers desc, value
        """,
    )
    total, *rows = (_figures(row) for row in found)
    shown = rows[:_MOST_ROWS]
    note = f"The {_MOST_ROWS} of {len(rows)} with the most customers." if shown != rows else ""
    return Answer(shown, total | {"value": None}, note)


def _acquired(question: Question, sql: Sql) -> str:
    """The customers whose first order lies in the days, each with its touch; text is told apart as rules do."""
    chosen = question.filter
    touched = f"p.{_attribute(question)}"
    untold = sql.value(UNTOLD[chosen.choices[BY.name]])
    return f"""
        select
            p.profile_id, p.orders_count, p.total_spend, s.ltv, s.churn_risk,
            coalesce({touched}, {untold}) as value,
            lower(coalesce({touched}, {untold})) as folded
        from profiles p
        left join scores s on s.profile_id = p.profile_id
        where p.kind = 'customer'
            and {sql.within("p.first_order_at", chosen.first, chosen.last, chosen.timezone)}
            and {sql.of_segment(chosen.segment_id, "p.profile_id")}
        """


def _attribute(question: Question) -> str:
    choices = question.filter.choices
    return f"{choices[TOUCH.name]}_touch_{choices[BY.name]}"


def _figures(row: Row) -> Row:
    amounts = ("revenue", "average_order_value", "ltv")
    money = {
        name: None if row[name] is None else round(row[name] * AMOUNT_SCALE) for name in amounts
    }
    counts = {name: int(row[name] or 0) for name in ("customers", "orders")}
    shares = {name: row[name] for name in ("value", "churn_risk", "repeat_rate")}
    return {**counts, **money, **shares}


def _people(question: Question, sql: Sql, who: Who) -> str:
    acquired = _acquired(question, sql)
    of_value = f"folded = lower({sql.value(who['value'])})" if "value" in who else "true"
    return f"""
        select profile_id
        from ({acquired})
        where {of_value} and orders_count >= {_least_orders(who)}
        """


def _least_orders(who: Who) -> int:
    return _REPEAT_ORDERS if who["of"] == "repeat_rate" else 1


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen = question.filter
    if chosen.timezone != question.calendar.timezone:
        return None
    days = [chosen.first.isoformat(), chosen.last.isoformat()]
    conditions: list[dict[str, Any]] = [
        {"attribute": "first_order_at", "op": "between", "value": days}
    ]
    if "value" in who:
        conditions.append(_touched(_attribute(question), who["value"], chosen.choices[BY.name]))
    if _least_orders(who) > 1:
        conditions.append({"attribute": "orders_count", "op": "gte", "value": _least_orders(who)})
    return chosen.rule(*conditions)


def _touched(attribute: str, value: str, by: str) -> dict[str, Any]:
    if not value:
        raise NotFound
    told = {"attribute": attribute, "op": "eq", "value": value}
    if value.lower() != UNTOLD[by].lower():
        return told
    return {"any": [{"attribute": attribute, "op": "is_empty"}, told]}


REPORT = Report(
    name="acquisition",
    title="Acquisition",
    asks="Which source brings the best customers?",
    icon="megaphone",
    chart="table",
    columns=(
        Column("value", "Touch", "text"),
        Column(
            "customers",
            "Customers",
            help="Customers whose first order lies in the period.",
            who=("value",),
        ),
        Column("orders", "Orders", help="All orders of these customers until now.", who=("value",)),
        Column(
            "revenue",
            "Revenue",
            "money",
            help="What these customers spent until now, as placed; orders in other currencies are not summed.",
            who=("value",),
        ),
        Column("average_order_value", "Average order value", "money", help="Revenue / orders."),
        Column(
            "ltv",
            "Average LTV",
            "money",
            help="Mean of what each spent and is expected to spend in the next 90 days, as the last run of the"
            " scores found it.",
        ),
        Column(
            "churn_risk",
            "Churn risk",
            "share",
            help="Mean probability of no order within the churned window, as the last run of the scores found it.",
            better="less",
        ),
        Column(
            "repeat_rate",
            "Repeat rate",
            "share",
            help="Share of these customers with two orders or more until now.",
            who=("value",),
        ),
    ),
    headline=(
        "customers",
        "orders",
        "revenue",
        "average_order_value",
        "ltv",
        "churn_risk",
        "repeat_rate",
    ),
    choices=(TOUCH, BY),
    usual_sort="-customers",
    usual_range="90d",
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Customers appear here with their first order, under what brought their first or last visit.",
)
