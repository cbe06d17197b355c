"""A rule as one sentence in plain words. Pure; numbers, money and dates as Babel writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from customer360.clock import parse_instant, to_datetime
from customer360.profiles.attributes import BY_NAME, Attribute
from customer360.segments.ast import (
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    PropertyIs,
    Rule,
    Scalar,
    Value,
    Within,
)
from customer360.segments.catalogue import ValueType, event_of, property_of
from customer360.segments.days import TODAY, days_back, is_day, offset_of

# "A, B or C" and "31 Jan 2026", as the pages have it.
_LOCALE = Locale("en", "GB")
_MOST_NAMED = 5
_PLAIN = re.compile(r"[\w.\-/]+")
_UNITS = {"d": "day", "w": "week", "m": "month", "y": "year"}

_SPOKEN: dict[str, str] = {
    "orders_count": "number of orders",
    "items_count": "number of items bought",
    "total_spend": "total spend",
    "net_spend": "net spend",
    "refunded_total": "refunded total",
    "pos_spend": "spend in stores",
    "first_seen_at": "first event",
    "last_seen_at": "last event",
    "shopping_place": "place of shopping",
    "next_order_overdue_days": "days that the next order is overdue",
}
"""Attributes whose label is no noun that follows "whose"."""

_COMPARED: dict[str, str] = {
    "eq": "exactly {}",
    "neq": "other than {}",
    "gt": "more than {}",
    "gte": "at least {}",
    "lt": "less than {}",
    "lte": "at most {}",
}
_DATED: dict[str, str] = {
    "neq": "not {}",
    "gt": "after {}",
    "after": "after {}",
    "gte": "{} or later",
    "lt": "before {}",
    "before": "before {}",
    "lte": "{} or earlier",
}
_TEXTUAL: dict[str, tuple[str, str]] = {
    "contains": ("contains {}", "contain {}"),
    "not_contains": ("does not contain {}", "do not contain {}"),
    "starts_with": ("starts with {}", "start with {}"),
    "ends_with": ("ends with {}", "end with {}"),
}
"""By number of the noun: one, and many."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says rules of one shop: its currency, and its segments by name."""

    currency: str
    segments: Mapping[int, str] = field(default_factory=dict)

    def sentence(self, rule: Rule) -> str:
        """The whole rule: Customers whose country is IE, and who have placed an order."""
        people = "customers and visitors" if rule.include_visitors else "customers"
        if rule.root == AllOf():
            return f"All {people}."
        if rule.root == AnyOf():
            return "Nobody."
        return f"{people.capitalize()} {self._joined(rule.root)}."

    def clause(self, node: Node) -> str:
        """One part of a rule, to follow the people it is about: whose country is IE."""
        match node:
            case AllOf(()):
                return "who are anybody"
            case AnyOf(()):
                return "who are nobody"
            case AllOf(parts) | AnyOf(parts):
                return self.clause(parts[0]) if len(parts) == 1 else f"({self._joined(node)})"
            case Not(part):
                return f"who are not among those {self.clause(part)}"
            case MemberOf(segment, member):
                name = self.segments.get(segment, str(segment))
                return f"who are {'' if member else 'not '}in the segment “{name}”"
            case AttributeIs():
                return self._attribute(node)
            case EventDid():
                return self._event(node)

    def _joined(self, group: AllOf | AnyOf) -> str:
        word = "and" if isinstance(group, AllOf) else "or"
        return f", {word} ".join(map(self.clause, group.parts))

    def _attribute(self, node: AttributeIs) -> str:
        known = BY_NAME[node.attribute]
        if known.type == "boolean":
            return self._has(known, node)
        noun = _SPOKEN.get(known.name) or _lower_first(known.label)
        many = known.type in ("number", "list") and any(
            word.endswith("s") for word in noun.lower().split()[:2]
        )
        if known.name in _SPOKEN:
            many = noun.startswith("days")
        return f"whose {noun} {self._test(known.type, node.op, node.value, many=many)}"

    def _has(self, known: Attribute, node: AttributeIs) -> str:
        thing = known.label.removeprefix("Has ")
        if node.op in ("is_empty", "is_not_empty"):
            said = "not known" if node.op == "is_empty" else "known"
            return f"of whom it is {said} whether they have {thing}"
        return f"who {'have' if node.value == (node.op == 'eq') else 'do not have'} {thing}"

    def _event(self, node: EventDid) -> str:
        entry = event_of(node.event)
        said = [entry.phrase]
        if node.where:
            said.append(f"({', '.join(self._property(node.event, one) for one in node.where)})")
        if node.count:
            said.append(self._times(node.count.op, node.count.value))
        if node.sum:
            known = property_of(node.event, node.sum.property)
            assert known is not None
            amount = self._compared(known.type, node.sum.op, node.sum.value)
            said.append(f"with {_lower_first(known.label)} of {amount} altogether")
        if node.within:
            said.append(_when(node.within))
        if node.did:
            return f"who have {' '.join(said)}"
        return f"who have {'not' if len(said) > 1 else 'never'} {' '.join(said)}"

    def _property(self, event: str, node: PropertyIs) -> str:
        known = property_of(event, node.property)
        assert known is not None
        test = self._test(known.type, node.op, node.value, many=known.type == "list")
        return f"{_lower_first(known.label)} {test}"

    def _times(self, op: str, value: Value) -> str:
        if value == 1:
            return "more than once" if op == "gt" else _COMPARED[op].format("once")
        return f"{self._compared('number', op, value)} times"

    def _compared(self, kind: ValueType, op: str, value: Value) -> str:
        if isinstance(value, tuple):
            return f"between {self._said(kind, value[0])} and {self._said(kind, value[1])}"
        return _COMPARED[op].format(self._said(kind, value))

    def _test(self, kind: ValueType, op: str, value: Value, *, many: bool = False) -> str:
        """What follows a noun: is at least 3."""
        be = "are" if many else "is"
        if op in ("is_empty", "is_not_empty"):
            return f"{be} {'not ' if op == 'is_empty' else ''}known"
        if op in ("in_last_days", "not_in_last_days"):
            return f"{be} {'not ' if op.startswith('not') else ''}{_last(int(Decimal(str(value))))}"
        if op in _TEXTUAL:
            return _TEXTUAL[op][many].format(self._said(kind, value))
        if isinstance(value, tuple):
            return f"{be} {self._among(kind, op, value)}"
        said = self._said(kind, value)
        if op in ("eq", "on"):
            return f"{be} {said}"
        words = _DATED if kind == "time" else _COMPARED
        return f"{be} {'not {}' if op == 'neq' else words[op]}".format(said)

    def _among(self, kind: ValueType, op: str, values: Sequence[Scalar]) -> str:
        said = [self._said(kind, one) for one in values[:_MOST_NAMED]]
        if op == "between":
            return f"between {said[0]} and {said[1]}"
        if len(values) > _MOST_NAMED:
            said.append(f"{len(values) - _MOST_NAMED} more")
        if op == "in":
            return format_list(said, style="or", locale=_LOCALE)
        return f"none of {format_list(said, locale=_LOCALE)}"

    def _said(self, kind: ValueType, value: Value) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            if kind == "money":
                return format_currency(
                    value, self.currency, locale=_LOCALE, decimal_quantization=False
                )
            return format_decimal(value, locale=_LOCALE, decimal_quantization=False)
        text = str(value)
        if kind == "time":
            return day_in_words(text)
        if kind == "choice":
            return text.replace("_", " ")
        return text if _PLAIN.fullmatch(text) else f"“{text}”"


