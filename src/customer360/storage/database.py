"""The profile store's connections: snapshots to read from, short transactions to write in, and change numbers.

On SQLite one writer works at a time. Its busy handler sleeps and polls, which starves the intake while a
worker writes batch after batch; so writers first queue on a lock file, where the kernel wakes the next at once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Table, create_engine, event, update
from sqlalchemy.engine import make_url

from customer360.errors import ShopNotFound
from customer360.storage.metadata import shop_clock

_WRITE = "c360_write"
# 200 MB. Writing over a log is cheaper than making it longer, but to begin it anew holds writers up for a moment.
_LONG_LOG_PAGES = 50_000
_KEPT_LOG_BYTES = 256 * 1024**2


class Database:
    """The profile store behind a SQLAlchemy URL (SQLite or PostgreSQL).

    `cache_mib` is the page cache of each SQLite connection. `sync_each_commit=False` lets a SQLite commit reach
    the disk with the next durable one: for work that can be computed again from what is already on disk. A commit
    that finds `log_pages` pages in the write-ahead log copies them into the database before it returns.
    """

    def __init__(
        self,
        url: str,
        *,
        cache_mib: int = 32,
        sync_each_commit: bool = True,
        log_pages: int = 16_000,
    ) -> None:
        parsed = make_url(url)
        # Errors of the driver quote the values of a row, and those are people's: hide_parameters keeps them hidden.
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
        )
        self.path: Path | None = None
        self._sync_each_commit = sync_each_commit
        if self.dialect == "sqlite":
            self.path = Path(parsed.database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.engine: Engine = create_engine(
                url, pool_size=8, max_overflow=16, pool_reset_on_return=None, hide_parameters=True
            )
            _prepare_sqlite(self.engine, cache_mib, log_pages)
        else:
            self.engine = create_engine(
                url, pool_size=8, max_overflow=16, pool_pre_ping=True, hide_parameters=True
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot; nothing is written."""
        options: dict[str, Any] = {}
        if self.dialect == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with (
            self.engine.connect().execution_options(**options) as connection,
            connection.begin() as transaction,
        ):
            yield connection
            transaction.rollback()

    @contextmanager
    def write(self, *, settled: bool = True) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Keep it short; others wait.

        It is on the disk when this returns, unless `settled` says that the caller sees to that.
        """
        with (
            self._queue(),
            self.engine.connect().execution_options(**{_WRITE: True}) as connection,
            connection.begin(),
        ):
            yield connection
        if settled and self._sync_each_commit:
            # Others write meanwhile: waiting for the disk takes longer than the transaction did.
            self.settle()

    @contextmanager
    def _queue(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def settle(self) -> None:
        """Put every commit so far on the disk, also those made with `sync_each_commit=False`.

        Call before something outside records that it has seen them: a power cut must not take them back then.
        """
        if self.path is None:
            return
        log = Path(f"{self.path}-wal")
        if log.exists():
            descriptor = os.open(log, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def checkpoint(self) -> None:
        """Copy SQLite's write-ahead log into the database without waiting for readers.

        Where the log has become long, writers wait for the last of it, so that it begins anew instead of growing.
        """
        if self.path is not None and self._copy_log() > _LONG_LOG_PAGES:
            # What was written during the long copy is copied before writers wait for what was written since.
            self._copy_log()
            with self._queue():
                self._copy_log()

    def _copy_log(self) -> int:
        """Copy what no reader needs; returns how many pages the log has, copied or not."""
        with self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            answer = driver.execute("pragma wal_checkpoint(passive)")  # type: ignore[union-attr]
            return int(answer.fetchone()[1])

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def next_change(connection: Connection, shop_id: int, *, moves: bool = False) -> int:
    """The shop's next change number; the row lock makes numbers commit in order and without holes.

    Every transaction that changes something the warehouse mirrors takes one and writes it on those rows.
    moves: it only moves members of segments, which nobody who makes profiles of signals looks at.
    """
    statement = (
        update(shop_clock)
        .where(shop_clock.c.shop_id == shop_id)
        .values(change=shop_clock.c.change + 1, moves=shop_clock.c.moves + int(moves))
        .returning(shop_clock.c.change)
    )
    change = connection.execute(statement).scalar_one_or_none()
    if change is None:
        raise ShopNotFound
    return int(change)


class Writes:
    """What one transaction will write, put together before it begins: others wait only while it runs.

    Statements run in the order in which they were added, each for many rows with the driver's own executemany:
    SQLAlchemy's insert() costs three times as much a row and brings nothing on the worker's hot path.
    """

    def __init__(self) -> None:
        self._statements: list[tuple[str, Sequence[tuple[Any, ...]]]] = []

    def insert(
        self,
        table: Table,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        *,
        replace_on: Sequence[str] = (),
        on_conflict: str = "",
    ) -> None:
        """Insert rows (tuples in the order of `columns`).

        `replace_on` names the key whose conflict updates the other columns; `on_conflict` is the clause itself.
        """
        marks = ", ".join(["{}"] * len(columns))
        statement = f"insert into {table.name} ({', '.join(columns)}) values ({marks})"
        if replace_on:
            changed = ", ".join(
                f"{name} = excluded.{name}" for name in columns if name not in replace_on
            )
            statement += f" on conflict ({', '.join(replace_on)}) do update set {changed}"
        elif on_conflict:
            statement += f" on conflict {on_conflict}"
        self.each(statement, rows)

    def each(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement for each of the rows; a `{}` stands for a bound value."""
        if rows:
            self._statements.append((statement, rows))

    def run(self, connection: Connection) -> None:
        """Write all of it in the caller's transaction."""
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        for statement, rows in self._statements:
            connection.exec_driver_sql(statement.replace("{}", mark), list(rows))


