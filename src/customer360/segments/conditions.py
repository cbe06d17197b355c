"""Makes conditions that fit the catalogue, each value in its one form; the only way to one. Pure.

Values come as JSON has them. InvalidRule says in `path` which part does not fit, in the words of the API:
"attribute", "op", "value", "value.3", …
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from customer360.errors import InvalidRule
from customer360.events.vocabulary import MAX_CUSTOM_NAME
from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import AttributeIs, Count, PropertyIs, Scalar, Sum, Value, Within
from customer360.segments.catalogue import (
    ATTRIBUTE_NAMES,
    COUNT_OPERATORS,
    ValueType,
    event_of,
    nearest,
    operators_of,
    property_of,
)
from customer360.segments.days import last_days, read_day, read_moment
from customer360.values import parse_id

MAX_VALUES = 1000
"""Values of one list: a rule is no file of people."""
MAX_TEXT = 255
"""The longest text that the warehouse holds."""
MOST_DAYS = 36_500
# Fifteen digits come back from a float of JSON as they went in.
_MOST_DIGITS = 15
_LARGEST = Decimal(10) ** _MOST_DIGITS


@contextmanager
def inside(*parts: str | int) -> Iterator[None]:
    """Puts the place of what is being read before the place that an error names."""
    try:
        yield
    except InvalidRule as error:
        error.path = ".".join(map(str, (*parts, *filter(None, (error.path,)))))
        raise


def attribute_is(attribute: str, op: str, value: Any = None) -> AttributeIs:
    """A condition on an attribute."""
    known = BY_NAME.get(attribute)
    if known is None:
        hint = nearest(attribute, ATTRIBUTE_NAMES)
        raise InvalidRule(f"There is no attribute {attribute!r}{hint}", "attribute")
    return AttributeIs(attribute, op, read_value(known.type, op, value, known.choices))


def check_event(event: str) -> str:
    """The name of an event; a custom one may have any that an event can have."""
    if not 0 < len(event) <= MAX_CUSTOM_NAME or not _can_be_kept(event):
        raise InvalidRule(f"An event has a name of 1 to {MAX_CUSTOM_NAME} characters", "event")
    return event


def property_type(event: str, name: str) -> ValueType:
    """The type of an event's property; raises InvalidRule where the event has none of this name."""
    known = property_of(event, name)
    if known is None:
        entry = event_of(event)
        hint = nearest(name, (*entry.properties, *entry.lines))
        raise InvalidRule(f"{event} has no property {name!r}{hint}", "property")
    if not 0 < len(name) <= MAX_CUSTOM_NAME or not _can_be_kept(name):
        raise InvalidRule(f"A property has a name of 1 to {MAX_CUSTOM_NAME} characters", "property")
    return known.type


def property_is(event: str, name: str, op: str, value: Any = None) -> PropertyIs:
    """A condition on a property of an event."""
    kind, known = property_type(event, name), property_of(event, name)
    return PropertyIs(name, op, read_value(kind, op, value, known.choices if known else ()))


def count_is(op: str, value: Any) -> Count:
    """How often: whole numbers."""
    _check_operator(op, COUNT_OPERATORS)
    return Count(op, _shaped(op, value, _whole))


def sum_is(event: str, name: str, op: str, value: Any) -> Sum:
    """What a numeric property adds up to."""
    kind = property_type(event, name)
    if kind not in ("number", "money", "custom"):
        raise InvalidRule(f"{name} is no number, so it cannot be summed", "property")
    _check_operator(op, COUNT_OPERATORS)
    return Sum(name, op, _shaped(op, value, _number))


def within_last(days: Any) -> Within:
    """From the start of the shop's day so many days ago."""
    return Within(since=last_days(int(_whole(days, MOST_DAYS))))


def within(**bounds: Any) -> Within | None:
    """Between days; None where no bound is told, which means ever. Raises InvalidRule with the bound's name."""
    told = {name: bound for name, bound in bounds.items() if bound is not None}
    for one, other in (("since", "after"), ("until", "before")):
        if one in told and other in told:
            raise InvalidRule(
                "Say either the first day or the day before it, and likewise at the end", other
            )
    days: dict[str, str] = {}
    for name, bound in told.items():
        with inside(name):
            days[name] = read_day(_text(bound))
    return Within(**days) if days else None


