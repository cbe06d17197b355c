"""Whom does a rule mean? Slowly, person by person, in plain Python: what the SQL has to equal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from customer360.clock import Instant, local_date, parse_instant
from customer360.enrichment.actions import next_best_action
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.stages import stage_of
from customer360.segments.ast import (
    ALL_CUSTOMERS_ID,
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    Rule,
    Within,
)
from customer360.segments.catalogue import EVENT_BY_NAME, property_of
from customer360.segments.days import day_of
from tests.segments.shop import CALENDAR, NOW, TIMEZONE, Event, Order, Person

TODAY = local_date(NOW, TIMEZONE)
CHANNELS = ("email", "sms", "whatsapp", "push")
SENT = ("email_sent", "sms_sent", "whatsapp_sent", "push_sent")
HOLDS_FOR_NOTHING = ("is_empty", "neq", "not_in", "not_contains")


def members(rule: Rule, people: Iterable[Person]) -> set[int]:
    """The profile ids that a rule means."""
    return {
        one.profile_id
        for one in people
        if (rule.include_visitors or one.kind == "customer") and holds(rule.root, one)
    }


def holds(node: Node, person: Person) -> bool:
    match node:
        case AllOf(parts):
            return all(holds(part, person) for part in parts)
        case AnyOf(parts):
            return any(holds(part, person) for part in parts)
        case Not(part):
            return not holds(part, person)
        case MemberOf(segment, member):
            return is_member(person, segment) == member
        case AttributeIs(attribute, op, value):
            return fits(BY_NAME[attribute].type, attribute_of(person, attribute), op, value)
        case EventDid():
            return did(node, person) == node.did


def is_member(person: Person, segment_id: int) -> bool:
    if segment_id == ALL_CUSTOMERS_ID:
        return person.kind == "customer"
    return segment_id in person.segments


def attribute_of(person: Person, name: str) -> Any:
    if name == "days_since_last_order":
        last = person.attributes["last_order_at"]
        return None if last is None else days_since(last)
    if name in ("messages_today", "messages_7d", "fatigue"):
        since = TODAY - timedelta(days=0 if name == "messages_today" else 7)
        sent = [
            one
            for one in person.events
            if one.type in SENT and local_date(one.at, TIMEZONE) >= since
        ]
        return min(Decimal(1), Decimal(len(sent)) / 10) if name == "fatigue" else len(sent)
    if name in BY_NAME and BY_NAME[name].enriched:
        return enriched(person, name)
    return person.attributes.get(name)


def enriched(person: Person, name: str) -> Any:
    scores = person.scores or {}
    if name == "lifecycle_stage":
        return stage(person)
    if name == "rfm_group" and person.attributes.get("orders_count") == 0:
        return "prospects"
    if name == "next_order_overdue_days":
        expected = scores.get("predicted_next_order_at")
        return None if expected is None else max(0, days_since(expected))
    if name == "next_best_action":
        consents = (person.attributes.get(f"consent_{one}") for one in CHANNELS)
        told = [
            scores.get("churn_band") or "",
            "granted" in consents,
            bool(scores.get("products_due")),
        ]
        return next_best_action(stage(person), *told)
    return scores.get(name)


def stage(person: Person) -> str:
    told = person.attributes
    acted = told.get("last_acted_at")
    facts = [int(told.get(one) or 0) for one in ("orders_count", "sessions_count", "product_views")]
    return stage_of(acted, *facts, told.get("opted_in_at") is not None, NOW, CALENDAR)


def days_since(at: Instant) -> int:
    return (TODAY - local_date(at, TIMEZONE)).days


def fits(kind: str, found: Any, op: str, value: Any) -> bool:
    """Whether a value of this type fits an operator."""
    if op in ("is_empty", "is_not_empty"):
        return (found is None or found == []) == (op == "is_empty")
    if found is None:
        return op in HOLDS_FOR_NOTHING
    if op.startswith("not_"):
        return not fits(kind, found, op.removeprefix("not_"), value)
    if op == "neq":
        return not fits(kind, found, "eq", value)
    if op == "in":
        return any(fits(kind, found, "eq", one) for one in value)
    if kind == "time":
        return fits_in_time(found, op, value)
    if kind == "custom":
        return fits_custom(found, op, value)
    if kind in ("number", "money"):
        return in_order(Decimal(found), op, value)
    if kind == "list":
        return value.lower() in [one.lower() for one in found]
    return found == value if kind == "boolean" else fits_text(found, op, value)


def fits_text(found: str, op: str, value: str) -> bool:
    one, other = found.lower(), value.lower()
    return {
        "eq": one == other,
        "contains": other in one,
        "starts_with": one.startswith(other),
        "ends_with": one.endswith(other),
    }[op]


def fits_custom(found: Any, op: str, value: Any) -> bool:
    text = found if isinstance(found, str) else json.dumps(found)
    if isinstance(value, Decimal | tuple):
        try:
            return in_order(Decimal(float(text)), op, value)
        except ValueError:
            return False
    return fits_text(text, op, json.dumps(value) if isinstance(value, bool) else value)


def in_order(found: Any, op: str, value: Any) -> bool:
    if op == "between":
        return bool(value[0] <= found <= value[1])
    return bool(
        {
            "eq": found == value,
            "gt": found > value,
            "gte": found >= value,
            "lt": found < value,
            "lte": found <= value,
        }[op]
    )


def fits_in_time(found: Instant, op: str, value: Any) -> bool:
    day = local_date(found, TIMEZONE)
    if op == "in_last_days":
        return TODAY - timedelta(days=int(value)) <= day <= TODAY
    if op == "between":
        return fits_in_time(found, "gte", value[0]) and fits_in_time(found, "lte", value[1])
    simple = {"on": "eq", "before": "lt", "after": "gt"}.get(op, op)
    if "T" in value:
        return in_order(found, simple, parse_instant(value))
    return in_order(day, simple, day_of(value, TODAY))


def did(node: EventDid, person: Person) -> bool:
    amounts: list[Any] = []
    count = 0
    if node.event == "order_placed":
        for order in person.orders:
            found = purchase(node, order)
            count += found is not None
            amounts += found or []
    else:
        for event in person.events:
            if event.type == node.event and happened(node, event):
                count += 1
                amounts.append(event.told.get(node.sum.property) if node.sum else None)
    if node.sum is None and node.count is None:
        return count > 0
    return (node.count is None or counted(count, node.count.op, node.count.value)) and (
        node.sum is None or counted(sum(map(number, amounts)), node.sum.op, node.sum.value)
    )


def counted(found: Any, op: str, value: Any) -> bool:
    return found != value if op == "neq" else in_order(found, op, value)


def number(amount: Any) -> Decimal:
    """What a value adds to a sum."""
    if amount is None or isinstance(amount, bool):
        return Decimal(0)
    try:
        return Decimal(float(amount)) if isinstance(amount, str) else Decimal(amount)
    except ValueError:
        return Decimal(0)


def happened(node: EventDid, event: Event) -> bool:
    return within(node.within, event.at) and all(
        fits(kind_of(node.event, one.property), event.told.get(one.property), one.op, one.value)
        for one in node.where
    )


def purchase(node: EventDid, order: Order) -> list[Any] | None:
    """What an order that fits adds to the sum; None for one that does not fit."""
    if order.cancelled or order.test or not within(node.within, order.at):
        return None
    names = EVENT_BY_NAME["order_placed"].lines
    of_lines = [one for one in node.where if one.property in names]
    others = [one for one in node.where if one.property not in names]

    def value(told: dict[str, Any], name: str) -> Any:
        money = kind_of("order_placed", name) == "money"
        return None if money and order.foreign else told[name]

    def fit(told: dict[str, Any], tests: list[Any]) -> bool:
        return all(
            fits(
                kind_of("order_placed", one.property), value(told, one.property), one.op, one.value
            )
            for one in tests
        )

    lines = [line for line in order.lines if fit(line, of_lines)]
    if not fit(order.told, others) or (of_lines and not lines):
        return None
    if node.sum is None:
        return []
    name = node.sum.property
    return [value(line, name) for line in lines] if name in names else [value(order.told, name)]


def kind_of(event: str, name: str) -> str:
    known = property_of(event, name)
    assert known is not None
    return known.type


def within(when: Within | None, at: Instant) -> bool:
    day = local_date(at, TIMEZONE)

    def bound(text: str | None, otherwise: date) -> date:
        return otherwise if text is None else day_of(text, TODAY)

    return when is None or (
        bound(when.since, day) <= day <= bound(when.until, day)
        and bound(when.after, date.min) < day < bound(when.before, date.max)
    )
