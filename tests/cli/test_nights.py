"""The jobs of the night: each in a process of its own, one at a time, and whatever becomes of it is told."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from customer360.access.shops import uninstall_shop
from customer360.cli.nights import SCANNING, Nights
from customer360.clock import DAY, HOUR, Instant
from customer360.identities.scan_log import SCAN, Found
from customer360.jobs.log import STILL, Run, ask_for_run, begin_run, last_run
from customer360.storage.database import next_change
from tests.house import House

# Begins a scan as the real one does, and then does what it is told.
CHILD = """
import os, signal, sys, time
from contextlib import closing
from customer360.clock import FixedClock
from customer360.jobs.log import begin_run
from customer360.storage.database import Database
shop_id, night = int(sys.argv[2]), None if sys.argv[3] == "None" else int(sys.argv[3])
with closing(Database(sys.argv[1])) as database, database.write() as connection:
    begin_run(connection, shop_id, "duplicates", night or FixedClock().now(), night)
with open(sys.argv[1][10:] + ".children", "a") as file:
    file.write(f"{os.getpid()} {shop_id}\\n")
"""

STEPS_BACK = """
import os
from customer360.cli import processes as nights
before = os.nice(0)
nights.step_back()
print(os.nice(0) == min(before + 10, 19), open("/proc/self/oom_score_adj").read())
try:
    bytearray(nights._MEMORY_BYTES)
except MemoryError:
    print("MemoryError")