def day_in_words(moment: str) -> str:
    """A day or time of a rule: 31 Jan 2026, today, 30 days ago, in 2 weeks."""
    if moment == TODAY:
        return "today"
    if moment == "-1d":
        return "yesterday"
    offset = offset_of(moment)
    if offset is not None:
        amount, unit = offset
        span = f"{abs(amount)} {_UNITS[unit]}{'' if abs(amount) == 1 else 's'}"
        return f"{span} ago" if amount < 0 else f"in {span}"
    if is_day(moment):
        return format_date(date.fromisoformat(moment), "d MMM y", locale=_LOCALE)
    at = to_datetime(parse_instant(moment))
    return f"{format_datetime(at, 'd MMM y, HH:mm', locale=_LOCALE)} UTC"


def _when(when: Within) -> str:
    days = days_back(when.since)
    if days is not None and when == Within(since=when.since):
        return _last(days)
    if when.since and when.since == when.until:
        day = day_in_words(when.since)
        return day if offset_of(when.since) or when.since == TODAY else f"on {day}"
    if when.since and when.until:
        return f"from {day_in_words(when.since)} to {day_in_words(when.until)}"
    bounds = (
        ("since {}", when.since),
        ("after {}", when.after),
        ("until {}", when.until),
        ("before {}", when.before),
    )
    return " and ".join(words.format(day_in_words(day)) for words, day in bounds if day)


def _last(days: int) -> str:
    if not days:
        return "today"
    return "in the last day" if days == 1 else f"in the last {days} days"


def _lower_first(label: str) -> str:
    """A label within a sentence; SMS, RFM and WhatsApp stay as they are."""
    first = label.partition(" ")[0]
    return label if any(map(str.isupper, first[1:])) else label[0].lower() + label[1:]
