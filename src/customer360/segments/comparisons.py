"""A column compared with a value, as SQL: what equal, empty and a day mean. Pure SQLGlot expressions; values are bound.

Where the column is null, only is_empty, neq, not_in and not_contains hold; the others are null or false. Text is
compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, cast

from sqlglot import exp

from customer360.clock import Instant, local_date, to_datetime
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import Scalar, Value
from customer360.segments.catalogue import ValueType
from customer360.segments.days import days_ago, span_of
from customer360.values import listed

_ORDERED: dict[str, type[exp.Binary]] = {
    "eq": exp.EQ,
    "neq": exp.NullSafeNEQ,
    "gt": exp.GT,
    "gte": exp.GTE,
    "lt": exp.LT,
    "lte": exp.LTE,
}
# Further away than any event, and within the calendar.
_MOST_DAYS = 73_000
# As JSON writes numbers; more digits are an id, and no engine's.
_NUMBER = r"^-?[0-9]{1,15}([.][0-9]{1,15})?([eE][+-]?[0-9]{1,2})?$"
_TYPES: dict[ValueType, str] = {
    "number": "double",
    "money": "decimal(18, 4)",
    "time": "timestamp",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Bound:
    """Values beside the SQL that names them, and the time at which a rule is asked: the shop's day."""

    now: Instant
    calendar: ShopCalendar
    values: list[Any] = field(default_factory=list)
    _places: dict[tuple[type, Any], int] = field(default_factory=dict)

    @property
    def timezone(self) -> str:
        """The shop's time zone."""
        return self.calendar.timezone

    @property
    def today(self) -> date:
        """The shop's calendar day."""
        return local_date(self.now, self.timezone)

    def value(self, value: Any) -> exp.Expr:
        """The value by its number; equal values have one, so that equal conditions are equal SQL."""
        place = self._places.setdefault((type(value), value), len(self.values) + 1)
        if place > len(self.values):
            self.values.append(value)
        return exp.Placeholder(this=str(place))

    def ids(self, ids: Sequence[int]) -> exp.Expr:
        """Many ids as one list."""
        self.values.append(list(ids))
        placeholder = exp.Placeholder(this=str(len(self.values)))
        return exp.cast(placeholder, "bigint[]", dialect="duckdb")

    def time(self, instant: Instant) -> exp.Expr:
        """A time as the warehouse has it: in UTC, without a zone."""
        return self.value(to_datetime(instant).replace(tzinfo=None))

    def days_ago(self, count: int) -> exp.Expr:
        """The beginning of the shop's day so many days ago."""
        return self.time(days_ago(count, self.today, self.timezone))


def compare(column: exp.Expr, kind: ValueType, op: str, value: Value, bound: Bound) -> exp.Expr:
    """The condition that a column of this type fits the operator and the value."""
    if op in ("is_empty", "is_not_empty"):
        empty = _empty(column, kind, bound)
        return empty if op == "is_empty" else exp.not_(empty)
    if kind == "time":
        return _timed(column, op, value, bound)
    if kind == "list":
        return _textual(column, op, listed((value,)), bound)
    if kind in ("number", "money"):
        return ordered(column, op, value, bound.value)
    if kind == "boolean":
        return _ORDERED[op](this=column, expression=bound.value(value))
    if kind == "custom" and op in ("in", "not_in"):
        values = cast(tuple[Scalar, ...], value)
        found = exp.or_(*(compare(column.copy(), kind, "eq", one, bound) for one in values))
        return found if op == "in" else exp.not_(certain(found))
    if kind == "custom" and isinstance(value, Decimal | tuple):
        return ordered(number_in(column), op, value, bound.value)
    return _textual(column, op, value, bound)


def certain(condition: exp.Expr) -> exp.Expr:
    """The condition, false where it is null; only what is negated needs that."""
    return exp.Coalesce(this=condition, expressions=[exp.false()])


def ordered(column: exp.Expr, op: str, value: Value, bind: Callable[[Any], exp.Expr]) -> exp.Expr:
    """Compared in order, or looked for in a list."""
    if not isinstance(value, tuple):
        return _ORDERED[op](this=column, expression=bind(value))
    if op == "between":
        return exp.Between(this=column, low=bind(value[0]), high=bind(value[1]))
    found = exp.In(this=column, expressions=[bind(one) for one in value])
    return found if op == "in" else exp.or_(column.copy().is_(exp.null()), exp.not_(found))


