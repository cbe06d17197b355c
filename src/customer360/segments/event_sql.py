"""Conditions on events as SQL: who did what, when, how often, for how much. Pure SQLGlot expressions.

A purchase is an order that counts: neither cancelled nor a test. Amounts in a foreign currency are null. Counts and
sums are 0 for whoever has no event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import msgspec
from sqlglot import exp

from customer360.profiles.attributes import FULL_FATIGUE, SENT
from customer360.segments.ast import AttributeIs, EventDid, PropertyIs, Value, Within
from customer360.segments.catalogue import Property, event_of, property_of
from customer360.segments.comparisons import Bound, compare, null_of, number_in
from customer360.segments.days import span_of

_ORDER_COLUMNS = {"order_id": "order_key"}
_LINE_COLUMNS = {"price": "unit_price"}

Source: TypeAlias = Literal["events", "orders", "lines"]
TABLES: dict[Source, tuple[str, str]] = {
    "events": ("events_all", "e"),
    "orders": ("orders", "o"),
    "lines": ("order_lines", "l"),
}
"""Where a source's rows are, and what each is called in a condition; lines stand beside their orders."""

OF_ORDER = exp.column("order_id", "l").eq(exp.column("order_id", "o"))
"""That a line is of the order beside it."""

Test: TypeAlias = tuple[exp.Expr, str, Value]
"""A measure of somebody's occurrences, an operator and a value."""


@dataclass(frozen=True, slots=True)
class Occurrences:
    """What a condition counts: rows of a table, one an event, or an order's line where lines are summed.

    `fits` is on the row, for events their type first. Of an order, `on_line` is on its lines: one of them has to fit
    all of it.
    """

    source: Source
    fits: Sequence[exp.Expr]
    on_line: Sequence[exp.Expr] = ()


Measure: TypeAlias = tuple[Occurrences, exp.Expr]
"""Occurrences, and what is counted of somebody's."""


class Answer(Protocol):
    """How a question about occurrences, or about scores, is asked."""

    def __call__(self, occurrences: Occurrences, tests: Sequence[Test]) -> exp.Expr:
        """Whether a person's occurrences pass all tests, where there is one if there are none; never null."""

    def score(self, name: str) -> exp.Expr:
        """The column of what enrichment stored of a person; null where it stored nothing."""

    def once(self, name: str, value: Callable[[], exp.Expr]) -> exp.Expr:
        """A value that many may ask for by its name."""