def segment_id(value: Any) -> int:
    """The id of a segment, which JSON writes as a string."""
    found = parse_id(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidRule("A segment is named by its id, a string of digits", "segment")
    return found


def read_value(kind: ValueType, op: str, value: Any, choices: Sequence[str] = ()) -> Value:
    """The value in its one form; raises InvalidRule where operator or value do not fit the type."""
    _check_operator(op, operators_of(kind))
    if op in ("is_empty", "is_not_empty"):
        if value is not None:
            raise InvalidRule(f"{op} takes no value", "value")
        return None
    with inside("value"):
        if op in ("in_last_days", "not_in_last_days"):
            return _whole(value, MOST_DAYS)
        found = _shaped_inside(op, value, _reader(kind, op, choices))
    return found


def _check_operator(op: str, known: Sequence[str]) -> None:
    if op not in known:
        raise InvalidRule(f"{op!r} does not fit here; use one of {', '.join(known)}", "op")


def _shaped(op: str, value: Any, read: Callable[[Any], Scalar]) -> Value:
    with inside("value"):
        return _shaped_inside(op, value, read)


def _shaped_inside(op: str, value: Any, read: Callable[[Any], Scalar]) -> Value:
    """One value, two for `between`, many for lists."""
    if op not in ("between", "in", "not_in"):
        return read(value)
    if not isinstance(value, list | tuple) or (op == "between" and len(value) != 2):
        wanted = "two values, from and to" if op == "between" else "a list of values"
        raise InvalidRule(f"{op} takes {wanted}")
    if not 0 < len(value) <= MAX_VALUES:
        raise InvalidRule(f"A list has 1 to {MAX_VALUES} values")
    found: list[Scalar] = []
    for place, one in enumerate(value):
        with inside(place):
            found.append(read(one))
    return tuple(found)


def _reader(kind: ValueType, op: str, choices: Sequence[str]) -> Callable[[Any], Scalar]:
    if kind == "choice":
        return lambda value: _choice(value, choices)
    if kind == "time":
        return lambda value: (read_day if op == "on" else read_moment)(_text(value))
    if kind == "custom":
        return lambda value: _custom(op, value)
    readers: dict[Literal["number", "money", "text", "list", "boolean"], Callable[[Any], Scalar]]
    readers = {
        "number": _number,
        "money": _number,
        "text": _text,
        "list": _text,
        "boolean": _boolean,
    }
    return readers[kind]


def _number(value: Any) -> Decimal:
    """A number of JSON, or its digits as text: exact, and back from JSON as it was."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise InvalidRule("A number is wanted, such as 3 or 19.90")
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise InvalidRule("This number is too large")
    try:
        # A float's last digits are an accident: 0.1 + 0.2 is meant as 0.3.
        number = Decimal(f"{value:.{_MOST_DIGITS}g}" if isinstance(value, float) else value)
    except InvalidOperation as error:
        raise InvalidRule(f"{value!r} is no number; write digits, such as 3 or 19.90") from error
    if number.is_nan():
        raise InvalidRule(f"{value!r} is no number; write digits, such as 3 or 19.90")
    if abs(number) >= _LARGEST:
        raise InvalidRule("This number is too large")
    short = number.normalize()
    if len(short.as_tuple().digits) > _MOST_DIGITS or short.as_tuple().exponent < -_MOST_DIGITS:  # type: ignore[operator]
        raise InvalidRule(f"A number has at most {_MOST_DIGITS} digits")
    return short + 0


def _whole(value: Any, most: int = 10**9) -> Decimal:
    number = _number(value)
    if number != int(number) or not 0 <= number <= most:
        raise InvalidRule(f"A whole number from 0 to {most} is wanted")
    return number


def _text(value: Any) -> str:
    """Text, or an id that JSON wrote as a number."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not _can_be_kept(value):
        raise InvalidRule(f"Text of 1 to {MAX_TEXT} characters is wanted")
    return value


def _can_be_kept(text: str) -> bool:
    """No database keeps a NUL, or half of a character."""
    return "\0" not in text and text.encode(errors="ignore").decode() == text


def _boolean(value: Any) -> bool:
    said = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(said, bool):
        raise InvalidRule("true or false is wanted")
    return said


def _choice(value: Any, choices: Sequence[str]) -> str:
    """One of the choices, however its case and the blanks in it are written."""
    said = re.sub(r"[\s-]+", "_", _text(value).strip().lower())
    if said not in choices:
        raise InvalidRule(f"{value!r} is none of {', '.join(choices)}{nearest(said, choices)}")
    return said


def _custom(op: str, value: Any) -> Scalar:
    """What only the shop knows has no type: the value says what is compared."""
    if op in ("gt", "gte", "lt", "lte", "between"):
        return _number(value)
    if op in ("eq", "neq", "in", "not_in"):
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float | Decimal):
            return _number(value)
    return _text(value)
