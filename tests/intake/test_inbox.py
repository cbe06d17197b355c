"""The durable inbox: acknowledged means on disk, whole, counted and in order."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Connection, delete, insert, select

from customer360.clock import FixedClock
from customer360.errors import ShopNotFound, Unavailable
from customer360.events.model import SourceRank, Trust
from customer360.intake.balance import SourceBalance, balance
from customer360.intake.inbox import Inbox, InboxRow
from customer360.intake.tables import dead_letters, inbox
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock

SHOP, OTHER = 7, 8


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        with database.write() as connection:
            connection.execute(insert(shop_clock), [{"shop_id": SHOP}, {"shop_id": OTHER}])
        yield database


@pytest.fixture
def box(database: Database, clock: FixedClock) -> Iterator[Inbox]:
    with closing(Inbox(database, clock)) as box:
        yield box


def row(
    body: bytes = b"{}", shop_id: int = SHOP, source: str = "segment", **more: object
) -> InboxRow:
    return InboxRow(shop_id, source, Trust.FULL, SourceRank.SERVER, 1, body, **more)  # type: ignore[arg-type]


def bodies(database: Database) -> list[bytes]:
    with database.read() as connection:
        return [
            bytes(b) for b in connection.scalars(select(inbox.c.body).order_by(inbox.c.inbox_id))
        ]


def total(database: Database, shop_id: int = SHOP) -> SourceBalance:
    with database.read() as connection:
        return balance(connection, shop_id).total


def test_everything_of_a_row_is_kept(database: Database, box: Inbox) -> None:
    box.accept([row(b'{"a":1}', envelope=b'{"auth":"write"}', import_id=5)])
    with database.read() as connection:
        kept = connection.execute(select(inbox)).one()
    assert (kept.shop_id, kept.source, kept.trust, kept.rank, kept.received_at) == (
        7,
        "segment",
        1,
        1,
        1,
    )
    assert (bytes(kept.body), bytes(kept.envelope), kept.import_id) == (
        b'{"a":1}',
        b'{"auth":"write"}',
        5,
    )


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 65, 520, 1100])
def test_ids_rise_in_the_order_of_the_rows(database: Database, box: Inbox, count: int) -> None:
    wanted = [str(n).encode() for n in range(count)]
    box.accept([row(body) for body in wanted])
    assert bodies(database) == wanted


def test_acknowledged_signals_are_received_and_wait(database: Database, box: Inbox) -> None:
    box.accept([row(), row(source="shopify"), row(), row(shop_id=OTHER)])
    with database.read() as connection:
        found = balance(connection, SHOP)
    assert found.sources["segment"] == SourceBalance(received=2, waiting=2)
    assert found.sources["shopify"] == SourceBalance(received=1, waiting=1)
    assert found.total == SourceBalance(received=3, waiting=3)
    assert found.total.holds


def test_a_row_rejected_on_arrival_becomes_a_dead_letter(database: Database, box: Inbox) -> None:
    box.accept([row(b"big", rejected=("too_large", "An event may have 3 bytes")), row(b"good")])
    assert bodies(database) == [b"good"]
    with database.read() as connection:
        letter = connection.execute(select(dead_letters)).one()
    assert (letter.reason, bytes(letter.body), letter.attempts, letter.retry_at) == (
        "too_large",
        b"big",
        0,
        None,
    )
    assert total(database) == SourceBalance(received=2, rejected={"too_large": 1}, waiting=1)


def test_a_row_that_is_not_kept_is_only_counted(database: Database, box: Inbox) -> None:
    box.accept([row(rejected=("shop_uninstalled", ""), kept=False)])
    with database.read() as connection:
        assert connection.execute(select(dead_letters)).all() == []
    assert total(database) == SourceBalance(received=1, rejected={"shop_uninstalled": 1})


def test_a_shop_that_is_gone_fails_alone(database: Database, box: Inbox) -> None:
    with database.write() as connection:
        connection.execute(delete(shop_clock).where(shop_clock.c.shop_id == OTHER))
    futures = [
        box.submit([row(b"1")]),
        box.submit([row(b"2", shop_id=OTHER)]),
        box.submit([row(b"3")]),
    ]
    assert futures[0].result() is None
    assert isinstance(futures[1].exception(), ShopNotFound)
    assert futures[2].result() is None
    assert bodies(database) == [b"1", b"3"]


def test_32_threads_get_every_row_in_once(database: Database, box: Inbox) -> None:
    def send(thread: int) -> None:
        for n in range(10):
            box.accept([row(b"%d-%d-%d" % (thread, n, k)) for k in range(5)])

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(send, range(32)))
    wanted = {b"%d-%d-%d" % (t, n, k) for t in range(32) for n in range(10) for k in range(5)}
    stored = bodies(database)
    assert len(stored) == 1600
    assert set(stored) == wanted
    assert total(database) == SourceBalance(received=1600, waiting=1600)


def test_those_who_wait_share_one_transaction(database: Database, clock: FixedClock) -> None:
    held = _Held(database)
    with closing(Inbox(held, clock)) as box:  # type: ignore[arg-type]
        futures = [box.submit([row(b"first")])]
        held.entered.wait()
        futures += [box.submit([row(b"%d" % n)]) for n in range(20)]
        held.released.set()
        for future in futures:
            future.result()
        assert (box.figures.commits, box.figures.rows) == (2, 21)


class _Held:
    """A database whose first transaction waits until the test lets it go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.entered = threading.Event()
        self.released = threading.Event()

    @contextmanager
    def write(self, *, settled: bool) -> Iterator[Connection]:
        with self._database.write(settled=settled) as connection:
            self.entered.set()
            self.released.wait(10)
            yield connection

    def settle(self) -> None:
        self._database.settle()


