"""One condition on events as a question to all of them: whoever has some that fit. Pure SQLGlot expressions.

Counts and sums are 0 for whoever has none, so the people meant are those with events that pass the tests, or all but
those with events that do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from sqlglot import exp

from customer360.segments.ast import Value
from customer360.segments.comparisons import Bound, ordered, table
from customer360.segments.event_sql import (
    OF_ORDER,
    TABLES,
    Occurrences,
    Source,
    Test,
    rows_of,
)

SCORES = "s"
"""What `scores` is called in every query over everybody."""


class SemiJoins:
    """Answers about the person whose id is in a column, from the tables of a schema."""

    def __init__(self, bound: Bound, schema: str, person: exp.Expr) -> None:
        self._bound = bound
        self._schema = schema
        self._person = person

    def __call__(self, occurrences: Occurrences, tests: Sequence[Test]) -> exp.Expr:
        """Whether a person's occurrences pass all tests, where there is one if there are none; never null."""
        query = self._rows(occurrences.source).where(*occurrences.fits)
        if occurrences.on_line:
            fitting = (
                exp.select("1").from_(self._table("lines")).where(OF_ORDER, *occurrences.on_line)
            )
            query = query.where(exp.Exists(this=fitting))
        people = query.select("f.profile_id")
        if not tests:
            return self._person.isin(query=people)
        passed = exp.and_(*(ordered(*test, self._bound.value) for test in tests))
        people = people.group_by("f.profile_id")
        if all(_holds_for_nothing(op, value) for _, op, value in tests):
            return exp.not_(self._person.isin(query=people.having(exp.not_(passed))))
        return self._person.isin(query=people.having(passed))

    def score(self, name: str) -> exp.Expr:
        """The column of a person's score."""
        return exp.column(name, SCORES)

    def once(self, _name: str, value: Callable[[], exp.Expr]) -> exp.Expr:
        """A value that one rule asks for."""
        return value()

    def _rows(self, source: Source) -> exp.Select:
        """All rows of a source, with whose they are; nothing is selected yet."""
        alias = TABLES["orders" if source == "lines" else source][1]
        same = exp.column("fragment_id", "f").eq(exp.column("fragment_id", alias))
        owners = table("fragment_profiles", "f", self._schema)
        return rows_of(source, self._table).join(owners, on=same)

    def _table(self, source: Source) -> exp.Expr:
        return table(*TABLES[source], self._schema)


def _holds_for_nothing(op: str, value: Value) -> bool:
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
