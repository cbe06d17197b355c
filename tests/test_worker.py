"""When the worker does what: how soon the warehouse follows, and who keeps the log short."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from customer360.clock import SECOND
from customer360.storage import checkpoints
from customer360.storage.database import next_change
from customer360.worker import Worker
from tests.house import House, at


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def test_the_warehouse_follows_a_backlog_at_once_and_less_often_while_somebody_sends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(house.app.warehouse, "sync", lambda shop_id: _synced(syncs, shop_id))
    house.segment({"type": "page", "anonymousId": "c1", "timestamp": at(1)})
    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)
    following = Worker(house.app, signals=False)
    for _ in range(3):
        following.turn(house.shop)
    assert len(syncs) == 1
    house.clock.advance(SECOND)
    following.turn(house.shop)
    assert len(syncs) == 2
    house.clock.advance(1)
    for _ in range(3):
        following.turn(house.shop)
    assert len(syncs) == 5


def test_a_shop_in_which_nothing_happens_costs_nothing_but_its_share_of_a_round(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(house.app.warehouse, "sync", lambda shop_id: _synced(syncs, shop_id))
    following = Worker(house.app, signals=False)
    for _ in range(3):
        following.round([house.shop])
    assert len(syncs) == 1
    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)
    for _ in range(3):
        following.round([house.shop])
    assert len(syncs) == 4


def test_a_log_that_cannot_be_copied_is_told_of_and_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries, tried_again = [], threading.Event()

    def failing() -> None:
        tries.append(1)
        if len(tries) == 2:
            tried_again.set()
        raise OperationalError("checkpoint", None, OSError("the disk is full"))

    monkeypatch.setattr(checkpoints, "_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(house.app.database, "checkpoint", failing)
    with caplog.at_level(logging.WARNING), checkpoints.short_log(house.app.database):
        assert tried_again.wait(10)
    assert "the write-ahead log stays long: OperationalError" in caplog.text
    known = len(tries)
    assert not [thread for thread in threading.enumerate() if thread.name == "checkpoint"]
    assert len(tries) == known


class _Nothing:
    chunks = 0


def _synced(syncs: list[int], shop_id: int) -> _Nothing:
    syncs.append(shop_id)
    return _Nothing()
