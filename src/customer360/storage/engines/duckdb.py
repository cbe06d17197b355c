"""DuckDB: one file per shop, locked down, opened when asked and closed when long unused.

DuckDB's lock on a file makes its process the sole owner; another one that tries gets WarehouseBusy.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from customer360.errors import WarehouseBusy
from customer360.storage.engines.duckdb_session import DuckDBSession, DuckDBTransaction
from customer360.storage.engines.engine import Parameters, Transaction

Prepare = Callable[[Transaction], None]


@dataclass(frozen=True, kw_only=True)
class DuckDBOptions:
    """How much of the machine the warehouses may use."""

    threads: int = 2
    memory_mib: int = 1024
    """Of each open file; what does not fit is sorted and joined on disk."""
    checkpoint_mib: int = 256
    """Log that makes DuckDB checkpoint by itself: high, as that takes up to a second; idle time comes sooner."""
    open_files: int = 64
    idle_seconds: float = 300
    query_seconds: float = 60
    """What one question may take; whoever asked waits no longer, and the machine is there for others."""


@dataclass
class _OpenFile:
    """A shop's open file. `users` counts who works with it now; it is closed only when there are none."""

    connection: duckdb.DuckDBPyConnection
    used_at: float
    users: int = 0
    unsaved: bool = True


@dataclass
class _Shop:
    """A shop's place in the engine, also while its file is closed."""

    writing: threading.Lock = field(default_factory=threading.Lock)
    free: threading.Condition = field(default_factory=threading.Condition)
    file: _OpenFile | None = None
    closing: bool = False
    """Somebody waits to close the file, so nobody new may begin to use it."""


