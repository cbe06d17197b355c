"""The tables of a warehouse on an engine, with people to ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import duckdb
import psycopg
import pyarrow as pa
from sqlglot import transpile

from customer360.segments.to_sql import Compiled
from customer360.storage.engines.duckdb import DuckDBTransaction
from customer360.warehouse.schema import column_type, prepare
from tests.segments.shop import SCHEMA, Person, tables_of

SHOP_ID = 7


class Warehouse(Protocol):
    """What tests need of one; its tables are in the schema of that name."""

    schema: str

    def fill(self, people: Sequence[Person]) -> None:
        """Put these people in the place of whoever was there."""

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        """What the engine answers."""


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

    def rows(self, compiled: Compiled) -> list[tuple[Any, ...]]:
        values = {str(number): value for number, value in enumerate(compiled.values, 1)}
        return self.connection.execute(compiled.sql("postgres"), values).fetchall()

    def close(self) -> None:
        self.connection.execute("drop schema segments cascade")
        self.connection.close()
