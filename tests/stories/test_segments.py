"""From a signal to a move: people come into segments and leave them by what really happens to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.clock import DAY, HOUR
from customer360.intake.merging import merge, undo
from customer360.segments.members import changes_since, member_ids
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment, get_segment
from tests.house import House


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def make(house: House, query: str) -> int:
    """A segment with its members; its id."""
    with house.app.database.write() as connection:
        made = create_segment(
            connection, house.shop.shop_id, query, parse_query(query), house.clock.now(), limit=None
        )
    house.drain()
    return made.segment_id


def members(house: House, segment_id: int) -> set[int]:
    with house.app.database.read() as connection:
        return set(member_ids(connection, house.shop.shop_id, segment_id, limit=100))


def told(house: House, *segment_ids: int) -> list[tuple[int, bool, str]]:
    """Who moved in these segments: profile, whether they came, cause."""
    with house.app.database.read() as connection:
        moves = changes_since(connection, house.shop.shop_id, 0, 1000)
    return [
        (one.profile_id, one.entered, one.cause.value)
        for one in moves
        if one.segment_id in segment_ids
    ]


def known(house: House, *emails: str) -> list[int]:
    """People who told their address."""
    house.segment(*(identify(one) for one in emails))
    house.drain()
    return [house.profile_id(f"email:{one}") for one in emails]


def identify(email: str) -> dict[str, Any]:
    return {"type": "identify", "userId": email, "traits": {"email": email}}


def track(email: str, event: str, **properties: object) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": email,
        "event": event,
        "properties": properties,
        "context": {"traits": {"email": email}},
    }


def test_an_event_moves_people_in_and_out_and_each_move_is_recorded_once(house: House) -> None:
    ann, bob = known(house, "ann@x.com", "bob@x.com")
    viewed = make(house, "event('Quiz finished') MATCHES ()")
    without = make(house, "event('Quiz finished') NOT MATCHES ()")
    assert (members(house, viewed), members(house, without)) == (set(), {ann, bob})

    house.segment(track("ann@x.com", "Quiz finished"))
    house.drain()
    house.segment(track("ann@x.com", "Quiz finished"))
    house.drain()

    assert (members(house, viewed), members(house, without)) == ({ann}, {bob})
    assert told(house, viewed) == [(ann, True, "event")]
    assert told(house, without)[2:] == [(ann, False, "event")]


def test_a_merge_by_hand_moves_the_two_and_its_undo_moves_them_back(house: House) -> None:
    ann, ben = known(house, "ann@x.com", "ben@x.com")
    everybody = make(house, "customer_email_domain = 'x.com'")
    twice = make(house, "event('Quiz finished') MATCHES (count >= 2)")
    house.segment(track("ann@x.com", "Quiz finished"), track("ben@x.com", "Quiz finished"))
    house.drain()
    before = told(house, everybody, twice)

    with house.app.database.write() as connection:
        row = merge(connection, house.shop.shop_id, (ann, ben), actor="test", now=house.clock.now())
    house.drain()
    gone = row.gone_id
    kept = ann if gone == ben else ben
    assert (members(house, everybody), members(house, twice)) == ({kept}, {kept})
    merged = told(house, everybody, twice)[len(before) :]
    assert sorted(merged) == sorted([(gone, False, "merge"), (kept, True, "merge")])

    with house.app.database.write() as connection:
        undo(
            connection,
            house.shop.shop_id,
            row.merge_id,
            actor="test",
            now=house.clock.now(),
            window=DAY,
        )
    house.drain()

    assert (members(house, everybody), members(house, twice)) == ({ann, ben}, set())
    undone = told(house, everybody, twice)[len(before) + 2 :]
    assert sorted(undone) == sorted([(gone, True, "undo"), (kept, False, "undo")])


def test_an_event_that_makes_two_people_one_takes_one_of_them_away_by_the_merge(
    house: House,
) -> None:
    email, phone = {"email": "ann@x.com"}, {"phone": "+353871234567"}
    house.segment(
        {"type": "identify", "anonymousId": "c1", "traits": email},
        {"type": "identify", "anonymousId": "c2", "traits": phone},
    )
    house.drain()
    two = {house.profile_id("email:ann@x.com"), house.profile_id("phone:+353871234567")}
    everybody = make(house, "orders_count = 0")
    assert members(house, everybody) == two

    house.segment({"type": "identify", "anonymousId": "c3", "traits": email | phone})
    house.drain()

    kept = house.profile_id("email:ann@x.com")
    assert house.profile_id("phone:+353871234567") == kept
    (gone,) = two - {kept}
    assert told(house, everybody)[2:] == [(gone, False, "merge")]


def test_a_checkout_that_is_abandoned_is_an_event_that_moves_its_person(house: House) -> None:
    (ann,) = known(house, "ann@x.com")
    abandoned = make(house, "event('checkout_abandoned') MATCHES ()")
    house.segment(track("ann@x.com", "Checkout Started", checkout_id="c1", total=20))
    house.drain()
    assert members(house, abandoned) == set()

    house.clock.advance(2 * HOUR)
    house.drain()

    assert told(house, abandoned) == [(ann, True, "event")]


def test_the_shops_midnight_moves_people_of_whom_nothing_is_heard(house: House) -> None:
    (ann,) = known(house, "ann@x.com")
    house.segment(track("ann@x.com", "Quiz finished"))
    house.drain()
    recent = make(house, "event('Quiz finished') MATCHES (date >= -30d)")
    assert members(house, recent) == {ann}

    # Noon in UTC to midnight in Dublin's summer, 31 days later.
    house.clock.advance(30 * DAY + 11 * HOUR - 1)
    house.drain()
    assert members(house, recent) == {ann}
    house.clock.advance(1)
    house.drain()

    assert told(house, recent) == [(ann, True, "created"), (ann, False, "time")]
    with house.app.database.read() as connection:
        assert get_segment(connection, house.shop.shop_id, recent).members == 0
