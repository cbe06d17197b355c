"""The tables of a warehouse on an engine, with people to ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg
import pyarrow as pa
from sqlglot import transpile

from customer360.segments.at_once import CHANGED
from customer360.segments.changed import Steps, select_changed
from customer360.segments.to_sql import Compiled
from customer360.storage.engines.clickhouse import ClickHouse
from customer360.storage.engines.duckdb import DuckDBTransaction
from customer360.warehouse.schema import column_type, prepare
from tests.segments.shop import SCHEMA, Person, tables_of

SHOP_ID = 7


class Warehouse(Protocol):
    """What tests need of one; its tables are in the schema of that name."""

    schema: str

    def keep(self, name: str, compiled: Compiled) -> None:
        """Keep the answer as a table of this name, in the place of another."""

    def fill(self, people: Sequence[Person]) -> None:
        """Put these people in the place of whoever was there."""

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        """What the engine answers."""


def ask(warehouse: Warehouse, steps: Steps, profile_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Whether each rule means each of these people."""
    for name, copy in ((CHANGED, select_changed(profile_ids)), *steps.copies.items()):
        warehouse.keep(name, copy)
    return warehouse.rows(steps.answer)


class DuckDB:
    """What the product uses."""

    schema = "main"

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self._transaction = DuckDBTransaction(self.connection)
        prepare(SCHEMA, self._transaction)

    def fill(self, people: Sequence[Person]) -> None:
        for name, rows in tables_of(people).items():
            self._transaction.execute(f"delete from {name}")
            if rows.num_rows:
                self._transaction.append(name, rows)

    def keep(self, name: str, compiled: Compiled) -> None:
        self._transaction.keep(name, compiled.sql(), compiled.values)

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        return self.connection.execute(compiled.sql(), compiled.values).fetchall()

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """As the product asks a shop's warehouse."""
        assert shop_id == SHOP_ID
        return self._transaction.query(sql, params)

    def close(self) -> None:
        self.connection.close()


class Postgres:
    """Another dialect: what SQLGlot makes of the same SQL."""

    schema = "segments"

    def __init__(self, url: str) -> None:
        address = url.replace("postgresql+psycopg://", "postgresql://")
        self.connection: psycopg.Connection[Any] = psycopg.connect(address, autocommit=True)
        self.connection.execute("drop schema if exists segments cascade; create schema segments")
        self.connection.execute("set search_path to segments")
        for mirror in SCHEMA.mirrors:
            columns = ", ".join(f"{one.name} {column_type(one.kind)}" for one in mirror.fields)
            self._execute(f"create table {mirror.table} ({columns})")
        for view in SCHEMA.views:
            self._execute(f"create view {view.name} as {view.sql}")

    def _execute(self, sql: str) -> None:
        (translated,) = transpile(sql, read="duckdb", write="postgres")
        self.connection.execute(translated)

    def fill(self, people: Sequence[Person]) -> None:
        with self.connection.cursor() as cursor:
            for name, rows in tables_of(people).items():
                cursor.execute(f"delete from {name}")
                columns = ", ".join(rows.column_names)
                with cursor.copy(f"copy {name} ({columns}) from stdin") as copy:
                    for row in rows.to_pylist():
                        copy.write_row(list(row.values()))

    def keep(self, name: str, compiled: Compiled) -> None:
        self.connection.execute(f"drop table if exists {name}")
        self._run(f"create temp table {name} as {compiled.sql('postgres')}", compiled)

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        return self._run(compiled.sql("postgres"), compiled).fetchall()

    def _run(self, sql: str, compiled: Compiled) -> psycopg.Cursor[Any]:
        values = {str(number): value for number, value in enumerate(compiled.values, 1)}
        return self.connection.execute(sql, values)

    def close(self) -> None:
        self.connection.execute("drop schema segments cascade")
        self.connection.close()


class ClickHouseTables:
    """An engine for columns like DuckDB, with a dialect of its own."""

    schema = "segments"

    def __init__(self, folder: Path) -> None:
        self._engine = ClickHouse(folder)
        self._engine.make(SCHEMA, self.schema)

    def fill(self, people: Sequence[Person]) -> None:
        for name, rows in tables_of(people).items():
            self._engine.execute(f"truncate table {name}")
            if rows.num_rows:
                self._engine.append(name, rows)

    def keep(self, name: str, compiled: Compiled) -> None:
        self._engine.keep(name, compiled.query, compiled.values)

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        found = self._engine.query(compiled.query, compiled.values)
        # Not by name: equal columns have one name.
        return [*zip(*(column.to_pylist() for column in found.columns), strict=True)]

    def close(self) -> None:
        self._engine.close()
