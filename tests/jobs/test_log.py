"""When a job of the night is due, and what the log says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from customer360.clock import DAY, HOUR, MINUTE, Instant, parse_instant, to_iso
from customer360.errors import RunUnderWay, ShopNotFound
from customer360.jobs.log import (
    STILL,
    any_interrupted,
    ask_for_run,
    begin_run,
    due_night,
    end_run,
    fail_running,
    last_run,
    note_moved,
    note_progress,
    shops_that_ask,
)
from customer360.jobs.tables import job_runs
from customer360.storage.database import next_change
from tests.house import House

KIND = "scan"


class Found(msgspec.Struct, frozen=True):
    people: int


FOUND = Found(5)
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
        return to_iso(
            due_night(connection, house.shop.shop_id, KIND, hour, house.shop.timezone, now)
        )


def scan(house: House, now: Instant, night: Instant | None = None) -> None:
    """A scan that sees everything."""
    with house.app.database.write() as connection:
        run_id, change = begin_run(connection, house.shop.shop_id, KIND, now, night)
        end_run(connection, house.shop.shop_id, run_id, FOUND, change, now + MINUTE)


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
        begin_run(connection, shop_id, KIND, NIGHT, NIGHT)
        fail_running(connection, shop_id, KIND, "No memory.", NIGHT + HOUR, night=NIGHT - DAY)
        assert last_run(connection, shop_id, KIND).state == "running"  # type: ignore[union-attr]
        fail_running(connection, shop_id, KIND, "No memory.", NIGHT + HOUR, night=NIGHT)
        last = last_run(connection, shop_id, KIND)
    assert last is not None
    assert (last.state, last.reason, last.ended_at) == ("failed", "No memory.", NIGHT + HOUR)
    assert last.reported(Found) is None
    assert due(house, NIGHT + HOUR) is None
    assert due(house, NIGHT + DAY) == to_iso(NIGHT + DAY)


def test_the_log_says_what_was_found_and_how(house: House) -> None:
    scan(house, NIGHT, NIGHT)
    with house.app.database.read() as connection:
        last = last_run(connection, house.shop.shop_id, KIND)
    assert last is not None
    assert (last.state, last.began_at, last.ended_at) == ("done", NIGHT, NIGHT + MINUTE)
    assert (last.night, last.reported(Found), last.reason) == (NIGHT, FOUND, "")


def test_of_two_machines_one_scans_in_a_night(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        begin_run(connection, shop_id, KIND, NIGHT, NIGHT)
    with house.app.database.write() as connection, pytest.raises(RunUnderWay):
        begin_run(connection, shop_id, KIND, NIGHT, NIGHT)


def test_a_scan_runs_as_long_as_it_says_so_whoever_else_scans_the_shop(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        moving, _ = begin_run(connection, shop_id, KIND, NIGHT)
        still, _ = begin_run(connection, shop_id, KIND, NIGHT, NIGHT)
        note_moved(connection, shop_id, moving, NIGHT + 9 * MINUTE)
        assert not any_interrupted(connection, NIGHT + STILL)

        assert any_interrupted(connection, NIGHT + STILL + 1)
        third, _ = begin_run(connection, shop_id, KIND, NIGHT + STILL + 1)
        fail_running(connection, shop_id, KIND, "No memory.", NIGHT + HOUR, run_id=third)
        query = select(job_runs.c.run_id, job_runs.c.state, job_runs.c.reason)
        stands = {each: (state, why) for each, state, why in connection.execute(query)}

    assert stands == {
        moving: ("running", ""),
        still: ("failed", "It was interrupted."),
        third: ("failed", "No memory."),
    }


def test_no_scan_of_a_deleted_shop_begins(house: House) -> None:
    with house.app.database.write() as connection, pytest.raises(ShopNotFound):
        begin_run(connection, 1, KIND, NIGHT)


def test_a_new_shop_has_nothing_to_be_scanned(house: House) -> None:
    house.open_shop()
    assert due(house, NIGHT) is None


def test_a_job_for_which_time_alone_matters_is_due_without_a_change(house: House) -> None:
    scan(house, NIGHT + MINUTE, NIGHT)
    with house.app.database.read() as connection:
        shop, now = house.shop, NIGHT + DAY
        due = due_night(connection, shop.shop_id, KIND, 3, shop.timezone, now, changed=False)
    assert due == NIGHT + DAY


def test_whoever_asks_twice_waits_for_one_run(house: House) -> None:
    shop_id = house.shop.shop_id
    with house.app.database.write() as connection:
        first = ask_for_run(connection, shop_id, KIND, NIGHT)
        assert ask_for_run(connection, shop_id, KIND, NIGHT + 1) == first
        assert (first.state, shops_that_ask(connection, KIND)) == ("asked", [shop_id])
        assert shops_that_ask(connection, "another") == []

        run_id, _ = begin_run(connection, shop_id, KIND, NIGHT + MINUTE)
        assert shops_that_ask(connection, KIND) == []
        note_progress(connection, shop_id, run_id, NIGHT + MINUTE, ("Writing", 3, 7))
        under_way = ask_for_run(connection, shop_id, KIND, NIGHT + HOUR)

    assert (under_way.run_id, under_way.state) == (run_id, "running")
    assert (under_way.stage, under_way.done, under_way.total) == ("Writing", 3, 7)


def test_the_last_run_that_ended_well_is_found_behind_one_that_failed(house: House) -> None:
    shop_id = house.shop.shop_id
    scan(house, NIGHT)
    with house.app.database.write() as connection:
        run_id, _ = begin_run(connection, shop_id, KIND, NIGHT + HOUR)
        fail_running(connection, shop_id, KIND, "No memory.", NIGHT + HOUR, run_id=run_id)
        last, good = (last_run(connection, shop_id, KIND, state=one) for one in (None, "done"))
    assert last is not None
    assert good is not None
    assert (last.state, good.state, good.reported(Found)) == ("failed", "done", FOUND)
