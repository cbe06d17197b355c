"""What changed since last week? Seven finished days beside the seven before them, in the shop's calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from customer360.reports.activity import REPORT as ACTIVITY
from customer360.reports.model import Question
from customer360.reports.sql import AMOUNT, PURCHASE, Sql
from customer360.values import Amount

DAYS = 7


@dataclass(frozen=True, slots=True)
class Week:
    """What happened in seven days; buyers came for the first time or came back."""

    users: int
    orders: int
    revenue: Amount
    new_buyers: int
    returning_buyers: int


@dataclass(frozen=True, slots=True)
class Weeks:
    """The seven days until yesterday, the seven before, and the question that the first ones answer."""

    now: Week
    before: Week
    question: Question


def weeks(question: Question) -> Weeks:
    """Both weeks, of whom and by whose calendar the question asks."""
    last = question.today - timedelta(1)
    this = question.between(last - timedelta(DAYS - 1), last)
    this = replace(this, filter=replace(this.filter, choices={}))
    other = this.between(last - timedelta(2 * DAYS - 1), last - timedelta(DAYS))
    return Weeks(week(this), week(other), this)


def week(question: Question) -> Week:
    """What happened in the question's days."""
    chosen, sql = question.filter, Sql()
    placed = sql.within("o.placed_at", chosen.first, chosen.last, chosen.timezone)
    first = sql.within("first_order_at", chosen.first, chosen.last, chosen.timezone)
    (found,) = question.ask(
        sql,
        f"""
        with bought as (
            select {AMOUNT} as amount, f.profile_id, {first} as is_first
            from orders o
            join fragment_profiles f on f.fragment_id = o.fragment_id
            join profiles p on p.profile_id = f.profile_id
            where {PURCHASE} and {placed} and {sql.of_segment(chosen.segment_id, "f.profile_id")}
        )
        select
            count(*) as orders,
            coalesce(sum(amount), 0) as revenue,
            count(distinct profile_id) filter (where is_first) as new_buyers,
            count(distinct profile_id) filter (where not is_first) as returning_buyers
        from bought
        """,
    )
    return Week(
        users=ACTIVITY.answer(question).totals["users"],
        orders=found["orders"],
        revenue=int(found["revenue"].scaleb(4)),
        new_buyers=found["new_buyers"],
        returning_buyers=found["returning_buyers"],
    )
