"""A person's line on the real tables: every entry once, newest first, and nothing read that is not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from customer360.events.tables import events
from customer360.profiles.entries import TimelineEntry
from customer360.profiles.event_counts import event_counts
from customer360.profiles.facts import gather
from customer360.profiles.order_views import orders_of
from customer360.profiles.tables import checkouts, orders, refunds, sessions
from customer360.profiles.timeline import timeline
from tests.house import House, at

PERSON = "user_id:u1"


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def call(minutes: float, name: str, **rest: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "timestamp": at(minutes), "userId": "u1", **rest}


def order(minutes: float, key: str) -> dict[str, Any]:
    properties = {"order_id": key, "total": 9, "products": [{"product_id": "p", "quantity": 1}]}
    return call(minutes, "Order Completed", properties=properties)


def fill(house: House, devices: int, calls: int) -> None:
    """A person on many devices, out of order, with ties in time, orders, refunds and checkouts left."""
    chance = Random(devices)
    names = ("Product Viewed", "Searched", "Email Sent", "Step")
    for device in range(devices):
        told = [
            call(-chance.randrange(4000), chance.choice(names), anonymousId=f"c{device}")
            for _ in range(calls)
        ]
        started = {"checkout_id": f"k{device}"}
        told.append(call(-9000 - device % 3, "Checkout Started", properties=started))
        told.append(order(-100 - 40 * (device % 5), f"o{device}"))
        back = {"order_id": f"o{device}", "total": 3, "refund_id": f"r{device}"}
        told.append(call(-50 - 40 * (device % 5), "Order Refunded", properties=back))
        house.segment(*told)
    house.work_off()


def walk(house: House, limit: int, kind: str | None = None) -> list[TimelineEntry]:
    found: list[TimelineEntry] = []
    cursor = None
    while True:
        page = house.timeline(PERSON, type=kind, limit=limit, before=cursor)
        assert len(page.items) <= limit
        found += page.items
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def stored(house: House) -> list[tuple[int, int, str]]:
    """Time, id and type of everything that the shop's only person did, from the tables themselves."""
    whose = house.shop.shop_id
    tables = (
        (sessions, sessions.c.first_at, sessions.c.session_id, "visited_site"),
        (orders, orders.c.placed_at, orders.c.order_id, "order_placed"),
        (refunds, refunds.c.refunded_at, refunds.c.refund_id, "order_refunded"),
        (checkouts, checkouts.c.abandoned_at, checkouts.c.checkout_id, "checkout_abandoned"),
    )
    with house.app.database.read() as connection:
        query = select(events.c.occurred_at, events.c.event_id, events.c.type)
        found = [tuple(row) for row in connection.execute(query.where(events.c.shop_id == whose))]
        for table, when, key, name in tables:
            rows = select(when, key).where(table.c.shop_id == whose, when.is_not(None))
            found += [(*row, name) for row in connection.execute(rows)]
    return sorted(found, reverse=True)


def as_stored(entries: list[TimelineEntry]) -> list[tuple[int, int, str]]:
    return [(entry.occurred_at, entry.event_id, entry.type) for entry in entries]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_of_any_size_show_everything_once_newest_first(house: House, limit: int) -> None:
    fill(house, devices=9, calls=12)
    everything = stored(house)
    assert {name for *_, name in everything} >= {"visited_site", "order_placed", "order_refunded"}
    assert "checkout_abandoned" in {name for *_, name in everything}
    assert as_stored(walk(house, limit)) == everything


def test_one_type_is_paged_like_all(house: House) -> None:
    fill(house, devices=9, calls=12)
    everything = stored(house)
    for name in {name for *_, name in everything} | {"never"}:
        assert as_stored(walk(house, 5, name)) == [row for row in everything if row[2] == name]


def test_counts_are_those_of_the_rows(house: House) -> None:
    fill(house, devices=9, calls=12)
    everything = stored(house)
    with house.app.database.read() as connection:
        counts = event_counts(connection, house.shop.shop_id, house.profile_id(PERSON))
    assert {one.type: one.count for one in counts} == Counter(name for *_, name in everything)
    for one in counts:
        times = [when for when, _, name in everything if name == one.type]
        assert (one.first_at, one.last_at) == (min(times), max(times))
    assert counts == sorted(counts, key=lambda one: (-one.count, one.type))


def test_fragments_without_anything_new_are_not_read(house: House) -> None:
    old = [call(-5000 - n, "Step", anonymousId=f"c{n % 40}") for n in range(1200)]
    house.segment(*old, *(call(-n, "Step", anonymousId="new") for n in range(60)))
    house.work_off()
    with told_of(house, "FROM events") as statements:
        house.timeline(PERSON, limit=50)
    assert len(statements) == 1


def test_messages_count_for_the_shops_day_and_since_the_day_a_week_ago(house: House) -> None:
    day = 24 * 60
    house.segment(
        call(0, "Email Sent"),
        call(-60 * 8, "Push Sent", anonymousId="c1"),
        call(-60 * 10, "SMS Sent"),
        call(-6 * day, "Email Sent"),
        call(-7 * day - 60 * 8, "Email Sent", anonymousId="c2"),
        call(-7 * day - 60 * 10, "Email Sent", anonymousId="c2"),
        call(0, "Email Opened"),
    )
    house.work_off()
    told = house.attributes(PERSON, "messages_today", "messages_7d", "fatigue")
    assert told == {"messages_today": 2, "messages_7d": 5, "fatigue": 0.5}


READS: dict[str, Callable[[Connection, int, int], object]] = {
    "timeline": timeline,
    "counts": event_counts,
    "orders": orders_of,
    "facts": lambda connection, shop_id, profile_id: gather(connection, shop_id, [profile_id]),
}


@pytest.mark.parametrize("read", READS)
def test_nobody_elses_rows_are_read(sqlite_url: str, tmp_path: Path, read: str) -> None:
    house = House(sqlite_url, tmp_path)
    fill(house, devices=9, calls=2)
    profile_id = house.profile_id(PERSON)
    statements: list[str] = []
    with house.app.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        READS[read](connection, house.shop.shop_id, profile_id)
        driver.set_trace_callback(None)
        plans = [
            row[3] for sql in statements for row in driver.execute(f"explain query plan {sql}")
        ]
    house.close()
    assert plans
    assert not [plan for plan in plans if plan.endswith("(shop_id=?)") or plan.startswith("SCAN")]


@contextmanager
def told_of(house: House, word: str) -> Iterator[list[str]]:
    """The statements that contain the word."""
    found: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if word in statement:
            found.append(statement)

    event.listen(house.app.database.engine, "before_cursor_execute", note)
    yield found
    event.remove(house.app.database.engine, "before_cursor_execute", note)
