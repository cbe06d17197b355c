"""Which conditions of a rule cannot hold, whoever asks, because the warehouse does not have what they ask for? Pure.

E-mail addresses, telephone numbers and everything else that names somebody never enter it, see `warehouse.scrub`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import Condition, EventDid, MemberOf, Rule, Value, conditions_of
from customer360.segments.catalogue import property_of
from customer360.warehouse.scrub import LONGEST_CUSTOM, may_be_named, scrub_code, scrub_place

_PERSONAL = "E-mail addresses and telephone numbers are not kept for segments, so this is nowhere."
_LONG = f"Values longer than {LONGEST_CUSTOM} characters are not kept for segments."
_PATHS = "Pages are kept as paths such as /products/tea, without host and parameters."
_PAGES = ("url", "link", "first_touch_url", "last_touch_url")
_PLACES = ("country", "region", "city", "zip", "timezone", "currency", "language")


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be known of a condition before its answer is trusted."""

    condition: Condition
    text: str


def notices(rule: Rule) -> tuple[Notice, ...]:
    """What the builder tells beside conditions that ask for what is not there."""
    return tuple(
        dict.fromkeys(
            Notice(condition, text)
            for condition in conditions_of(rule.root)
            for text in _about(condition)
        )
    )


def _about(condition: Condition) -> Iterator[str]:
    if isinstance(condition, MemberOf):
        return
    if isinstance(condition, EventDid):
        for one in condition.where:
            yield from _about_property(condition.event, one.property, one.value)
        if condition.sum:
            yield from _about_property(condition.event, condition.sum.property, None)
        return
    known = BY_NAME[condition.attribute]
    if known.type in ("text", "list"):
        yield from _about_value(known.name, condition.value)


def _about_property(event: str, name: str, value: Value) -> Iterator[str]:
    known = property_of(event, name)
    assert known is not None
    if known.unknown:
        yield f"No source tells the {known.label.lower()} yet, so it is empty in all events."
    elif known.type == "custom" and not may_be_named(name):
        yield f"A property named {name!r} may name a person, so it is not kept for segments."
    elif known.type == "custom" and _longest(value) > LONGEST_CUSTOM:
        yield _LONG
    elif known.type in ("text", "list", "custom"):
        yield from _about_value(name, value)


def _about_value(name: str, value: Value) -> Iterator[str]:
    scrub = scrub_place if name in _PLACES else scrub_code
    texts = _texts(value)
    if name in _PAGES and any("?" in text or "://" in text for text in texts):
        yield _PATHS
    elif any(scrub(text) is None for text in texts):
        yield _PERSONAL


def _texts(value: Value) -> tuple[str, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(one for one in values if isinstance(one, str))


def _longest(value: Value) -> int:
    return max(map(len, _texts(value)), default=0)
