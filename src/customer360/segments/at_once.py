"""Conditions on events for many rules and few people: every question becomes a column of one pass over their rows.

A semi-join per condition, as one rule over everybody wants it, takes longer to plan than to run where there are
hundreds. Here the people's rows are copied once, and equal measures of equal occurrences are counted once, by
`count(*) filter (where …)`. Pure SQLGlot expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from sqlglot import exp

from customer360.profiles.attributes import STORED
from customer360.profiles.stage_sql import STAGE_COLUMNS
from customer360.segments.comparisons import Bound, ordered, table
from customer360.segments.event_sql import OF_ORDER, TABLES, Occurrences, Source, Test, rows_of
from customer360.segments.to_sql import PEOPLE, person

CHANGED = "changed"
"""The table of the ids of the people asked for."""
MEASURED_PEOPLE = "measured_people"
"""The query's name for the people with what is counted beside them."""
_OWNERS = "owners"
_COPIED_PEOPLE = "copied_profiles"
_COPIED_SCORES = "copied_scores"
_PEOPLE_COLUMNS = frozenset(("kind", *STAGE_COLUMNS, *(one.name for one in STORED)))
_FITTING = "fitting_lines"

Columns = dict[exp.Expr, str]
"""What is counted, and the name of its column."""


class AtOnce:
    """Answers by columns that it collects; the query that asks has to begin with `steps` and `measures`."""

    def __init__(self, bound: Bound, schema: str) -> None:
        self._bound = bound
        self._schema = schema
        self._measured: dict[Source, Columns] = {}
        self._lines: Columns = {}
        self._types: dict[exp.Expr, None] = {}
        self._scores: dict[str, None] = {}
        self._values: dict[str, exp.Expr] = {}

    def __call__(self, occurrences: Occurrences, tests: Sequence[Test]) -> exp.Expr:
        """Whether a person's occurrences pass all tests, where there is one if there are none; never null."""
        return exp.and_(
            *(
                ordered(self.measure(occurrences, measure), op, value, self._bound.value)
                for measure, op, value in tests or [(exp.Count(this=exp.Star()), "gt", Decimal(0))]
            )
        )

    def measure(self, occurrences: Occurrences, measure: exp.Expr) -> exp.Expr:
        """A measure of a person's occurrences: without any, a count is 0 and every other aggregate null."""
        fits = [*occurrences.fits]
        if occurrences.source == "events":
            self._types[fits[0]] = None
        if occurrences.on_line:
            lines = _once(self._lines, _only(exp.Count(this=exp.Star()), occurrences.on_line), "l")
            fits.append(exp.column(lines, _FITTING) > exp.Literal.number(0))

        def collected(part: exp.Expr) -> exp.Expr:
            if not isinstance(part, exp.AggFunc):
                return part
            columns = self._measured.setdefault(occurrences.source, {})
            column = exp.column(_once(columns, _only(part, fits), occurrences.source), PEOPLE)
            if not isinstance(part, exp.Count):
                return column
            return exp.Coalesce(this=column, expressions=[exp.Literal.number(0)])

        return measure.transform(collected)

    def score(self, name: str) -> exp.Expr:
        """The column of a person's score."""
        self._scores[name] = None
        return exp.column(name, PEOPLE)

    def once(self, name: str, value: Callable[[], exp.Expr]) -> exp.Expr:
        """The column of a value, which is written and computed once."""
        if name not in self._values:
            found = value()
            # Behind those that it asks for itself.
            self._values[name] = found
        return exp.column(name, PEOPLE)

    def steps(self, asked: Iterable[exp.Expr]) -> Iterator[tuple[str, exp.Select]]:
        """Copies of the rows of the people in `CHANGED`, each made of those before it.

        They have what the measures and `asked`, expressions on people, look at.
        """
        owned = ("fragment_id", "profile_id")
        yield _OWNERS, of_changed("fragment_profiles", self._schema, owned)
        measures = [*self._lines, *(one for columns in self._measured.values() for one in columns)]
        for source, (name, alias) in TABLES.items():
            names = _names(measures, alias)
            if not names:
                continue
            if source != "events":
                names.add("order_id")
            same = exp.column("fragment_id", "f").eq(exp.column("fragment_id", alias))
            rows = exp.select("f.profile_id", *(exp.column(one, alias) for one in sorted(names)))
            rows = rows.from_(table(name, alias, self._schema)).join(
                table(_OWNERS, "f", ""), on=same
            )
            of_types = [exp.or_(*self._types)] if source == "events" else []
            yield f"copied_{source}", rows.where(*of_types)
        attributes = sorted(_names((*asked, *self._values.values()), PEOPLE) & _PEOPLE_COLUMNS)
        yield _COPIED_PEOPLE, of_changed("profiles", self._schema, ("profile_id", *attributes))
        if self._scores:
            yield _COPIED_SCORES, of_changed("scores", self._schema, ("profile_id", *self._scores))

    def measures(self) -> Iterator[tuple[str, exp.Select]]:
        """What is counted in the copies; the last are `MEASURED_PEOPLE`."""
        if self._lines:
            lines = exp.Select().from_(_copy("orders")).join(_copy("lines"), on=OF_ORDER)
            yield _FITTING, _grouped(lines, exp.column("order_id", "o"), self._lines)
        people = exp.select(f"{PEOPLE}.*").from_(table(_COPIED_PEOPLE, PEOPLE, ""))
        for source, columns in self._measured.items():
            rows = rows_of(source, _copy)
            if source == "orders" and self._lines:
                same = exp.column("order_id", _FITTING).eq(exp.column("order_id", "o"))
                rows = rows.join(_FITTING, on=same, join_type="left")
            key = exp.column("profile_id", "e" if source == "events" else "o")
            yield source, _grouped(rows, key, columns)
            same = exp.column("profile_id", source).eq(person())
            people = people.join(source, on=same, join_type="left")
            people = people.select(*(exp.column(name, source) for name in columns.values()))
        if self._scores:
            same = exp.column("profile_id", _COPIED_SCORES).eq(person())
            people = people.join(_COPIED_SCORES, on=same, join_type="left")
            people = people.select(*(exp.column(name, _COPIED_SCORES) for name in self._scores))
        for name, value in self._values.items():
            yield f"before_{name}", people
            people = exp.select(f"{PEOPLE}.*", value.as_(name))
            people = people.from_(table(f"before_{name}", PEOPLE, ""))
        yield MEASURED_PEOPLE, people