class EventSql:
    """What people did: conditions, of which `answer` says how each becomes one on a person, and what they measure."""

    def __init__(self, bound: Bound, answer: Answer) -> None:
        self._bound = bound
        self._answer = answer

    def did(self, node: EventDid) -> exp.Expr:
        """Whether the person did it; never null."""
        tests: list[Test] = []
        if node.count:
            tests.append((_counted(node), node.count.op, node.count.value))
        if node.sum:
            total = exp.Coalesce(this=self._summed(node), expressions=[exp.Literal.number(0)])
            tests.append((total, node.sum.op, node.sum.value))
        found = self._answer(self._occurrences(node), tests)
        return found if node.did else exp.not_(found)

    def messages(self, node: AttributeIs) -> exp.Expr:
        """How many messages were sent to the person today, or in the last 7 days."""
        if node.op in ("is_empty", "is_not_empty"):
            return exp.true() if node.op == "is_not_empty" else exp.false()
        sent, measure = self.sent(node.attribute)
        return self._answer(sent, [(measure, node.op, node.value)])

    def sent(self, attribute: str) -> Measure:
        """The messages that were sent in the time of an attribute, and how it counts them."""
        days = 0 if attribute == "messages_today" else 7
        sent = exp.column("type", "e").isin(*SENT)
        since = exp.column("occurred_at", "e") >= self._bound.days_ago(days)
        measure: exp.Expr = exp.Count(this=exp.Star())
        if attribute == "fatigue":
            share = measure / exp.Literal.number(f"{FULL_FATIGUE}.0")
            measure = exp.Least(
                this=share, expressions=[exp.Literal.number("1.0")], ignore_nulls=True
            )
        return Occurrences("events", (sent, since)), measure

    def measures(self, node: EventDid) -> dict[str, Measure]:
        """What is told of a condition: the `count` and `total` of what fits, and the `last_at` of it at any time."""
        fitting = self._occurrences(node)
        ever = self._occurrences(msgspec.structs.replace(node, within=None))
        total: exp.Expr = exp.null()
        if node.sum:
            known = property_of(node.event, node.sum.property)
            kind = "decimal(18, 4)" if known and known.type == "money" else "double"
            total = exp.cast(self._summed(node), kind, dialect="duckdb")
        return {
            "count": (fitting, _counted(node)),
            "total": (fitting, total),
            "last_at": (ever, exp.Max(this=_time_of(node.event))),
        }

    def _occurrences(self, node: EventDid) -> Occurrences:
        lines = event_of(node.event).lines
        fits = (
            *of_type(node.event, self._bound),
            *self._when(_time_of(node.event), node.within),
            *(self._fits(node.event, one) for one in node.where if one.property not in lines),
        )
        on_line = [self._fits(node.event, one) for one in node.where if one.property in lines]
        source = source_of(node.event, node.sum.property if node.sum else "")
        if source != "lines":
            return Occurrences(source, fits, on_line)
        # An order without lines adds nothing, and counts where no line is asked for.
        there = [exp.not_(exp.column("order_id", "l").is_(exp.null()))] if on_line else []
        return Occurrences(source, (*fits, *there, *on_line))

    def _when(self, time: exp.Expr, within: Within | None) -> list[exp.Expr]:
        if within is None:
            return []
        bound = self._bound
        spans = {
            name: span_of(day, bound.today, bound.timezone)
            for name in ("since", "after", "until", "before")
            if (day := getattr(within, name)) is not None
        }
        first = [spans["since"].start] if "since" in spans else []
        first += [spans["after"].end] if "after" in spans else []
        last = [spans["until"].end] if "until" in spans else []
        last += [spans["before"].start] if "before" in spans else []
        return [
            *(time >= bound.time(start) for start in first),
            *(time < bound.time(end) for end in last),
        ]

    def _fits(self, event: str, one: PropertyIs) -> exp.Expr:
        known = property_of(event, one.property)
        assert known is not None
        column = column_of(event, known, self._bound)
        return compare(column, known.type, one.op, one.value, self._bound)

    def _summed(self, node: EventDid) -> exp.Expr:
        """The sum that a condition asks for; null where there is nothing to add."""
        assert node.sum is not None
        known = property_of(node.event, node.sum.property)
        assert known is not None
        column = column_of(node.event, known, self._bound)
        return exp.Sum(this=number_in(column) if known.type == "custom" else column)


def source_of(event: str, name: str = "") -> Source:
    """Where events of a type are one row each, or a property of them has one."""
    if event != "order_placed":
        return "events"
    return "lines" if name in event_of(event).lines else "orders"


def rows_of(source: Source, tables: Callable[[Source], exp.Expr]) -> exp.Select:
    """All rows of a source, an order without lines once among lines; nothing is selected yet."""
    if source != "lines":
        return exp.Select().from_(tables(source))
    return rows_of("orders", tables).join(tables("lines"), on=OF_ORDER, join_type="left")


def of_type(event: str, bound: Bound) -> tuple[exp.Expr, ...]:
    """That a row is an event of this type: what a purchase is."""
    if event == "order_placed":
        return exp.not_(exp.column("test", "o")), exp.column("cancelled_at", "o").is_(exp.null())
    return (exp.column("type", "e").eq(bound.value(event)),)


def column_of(event: str, known: Property, bound: Bound) -> exp.Expr:
    """Where the warehouse has a property."""
    if known.unknown:
        return null_of(known.type)
    if known.type == "custom":
        properties = exp.cast(exp.column("properties", "e"), "json", dialect="duckdb")
        path = bound.value(_path(known.name))
        return exp.JSONExtractScalar(this=properties, expression=path)
    if event != "order_placed":
        return exp.column(known.name, "e")
    if known.name in event_of(event).lines:
        column = exp.column(_LINE_COLUMNS.get(known.name, known.name), "l")
    else:
        column = exp.column(_ORDER_COLUMNS.get(known.name, known.name), "o")
    if known.type == "money":
        return exp.case().when(exp.not_(exp.column("foreign_currency", "o")), column)
    return column


def _time_of(event: str) -> exp.Expr:
    return (
        exp.column("placed_at", "o") if event == "order_placed" else exp.column("occurred_at", "e")
    )


def _path(name: str) -> str:
    """A name as `->>` takes it: where it begins like a path or stands for all, as the path that DuckDB takes it for."""
    if not name.startswith(("$", "/", "*")):
        return name
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _counted(node: EventDid) -> exp.Expr:
    if node.sum and source_of(node.event, node.sum.property) == "lines":
        return exp.Count(this=exp.Distinct(expressions=[exp.column("order_id", "o")]))
    return exp.Count(this=exp.Star())