def test_when_the_transaction_fails_everyone_hears_and_nothing_is_kept(
    database: Database, box: Inbox, clock: FixedClock
) -> None:
    failing = Inbox(_Failing(database), clock)  # type: ignore[arg-type]
    futures = [failing.submit([row(b"%d" % n)]) for n in range(5)]
    assert all(isinstance(future.exception(), Unavailable) for future in futures)
    failing.close()
    assert bodies(database) == []
    assert total(database) == SourceBalance()


class _Failing:
    """A database whose commit fails, as on a full disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def write(self, *, settled: bool) -> Iterator[Connection]:
        with self._database.write(settled=settled) as connection:
            yield connection
            raise OSError(28, "No space left on device")


def test_nobody_is_told_that_a_signal_is_kept_before_the_disk_has_it(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, released = threading.Event(), threading.Event()

    def settle() -> None:
        reached.set()
        released.wait(10)

    monkeypatch.setattr(database, "settle", settle)
    with closing(Inbox(database, clock)) as box:
        first = box.submit([row(b"1")])
        reached.wait()
        second = box.submit([row(b"2")])
        while len(bodies(database)) < 2:
            time.sleep(0.01)
        assert not first.done()
        assert not second.done()
        released.set()
        assert (first.result(), second.result()) == (None, None)


def test_when_the_disk_fails_everyone_hears_and_later_signals_are_taken_again(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Inbox(database, clock)) as box:
        with monkeypatch.context() as patched:
            patched.setattr(database, "settle", _no_disk)
            with pytest.raises(Unavailable):
                box.accept([row(b"1")])
        assert box.accept([row(b"2")]) is None


def _no_disk() -> None:
    raise OSError(5, "Input/output error")


def test_too_much_that_waits_is_refused(database: Database, clock: FixedClock) -> None:
    held = _Held(database)
    with closing(Inbox(held, clock, most_waiting_bytes=100)) as box:  # type: ignore[arg-type]
        first = box.submit([row(b"x" * 90)])
        held.entered.wait()
        second = box.submit([row(b"x" * 90)])
        with pytest.raises(Unavailable):
            box.submit([row(b"x" * 90)])
        held.released.set()
        assert (first.result(), second.result()) == (None, None)


def test_one_delivery_larger_than_the_limit_is_taken_alone(
    database: Database, clock: FixedClock
) -> None:
    with closing(Inbox(database, clock, most_waiting_bytes=100)) as box:
        box.accept([row(b"x" * 1000)])
    assert bodies(database) == [b"x" * 1000]


def test_a_caller_who_has_gone_leaves_nothing(database: Database, clock: FixedClock) -> None:
    held = _Held(database)
    with closing(Inbox(held, clock)) as box:  # type: ignore[arg-type]
        first = box.submit([row(b"1")])
        held.entered.wait()
        assert box.submit([row(b"2")]).cancel()
        held.released.set()
        assert first.result() is None
        box.accept([row(b"3")])
    assert bodies(database) == [b"1", b"3"]


def test_closing_writes_what_waits_and_refuses_more(database: Database, clock: FixedClock) -> None:
    box = Inbox(database, clock)
    futures = [box.submit([row(b"%d" % n)]) for n in range(10)]
    box.close()
    assert all(future.done() for future in futures)
    assert len(bodies(database)) == 10
    with pytest.raises(Unavailable):
        box.submit([row()])
