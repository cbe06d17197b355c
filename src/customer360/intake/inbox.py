"""The durable inbox: a signal is acknowledged only after the transaction that holds it is on disk.

Group commit: one thread takes everything that waits and writes it in one transaction, a second one waits for the disk
and wakes everybody whose signals are there by then. The disk is what costs, so a hundred callers pay for it once, and
meanwhile the next group is written.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from queue import SimpleQueue
from time import perf_counter

import msgspec
from sqlalchemy import Connection, select

from customer360.clock import Clock, Instant
from customer360.errors import Customer360Error, ShopNotFound, Unavailable
from customer360.events.model import SourceRank, Trust
from customer360.intake.balance import RECEIVED, REJECTED, CountKey, add_counts
from customer360.intake.tables import dead_letters, inbox
from customer360.storage.database import Database, bulk
from customer360.storage.metadata import shop_clock
from customer360.values import new_ids

_log = logging.getLogger(__name__)

# Ids of the clock stay below this until 2058.
_BEHIND = 1 << 62

INBOX_COLUMNS = (
    "shop_id",
    "inbox_id",
    "source",
    "trust",
    "rank",
    "received_at",
    "body",
    "envelope",
    "import_id",
)
_LETTER_COLUMNS = (
    "shop_id",
    "dead_letter_id",
    *INBOX_COLUMNS[2:],
    "failed_at",
    "reason",
    "detail",
    "attempts",
    "retry_at",
)
# More than this waits only when the disk stands still; refusing is better than filling the memory.
_MOST_WAITING_BYTES = 64 * 1024**2

# Few sizes, so that the driver keeps them prepared; SQLite takes 32,766 values a statement.
_ROWS_A_STATEMENT = (512, 64, 8)
_INSERTS = {
    size: f"insert into inbox ({', '.join(INBOX_COLUMNS)}) values "
    + ", ".join([f"({', '.join(['?'] * len(INBOX_COLUMNS))})"] * size)
    for size in _ROWS_A_STATEMENT
}


class InboxRow(msgspec.Struct, frozen=True, gc=False):
    """One signal as it arrived.

    `rejected` (reason, detail): unusable on arrival, it goes straight to the dead letters. With
    `kept=False` it is then only counted, and nothing of it is stored.
    """

    shop_id: int
    source: str
    trust: Trust
    rank: SourceRank
    received_at: Instant
    body: bytes
    envelope: bytes | None = None
    import_id: int | None = None
    rejected: tuple[str, str] | None = None
    kept: bool = True


class CommitFigures(msgspec.Struct):
    """How many transactions there were, and how long they took together."""

    commits: int = 0
    rows: int = 0
    seconds: float = 0.0


class Inbox:
    """Takes signals in and tells when they are on disk.

    The threads start with the first delivery; `close` ends them.
    """

    def __init__(
        self, database: Database, clock: Clock, *, most_waiting_bytes: int = _MOST_WAITING_BYTES
    ) -> None:
        self.figures = CommitFigures()
        self._database = database
        self._clock = clock
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting: list[_Delivery] = []
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._written: SimpleQueue[list[_Delivery] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def accept(self, rows: Sequence[InboxRow]) -> None:
        """Return when every row is on disk; after ShopNotFound or Unavailable none of them is."""
        self.submit(rows).result()

    def submit(self, rows: Sequence[InboxRow]) -> Future[None]:
        """The same without waiting: the future is done when every row is on disk."""
        delivery = _Delivery(rows)
        with self._changed:
            if self._closed:
                raise Unavailable("The server is stopping; send this again")
            if self._waiting_bytes + delivery.bytes > max(self._most_waiting_bytes, delivery.bytes):
                raise Unavailable("The disk is too slow for what arrives; retry later")
            self._waiting.append(delivery)
            self._waiting_bytes += delivery.bytes
            if not self._threads:
                self._threads = [
                    threading.Thread(target=work, name=name, daemon=True)
                    for name, work in (("inbox", self._run), ("inbox-disk", self._settle))
                ]
                for thread in self._threads:
                    thread.start()
            self._changed.notify()
        return delivery.done

    def close(self) -> None:
        """Write what waits, then end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            self._commit([delivery for delivery in group if delivery.begin()])
        self._written.put(None)

    def _settle(self) -> None:
        """Wait for the disk, each time for all that was written until then."""
        last = False
        while not last:
            groups = [self._written.get()]
            while not self._written.empty():
                groups.append(self._written.get())
            last = groups[-1] is None
            written = [delivery for group in groups for delivery in group or ()]
            try:
                if written:
                    self._database.settle()
            except Exception as error:
                _log.error("The disk could not be waited for: %s", type(error).__name__)
                for delivery in written:
                    delivery.done.set_exception(_as_unavailable(error))
                continue
            for delivery in written:
                delivery.done.set_result(None)

    def _next_group(self) -> list[_Delivery]:
        """Everything that waits; empty when the inbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            group, self._waiting, self._waiting_bytes = self._waiting, [], 0
            return group

    def _commit(self, group: list[_Delivery]) -> None:
        started = perf_counter()
        try:
            with self._database.write(settled=False) as connection:
                known = _existing_shops(connection, group)
                good = [delivery for delivery in group if delivery.shop_ids <= known]
                rows = [row for delivery in good for row in delivery.rows]
                store(connection, rows, self._clock.now())
        except Exception as error:
            # The message of a database error quotes what was being written.
            _log.error("The inbox could not write: %s", type(error).__name__)
            for delivery in group:
                delivery.done.set_exception(_as_unavailable(error))
            return
        self.figures.commits += 1
        self.figures.rows += len(rows)
        self.figures.seconds += perf_counter() - started
        self._written.put(good)
        for delivery in group:
            if not delivery.shop_ids <= known:
                delivery.done.set_exception(ShopNotFound())


def store(connection: Connection, rows: Sequence[InboxRow], now: Instant) -> None:
    """Write rows and their counts inside the caller's transaction; ids rise with the rows.

    Rows of a file get ids above all others, so a large import waits behind the signals of now.
    """
    taken = zip(rows, new_ids.take(len(rows)), strict=True)
    ids = [number if row.import_id is None else number | _BEHIND for row, number in taken]
    _insert(connection, list(_inbox_values(rows, ids)))
    bulk(connection, dead_letters, _LETTER_COLUMNS, list(_letter_values(rows, ids)))
    add_counts(connection, _counts(rows), now)


def _insert(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert into the inbox, on SQLite with many rows a statement.

    The driver gives Python's lock away for every statement and then queues for it behind the busy thread that
    answers requests; one statement a row made an acknowledgement under load ten times as slow.
    """
    start = 0
    for size in _ROWS_A_STATEMENT if connection.dialect.name == "sqlite" else ():
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            connection.exec_driver_sql(_INSERTS[size], tuple(values))
            start += size
    bulk(connection, inbox, INBOX_COLUMNS, rows[start:])


