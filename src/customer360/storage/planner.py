"""Tells SQLite's planner how large a shop is.

Without statistics SQLite takes every shop for ten rows and prefers reading all of them by the primary key, which
begins with the shop, to an index that begins with it too. Statistics of real data would only say how large one
shop was at one time, so these are written once, for a large shop, and never measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table

from customer360.storage.metadata import metadata

_ROWS = 1_000_000
_ROWS_A_VALUE = 10
# Columns of a few words: knowing one narrows a search to a part of the rows only, as an index of some rows does.
_FEW_VALUES = frozenset({"channel", "type", "state", "due", "kind", "source", "outcome"})
_PARTS = 4


def teach_planner(connection: Connection) -> None:
    """Write the statistics of every table of the catalogue, for this and all later connections."""
    connection.exec_driver_sql("analyze sqlite_schema")
    connection.exec_driver_sql("delete from sqlite_stat1")
    rows = [row for table in metadata.sorted_tables for row in _statistics(table)]
    connection.exec_driver_sql("insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)", rows)
    connection.exec_driver_sql("analyze sqlite_schema")


def _statistics(table: Table) -> Iterator[tuple[str, str, str]]:
    with_rowid = table.dialect_options["sqlite"]["with_rowid"]
    key = f"sqlite_autoindex_{table.name}_1" if with_rowid else table.name
    yield table.name, key, _estimate([column.name for column in table.primary_key], unique=True)
    for index in table.indexes:
        columns = [column.name for column in index.columns]
        some = index.dialect_options["sqlite"]["where"] is not None
        rows = _ROWS // _PARTS if some else _ROWS
        yield table.name, str(index.name), _estimate(columns, unique=bool(index.unique), rows=rows)


def _estimate(columns: Sequence[str], *, unique: bool, rows: int = _ROWS) -> str:
    """Rows in all, then rows that share the first column's value, the first two's, and so on."""
    left, told = rows, [rows]
    for name in columns:
        if name in _FEW_VALUES:
            left = max(1, left // _PARTS)
        elif name != "shop_id":
            left = min(left, _ROWS_A_VALUE)
        told.append(left)
    if unique:
        told[-1] = 1
    return " ".join(map(str, told))
