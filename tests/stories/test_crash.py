"""Server and worker die without warning, under load: what was acknowledged is there, once, everywhere."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from customer360.access.shops import create_shop
from customer360.app import SCHEMA, App, build_app
from customer360.clock import HOUR, SystemClock
from customer360.events.tables import events
from customer360.intake import batch
from customer360.intake.balance import balance
from customer360.profiles.tables import orders
from customer360.settings import Settings
from customer360.storage.database import Database
from customer360.warehouse import sync
from customer360.worker import drain
from tests.house import House

KILLS = 20
BATCH = 20
SENDERS = 2
PATIENCE_SECONDS = 60.0


class Installation:
    """A server and workers as processes of their own, and senders that never give up."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.acknowledged: list[str] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = os.environ | {
            "C360_DATA_DIR": str(folder),
            "C360_LOG_LEVEL": "error",
            "C360_RETRY_SECONDS": "1",
            **environment,
        }
        self._stop = threading.Event()
        self.settings = Settings(data_dir=folder)
        self._database = Database(self.settings.resolved_database_url)
        with self._database.write() as connection:
            self.shop = create_shop(
                connection,
                name="Harbour Tea",
                currency="EUR",
                timezone="Europe/Dublin",
                country="IE",
                now=SystemClock().now(),
            )

    def start(self, name: str) -> None:
        """Start the server or a worker."""
        words = ["worker"]
        if name == "server":
            words = ["serve", "--no-worker", "--port", str(self.port)]
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "customer360.cli", *words],
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )

    def kill(self, name: str) -> None:
        """Without warning."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        """End whatever runs, in good order."""
        self._stop.set()
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """Let go of the store."""
        self._database.close()

    @contextmanager
    def under_load(self) -> Iterator[None]:
        """Senders at work; each sends a batch again until it is acknowledged."""
        threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def acknowledges_more(self) -> None:
        """Wait until the server has acknowledged something new."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > before)

    def stores_more(self) -> None:
        """Wait until a worker has stored something new."""
        before = self._stored()
        until(lambda: self._stored() > before)

    def _stored(self) -> int:
        with self._database.read() as connection:
            return balance(connection, self.shop.shop.shop_id).total.stored

    def _send(self, sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            ids = [f"{sender}-{number}-{n}" for n in range(BATCH)]
            body = json.dumps({"batch": [self._call(each, number) for each in ids]})
            while not self._stop.is_set():
                if self._is_acknowledged(body):
                    self.acknowledged.extend(ids)
                    break
                time.sleep(0.02)
            number += 1
            time.sleep(0.05)

    def _call(self, key: str, number: int) -> dict[str, Any]:
        """Of many visitors; some log in, and some buy."""
        visitor = f"c{number % 40}"
        call: dict[str, Any] = {"type": "track", "messageId": key, "anonymousId": visitor}
        if key.endswith("-7"):
            return {**call, "event": "Order Completed", "properties": {"order_id": key, "total": 1}}
        if key.endswith("-8"):
            call["userId"] = f"u{number % 40}"
        return {**call, "event": "Product Viewed", "properties": {"key": key}}

    def _is_acknowledged(self, body: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            headers = {"X-Write-Key": self.shop.write_key}
            connection.request("POST", "/v1/batch", body, headers)
            return connection.getresponse().status == 200
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def install(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def make(**environment: str) -> Installation:
        made.append(Installation(tmp_path, **environment))
        return made[-1]

    yield make
    for one in made:
        for process in one.processes.values():
            process.kill()
            process.wait()
        one.close()


def check(installation: Installation) -> None:
    """Every acknowledged message is there once; the balance holds; the warehouse equals one made anew."""
    shop_id = installation.shop.shop.shop_id
    with closing(build_app(installation.settings, role="cli")) as app:
        drain(app, shop_id)
        stored = stored_keys(app, shop_id)
        with app.database.read() as connection:
            total = balance(connection, shop_id).total
        before = warehouse_rows(app, shop_id)
        app.warehouse.rebuild(shop_id)
        after = warehouse_rows(app, shop_id)
    assert installation.acknowledged
    assert [key for key, n in stored.items() if n != 1] == []
    assert set(installation.acknowledged) <= stored.keys()
    # Batches that nobody was told of may be there too, but whole ones only.
    assert len(stored) % BATCH == 0
    assert total.holds
    assert (total.waiting, total.rejected, total.stored) == (0, {}, len(stored))
    assert before == after


def stored_keys(app: App, shop_id: int) -> Counter[str]:
    """How often each message is kept, as an event or as an order."""
    with app.database.read() as connection:
        told = connection.scalars(select(events.c.properties).where(events.c.shop_id == shop_id))
        keys = Counter(json.loads(text)["key"] for text in told)
        keys.update(
            connection.scalars(select(orders.c.order_key).where(orders.c.shop_id == shop_id))
        )
    return keys


def warehouse_rows(app: App, shop_id: int) -> dict[str, list[str]]:
    """Everything the warehouse holds."""
    return {
        mirror.table: sorted(
            str(row)
            for row in app.warehouse.query(shop_id, f"select * from {mirror.table}").to_pylist()
        )
        for mirror in SCHEMA.mirrors
    }


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_or_doubled_by_twenty_kills(
    install: Callable[..., Installation],
) -> None:
    installation, random = install(C360_LEASE_SECONDS="1"), Random(20260615)
    for name in ("server", "worker"):
        installation.start(name)
    with installation.under_load():
        for number in range(KILLS):
            if number % 5 == 0:
                # Most are killed at any moment, starting ones too; these were surely at work.
                installation.acknowledges_more()
                installation.stores_more()
            time.sleep(random.uniform(0, 0.8))
            for name in random.choice((["worker"], ["worker"], ["server"], ["server", "worker"])):
                installation.kill(name)
                installation.start(name)
        installation.acknowledges_more()
    installation.stop()

    check(installation)


@pytest.mark.timeout(300)
def test_a_worker_that_slept_past_its_lease_spoils_nothing(
    install: Callable[..., Installation],
) -> None:
    installation = install(C360_LEASE_SECONDS="1", C360_BATCH_EVENTS="200")
    for name in ("server", "first", "second"):
        installation.start(name)
    with installation.under_load():
        installation.acknowledges_more()
        for name in ("first", "second", "first", "second"):
            installation.processes[name].send_signal(signal.SIGSTOP)
            time.sleep(1.6)
            installation.processes[name].send_signal(signal.SIGCONT)
            time.sleep(0.3)
    installation.stop()

    check(installation)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def views(*numbers: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": f"c{n % 3}",
            "userId": f"u{n % 3}",
            "messageId": str(n),
            "properties": {"key": str(n)},
        }
        for n in numbers
    ]


@pytest.mark.parametrize("arriving", [range(5, 15), range(5)])
def test_a_worker_overtaken_between_reading_and_writing_writes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, arriving: range
) -> None:
    house.segment(*views(*range(5)))
    house.drain()
    # Duplicates alone too: nothing but the change number keeps them from being counted twice.
    house.segment(*views(*arriving))
    compute = batch._compute

    def slow(*arguments: Any) -> None:
        compute(*arguments)
        # While this worker sleeps past its lease, another one does the same work.
        monkeypatch.setattr(batch, "_compute", compute)
        house.clock.advance(HOUR)
        drain(house.app, house.shop.shop_id)

    monkeypatch.setattr(batch, "_compute", slow)
    house.drain()

    total = house.balance()
    stored = len({*range(5), *arriving})
    assert (total.stored, total.duplicate) == (stored, 5 + len(arriving) - stored)
    assert total.holds
    assert sum(house.counts(f"user_id:u{n}")["product_viewed"] for n in range(3)) == stored


class Died(Exception):
    """The process ended here."""


def test_a_sync_that_dies_between_its_two_commits_is_not_repeated(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.segment(*views(*range(10)))
    with monkeypatch.context() as patch:

        def die(*_: Any) -> None:
            raise Died

        patch.setattr(sync, "note_synced", die)
        with pytest.raises(Died):
            house.drain()
    # The process is gone, and its locks with it.
    house.app.warehouse.close()
    house.segment(*views(*range(5, 15)))
    with closing(build_app(house.settings, clock=house.clock, role="cli")) as restarted:
        drain(restarted, house.shop.shop_id)
        before = warehouse_rows(restarted, house.shop.shop_id)
        restarted.warehouse.rebuild(house.shop.shop_id)

        assert len(before["event_facts"]) == 15
        assert warehouse_rows(restarted, house.shop.shop_id) == before
