"""The data folder that a benchmark runs in: a shop with its keys, filled through the real worker, kept where asked."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path

import msgspec

from customer360.access.shops import create_shop
from customer360.access.sign_in import begin_session
from customer360.access.users import ensure_user, join_shop
from customer360.api.batches import Parsed
from customer360.api.intake import segment_rows
from customer360.api.senders import Sender
from customer360.app import build_app
from customer360.bench.served import working
from customer360.bench.stream import Stream
from customer360.clock import DAY, Instant, SystemClock
from customer360.intake.inbox import Inbox
from customer360.settings import Settings
from customer360.storage.database import Database

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_FILE = "bench.json"
_PAGE = 4096
# What is fed at once, and how far feeding may run ahead of the worker.
_ROWS_A_COMMIT = 10_000
_MOST_WAITING = 100_000
_POLL_SECONDS = 0.05
_MOST_EVENT_BYTES = 32 * 1024
# The history of a filled store ends so long ago and began so long before.
_HISTORY: Instant = 180 * DAY
_AGO: Instant = DAY


class Store(msgspec.Struct, frozen=True):
    """A data folder with one shop; `visitors` of the stream are in it already."""

    data_dir: str
    shop_id: int
    write_key: str
    api_key: str
    session: str
    """The cookie of a signed-in browser."""
    visitors: int = 0
    events: int = 0

    @property
    def path(self) -> Path:
        return Path(self.data_dir)

    def database(self) -> Database:
        """Its profile store; whoever opens it closes it."""
        return Database(Settings(data_dir=self.path).resolved_database_url)


@contextmanager
def prepared(kept_in: Path | None, name: str, fill: Callable[[Store], Store]) -> Iterator[Store]:
    """A filled store to run in, gone afterwards.

    With `kept_in` the filled folder stays there under its name, and the next run copies it instead.
    """
    with tempfile.TemporaryDirectory(prefix="c360-bench-", dir=kept_in) as temporary:
        run_in = Path(temporary) / "data"
        if kept_in is None:
            yield fill(new_store(run_in))
            return
        template = kept_in / name
        if not (template / _FILE).exists():
            shutil.rmtree(template, ignore_errors=True)
            _keep(fill(new_store(template)))
        shutil.copytree(template, run_in, copy_function=_copy)
        # What was just copied would be written to the disk during the measurement.
        os.sync()
        kept = msgspec.json.decode((run_in / _FILE).read_bytes(), type=Store)
        yield msgspec.structs.replace(kept, data_dir=str(run_in))


def new_store(data_dir: Path) -> Store:
    """An empty shop with its keys, and somebody signed in to it."""
    clock = SystemClock()
    with closing(build_app(Settings(data_dir=data_dir), role="server")) as app:
        now = clock.now()
        with app.database.write() as connection:
            made = create_shop(
                connection,
                name="Benchmark",
                currency="EUR",
                timezone="Europe/Dublin",
                country="IE",
                now=now,
            )
            user = ensure_user(connection, "bench@example.com", now)
            join_shop(connection, user.user_id, made.shop.shop_id, "owner", now)
            session = begin_session(connection, user.user_id, now, session_days=365)
    return Store(str(data_dir), made.shop.shop_id, made.write_key, made.api_key, session.token)


def fill_with_events(store: Store, count: int, progress: Progress) -> Store:
    """So many events of the stream, put into the inbox and worked off by the real worker."""
    stream = Stream("preload")
    start, step = SystemClock().now() - _AGO - _HISTORY, _HISTORY // max(count, 1)
    times = range(start, start + step * count, step) if count else range(0)
    feed(store, zip(times, stream.events(times), strict=True), count, progress)
    return msgspec.structs.replace(store, visitors=stream.known, events=count)


def feed(
    store: Store, events: Iterable[tuple[Instant, bytes]], count: int, progress: Progress
) -> None:
    """Put (time, event) pairs into the inbox and wait until the worker has them in the warehouse."""
    sender, rest, fed = Sender(store.shop_id, "write", True), iter(events), 0
    database = store.database()
    inbox = Inbox(database, SystemClock(), most_waiting_bytes=1 << 30)
    with closing(database), closing(inbox), working(store.path), watching(store) as watch:
        while chunk := list(islice(rest, _ROWS_A_COMMIT)):
            parsed = Parsed([body for _, body in chunk], None, "segment", b"")
            inbox.accept(segment_rows(parsed, sender, chunk[-1][0], _MOST_EVENT_BYTES))
            fed += len(chunk)
            while (waiting := watch.waiting()) > _MOST_WAITING:
                progress("Filling the store", fed - waiting, count)
                time.sleep(_POLL_SECONDS)
        while not watch.settled():
            progress("Filling the store", fed - watch.waiting(), count)
            time.sleep(_POLL_SECONDS)
    progress("Filling the store", fed, count)


class Watch:
    """Looks into a store from outside: what waits, and is everything in the warehouse?"""

    def __init__(self, connection: sqlite3.Connection, shop_id: int) -> None:
        self._connection = connection
        self._shop_id = shop_id

    def waiting(self) -> int:
        """How many signals wait, by their counts: one that is received and has no outcome."""
        (waiting,) = self._connection.execute(
            "select coalesce(sum(case outcome when 'received' then n else -n end), 0)"
            " from signal_counts where shop_id = ?",
            (self._shop_id,),
        ).fetchone()
        return int(waiting)

    def settled(self) -> bool:
        """Whether nothing waits and the warehouse has all changes."""
        (behind,) = self._connection.execute(
            "select change - synced from shop_clock where shop_id = ?", (self._shop_id,)
        ).fetchone()
        return behind == 0 and self.waiting() == 0

    def fragments_of_biggest_profile(self) -> list[int]:
        """The fragments of the profile with most events."""
        rows = self._connection.execute(
            "select fragment_id from fragments where shop_id = ?1 and profile_id = ("
            "select fragments.profile_id from events join fragments using (shop_id, fragment_id)"
            " where shop_id = ?1 group by fragments.profile_id order by count(*) desc limit 1)",
            (self._shop_id,),
        )
        return [fragment_id for (fragment_id,) in rows]

    def read_plainly(self, fragments: list[int]) -> None:
        """Read what a page about these fragments shows: the sums of each and the newest 50 events."""
        marks = ", ".join("?" * len(fragments))
        which = (self._shop_id, *fragments)
        self._connection.execute(
            f"select aggregate from observations where shop_id = ? and fragment_id in ({marks})",
            which,
        ).fetchall()
        newest = [
            self._connection.execute(
                "select occurred_at, event_id, type, properties from events"
                " where shop_id = ? and fragment_id = ? order by occurred_at desc limit 50",
                (self._shop_id, fragment_id),
            ).fetchall()
            for fragment_id in fragments
        ]
        sorted(chain.from_iterable(newest), reverse=True)


@contextmanager
def watching(store: Store) -> Iterator[Watch]:
    """Watch a store; nothing is written."""
    path = store.database().path
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield Watch(connection, store.shop_id)


def wait_until_settled(store: Store, seconds: float) -> None:
    """Return when everything acknowledged is on its profile and in the warehouse."""
    deadline = time.monotonic() + seconds
    with watching(store) as watch:
        while not watch.settled():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{watch.waiting():,} signals still wait after {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)


def _copy(source: str, target: str) -> str:
    """Copy a file page by page, as the database wrote it.

    The system caches what is written in large pieces as such, and for each page that the database changes later it
    would write the whole piece to the disk again.
    """
    with Path(source).open("rb", buffering=0) as old, Path(target).open("xb", buffering=0) as new:
        while piece := memoryview(old.read(1024 * _PAGE)):
            for start in range(0, len(piece), _PAGE):
                new.write(piece[start : start + _PAGE])
    shutil.copymode(source, target)
    return target


def _keep(store: Store) -> None:
    (store.path / _FILE).write_bytes(msgspec.json.encode(store))