"""


KILLED = "os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(sqlite_url, tmp_path)) as house:
        change(house)
        house.clock.advance(15 * HOUR)  # To four o'clock in Dublin.
        yield house


def change(house: House) -> None:
    with house.app.database.write() as connection:
        next_change(connection, house.shop.shop_id)


def child(house: House, then: str = "") -> Callable[[int, Instant | None], list[str]]:
    url = house.settings.database_url
    return lambda *which: [sys.executable, "-c", CHILD + then, url, *map(str, which)]


def children(house: House) -> list[list[int]]:
    log = Path(house.settings.database_url[10:] + ".children")
    text = log.read_text() if log.exists() else ""
    return [[int(part) for part in line.split()] for line in text.splitlines()]


def last(house: House) -> Run:
    with house.app.database.read() as connection:
        found = last_run(connection, house.shop.shop_id, SCAN)
    assert found is not None
    return found


def test_every_shop_whose_night_has_come_is_scanned_once(house: House) -> None:
    house.open_shop()
    change(house)
    night = Nights(house.app, SCANNING, command=child(house))

    night.look()
    night.look()

    (_, first), (_, second) = children(house)
    assert (first < second, second) == (True, house.shop.shop_id)


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("sys.exit(3)", "It ended with code 3."),
        (KILLED, "It was killed, most likely because memory ran out."),
    ],
)
def test_a_child_that_dies_is_told_with_the_reason_and_tried_again_the_next_night(
    house: House, caplog: pytest.LogCaptureFixture, then: str, reason: str
) -> None:
    night = Nights(house.app, SCANNING, command=child(house, then))
    with caplog.at_level(logging.WARNING):
        night.look()
    assert (last(house).state, last(house).reason) == ("failed", reason)
    assert caplog.messages == [f"shop {house.shop.shop_id}: the duplicates failed: {reason}"]

    night.look()
    assert len(children(house)) == 1
    house.clock.advance(DAY)
    night.look()
    assert len(children(house)) == 2


def test_a_scan_under_way_ends_with_its_worker(house: House) -> None:
    night = Nights(
        house.app, SCANNING, command=child(house, "time.sleep(600)"), look_every_seconds=0.01
    )
    with night:
        deadline = time.monotonic() + 20
        while not children(house):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    ((process_id, _),) = children(house)
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, signal.SIG_DFL)
    assert (last(house).state, last(house).reason) == ("failed", "The worker was stopped.")


def test_while_another_worker_scans_none_is_begun(house: House) -> None:
    one = Nights(house.app, SCANNING, command=child(house))
    other = Nights(house.app, SCANNING, command=child(house))

    with one._only_one() as alone:
        assert alone
        other.look()

    assert children(house) == []


def test_a_worker_that_starts_lets_the_scan_of_another_machine_run(house: House) -> None:
    with house.app.database.write() as connection:
        now = house.clock.now()
        begin_run(connection, house.shop.shop_id, SCAN, now, now)
    night = Nights(house.app, SCANNING)

    night.recover()
    assert last(house).state == "running"

    # One that was killed with its worker says no more that it goes on.
    house.clock.advance(STILL + 1)
    night.recover()
    assert (last(house).state, last(house).reason) == ("failed", "It was interrupted.")


def test_of_two_machines_the_second_leaves_the_word_to_the_first(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("C360_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("C360_DATABASE_URL", house.settings.database_url)

    def second(shop_id: int, at: Instant | None) -> list[str]:
        assert at is not None
        # The first begins between our look and our scan.
        with house.app.database.write() as connection:
            begin_run(connection, shop_id, SCAN, at, at)
        return SCANNING.command_line(shop_id, at)

    Nights(house.app, SCANNING, command=second).look()

    assert last(house).state == "running"


@pytest.mark.parametrize("with_its_worker", [False, True])
def test_what_a_scan_that_was_killed_left_is_removed(house: House, with_its_worker: bool) -> None:
    folder = house.settings.data_dir / "duplicates" / str(house.shop.shop_id)
    folder.mkdir(parents=True)
    (folder / "scratch.duckdb").write_text("names and addresses")
    night = Nights(house.app, SCANNING, command=child(house, KILLED))

    if with_its_worker:
        with house.app.database.write() as connection:
            begin_run(connection, house.shop.shop_id, SCAN, house.clock.now(), house.clock.now())
        night.recover()
    else:
        night.look()

    assert not folder.exists()


def test_the_scans_of_the_night_can_be_switched_off(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    off = replace(house.app, settings=replace(house.settings, duplicate_scan_hour="off"))
    with Nights(off, SCANNING, command=child(house), look_every_seconds=0.001):
        time.sleep(0.1)
    # Ended so soon, a scan would not have got far; the log would tell that one was tried.
    assert (children(house), caplog.messages) == ([], [])


def test_a_real_scan_goes_last_and_says_what_it_found(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = {"street": "7 Wallaby Place", "postalCode": "2119", "city": "Cleveland"}
    for user, name in (("one", "Morrison"), ("two", "Morison")):
        traits = {"firstName": "Stephen", "lastName": name, "address": home}
        house.segment({"type": "identify", "userId": user, "traits": traits})
    house.work_off()
    monkeypatch.setenv("C360_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("C360_DATABASE_URL", house.settings.database_url)

    Nights(house.app, SCANNING).look()

    scan = last(house)
    assert (scan.state, scan.reason) == ("done", "")
    assert scan.reported(Found) == Found(people=2, candidates=1, new=1, ended=0, learned=False)


def test_a_process_that_steps_back_is_slower_smaller_and_dies_first() -> None:
    done = subprocess.run([sys.executable, "-c", STEPS_BACK], check=True, capture_output=True)
    assert done.stdout.split() == [b"True", b"1000", b"MemoryError"]


def test_a_shop_that_has_gone_is_left_alone(house: House) -> None:
    with house.app.database.write() as connection:
        uninstall_shop(connection, house.shop.shop_id, house.clock.now())

    Nights(house.app, SCANNING, command=child(house)).look()

    assert children(house) == []


def test_what_somebody_asked_for_is_done_at_any_hour_once(house: House) -> None:
    house.clock.advance(8 * HOUR)
    night = Nights(house.app, SCANNING, command=child(house))
    with house.app.database.write() as connection:
        ask_for_run(connection, house.shop.shop_id, SCAN, house.clock.now())

    night.answer()
    night.answer()

    assert len(children(house)) == 1
    assert (last(house).state, last(house).night) == ("running", None)


def test_what_was_asked_for_and_cannot_even_begin_is_not_tried_for_ever(house: House) -> None:
    broken = Nights(house.app, SCANNING, command=lambda *_: [sys.executable, "-c", "exit(3)"])
    with house.app.database.write() as connection:
        ask_for_run(connection, house.shop.shop_id, SCAN, house.clock.now())

    broken.answer()

    assert (last(house).state, last(house).reason) == ("failed", "It ended with code 3.")
