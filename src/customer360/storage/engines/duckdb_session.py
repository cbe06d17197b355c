"""Questions to one open DuckDB file, and what writes there: each in a transaction of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from customer360.errors import QueryTooLong, Unavailable
from customer360.storage.engines.engine import Parameters


class DuckDBSession:
    """A transaction on one DuckDB connection that only reads; `seconds` is what one question may take."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float | None = None) -> None:
        self._connection = connection
        self._seconds = seconds

    def keep(self, name: str, sql: str, parameters: Parameters = ()) -> None:
        """Keep the answer to a query as a table of this name for the questions after it."""
        with self._bounded():
            self._connection.execute(f"create or replace temp table {name} as {sql}", parameters)

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The answer to a query; in a transaction that writes, it sees what was written."""
        with self._bounded():
            return self._connection.sql(sql, params=parameters or None).to_arrow_table()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Ends a question that takes too long, and says so where one lacks the memory."""
        timer = None
        if self._seconds is not None:
            timer = threading.Timer(self._seconds, self._connection.interrupt)
            timer.daemon = True
            timer.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise QueryTooLong from error
        except duckdb.OutOfMemoryException as error:
            raise Unavailable("The warehouse lacks the memory for this question.") from error
        finally:
            if timer is not None:
                timer.cancel()


class DuckDBTransaction(DuckDBSession):
    """A transaction on one DuckDB connection."""

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement that answers nothing."""
        self._connection.execute(sql, parameters)

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows; columns are matched by name."""
        with self._given(rows):
            names = ", ".join(rows.column_names)
            self._connection.execute(
                f"insert into {table} ({names}) select {names} from given_rows"
            )

    def delete(self, table: str, key: str, values: pa.Array) -> None:
        """Remove the rows whose key is among the values."""
        with self._given(pa.table({"value": values})):
            self._connection.execute(
                f"delete from {table} where {key} in (select value from given_rows)"
            )

    @contextmanager
    def _given(self, rows: pa.Table) -> Iterator[None]:
        self._connection.register("given_rows", rows)
        try:
            yield
        finally:
            self._connection.unregister("given_rows")
