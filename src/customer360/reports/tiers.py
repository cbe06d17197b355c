"""How many buyers were New, Regular and VIP at the end of each day, week or month? By that moment's own thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from customer360.clock import Instant, start_of_day
from customer360.enrichment.model import Bools, Ints
from customer360.enrichment.tiers import TIERS, Ranks, ranks
from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.periods import GRAIN, days_behind, grain_of, last_of, points
from customer360.reports.sql import AMOUNT, PURCHASE, Sql


class Bought(NamedTuple):
    """Every order that counts until a day, by time; `counted` tells of each buyer whether the filter asks for them."""

    placed_at: Ints
    buyer: Ints
    amount: Ints
    counted: Bools

    def until(self, end: Instant) -> tuple[Ranks, Bools]:
        """The ranks of everybody who had ordered by then, and whom of them the filter asks for."""
        orders = np.searchsorted(self.placed_at, end)
        many = len(self.counted)
        count = np.bincount(self.buyer[:orders], minlength=many)
        spend = np.bincount(self.buyer[:orders], self.amount[:orders], many).astype(np.float64)
        has_ordered = count > 0
        return ranks(count[has_ordered], spend[has_ordered]), self.counted[has_ordered]


def _answer(question: Question) -> Answer:
    chosen, grain = question.filter, grain_of(question.filter)
    periods, bought = points(chosen), _bought(question, chosen.last)
    rows = [
        {
            "date": day,
            **_figures(*bought.until(_end_of(question, last))),
            "complete": last_of(day, grain) < question.today,
        }
        for day, last in periods
    ]
    return Answer(rows, {name: rows[-1][name] for name in ("buyers", *TIERS)})


def _figures(found: Ranks, counted: Bools) -> Row:
    people = np.bincount(found.rank[counted], minlength=len(TIERS)).tolist()
    return {"buyers": sum(people), **dict(zip(TIERS, people, strict=True))}


def _end_of(question: Question, day: date) -> Instant:
    return start_of_day(day + timedelta(1), question.filter.timezone)


def _bought(question: Question, last: date) -> Bought:
    sql = Sql()
    table = question.warehouse.query(
        question.shop_id,
        f"""
        select epoch_us(placed_at) as placed_at, profile_id, amount,
            {sql.of_segment(question.filter.segment_id)} as counted
        from ({_orders(question, sql, last)})
        order by placed_at
        """,
        sql.values,
    )
    placed_at, profile_id, amount, counted = (
        table.column(name).to_numpy() for name in ("placed_at", "profile_id", "amount", "counted")
    )
    _, first, buyer = np.unique(profile_id, return_index=True, return_inverse=True)
    return Bought(placed_at, buyer, amount, counted[first])


def _orders(question: Question, sql: Sql, last: date) -> str:
    """The orders that count until the end of a day; one in another currency adds nothing to a sum."""
    return f"""
        select f.profile_id, o.placed_at,
            cast({AMOUNT} * 10000 as bigint) as amount
        from orders o
        join fragment_profiles f on f.fragment_id = o.fragment_id
        where {PURCHASE} and o.placed_at < {sql.time(_end_of(question, last))}
        """


def _people(question: Question, sql: Sql, who: Who) -> str:
    last = days_behind(question.filter, who)[1]
    orders = _orders(question, sql, last)
    fits = {"buyers": "true", "new": "orders = 1"}.get(who["of"])
    if fits is None:
        vip = _is_vip(sql, _bought(question, last).until(_end_of(question, last))[0])
        fits = vip if who["of"] == "vip" else f"orders > 1 and not {vip}"
    return f"""
        select profile_id
        from (
            select profile_id, count(*) as orders, sum(amount) as spend
            from ({orders})
            group by profile_id
        )
        where {fits} and {sql.of_segment(question.filter.segment_id)}
        """


def _is_vip(sql: Sql, found: Ranks) -> str:
    if found.vip_spend is None:
        return "false"
    spend, orders = sql.value(round(found.vip_spend)), sql.value(found.vip_orders)
    return f"(spend >= {spend} and orders >= {orders})"


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen, (_, end) = question.filter, days_behind(question.filter, who)
    if end != question.today or chosen.timezone != question.calendar.timezone:
        return None
    operators = {"buyers": "gte", "new": "eq"}
    if who["of"] not in operators:
        # The attribute is that of the last run, and thresholds move with every order.
        return None
    once = {"attribute": "orders_count", "op": operators[who["of"]], "value": 1}
    return chosen.rule(once)


def _columns(told: Sequence[tuple[str, str, str]]) -> tuple[Column, ...]:
    return tuple(Column(name, label, help=text, who=("date",)) for name, label, text in told)


REPORT = Report(
    name="tiers",
    title="Tiers",
    asks="How many buyers were New, Regular and VIP, and when?",
    icon="trophy",
    chart="lines",
    rows="series",
    columns=(
        Column("date", "From", "day"),
        *_columns(
            (
                ("buyers", "Buyers", "People with an order by the end of the period."),
                ("new", "New", "Buyers with exactly one order by the end of the period."),
                ("regular", "Regular", "All other buyers with two orders or more by then."),
                (
                    "vip",
                    "VIP",
                    "The top fifth of buyers by spend who had at least 3 orders, or the median orders of repeat"
                    " buyers where that is more: by the orders up to the end of the period, and by the"
                    " thresholds of then.",
                ),
            )
        ),
    ),
    headline=("vip", "regular", "new", "buyers"),
    choices=(GRAIN,),
    compares=True,
    answer=_answer,
    people=_people,
    rule=_rule,
    usual_range="90d",
    empty="Buyers appear here with their first order.",
)
