"""How far do people get: from the site to an order? Each step counts who did it and every step before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from customer360.errors import NotFound
from customer360.events.vocabulary import label_of
from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.sql import PURCHASE, Sql
from customer360.segments.ast import ALL_CUSTOMERS_ID

STEPS = ("visited_site", "product_viewed", "added_to_cart", "checkout_started", "order_placed")
"""In this order; the first is a session and the last a counted order, the others are events of these types."""
_EVENTS = STEPS[1:-1]
# A person's steps are the bits of one number.
_BITS = {step: 1 << place for place, step in enumerate(STEPS)}
_UP_TO = {step: (1 << place + 1) - 1 for place, step in enumerate(STEPS)}


def _answer(question: Question) -> Answer:
    counts = _counts(question)
    segment = question.filter.segment_id
    everybody: Sequence[int] | None = None
    if segment not in (None, ALL_CUSTOMERS_ID):
        all_customers = replace(question.filter, segment_id=ALL_CUSTOMERS_ID)
        everybody = _counts(replace(question, filter=all_customers))
    rows = [_row(place, counts, everybody) for place in range(len(STEPS))]
    return Answer(
        rows, {"people": counts[0], "share": rows[-1]["share"]} if counts[0] else {"people": 0}
    )


def _row(place: int, counts: Sequence[int], everybody: Sequence[int] | None) -> Row:
    people = counts[place]
    before = counts[place - 1] if place else None
    return {
        "step": STEPS[place],
        "label": label_of(STEPS[place]),
        "people": people,
        "share": _share(people, counts[0]),
        "of_before": None if before is None else _share(people, before),
        "dropped": None if before is None else before - people,
        "all_share": None if everybody is None else _share(everybody[place], everybody[0]),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _counts(question: Question) -> list[int]:
    sql = Sql()
    counted = ", ".join(
        f"count(*) filter (where steps & {mask} = {mask}) as {step}"
        for step, mask in _UP_TO.items()
    )
    (found,) = question.ask(sql, f"select {counted} from ({_people_with_steps(question, sql)})")
    return [int(found[step]) for step in STEPS]


def _people_with_steps(question: Question, sql: Sql) -> str:
    """Everybody who did any step within the days, with their steps."""
    chosen = question.filter

    def within(column: str) -> str:
        return sql.within(column, chosen.first, chosen.last, chosen.timezone)

    of_events = " ".join(f"when '{step}' then {_BITS[step]}" for step in _EVENTS)
    return f"""
        select f.profile_id, bit_or(done.steps) as steps
        from (
            select s.fragment_id, {_BITS[STEPS[0]]} as steps
            from sessions s
            where {within("s.first_at")}
            group by s.fragment_id
            union all
            select e.fragment_id, bit_or(case e.type {of_events} end)
            from event_facts e
            where e.type in {_EVENTS} and {within("e.occurred_at")}
            group by e.fragment_id
            union all
            select o.fragment_id, {_BITS[STEPS[-1]]}
            from orders o
            where {PURCHASE} and {within("o.placed_at")}
            group by o.fragment_id
        ) done
        join fragment_profiles f on f.fragment_id = done.fragment_id
        where {sql.of_segment(chosen.segment_id, "f.profile_id")}
        group by f.profile_id
        """


def _people(question: Question, sql: Sql, who: Who) -> str:
    place = _place(who)
    mask = _UP_TO[STEPS[place]]
    did = mask
    if who["of"] == "dropped":
        did = mask & ~_BITS[STEPS[place]]
    return (
        f"select profile_id from ({_people_with_steps(question, sql)}) where steps & {mask} = {did}"
    )


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen = question.filter
    if chosen.timezone != question.calendar.timezone:
        return None
    place = _place(who)
    within = {"from": chosen.first.isoformat(), "to": chosen.last.isoformat()}
    rules: list[dict[str, Any]] = [{"event": step, "within": within} for step in STEPS[: place + 1]]
    if who["of"] == "dropped":
        rules[-1]["did"] = False
    return chosen.rule(*rules, visitors=True)


def _place(who: Who) -> int:
    """Which step a number is of; the total is the first. Raises NotFound."""
    step = who.get("step", STEPS[0])
    if step not in STEPS or (who["of"] == "dropped" and step == STEPS[0]):
        raise NotFound
    return STEPS.index(step)


REPORT = Report(
    name="funnel",
    title="Funnel",
    asks="How far do people get on the way to an order, and where do they leave?",
    icon="funnel",
    chart="funnel",
    columns=(
        Column("label", "Step", "text"),
        Column("step", "Event", "text"),
        Column(
            "people",
            "People",
            help="Who did this step and every step before it within the days, in any order. An order is one that"
            " counts: neither cancelled nor a test.",
            who=("step",),
        ),
        Column(
            "share",
            "Of the first step",
            "share",
            help="People of this step / people of the first one.",
        ),
        Column("of_before", "Of the step before", "share"),
        Column(
            "dropped",
            "Left before it",
            help="Who did every step before this one within the days, and not this one.",
            who=("step",),
            better="less",
        ),
        Column(
            "all_share",
            "All customers",
            "share",
            help="The share of the first step that all customers reach, beside the segment's.",
        ),
    ),
    headline=("people", "share"),
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Visits, carts and checkouts appear here once the pixel or the Shopify web pixel is in your shop.",
)