def elapsed(since: exp.Expr, op: str, value: Value, bound: Bound) -> exp.Expr:
    """The shop's calendar days since a time compared with a number: as many midnights, so times are compared."""
    if op in ("is_empty", "is_not_empty"):
        return compare(since, "time", op, None, bound)
    if op == "between":
        low, high = cast(tuple[Decimal, Decimal], value)
        return exp.and_(elapsed(since, "gte", low, bound), elapsed(since, "lte", high, bound))
    if op in ("neq", "not_in"):
        there = elapsed(since, "in" if op == "not_in" else "eq", value, bound)
        return exp.or_(since.is_(exp.null()), exp.not_(there))
    if isinstance(value, tuple):
        return exp.or_(*(elapsed(since, "eq", one, bound) for one in value))
    days = cast(Decimal, value)
    if op == "eq":
        return exp.and_(elapsed(since, "gte", days, bound), elapsed(since, "lte", days, bound))
    if op in ("lt", "lte"):
        most = _whole(days, ROUND_FLOOR) if op == "lte" else _whole(days, ROUND_CEILING) - 1
        return since >= bound.days_ago(most)
    least = _whole(days, ROUND_CEILING) if op == "gte" else _whole(days, ROUND_FLOOR) + 1
    return since < bound.days_ago(least - 1)


def _whole(days: Decimal, rounding: str) -> int:
    near = max(Decimal(-_MOST_DAYS), min(Decimal(_MOST_DAYS), days))
    return int(near.to_integral_value(rounding))


def _empty(column: exp.Expr, kind: ValueType, bound: Bound) -> exp.Expr:
    null = column.is_(exp.null())
    if kind != "list":
        return null
    return exp.or_(null, exp.EQ(this=column.copy(), expression=bound.value(listed(()))))


def _timed(column: exp.Expr, op: str, value: Value, bound: Bound) -> exp.Expr:
    """A day is from its first instant to its last; a time of day is one instant."""
    if op in ("in_last_days", "not_in_last_days"):
        within = exp.and_(
            column >= bound.days_ago(int(cast(Decimal, value))), column < bound.days_ago(-1)
        )
        return within if op == "in_last_days" else exp.not_(within)
    values = value if isinstance(value, tuple) else (value, value)
    first, last = (span_of(str(one), bound.today, bound.timezone) for one in values)
    if op in ("lt", "before"):
        return column < bound.time(first.start)
    if op == "lte":
        return column < bound.time(last.end)
    if op in ("gt", "after"):
        return column >= bound.time(last.end)
    if op == "gte":
        return column >= bound.time(first.start)
    there = exp.and_(column >= bound.time(first.start), column < bound.time(last.end))
    return exp.not_(certain(there)) if op == "neq" else there


def _textual(column: exp.Expr, op: str, value: Value, bound: Bound) -> exp.Expr:
    def said(one: Scalar | None) -> exp.Expr:
        text = str(one).lower() if isinstance(one, bool) else str(one)
        return exp.Lower(this=bound.value(text))

    lower = exp.Lower(this=column)
    if op in ("eq", "neq", "in", "not_in"):
        return ordered(lower, op, value, said)
    one = cast(Scalar, value)
    if op == "starts_with":
        return exp.StartsWith(this=lower, expression=said(one))
    if op == "ends_with":
        length = exp.Length(this=said(one))
        return exp.EQ(this=exp.Right(this=lower, expression=length), expression=said(one))
    place = exp.StrPosition(this=lower, substr=said(one))
    found = exp.GT(this=place, expression=exp.Literal.number(0))
    return found if op == "contains" else exp.not_(certain(found))


def table(name: str, alias: str, schema: str) -> exp.Expr:
    """A table of the warehouse under another name."""
    return exp.to_table(f"{schema}.{name}" if schema else name).as_(alias)


def number_in(text: exp.Expr) -> exp.Expr:
    """The number that a text is, else null; no engine spells an attempt to read one like the next one."""
    readable = exp.RegexpLike(this=text, expression=exp.Literal.string(_NUMBER))
    return exp.case().when(readable, exp.cast(text.copy(), "double", dialect="duckdb"))


def null_of(kind: ValueType) -> exp.Expr:
    """The column of what nobody tells yet."""
    return exp.cast(exp.null(), _TYPES.get(kind, "text"), dialect="duckdb")
