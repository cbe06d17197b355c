"""By which calendar do a rule's members follow? Where it is another, time alone has moved people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import (
    AttributeIs,
    Condition,
    EventDid,
    MemberOf,
    PropertyIs,
    Rule,
    Value,
    conditions_of,
)
from customer360.segments.catalogue import property_of
from customer360.segments.days import TODAY, is_day, offset_of
from customer360.segments.to_sql import MEASURED

_COUNTED_FROM_TODAY = ("days_since_last_order", *MEASURED)


def calendar_of(rule: Rule, others: Mapping[int, Rule], today: date, timezone: str) -> str:
    """Empty where a rule asks for no day, the zone where it names days, zone and day where it counts from today.

    others: the rules of the segments it may ask for.
    """
    days = set(_days(rule, others))
    if any(_moves(day) for day in days):
        return f"{timezone} {today.isoformat()}"
    return timezone if days else ""


def _moves(day: str) -> bool:
    return day == TODAY or offset_of(day) is not None


def _days(rule: Rule, others: Mapping[int, Rule]) -> Iterator[str]:
    """The days that a rule names, those of segments that it asks for included."""
    for condition in conditions_of(rule.root):
        if isinstance(condition, MemberOf):
            if condition.segment_id in others:
                yield from _days(others[condition.segment_id], others)
        else:
            yield from _days_in(condition)


def _days_in(condition: Condition) -> Iterator[str]:
    if isinstance(condition, AttributeIs):
        yield from _days_of_attribute(condition)
    elif isinstance(condition, EventDid):
        when = condition.within
        bounds = (when.since, when.after, when.until, when.before) if when else ()
        yield from (bound for bound in bounds if bound is not None and is_day(bound))
        for one in condition.where:
            yield from _days_of_property(condition.event, one)


def _days_of_attribute(one: AttributeIs) -> Iterator[str]:
    if one.attribute in _COUNTED_FROM_TODAY:
        yield TODAY
    elif BY_NAME[one.attribute].type == "time":
        yield from _days_of_time(one.op, one.value)


def _days_of_property(event: str, one: PropertyIs) -> Iterator[str]:
    known = property_of(event, one.property)
    if known is not None and known.type == "time":
        yield from _days_of_time(one.op, one.value)


def _days_of_time(op: str, value: Value) -> Iterator[str]:
    if op in ("in_last_days", "not_in_last_days"):
        yield TODAY
        return
    moments = value if isinstance(value, tuple) else (value,)
    yield from (moment for moment in moments if isinstance(moment, str) and is_day(moment))
