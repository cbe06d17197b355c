"""Conditions on events as SQL: who did what, when, how often, for how much. Pure SQLGlot expressions.

A purchase is an order that counts: neither cancelled nor a test. Amounts in a foreign currency are null. Counts and
sums are 0 for whoever has no event, so the people asked for are those with an event that fits, or all but those with
events that do not.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from sqlglot import exp

from customer360.profiles.attributes import FULL_FATIGUE
from customer360.segments.ast import AttributeIs, EventDid, PropertyIs, Value, Within
from customer360.segments.catalogue import Property, event_of, property_of
from customer360.segments.comparisons import Bound, compare, null_of, number_in, ordered, table
from customer360.segments.days import span_of

_MESSAGES = ("email_sent", "sms_sent", "whatsapp_sent", "push_sent")
_ORDER_COLUMNS = {"order_id": "order_key"}
_LINE_COLUMNS = {"price": "unit_price"}
_PURCHASES = ("not e.test", "e.cancelled_at is null")
_OF_ORDER = "l.order_id = e.order_id"


class EventSql:
    """Conditions on the person whose id is in a column."""

    def __init__(self, bound: Bound, schema: str, person: exp.Expr) -> None:
        self._bound = bound
        self._schema = schema
        self._person = person

    def did(self, node: EventDid) -> exp.Expr:
        """Whether the person did it; never null."""
        query = self._occurrences(node)
        tests: list[tuple[exp.Expr, str, Value]] = []
        if node.count:
            tests.append((self._counted(node), node.count.op, node.count.value))
        if node.sum:
            tests.append((self._summed(node.event, node.sum.property), node.sum.op, node.sum.value))
        found = self._among(query, tests)
        return found if node.did else exp.not_(found)

    def messages(self, node: AttributeIs) -> exp.Expr:
        """How many messages were sent to the person today, or in the last 7 days."""
        if node.op in ("is_empty", "is_not_empty"):
            return exp.true() if node.op == "is_not_empty" else exp.false()
        query, measure = self._sent(node.attribute)
        return self._among(query, [(measure, node.op, node.value)])

    def sent(self, attribute: str) -> exp.Select:
        """What `messages` compares, of all people in the tables together."""
        query, measure = self._sent(attribute)
        return query.select(measure, append=False)

    def measured(self, node: EventDid) -> exp.Select:
        """Of all people in the tables together: `count` and `total` of what fits, and `last_at` of it at any time."""
        time = exp.column("placed_at" if node.event == "order_placed" else "occurred_at", "e")
        when = exp.Where(this=exp.and_(exp.true(), *self._when(time, node.within)))
        total: exp.Expr = exp.null()
        if node.sum:
            known = property_of(node.event, node.sum.property)
            kind = "decimal(18, 4)" if known and known.type == "money" else "double"
            added = exp.Filter(this=self._added(node.event, node.sum.property), expression=when)
            total = exp.cast(added, kind, dialect="duckdb")
        return self._occurrences(msgspec.structs.replace(node, within=None)).select(
            exp.Filter(this=self._counted(node), expression=when.copy()).as_("count"),
            total.as_("total"),
            exp.Max(this=time.copy()).as_("last_at"),
            append=False,
        )

    def of_type(self, event: str, *, lines: bool) -> exp.Select:
        """Every event of a type, whoever's; of purchases their lines where wanted."""
        if event != "order_placed":
            of_type = exp.column("type", "e").eq(self._bound.value(event))
            return exp.select("1").from_(self._table("events_all", "e")).where(of_type)
        query = exp.select("1").from_(self._table("orders", "e")).where(*_PURCHASES)
        return query.join(self._table("order_lines", "l"), on=_OF_ORDER) if lines else query

    def _sent(self, attribute: str) -> tuple[exp.Select, exp.Expr]:
        """The messages that were sent in the time of an attribute, and how it counts them."""
        days = 0 if attribute == "messages_today" else 7
        sent = exp.column("type", "e").isin(*_MESSAGES)
        since = exp.column("occurred_at", "e") >= self._bound.days_ago(days)
        measure: exp.Expr = exp.Count(this=exp.Star())
        if attribute == "fatigue":
            share = measure / exp.Literal.number(f"{FULL_FATIGUE}.0")
            measure = exp.Least(
                this=share, expressions=[exp.Literal.number("1.0")], ignore_nulls=True
            )
        return self._from("events_all").where(sent, since), measure

    def _among(self, query: exp.Select, tests: list[tuple[exp.Expr, str, Value]]) -> exp.Expr:
        if not tests:
            return self._person.isin(query=query)
        fits = exp.and_(*(ordered(what, op, value, self._bound.value) for what, op, value in tests))
        grouped = query.group_by("f.profile_id")
        if all(holds_for_nothing(op, value) for _, op, value in tests):
            return exp.not_(self._person.isin(query=grouped.having(exp.not_(fits))))
        return self._person.isin(query=grouped.having(fits))

    def _occurrences(self, node: EventDid) -> exp.Select:
        """The people of the events that fit, one row an event, or an order's line where lines are summed."""
        if node.event == "order_placed":
            return self._orders(node)
        query = self._from("events_all").where(
            exp.column("type", "e").eq(self._bound.value(node.event)),
            *self._when(exp.column("occurred_at", "e"), node.within),
            *(self._fits(node.event, one) for one in node.where),
        )
        return query

    def _orders(self, node: EventDid) -> exp.Select:
        lines = event_of(node.event).lines
        query = self._from("orders").where(
            *_PURCHASES,
            *self._when(exp.column("placed_at", "e"), node.within),
            *(self._fits(node.event, one) for one in node.where if one.property not in lines),
        )
        on_line = [self._fits(node.event, one) for one in node.where if one.property in lines]
        table = self._table("order_lines", "l")
        if _sums_lines(node):
            # An order without lines adds nothing, and counts where no line is asked for.
            return query.join(
                table, on=exp.and_(_OF_ORDER, *on_line), join_type="inner" if on_line else "left"
            )
        if on_line:
            fitting = exp.select("1").from_(table).where(_OF_ORDER, *on_line)
            query = query.where(exp.Exists(this=fitting))
        return query

    def _counted(self, node: EventDid) -> exp.Expr:
        if _sums_lines(node):
            order = exp.column("order_id", "e")
            return exp.Count(this=exp.Distinct(expressions=[order]))
        return exp.Count(this=exp.Star())

    def _from(self, name: str) -> exp.Select:
        """The people of a table's rows."""
        same = exp.column("fragment_id", "f").eq(exp.column("fragment_id", "e"))
        return (
            exp.select("f.profile_id")
            .from_(self._table(name, "e"))
            .join(self._table("fragment_profiles", "f"), on=same)
        )

    def _table(self, name: str, alias: str) -> exp.Expr:
        return table(name, alias, self._schema)

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
        column = self.column(event, known)
        return compare(column, known.type, one.op, one.value, self._bound)

    def column(self, event: str, known: Property) -> exp.Expr:
        """Where the warehouse has a property."""
        if known.unknown:
            return null_of(known.type)
        if known.type == "custom":
            properties = exp.cast(exp.column("properties", "e"), "json", dialect="duckdb")
            path = self._bound.value(_path(known.name))
            return exp.JSONExtractScalar(this=properties, expression=path)
        if event != "order_placed":
            return exp.column(known.name, "e")
        if known.name in event_of(event).lines:
            column = exp.column(_LINE_COLUMNS.get(known.name, known.name), "l")
        else:
            column = exp.column(_ORDER_COLUMNS.get(known.name, known.name), "e")
        if known.type == "money":
            return exp.case().when("not e.foreign_currency", column)
        return column

    def _summed(self, event: str, name: str) -> exp.Expr:
        zero = exp.Literal.number(0)
        return exp.Coalesce(this=self._added(event, name), expressions=[zero])

    def _added(self, event: str, name: str) -> exp.Expr:
        known = property_of(event, name)
        assert known is not None
        column = self.column(event, known)
        if known.type == "custom":
            column = number_in(column)
        return exp.Sum(this=column)


def _path(name: str) -> str:
    """A name as `->>` takes it: where it begins like a path, as the path that DuckDB takes it for."""
    if not name.startswith(("$", "/")):
        return name
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _sums_lines(node: EventDid) -> bool:
    return node.sum is not None and node.sum.property in event_of(node.event).lines


def holds_for_nothing(op: str, value: Value) -> bool:
    """Whether a comparison with numbers holds for 0."""
    numbers = [Decimal(str(one)) for one in (value if isinstance(value, tuple) else (value,))]
    first, last = numbers[0], numbers[-1]
    return {
        "eq": first == 0,
        "neq": first != 0,
        "gt": first < 0,
        "gte": first <= 0,
        "lt": first > 0,
        "lte": first >= 0,
        "between": first <= 0 <= last,
        "in": 0 in numbers,
        "not_in": 0 not in numbers,
    }[op]
