"""A component of thousands: nothing is lost, everybody is found again, and resolved anew it stands as it should."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from customer360.identities.stored import THRONG
from customer360.identities.tables import fragments
from customer360.identities.throngs import LARGEST_COMPONENT
from customer360.intake import merging
from tests.house import House
from tests.stories.histories import rows
from tests.stories.identities.books import (
    everything_hangs_where_it_belongs,
    nothing_is_left_to_settle,
)
from tests.stories.identities.scenarios import Signal, call


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(sqlite_url, tmp_path)) as house:
        yield house


def tell(house: House, *signals: Signal) -> None:
    house.app.inbox.accept(rows(house, [signal.draft for signal in signals]))
    house.work_off()


def in_throngs(house: House) -> int:
    with house.app.database.read() as connection:
        query = select(func.count()).where(
            fragments.c.shop_id == house.shop.shop_id, fragments.c.company == THRONG
        )
        return connection.execute(query).scalar_one()


def test_what_is_new_in_a_throng_joins_its_present_owners_until_all_is_resolved_anew(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    # A kiosk that thousands use; each has a cookie of a visit of their own.
    tell(house, call("alone", 1, "cookie:home"))
    people = [call(f"p{n}", 2, f"cookie:kiosk user:u{n}") for n in range(LARGEST_COMPONENT + 1)]
    tell(house, *people)
    nothing_is_left_to_settle(house)

    with caplog.at_level(logging.WARNING):
        tell(house, call("new", 3, "cookie:kiosk cookie:home user:new"))
        tell(house, call("again", 4, "user:new email:new"), call("visit", 4, "cookie:kiosk"))
        tell(house, call("known", 5, "user:u7 email:seven"))

    assert "joined a throng" in caplog.text
    assert house.balance().stored == len(people) + 5
    assert house.profile_id("user_id:new") == house.profile_id("email:new@x.example")
    assert house.profile_id("user_id:u7") == house.profile_id("email:seven@x.example")
    assert len({house.profile_id(f"user_id:{each}") for each in ("new", "u7", "u8")}) == 3
    assert house.profile_id("cookie:home") != house.profile_id("user_id:new")
    assert in_throngs(house) == 4
    everything_hangs_where_it_belongs(house)

    # A merge by hand resolves the whole throng.
    pair = (house.profile_id("user_id:u8"), house.profile_id("user_id:u9"))
    with house.app.database.write() as connection:
        merging.merge(connection, house.shop.shop_id, pair, actor="", now=house.clock.now())

    assert in_throngs(house) == 0
    nothing_is_left_to_settle(house)
    everything_hangs_where_it_belongs(house)
    assert house.profile_id("cookie:home") == house.profile_id("user_id:new")
