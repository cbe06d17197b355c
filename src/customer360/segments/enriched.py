"""What enrichment tells of a person, as SQL: scores as stored, and what follows from them and the day. Pure SQLGlot."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from customer360.enrichment.actions import TABLE, Row
from customer360.profiles.attributes import CONSENTS, NO_ORDER_GROUP
from customer360.profiles.stage_sql import stage_sql
from customer360.segments.comparisons import Bound, certain
from customer360.segments.event_sql import Answer
from customer360.values import listed

OVERDUE = "next_order_overdue_days"


class Enriched:
    """Values on the rows of people: `column` is one of `profiles`, and `answer` knows their scores."""

    def __init__(
        self,
        bound: Bound,
        column: Callable[[str], exp.Expr],
        answer: Answer,
    ) -> None:
        self._bound = bound
        self._column = column
        self._answer = answer

    def value(self, attribute: str) -> exp.Expr:
        """The value of an enriched attribute, but for the overdue days, which `due_since` tells."""
        match attribute:
            case "lifecycle_stage":
                return self._answer.once(attribute, self._stage)
            case "next_best_action":
                return self._answer.once(attribute, self._action)
            case "rfm_group":
                nothing = self._column("orders_count").eq(exp.Literal.number(0))
                told = exp.case().when(nothing, exp.Literal.string(NO_ORDER_GROUP))
                return told.else_(self._answer.score("rfm_group"))
            case _:
                return self._answer.score(attribute)

    def due_since(self) -> exp.Expr:
        """Since when the next order is overdue: the day it was expected, today while that is not past."""
        expected, today = self._answer.score("predicted_next_order_at"), self._bound.days_ago(0)
        return exp.case().when(expected >= today, today).else_(expected)

    def _stage(self) -> exp.Case:
        return stage_sql(self._bound.calendar.windows, self._column, self._bound.days_ago)

    def _action(self) -> exp.Case:
        """The first row of the table that fits."""
        case = exp.case()
        for row in TABLE:
            case = case.when(exp.and_(exp.true(), *self._fits(row)), exp.Literal.string(row.action))
        return case

    def _fits(self, row: Row) -> list[exp.Expr]:
        fits: list[exp.Expr] = []
        if row.stages:
            fits.append(_among(self.value("lifecycle_stage"), row.stages))
        if row.bands:
            fits.append(_among(self._answer.score("churn_band"), row.bands))
        if row.reachable is not None:
            granted = (_among(self._column(consent), ("granted",)) for consent in CONSENTS)
            fits.append(_is(exp.or_(*granted), row.reachable))
        if row.due is not None:
            products = self._answer.score("products_due")
            fits.append(_is(products.neq(self._bound.value(listed(()))), row.due))
        return fits


def _among(value: exp.Expr, words: tuple[str, ...]) -> exp.Expr:
    return exp.In(this=value, expressions=[exp.Literal.string(one) for one in words])


def _is(condition: exp.Expr, wanted: bool) -> exp.Expr:
    return condition if wanted else exp.not_(certain(condition))
