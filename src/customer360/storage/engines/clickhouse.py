"""ClickHouse within this process (chdb): asks the same questions of tables of its own, to compare meaning and speed.

It keeps no warehouse: nothing but tests and benchmarks uses it, and its package comes with the extra `clickhouse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp, parse_one

from customer360.storage.mirror import Kind, Schema

# What other engines do without being told: an outer join gives nulls, and an order may be asked for its lines.
_SETTINGS = ("join_use_nulls", "allow_experimental_correlated_subqueries")

_TYPES: dict[Kind, str] = {
    Kind.ID: "Int64",
    Kind.COUNT: "Nullable(Int64)",
    Kind.NUMBER: "Nullable(Float64)",
    Kind.MONEY: "Nullable(Decimal(18, 4))",
    Kind.TIME: "Nullable(DateTime64(6, 'UTC'))",
    Kind.FLAG: "Nullable(Bool)",
    **dict.fromkeys(
        (Kind.WORD, Kind.PLACE, Kind.TITLE, Kind.TEXTS), "LowCardinality(Nullable(String))"
    ),
}
# As many digits before and after the point as a rule's number may have, and the column's.
_DECIMAL = exp.Var(this="Decimal(38, 15)")
_ORDER = {
    "event_facts": "type, occurred_at",
    "orders": "placed_at",
    "sessions": "first_at",
    "order_lines": "order_id",
    "fragment_profiles": "fragment_id",
    "segment_members": "segment_id, profile_id",
}
"""By what rows are sorted, as rules ask for them; elsewhere by their key."""
_KEYS = {("event_facts", "type"): "LowCardinality(String)"}
# A parameter is read as a field of a file of tab-separated values.
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
# Functions on text that count bytes, or know no letters but those of English.
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Lower: "lowerUTF8",
    exp.Right: "rightUTF8",
    exp.Length: "lengthUTF8",
}


class ClickHouse:
    """Tables of one shop in a folder."""

    def __init__(self, folder: Path) -> None:
        from chdb import session

        make: Any = session.Session
        self._session = make(str(folder))
        for setting in _SETTINGS:
            self.execute(f"set {setting} = 1")

    def make(self, schema: Schema, name: str) -> None:
        """Make the tables and views of a schema, in a database of this name and in the place of another."""
        self.execute(f"drop database if exists {name}")
        self.execute(f"create database {name}")
        self.execute(f"use {name}")
        for mirror in schema.mirrors:
            columns = ", ".join(
                f"{one.name} {_KEYS.get((mirror.table, one.name)) or _type(one.kind)}"
                for one in mirror.fields
            )
            order = _ORDER.get(mirror.table, mirror.key)
            self.execute(
                f"create table {mirror.table} ({columns}) engine = MergeTree order by ({order})"
                " settings allow_nullable_key = 1"
            )
        for view in schema.views:
            self.execute(
                f"create view {view.name} as {translated(parse_one(view.sql, read='duckdb'))}"
            )

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows; columns are matched by name."""
        names = ", ".join(rows.column_names)
        given_rows = rows  # noqa: F841 - named in the statement
        # Only from here does chdb see the rows.
        self._session.query(f"insert into {table} ({names}) select {names} from Python(given_rows)")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run a statement of its own dialect that answers nothing."""
        self._session.query(sql, params=_params(values))

    def keep(self, name: str, query: exp.Query, values: Sequence[Any]) -> None:
        """Keep the answer to a query as a table of this name, in the place of another."""
        self.execute(f"drop table if exists {name}")
        self.execute(f"create table {name} engine = Memory as {translated(query, values)}", values)

    def query(self, query: exp.Query, values: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query."""
        return self.ask(translated(query, values), values)

    def ask(self, sql: str, values: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query that has been translated."""
        answer = self._session.query(sql, "Arrow", params=_params(values))
        found = pa.ipc.open_file(pa.BufferReader(answer.bytes())).read_all()
        # What is true or false is 1 or 0 there.
        types = [pa.bool_() if one == pa.uint8() else one for one in found.schema.types]
        return found.cast(pa.schema(list(zip(found.column_names, types, strict=True))))

    def close(self) -> None:
        """Let go of the files."""
        self._session.close()


def translated(query: exp.Expr, values: Sequence[Any] = ()) -> str:
    """A query in ClickHouse's dialect, each value named with its type."""
    query = query.copy()
    # The innermost first, as what is translated holds what was inside it.
    for part in reversed(list(query.walk())):
        changed = _translated(part, values)
        if changed is not part:
            part.replace(changed)
    return query.sql("clickhouse")


def _translated(part: exp.Expr, values: Sequence[Any]) -> exp.Expr:
    if isinstance(part, exp.Placeholder):
        kind = _type_of(values[int(part.name) - 1])
        return exp.Placeholder(this=f"p{part.name}", kind=exp.Var(this=kind))
    if isinstance(part, exp.JSONExtractScalar):
        text = part.this.this if isinstance(part.this, exp.Cast) else part.this
        return exp.func(
            "JSONExtract", text, part.expression, exp.Literal.string("Nullable(String)")
        )
    if isinstance(part, exp.In) and any(
        one.args.get("kind") == _DECIMAL for one in part.expressions
    ):
        # A list has to be of the column's own type; numbers that are compared need not be.
        same = (exp.EQ(this=part.this.copy(), expression=one) for one in part.expressions)
        return exp.paren(exp.or_(*same))
    if isinstance(part, exp.SplitPart):
        pieces = exp.func("splitByString", part.args["delimiter"], part.this)
        return exp.func("arrayElement", pieces, part.args["part_index"])
    if function := _FUNCTIONS.get(type(part)):
        return exp.func(function, *part.iter_expressions())
    return part


def _type(kind: Kind) -> str:
    return _TYPES.get(kind, "Nullable(String)")


def _type_of(value: Any) -> str:
    if isinstance(value, list):
        return "Array(Int64)"
    if isinstance(value, datetime):
        return "DateTime64(6, 'UTC')"
    types: dict[type, str] = {bool: "Bool", int: "Int64", Decimal: _DECIMAL.name}
    return types.get(type(value), "String")


def _params(values: Sequence[Any]) -> dict[str, Any]:
    return {f"p{number}": _param(value) for number, value in enumerate(values, 1)}


def _param(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    return f"{value:f}" if isinstance(value, Decimal) else value
