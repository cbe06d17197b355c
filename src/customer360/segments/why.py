"""Why is this person in a segment, or not? Every condition with whether it holds, and the person's own value.

The person's rows are copied and counted like those of people who changed; what is told is what was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlglot import exp

from customer360.clock import Instant, local_date
from customer360.profiles.attributes import AttributeValue
from customer360.profiles.browse import WarehouseQuery, raw
from customer360.profiles.moving import days_since, overdue_days
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import (
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    EventDid,
    MemberOf,
    Node,
    Not,
    Rule,
    conditions_of,
    parts_of,
)
from customer360.segments.at_once import CHANGED, MEASURED_PEOPLE, AtOnce, of_changed
from customer360.segments.comparisons import Bound, certain, table
from customer360.segments.enriched import OVERDUE
from customer360.segments.event_sql import EventSql
from customer360.segments.to_sql import MEASURED, PEOPLE, Compiled, Evaluator


@dataclass(frozen=True, slots=True)
class EventsOwn:
    """Of a person's events that a condition asks for: how many, what they add up to, and the last at any time.

    A sum is raw where it is an amount.
    """

    count: int
    total: int | float | None
    last_at: Instant | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A part of a rule as it is for one person; `parts` mirror the node's.

    `own` is the person's value of a condition: of the attribute, raw as cards hold it, of the events, or whether
    they are in the segment. A group has none.
    """

    node: Node
    holds: bool
    own: AttributeValue | EventsOwn
    parts: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a rule means a person, or not: `root`, unless they are a visitor and it means customers alone."""

    is_customer: bool
    kind_fits: bool
    root: Answer

    @property
    def holds(self) -> bool:
        """Whether the rule means the person."""
        return self.kind_fits and self.root.holds


def why(
    warehouse: WarehouseQuery,
    shop_id: int,
    rules: Sequence[Rule],
    profile_id: int,
    now: Instant,
    calendar: ShopCalendar,
) -> list[Why] | None:
    """Of each rule, why it means the person or not; None while the warehouse does not know them yet."""
    conditions = [*dict.fromkeys(one for rule in rules for one in conditions_of(rule.root))]
    compiled = _select_truths(conditions, profile_id, now, calendar)
    rows = warehouse.query(shop_id, compiled.sql(), compiled.values).to_pylist()
    if not rows:
        return None
    row = raw(rows[0])
    known = {
        condition: (
            row[f"holds_{number}"],
            _own(condition, number, row, local_date(now, calendar.timezone), calendar.timezone),
        )
        for number, condition in enumerate(conditions)
    }
    is_customer = row["kind"] == "customer"
    return [
        Why(is_customer, is_customer or rule.include_visitors, _answer(rule.root, known))
        for rule in rules
    ]


def _answer(node: Node, known: dict[Condition, tuple[bool, Any]]) -> Answer:
    parts = tuple(_answer(part, known) for part in parts_of(node))
    match node:
        case AllOf():
            return Answer(node, all(part.holds for part in parts), None, parts)
        case AnyOf():
            return Answer(node, any(part.holds for part in parts), None, parts)
        case Not():
            return Answer(node, not parts[0].holds, None, parts)
        case condition:
            return Answer(condition, *known[condition], ())


def _select_truths(
    conditions: Sequence[Condition], profile_id: int, now: Instant, calendar: ShopCalendar
) -> Compiled:
    """Of the person: whether each condition holds, holds_0, holds_1, …, and beside these their own values."""
    bound = Bound(now, calendar)
    at_once = AtOnce(bound, "main")
    evaluator = Evaluator(bound, answer=at_once)
    told = [
        certain(evaluator.condition(one)).as_(f"holds_{number}")
        for number, one in enumerate(conditions)
    ]
    told += _own_values(conditions, evaluator, EventSql(bound, at_once), at_once)
    query = exp.select(*told).from_(table(MEASURED_PEOPLE, PEOPLE, ""))
    query = query.with_(CHANGED, exp.select(bound.value(profile_id).as_("profile_id")))
    # In the place of everybody's.
    members = of_changed("segment_members", "main", ("segment_id", "profile_id"))
    for name, rows in (*at_once.steps(told), ("segment_members", members)):
        query = query.with_(name, rows, materialized=True)
    for name, rows in at_once.measures():
        query = query.with_(name, rows)
    return Compiled(query, bound.values)


def _own_values(
    conditions: Sequence[Condition], evaluator: Evaluator, events: EventSql, at_once: AtOnce
) -> Iterator[exp.Expr]:
    attributes = {one.attribute for one in conditions if isinstance(one, AttributeIs)}
    yield exp.column("kind", PEOPLE)
    for name in sorted({_COUNTED_FROM.get(one, one) for one in attributes.difference(MEASURED)}):
        yield evaluator.value(name).as_(name)
    for name in sorted(attributes.intersection(MEASURED)):
        yield at_once.measure(*events.sent(name)).as_(name)
    for number, one in enumerate(conditions):
        if isinstance(one, EventDid):
            for what, measure in events.measures(one).items():
                yield at_once.measure(*measure).as_(f"{what}_{number}")


def _own(
    condition: Condition, number: int, row: Mapping[str, Any], today: date, timezone: str
) -> AttributeValue | EventsOwn:
    match condition:
        case EventDid():
            return EventsOwn(*(row[f"{what}_{number}"] for what in ("count", "total", "last_at")))
        case MemberOf(_, member):
            return bool(row[f"holds_{number}"]) == member
        case AttributeIs(attribute="days_since_last_order"):
            return days_since(row["last_order_at"], today, timezone)
        case AttributeIs(attribute="next_order_overdue_days"):
            return overdue_days(row["predicted_next_order_at"], today, timezone)
        case AttributeIs(attribute):
            value: AttributeValue = row.get(attribute)
            return value


_COUNTED_FROM = {
    "days_since_last_order": "last_order_at",
    OVERDUE: "predicted_next_order_at",
}
"""By attribute that is a number of days, the time from which it is counted."""
