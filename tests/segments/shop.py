"""A tiny shop of invented people: as Python values for the oracle, and as the rows of a warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa

from customer360.clock import DAY, HOUR, Instant, local_date, parse_instant, start_of_day
from customer360.enrichment import warehouse as enrichment_warehouse
from customer360.errors import InvalidRule
from customer360.events import warehouse as events_warehouse
from customer360.identities import warehouse as identities_warehouse
from customer360.profiles import warehouse as profiles_warehouse
from customer360.profiles.attributes import SCORED, STORED
from customer360.profiles.projection import profiles_mirror
from customer360.profiles.stages import ShopCalendar, Windows
from customer360.segments import warehouse as segments_warehouse
from customer360.segments.ast import EventDid, Rule, conditions_of
from customer360.segments.catalogue import EVENT_BY_NAME, PROPERTY_BY_NAME, property_of
from customer360.segments.days import read_moment, span_of
from customer360.storage.mirror import Kind, Mirror, Schema
from customer360.values import listed
from customer360.warehouse.schema import arrow_type

TIMEZONE = "Europe/Dublin"
NOW = parse_instant("2026-06-15T12:00:00Z")
CALENDAR = ShopCalendar(TIMEZONE, Windows(at_risk_days=5, churned_days=30))
"""By which stages are told here: windows of the shop's own."""
SEGMENTS = (1, 7, 614519532646400001)
SCHEMA = Schema(
    mirrors=(
        *events_warehouse.MIRRORS,
        *identities_warehouse.MIRRORS,
        *profiles_warehouse.MIRRORS,
        profiles_mirror(lambda *_: {}, lambda *_: frozenset()),
        *segments_warehouse.MIRRORS,
        *enrichment_warehouse.MIRRORS,
    ),
    views=profiles_warehouse.VIEWS,
)


@dataclass
class Event:
    """Something that a person did. `told` are the properties by name, those that only the shop knows included."""

    type: str
    at: Instant
    told: dict[str, Any]


@dataclass
class Order:
    """An order with its lines; `counts` is false for one that was cancelled or is a test."""

    at: Instant
    told: dict[str, Any]
    lines: list[dict[str, Any]]
    cancelled: bool = False
    test: bool = False
    foreign: bool = False


@dataclass
class Person:
    """All that a rule can ask of somebody.

    `attributes` hold what stages follow from as well; `scores` is None for whoever enrichment found nothing of.
    """

    profile_id: int
    kind: str = "customer"
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    segments: set[int] = field(default_factory=set)
    scores: dict[str, Any] | None = None