class DuckDBEngine:
    """The warehouses of all shops as DuckDB files named by shop id in one folder.

    `prepare` runs in the first transaction after a file is opened: it makes the tables that are missing.
    """

    def __init__(
        self,
        folder: Path,
        prepare: Prepare | None = None,
        *,
        options: DuckDBOptions | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder.absolute()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prepare = prepare
        self._options = options or DuckDBOptions()
        self._monotonic = monotonic
        self._shops: dict[int, _Shop] = {}
        self._lock = threading.Lock()

    def query(self, shop_id: int, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The answer to a query, on one snapshot; it cannot change anything."""
        with self.session(shop_id) as session:
            return session.query(sql, parameters)

    @contextmanager
    def session(self, shop_id: int) -> Iterator[DuckDBSession]:
        """Several queries on one snapshot; they cannot change anything."""
        with self._using(shop_id) as file, _cursor(file.connection) as cursor:
            cursor.execute("begin transaction read only")
            yield DuckDBSession(cursor, self._options.query_seconds)

    @contextmanager
    def transaction(self, shop_id: int) -> Iterator[DuckDBTransaction]:
        """A transaction that writes; one at a time per shop."""
        with (
            self._shop(shop_id).writing,
            self._using(shop_id) as file,
            _transaction(file.connection) as transaction,
        ):
            file.unsaved = True
            yield transaction

    @contextmanager
    def rebuilding(self, shop_id: int) -> Iterator[DuckDBDraft]:
        """A draft that takes the place of the shop's file when the block ends well.

        Queries go to the old file until then. Whoever holds the old one keeps others from being replaced unseen.
        """
        shop = self._shop(shop_id)
        with shop.writing:
            # A damaged file is a reason to rebuild, not a hindrance; one that another process holds is.
            with suppress(duckdb.Error), self._using(shop_id):
                pass
            draft_path = self._folder / f"{shop_id}.new.duckdb"
            _remove(draft_path)
            try:
                draft = DuckDBDraft(self._open(draft_path))
                yield draft
                draft.close()
                self._replace(shop, self._path(shop_id), draft_path)
            finally:
                _remove(draft_path)

    def size_bytes(self, shop_id: int) -> int:
        """What the shop's file and its log take on the disk."""
        path = self._path(shop_id)
        return sum(part.stat().st_size for part in (path, _log(path)) if part.exists())

    def delete(self, shop_id: int) -> None:
        """Remove the shop's file; waits for whoever is using it."""
        shop, path = self._shop(shop_id), self._path(shop_id)
        with shop.writing, shop.free:
            _close_when_free(shop)
            _remove(path)
        with self._lock:
            self._shops.pop(shop_id, None)

    def rest(self) -> None:
        """Checkpoint what was written, and close what was not used for a while."""
        with self._lock:
            shops = list(self._shops.values())
        for shop in shops:
            self._rest(shop)

    def close(self) -> None:
        """Close every file, which also checkpoints it; waits for whoever is using one."""
        with self._lock:
            shops = list(self._shops.values())
        for shop in shops:
            with shop.writing, shop.free:
                _close_when_free(shop)

    def _rest(self, shop: _Shop) -> None:
        if not shop.writing.acquire(blocking=False):
            return
        try:
            with shop.free:
                file = shop.file
                if file is None or file.users:
                    return
                if self._monotonic() - file.used_at > self._options.idle_seconds:
                    _close_when_free(shop)
                    return
                file.users += 1
            try:
                if file.unsaved:
                    file.connection.execute("checkpoint")
                    file.unsaved = False
            finally:
                with shop.free:
                    file.users -= 1
                    shop.free.notify_all()
        finally:
            shop.writing.release()

    def _shop(self, shop_id: int) -> _Shop:
        with self._lock:
            return self._shops.setdefault(shop_id, _Shop())

    @contextmanager
    def _using(self, shop_id: int) -> Iterator[_OpenFile]:
        shop = self._shop(shop_id)
        with shop.free:
            shop.free.wait_for(lambda: not shop.closing)
            if shop.file is None:
                self._make_room()
                connection = self._open(self._path(shop_id))
                shop.file = _OpenFile(connection, self._monotonic())
            file = shop.file
            file.users += 1
        try:
            yield file
        finally:
            with shop.free:
                file.users -= 1
                file.used_at = self._monotonic()
                shop.free.notify_all()

    def _make_room(self) -> None:
        """Close the longest unused file when as many are open as may be; those in use stay."""
        with self._lock:
            opened = [shop for shop in self._shops.values() if shop.file is not None]
        if len(opened) < self._options.open_files:
            return
        for shop in sorted(opened, key=lambda one: one.file.used_at if one.file else 0.0):
            # Never wait for another shop while holding this one: two that did would wait for ever.
            if shop.free.acquire(blocking=False):
                try:
                    if shop.file is not None and not shop.file.users:
                        _close_when_free(shop)
                        return
                finally:
                    shop.free.release()

    def _open(self, path: Path) -> duckdb.DuckDBPyConnection:
        spill = path.with_suffix(".tmp")
        spill.mkdir(mode=0o700, exist_ok=True)
        options = self._options
        config: dict[str, Any] = {
            "threads": options.threads,
            # Eight by default, in each of many files; local disks need none.
            "async_threads": 1,
            "memory_limit": f"{options.memory_mib}MiB",
            "checkpoint_threshold": f"{options.checkpoint_mib}MiB",
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            # Otherwise a query could name a variable of this program.
            "python_enable_replacements": False,
        }
        try:
            connection = duckdb.connect(str(path), config=config)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if "lock on file" in str(error) or "different configuration" in str(error):
                raise WarehouseBusy from error
            raise
        try:
            _lock_down(connection, spill)
            if self._prepare is not None:
                with _transaction(connection) as transaction:
                    self._prepare(transaction)
        except BaseException:
            connection.close()
            raise
        path.chmod(0o600)
        return connection

    def _replace(self, shop: _Shop, path: Path, draft_path: Path) -> None:
        with shop.free:
            _close_when_free(shop)
            # A log that a crash left belongs to the old file; without it that one is merely older.
            _log(path).unlink(missing_ok=True)
            draft_path.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, shop_id: int) -> Path:
        return self._folder / f"{int(shop_id)}.duckdb"


class DuckDBDraft:
    """A shop's new file while it is being filled."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[DuckDBTransaction]:
        """A transaction in the new file."""
        with _transaction(self._connection) as transaction:
            yield transaction

    def close(self) -> None:
        """Put everything into the file itself, so that no log has to be kept with it."""
        self._connection.execute("checkpoint")
        self._connection.close()


def _lock_down(connection: duckdb.DuckDBPyConnection, spill: Path) -> None:
    quoted = str(spill).replace("'", "''")
    # Global: each query has a session of its own, which would begin in the machine's time zone.
    connection.execute("set global TimeZone = 'UTC'")
    # Nothing but the shop's own folder for what does not fit in memory; no other shop's file.
    connection.execute(f"set allowed_directories = ['{quoted}']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


@contextmanager
def _cursor(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    cursor = connection.cursor()
    try:
        yield cursor
    finally:
        # Also ends its transaction.
        cursor.close()


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[DuckDBTransaction]:
    with _cursor(connection) as cursor:
        cursor.begin()
        yield DuckDBTransaction(cursor)
        cursor.commit()


def _close_when_free(shop: _Shop) -> None:
    """Close the shop's file once nobody uses it; the caller holds `shop.free`."""
    shop.closing = True
    try:
        shop.free.wait_for(lambda: shop.file is None or not shop.file.users)
        if shop.file is not None:
            shop.file.connection.close()
            shop.file = None
    finally:
        shop.closing = False
        shop.free.notify_all()


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _log(path).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(path.with_suffix(".tmp"))