def of_changed(name: str, schema: str, columns: Sequence[str]) -> exp.Select:
    """The rows of a table that are of the people asked for."""
    among = person().isin(query=exp.select("profile_id").from_(CHANGED))
    rows = exp.select(*(exp.column(one, PEOPLE) for one in columns))
    return rows.from_(table(name, PEOPLE, schema)).where(among)


def _copy(source: Source) -> exp.Expr:
    return table(f"copied_{source}", TABLES[source][1], "")


def _names(asked: Iterable[exp.Expr], alias: str) -> set[str]:
    """The columns of a table that any of these look at."""
    return {one.name for each in asked for one in each.find_all(exp.Column) if one.table == alias}


def _grouped(rows: exp.Select, key: exp.Expr, columns: Columns) -> exp.Select:
    return rows.select(key, *(one.as_(name) for one, name in columns.items())).group_by(key)


def _only(aggregate: exp.Expr, fits: Sequence[exp.Expr]) -> exp.Expr:
    """An aggregate over the rows that fit."""
    return exp.Filter(this=aggregate.copy(), expression=exp.Where(this=exp.and_(*fits)))


def _once(columns: Columns, measure: exp.Expr, prefix: str) -> str:
    """The name of a column; equal ones have one."""
    return columns.setdefault(measure, f"{prefix}_{len(columns)}")
