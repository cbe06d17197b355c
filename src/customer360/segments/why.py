"""Why is this person in a segment, or not? Every condition with whether it holds, and the person's own value.

The evaluator is that of the crowd, asked over this one person's rows: tables of the same names, with only those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlglot import exp

from customer360.clock import Instant, local_date
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.browse import WarehouseQuery, raw_value
from customer360.profiles.card import AttributeValue
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
from customer360.segments.changed import over_rows_of
from customer360.segments.comparisons import Bound
from customer360.segments.event_sql import EventSql
from customer360.segments.to_sql import DIALECT, MEASURED, select_truths

_MEASURES = ("count", "total", "last_at")


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
    timezone: str,
) -> list[Why] | None:
    """Of each rule, why it means the person or not; None while the warehouse does not know them yet."""
    conditions = [*dict.fromkeys(one for rule in rules for one in conditions_of(rule.root))]
    compiled = select_truths(conditions, now, timezone)
    bound = Bound(now, timezone, compiled.values)
    query = _with_own_values(compiled.query, conditions, bound)
    person = exp.select(bound.value(profile_id).as_("profile_id"))
    sql = over_rows_of(person, query).sql(DIALECT)
    rows = warehouse.query(shop_id, sql, compiled.values).to_pylist()
    if not rows:
        return None
    row = {name: raw_value(value) for name, value in rows[0].items()}
    known = {
        condition: (row[f"holds_{number}"], _own(condition, number, row, bound.today, timezone))
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


def _with_own_values(query: exp.Query, conditions: Sequence[Condition], bound: Bound) -> exp.Select:
    """The query with the person's own values beside the truths; changes it."""
    assert isinstance(query, exp.Select)
    events = EventSql(bound, "", exp.column("profile_id", "p"))
    attributes = {one.attribute for one in conditions if isinstance(one, AttributeIs)}
    stored = {"kind", "last_order_at", *filter(_is_stored, attributes)}
    selected: list[exp.Expr] = [exp.column(name, "p") for name in sorted(stored)]
    selected += [
        events.sent(name).subquery().as_(name) for name in sorted(attributes.intersection(MEASURED))
    ]
    for number, one in enumerate(conditions):
        if isinstance(one, EventDid):
            name = f"events_{number}"
            query.join(events.measured(one).subquery(name), join_type="cross", copy=False)
            selected += [exp.column(what, name).as_(f"{what}_{number}") for what in _MEASURES]
    return query.select(*selected, copy=False)


def _own(
    condition: Condition, number: int, row: Mapping[str, Any], today: date, timezone: str
) -> AttributeValue | EventsOwn:
    match condition:
        case EventDid():
            return EventsOwn(*(row[f"{what}_{number}"] for what in _MEASURES))
        case MemberOf(_, member):
            return bool(row[f"holds_{number}"]) == member
        case AttributeIs(attribute="days_since_last_order"):
            last: Instant | None = row["last_order_at"]
            return None if last is None else (today - local_date(last, timezone)).days
        case AttributeIs(attribute):
            value: AttributeValue = row.get(attribute)
            return value


def _is_stored(attribute: str) -> bool:
    known = BY_NAME[attribute]
    return not known.moves and not known.enriched