def bulk(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    **conflict: Any,
) -> None:
    """Insert many rows at once, as `Writes.insert` does."""
    writes = Writes()
    writes.insert(table, columns, rows, **conflict)
    writes.run(connection)


def bulk_update(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement for many rows at once, as `Writes.each` does."""
    writes = Writes()
    writes.each(statement, rows)
    writes.run(connection)


def rows_in(
    connection: Connection,
    statement: str,
    fixed: Sequence[Any],
    values: Sequence[Any],
) -> list[tuple[Any, ...]]:
    """Rows of a select whose last condition is `… in {}`: `fixed` are bound before the many values.

    Straight from the driver, for the worker's hot path: the same few statements serve any number of values, so
    the database prepares them once. The other marks of the statement are `{}` too.
    """
    if not values:
        return []
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name != "sqlite":
            cursor.execute(
                statement.replace(" in {}", " = any({})").replace("{}", "%s"),
                (*fixed, list(values)),
            )
            return list(cursor.fetchall())
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(values), _IN_SIZES[-1]):
            part = list(values[start : start + _IN_SIZES[-1]])
            size = next(size for size in _IN_SIZES if size >= len(part))
            part += part[-1:] * (size - len(part))
            cursor.execute(_with_values(statement, size), (*fixed, *part))
            found += cursor.fetchall()
        return found
    finally:
        cursor.close()


_IN_SIZES = (8, 64, 512)


@lru_cache(maxsize=256)
def _with_values(statement: str, size: int) -> str:
    return statement.replace(" in {}", f" in ({', '.join('?' * size)})").replace("{}", "?")


def _prepare_sqlite(engine: Engine, cache_mib: int, log_pages: int) -> None:
    pragmas = (
        "pragma journal_mode = wal",
        # A commit reaches the disk by `settle`.
        "pragma synchronous = normal",
        "pragma foreign_keys = on",
        "pragma secure_delete = on",
        "pragma busy_timeout = 30000",
        "pragma temp_store = memory",
        f"pragma cache_size = {-1024 * cache_mib}",
        # Reading through the page cache of the system saves a copy of every page.
        f"pragma mmap_size = {4 * 1024**3}",
        f"pragma wal_autocheckpoint = {log_pages}",
        f"pragma journal_size_limit = {_KEPT_LOG_BYTES}",
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("begin immediate" if writing else "begin")