class _Delivery:
    """The rows of one caller and the future that it waits for."""

    __slots__ = ("bytes", "done", "rows", "shop_ids")

    def __init__(self, rows: Sequence[InboxRow]) -> None:
        self.rows = rows
        self.bytes = sum([len(row.body) for row in rows])
        self.shop_ids = {row.shop_id for row in rows}
        self.done: Future[None] = Future()

    def begin(self) -> bool:
        """False when the caller has gone meanwhile: nothing was promised, so nothing is written."""
        return self.done.set_running_or_notify_cancel()


def _existing_shops(connection: Connection, group: Iterable[_Delivery]) -> set[int]:
    """The shops that exist, held until commit, so that nothing arrives in a shop being deleted."""
    wanted = {shop_id for delivery in group for shop_id in delivery.shop_ids}
    query = select(shop_clock.c.shop_id).where(shop_clock.c.shop_id.in_(wanted))
    return set(connection.scalars(query.with_for_update(read=True, key_share=True)))


def _inbox_values(rows: Sequence[InboxRow], ids: Sequence[int]) -> Iterator[tuple[object, ...]]:
    for row, row_id in zip(rows, ids, strict=True):
        if row.rejected is None:
            yield _common_values(row, row_id)


def _letter_values(rows: Sequence[InboxRow], ids: Sequence[int]) -> Iterator[tuple[object, ...]]:
    for row, row_id in zip(rows, ids, strict=True):
        if row.rejected is not None and row.kept:
            reason, detail = row.rejected
            yield (*_common_values(row, row_id), row.received_at, reason, detail, 0, None)


def _common_values(row: InboxRow, row_id: int) -> tuple[object, ...]:
    # Drivers look up a converter for each value of a subclass of int, which costs more than int().
    return (
        row.shop_id,
        row_id,
        row.source,
        int(row.trust),
        int(row.rank),
        row.received_at,
        row.body,
        row.envelope,
        row.import_id,
    )


def _counts(rows: Sequence[InboxRow]) -> Counter[CountKey]:
    counts: Counter[CountKey] = Counter([(row.shop_id, row.source, RECEIVED, "") for row in rows])
    counts.update(
        (row.shop_id, row.source, REJECTED, row.rejected[0])
        for row in rows
        if row.rejected is not None
    )
    return counts


def _as_unavailable(error: Exception) -> Customer360Error:
    if isinstance(error, Customer360Error):
        return error
    unavailable = Unavailable("This could not be written to disk; retry later")
    unavailable.__cause__ = error
    return unavailable
