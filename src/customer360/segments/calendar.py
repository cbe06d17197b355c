"""By which calendar do a rule's members follow? Where it is another, time alone has moved people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from customer360.profiles.attributes import BY_NAME, SCORED
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import (
    AttributeIs,
    Condition,
    EventDid,
    PropertyIs,
    Rule,
    Value,
    all_conditions,
)
from customer360.segments.catalogue import property_of
from customer360.segments.days import TODAY, is_day, offset_of
from customer360.segments.enriched import OVERDUE
from customer360.segments.to_sql import MEASURED

_SCORED = frozenset((*(one.name for one in SCORED), OVERDUE, "next_best_action"))
_STAGED = ("lifecycle_stage", "next_best_action")
_COUNTED_FROM_TODAY = ("days_since_last_order", OVERDUE, *_STAGED, *MEASURED)


def calendar_of(rule: Rule, others: Mapping[int, Rule], today: date, calendar: ShopCalendar) -> str:
    """Empty where a rule asks for no day, the zone where it names days, zone and day where it counts from today.

    Where it asks for stages, the shop's windows stand behind these. others: the rules of the segments it may ask for.
    """
    conditions = [*all_conditions(rule, others)]
    days = {day for one in conditions for day in _days_in(one)}
    if not any(_moves(day) for day in days):
        return calendar.timezone if days else ""
    counted = f"{calendar.timezone} {today.isoformat()}"
    if not any(isinstance(one, AttributeIs) and one.attribute in _STAGED for one in conditions):
        return counted
    windows = calendar.windows
    return f"{counted} {windows.at_risk_days} {windows.churned_days}"


def asks_for_scores(rule: Rule, others: Mapping[int, Rule]) -> bool:
    """Whether a run of enrichment may move people in or out of a segment with this rule."""
    return any(
        isinstance(one, AttributeIs) and one.attribute in _SCORED
        for one in all_conditions(rule, others)
    )


def _moves(day: str) -> bool:
    return day == TODAY or offset_of(day) is not None


def _days_in(condition: Condition) -> Iterator[str]:
    """The days that a condition names."""
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