class Inventor:
    """Invents people whose values lie at and around those that some rules ask for."""

    def __init__(self, rules: Iterable[Rule], seed: int) -> None:
        rules = list(rules)
        self.random = Random(seed)
        self.events = ["order_placed", "email_sent", "product_viewed"]
        self.customs = {"product_viewed": {"colour"}}
        found = list(_values_in(rules))
        self._texts = ["IE", "ie", "Größe 42", *(one for one in found if isinstance(one, str))]
        numbers = [one for one in found if isinstance(one, Decimal) and abs(one) < 10**9]
        self._numbers = [Decimal(0), Decimal(1), *numbers]
        self._times = [NOW, NOW - 400 * DAY, NOW - HOUR, *_edges(found)]
        for rule in rules:
            for one in conditions_of(rule.root):
                if isinstance(one, EventDid):
                    self.events += [one.event] * 3
                    asked = {test.property for test in one.where}
                    asked |= {one.sum.property} if one.sum else set()
                    self.customs.setdefault(one.event, set()).update(asked)

    def people(self, count: int) -> list[Person]:
        return [self.person(number) for number in range(1, count + 1)]

    def person(self, profile_id: int) -> Person:
        random = self.random
        person = Person(
            profile_id,
            random.choice(("customer", "customer", "visitor")),
            {one.name: self.maybe(one.type, one.choices) for one in STORED} | self.acts(),
            segments={one for one in SEGMENTS if random.random() < 0.5},
            scores={one.name: self.maybe(one.type, one.choices) for one in SCORED}
            if random.random() < 0.8
            else None,
        )
        for _ in range(random.randrange(8)):
            event = random.choice(self.events)
            if event == "order_placed":
                person.orders.append(self.order())
            else:
                person.events.append(Event(event, self.time(), self.properties(event)))
        return person

    def acts(self) -> dict[str, Any]:
        """What stages follow from besides attributes, at and around the shop's windows."""
        random, windows = self.random, CALENDAR.windows
        days = random.choice((0, windows.at_risk_days, windows.churned_days)) - 1
        midnight = start_of_day(local_date(NOW - days * DAY, TIMEZONE), TIMEZONE)
        return {
            "last_acted_at": random.choice((None, midnight, midnight - 1, self.time())),
            "opted_in_at": random.choice((None, self.time())),
            "product_views": Decimal(random.randrange(5)),
        }

    def order(self) -> Order:
        random, entry = self.random, EVENT_BY_NAME["order_placed"]
        lines = [
            {name: self.property("order_placed", name) for name in entry.lines}
            for _ in range(random.randrange(3))
        ]
        told = {name: self.property("order_placed", name) for name in entry.properties}
        return Order(
            self.time(),
            told,
            lines,
            *(random.random() < 0.15 for _ in ("cancelled", "test", "foreign")),
        )

    def properties(self, event: str) -> dict[str, Any]:
        entry = EVENT_BY_NAME.get(event)
        names = {*(entry.properties if entry else ()), *self.customs.get(event, ())}
        return {name: self.property(event, name) for name in sorted(names)}

    def property(self, event: str, name: str) -> Any:
        known = property_of(event, name)
        assert known is not None
        return None if known.unknown else self.maybe(known.type, known.choices)

    def maybe(self, kind: str, choices: Sequence[str] = ()) -> Any:
        """A value of a type, or none."""
        random = self.random
        if random.random() < 0.2:
            return None
        if kind in ("number", "money"):
            near = random.choice(self._numbers) + random.choice((0, 0, 0, 1, -1))
            return near.quantize(Decimal(1 if kind == "number" else "0.01"))
        if kind == "time":
            return self.time()
        if kind == "choice":
            return random.choice(choices)
        if kind == "list":
            return [random.choice(self._texts) for _ in range(random.randrange(3))]
        if kind == "boolean":
            return random.random() < 0.5
        if kind == "custom":
            number = int(random.choice(self._numbers)) + random.choice((0, 1))
            return random.choice((random.choice(self._texts), number, True, False))
        text = random.choice(self._texts)
        return random.choice((text, text, text.upper(), f"x{text}", f"{text}x"))

    def time(self) -> Instant:
        near = self.random.choice(self._times) + self.random.choice((0, 0, -1, 1, HOUR, -DAY, DAY))
        return near if self.random.random() < 0.8 else NOW - self.random.randrange(400 * DAY)


def _values_in(rules: Iterable[Rule]) -> Iterator[Any]:
    for rule in rules:
        for condition in conditions_of(rule.root):
            parts = [condition]
            if isinstance(condition, EventDid):
                parts = [*condition.where, *filter(None, (condition.count, condition.sum))]
                when = condition.within
                yield from filter(
                    None, (when.since, when.after, when.until, when.before) if when else ()
                )
            for part in parts:
                value = getattr(part, "value", None)
                yield from value if isinstance(value, tuple) else (value,)


def _edges(values: Iterable[Any]) -> Iterator[Instant]:
    """The first and last instants of the days that a rule names, and so many days ago."""
    today = local_date(NOW, TIMEZONE)
    for value in values:
        if isinstance(value, str):
            try:
                span = span_of(read_moment(value), today, TIMEZONE)
            except InvalidRule:
                continue
            yield from (span.start, span.end)
        elif isinstance(value, Decimal) and 0 <= value <= 400:
            yield start_of_day(local_date(NOW - int(value) * DAY, TIMEZONE), TIMEZONE)


