"""When a scan for duplicates is due, and what the log says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from tests.house import House

from customer360.clock import DAY, HOUR, MINUTE, Instant, parse_instant, to_iso
from customer360.errors import ScanUnderWay, ShopNotFound
from customer360.identities.scan_log import (
    STILL,
    Found,
    any_interrupted,
    begin_scan,
    due_night,
    end_scan,
    fail_running,
    last_scan,
    note_moved,
)
from customer360.identities.tables import scans
from customer360.storage.database import next_change

FOUND = Found(people=5, candidates=2, new=1, ended=0, learned=True)
NIGHT = parse_instant("2026-06-16T02:00:00Z")
"""Three o'clock in Dublin."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        house.segment({"type": "identify", "userId": "u1"})
        house.work_off()
        yield house


def due(house: House, now: Instant | str, hour: int = 3) -> str | None:
    now = parse_instant(now) if isinstance(now, str) else now
    with house.app.database.read() as connection:
        return to_iso(due_night(connection, house.shop, hour, now))


def scan(house: House, now: Instant, night: Instant | None = None) -> None:
    """A scan that sees everything."""
    with house.app.database.write() as connection:
        scan_id, change = begin_scan(connection, house.shop.shop_id, now, night)
        end_scan(connection, house.shop.shop_id, scan_id, FOUND, change, now + MINUTE)


@pytest.mark.parametrize(
    ("now", "hour", "night"),
    [
        ("2026-06-16T01:59:59Z", 3, None),
        ("2026-06-16T02:00:00Z", 3, "2026-06-16T02:00:00Z"),
        ("2026-06-16T05:59:59Z", 3, "2026-06-16T02:00:00Z"),
        ("2026-06-16T06:00:00Z", 3, None),
        ("2026-12-16T03:00:00Z", 3, "2026-12-16T03:00:00Z"),
        ("2026-06-16T00:30:00Z", 23, "2026-06-15T22:00:00Z"),
        ("2026-06-15T23:10:00Z", 0, "2026-06-15T23:00:00Z"),
    ],
)
def test_a_scan_is_due_in_the_night_of_the_shop(
    house: House, now: str, hour: int, night: str | None
) -> None:
    assert due(house, now, hour) == night


def test_a_shop_is_scanned_once_a_night_and_only_if_it_changed(house: House) -> None:
    scan(house, NIGHT + MINUTE, NIGHT)
    assert due(house, NIGHT + HOUR) is None
    assert due(house, NIGHT + DAY) is None

    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)

    assert due(house, NIGHT + HOUR) is None
    assert due(house, NIGHT + DAY) == to_iso(NIGHT + DAY)


def test_a_scan_that_somebody_began_in_the_night_counts(house: House) -> None:
    scan(house, NIGHT - MINUTE)
    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)
    assert due(house, NIGHT) == to_iso(NIGHT)

    scan(house, NIGHT + MINUTE)
    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)

    assert due(house, NIGHT + HOUR) is None


def test_a_scan_that_failed_is_tried_again_the_next_night(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        begin_scan(connection, shop_id, NIGHT, NIGHT)
        fail_running(connection, shop_id, "No memory.", NIGHT + HOUR, night=NIGHT - DAY)
        assert last_scan(connection, shop_id).state == "running"  # type: ignore[union-attr]
        fail_running(connection, shop_id, "No memory.", NIGHT + HOUR, night=NIGHT)
        last = last_scan(connection, shop_id)
    assert last is not None
    assert (last.state, last.reason, last.ended_at) == ("failed", "No memory.", NIGHT + HOUR)
    assert last.found is None
    assert due(house, NIGHT + HOUR) is None
    assert due(house, NIGHT + DAY) == to_iso(NIGHT + DAY)


def test_the_log_says_what_was_found_and_how(house: House) -> None:
    scan(house, NIGHT, NIGHT)
    with house.app.database.read() as connection:
        last = last_scan(connection, house.shop.shop_id)
    assert last is not None
    assert (last.state, last.began_at, last.ended_at) == ("done", NIGHT, NIGHT + MINUTE)
    assert (last.night, last.found, last.reason) == (NIGHT, FOUND, "")


def test_of_two_machines_one_scans_in_a_night(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        begin_scan(connection, shop_id, NIGHT, NIGHT)
    with house.app.database.write() as connection, pytest.raises(ScanUnderWay):
        begin_scan(connection, shop_id, NIGHT, NIGHT)


def test_a_scan_runs_as_long_as_it_says_so_whoever_else_scans_the_shop(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        moving, _ = begin_scan(connection, shop_id, NIGHT)
        still, _ = begin_scan(connection, shop_id, NIGHT, NIGHT)
        note_moved(connection, shop_id, moving, NIGHT + 9 * MINUTE)
        assert not any_interrupted(connection, NIGHT + STILL)

        assert any_interrupted(connection, NIGHT + STILL + 1)
        third, _ = begin_scan(connection, shop_id, NIGHT + STILL + 1)
        fail_running(connection, shop_id, "No memory.", NIGHT + HOUR, scan_id=third)
        query = select(scans.c.scan_id, scans.c.state, scans.c.reason)
        stands = {each: (state, why) for each, state, why in connection.execute(query)}

    assert stands == {
        moving: ("running", ""),
        still: ("failed", "It was interrupted."),
        third: ("failed", "No memory."),
    }


def test_no_scan_of_a_deleted_shop_begins(house: House) -> None:
    with house.app.database.write() as connection, pytest.raises(ShopNotFound):
        begin_scan(connection, 1, NIGHT)


def test_a_shop_that_is_new_or_has_gone_is_not_scanned(house: House) -> None:
    house.shop = msgspec.structs.replace(house.shop, state="uninstalled")
    assert due(house, NIGHT) is None
    house.open_shop()
    assert due(house, NIGHT) is None