def tables_of(people: Sequence[Person]) -> dict[str, pa.Table]:
    """The rows of these people by table; each of them has two fragments."""
    rows = _rows_of(people)
    return {mirror.table: _arrow(mirror, rows[mirror.table]) for mirror in SCHEMA.mirrors}


def _arrow(mirror: Mirror, rows: Sequence[dict[str, Any]]) -> pa.Table:
    arrays = [
        pa.array([_stored(one.kind, row.get(one.name)) for row in rows], arrow_type(one.kind))
        for one in mirror.fields
    ]
    return pa.Table.from_arrays(arrays, [one.name for one in mirror.fields])


def _stored(kind: Kind, value: Any) -> Any:
    if kind is Kind.TEXTS and value is not None:
        return listed(value)
    if isinstance(value, Decimal) and kind is not Kind.MONEY:
        return int(value) if kind is Kind.COUNT else float(value)
    return value


def _rows_of(people: Sequence[Person]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {mirror.table: [] for mirror in SCHEMA.mirrors}
    number = 0
    for person in people:
        profile_id = person.profile_id
        rows["profiles"].append(
            {"profile_id": profile_id, "kind": person.kind, **person.attributes}
        )
        if person.scores is not None:
            rows["scores"].append({"profile_id": profile_id, **person.scores})
        rows["fragment_profiles"] += [
            {"fragment_id": 2 * profile_id + part, "profile_id": profile_id} for part in (0, 1)
        ]
        rows["segment_members"] += [
            {"segment_id": one, "profile_id": profile_id} for one in person.segments
        ]
        for event in person.events:
            number += 1
            table, row = _event_row(event)
            fragment_id = 2 * profile_id + number % 2
            rows[table].append({**row, f"{table[:-1]}_id": number, "fragment_id": fragment_id})
        for order in person.orders:
            number += 1
            fragment_id = 2 * profile_id + number % 2
            rows["orders"].append(
                {**_order_row(order), "order_id": number, "fragment_id": fragment_id}
            )
            rows["order_lines"] += [
                {
                    **line,
                    "unit_price": line["price"],
                    "order_id": number,
                    "fragment_id": fragment_id,
                }
                for line in order.lines
            ]
    return rows


def _event_row(event: Event) -> tuple[str, dict[str, Any]]:
    """Where an event lies: three kinds are derived from what has a table of its own."""
    told = event.told
    if event.type == "visited_site":
        names = {"touch_url": "url", "touch_campaign": "campaign"}
        row = {one: told[one] for one in ("referrer", "touch_source", "touch_medium")}
        return "sessions", {
            **row,
            **{one: told[name] for one, name in names.items()},
            "first_at": event.at,
        }
    if event.type == "order_refunded":
        row = {
            "amount": told["total"],
            "items_count": told["quantity"],
            "order_key": told["order_id"],
        }
        return "refunds", {**row, "refunded_at": event.at}
    if event.type == "checkout_abandoned":
        return "checkouts", {**told, "abandoned_at": event.at}
    listed = {name: value for name, value in told.items() if _is_listed(event.type, name)}
    custom = {
        name: value for name, value in told.items() if name not in listed and value is not None
    }
    properties = json.dumps(custom) if custom else None
    return "event_facts", {
        **listed,
        "properties": properties,
        "type": event.type,
        "occurred_at": event.at,
    }


def _is_listed(event: str, name: str) -> bool:
    known = property_of(event, name)
    return name in PROPERTY_BY_NAME and known is not None and known.type != "custom"


def _order_row(order: Order) -> dict[str, Any]:
    told = order.told
    return {
        **{name: told[name] for name in told if name != "order_id"},
        "order_key": told["order_id"],
        "placed_at": order.at,
        "cancelled_at": order.at + DAY if order.cancelled else None,
        "test": order.test,
        "foreign_currency": order.foreign,
    }
