"""A component of thousands: nothing is lost, everybody is found again, and resolved anew it stands as it should."""

from __future__ import annotations

import logging
import timeit
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from customer360.clock import DAY
from customer360.errors import InThrong
from customer360.events.model import Identifier
from customer360.identities.alerts import count_alerts
from customer360.identities.evidence import Evidence, evidence_of
from customer360.identities.merge_log import MergeRow
from customer360.identities.merges import components_of, founding
from customer360.identities.rules import Choice, change_rules
from customer360.identities.stored import THRONG, load
from customer360.identities.tables import fragments
from customer360.identities.throngs import LARGEST_COMPONENT
from customer360.intake import merging
from customer360.intake.resolving import check_shop, resolve_shop
from tests.house import House
from tests.stories.histories import rows
from tests.stories.identities import outcome
from tests.stories.identities.books import (
    everything_hangs_where_it_belongs,
    nothing_is_left_to_settle,
)
from tests.stories.identities.scenarios import STOPPED, Signal, call

PEOPLE = [call(f"p{n}", 2, f"cookie:kiosk user:u{n}") for n in range(LARGEST_COMPONENT + 1)]


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
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
    tell(house, *PEOPLE)
    nothing_is_left_to_settle(house)

    with caplog.at_level(logging.WARNING):
        tell(house, call("new", 3, "cookie:kiosk cookie:home user:new"))
        tell(house, call("again", 4, "user:new email:new"), call("visit", 4, "cookie:kiosk"))
        tell(house, call("known", 5, "user:u7 email:seven"))

    assert "joined a throng" in caplog.text
    assert house.balance().stored == len(PEOPLE) + 5
    assert house.profile_id("user_id:new") == house.profile_id("email:new@x.example")
    assert house.profile_id("user_id:u7") == house.profile_id("email:seven@x.example")
    assert len({house.profile_id(f"user_id:{each}") for each in ("new", "u7", "u8")}) == 3
    assert house.profile_id("cookie:home") != house.profile_id("user_id:new")
    assert in_throngs(house) == 4
    everything_hangs_where_it_belongs(house)

    make_nobody(house, "kiosk")
    resolve_anew(house)

    assert in_throngs(house) == 0
    nothing_is_left_to_settle(house)
    everything_hangs_where_it_belongs(house)
    assert house.profile_id("cookie:home") == house.profile_id("user_id:new")


def test_whoever_asks_about_a_profile_of_a_throng_is_told_at_once_what_to_do(house: House) -> None:
    tell(house, *PEOPLE[:4])
    merged = merge(house, "user_id:u0", "user_id:u1")
    tell(
        house, *PEOPLE[4:], call("id", 3, "cookie:kiosk id:7"), call("id2", 3, "cookie:kiosk id:8")
    )
    asked = {
        "explain": lambda: explained(house, "user_id:u0"),
        "merge": lambda: merge(house, "user_id:u2", "user_id:u3"),
        "undo": lambda: undo(house, merged),
    }

    for ask in asked.values():
        with pytest.raises(InThrong, match=r"^Cookie kiosk links more people"):
            ask()
    # What the shop system did is kept until then.
    assert merge_customers(house, "7", "8") is None
    assert house.profile_id("shopify_customer_id:7") != house.profile_id("shopify_customer_id:8")

    make_nobody(house, "kiosk")
    with pytest.raises(InThrong, match="being resolved"):
        undo(house, merged)
    resolve_anew(house)

    (link,) = explained(house, "user_id:u0")
    assert link.sentence.startswith("merged by ann")
    assert house.profile_id("shopify_customer_id:7") == house.profile_id("shopify_customer_id:8")
    assert house.profile_id("user_id:u0") == house.profile_id("user_id:u1")
    undo(house, merged)
    assert house.profile_id("user_id:u0") != house.profile_id("user_id:u1")
    assert merge(house, "user_id:u2", "user_id:u3").state == "standing"
    nothing_is_left_to_settle(house)


def test_what_somebody_of_a_throng_agreed_to_is_told_without_reading_all_of_it(
    house: House,
) -> None:
    tell(house, *PEOPLE)
    for one in ("u7", "u8"):
        tell(
            house,
            call(f"stop_{one}", 3, f"user:{one}", event=STOPPED, channel="email"),
            call(f"mail_{one}", 4, f"user:{one} email:{one}"),
        )
    shop_id = house.shop.shop_id
    pair = house.profile_id("user_id:u7"), house.profile_id("user_id:u8")
    with house.app.database.read() as connection:
        throng = components_of(connection, shop_id, [founding(connection, shop_id, pair[0])[0]])

        def ask() -> tuple[str, str]:
            (point,) = house.card("user_id:u7").contact_points
            preview = merging.preview(connection, shop_id, pair, house.clock.now())
            return preview.sentence, point.consent

        assert ask() == ("2 e-mails", "withdrawn")
        assert seconds(ask) < seconds(lambda: load(connection, shop_id, throng))


def seconds(ask: Callable[[], object]) -> float:
    """How long an answer takes at its best."""
    return min(timeit.repeat(ask, number=1, repeat=3))


def merge(house: House, one: str, other: str) -> MergeRow:
    pair, now = (house.profile_id(one), house.profile_id(other)), house.clock.now()
    with house.app.database.write() as connection:
        return merging.merge(connection, house.shop.shop_id, pair, actor="ann", now=now)


def merge_customers(house: House, kept: str, deleted: str) -> MergeRow | None:
    now = house.clock.now()
    with house.app.database.write() as connection:
        return merging.merge_customers(
            connection, house.shop, kept, deleted, source="shopify", acts_at=now, now=now
        )


def undo(house: House, row: MergeRow) -> MergeRow:
    now, shop_id = house.clock.now(), house.shop.shop_id
    with house.app.database.write() as connection:
        return merging.undo(connection, shop_id, row.merge_id, actor="ann", now=now, window=DAY)


def explained(house: House, identifier: str) -> list[Evidence]:
    with house.app.database.read() as connection:
        return evidence_of(connection, house.shop.shop_id, house.profile_id(identifier))


def resolve_anew(house: House) -> int:
    """How many transactions it took."""
    return len([*resolve_shop(house.app.database, house.clock, house.shop.shop_id)])


OUTSIDE = (call("o1", 1, "user:ann email:ann"), call("o2", 2, "cookie:ann user:ann"))
WALK_INS = [call(f"w{n}", 2, f"user:walk-in klaviyo:k{n}") for n in range(LARGEST_COMPONENT + 100)]
LATER = (
    call("l1", 3, "user:walk-in klaviyo:late cookie:late"),
    call("l2", 4, "cookie:late"),
    call("l3", 4, "user:walk-in klaviyo:k7 email:seven"),
)
MEANWHILE = call("m1", 4, "klaviyo:k9 email:nine")


def make_nobody(house: House, *values: str) -> None:
    with house.app.database.write() as connection:
        choice = Choice(placeholders=values)
        change_rules(connection, house.shop.shop_id, choice, "IE", actor="", now=house.clock.now())


def open_alerts(house: House) -> int:
    with house.app.database.read() as connection:
        return count_alerts(connection, house.shop.shop_id)


def standing(
    house: House,
) -> tuple[set[outcome.Stood], dict[Identifier, tuple[str, frozenset[str]]]]:
    return set(outcome.people(house, {})), outcome.owners(house, {})


@pytest.mark.timeout(300)
def test_a_throng_is_as_many_people_as_it_has_once_what_made_it_is_a_placeholder(
    house: House,
) -> None:
    database, shop_id = house.app.database, house.shop.shop_id
    tell(house, *OUTSIDE)
    tell(house, *WALK_INS)
    tell(house, *LATER)
    ann, walk_in = house.profile_id("user_id:ann"), house.profile_id("user_id:walk-in")
    assert check_shop(database, shop_id).too_large == 1
    assert in_throngs(house) == 3
    assert open_alerts(house) == 1

    make_nobody(house, "walk-in")
    steps = resolve_shop(database, house.clock, shop_id)
    next(steps)
    tell(house, MEANWHILE)

    assert len([*steps]) > 10, "all in one long transaction"
    found = check_shop(database, shop_id)
    assert (found.too_large, found.differing) == (0, ())
    assert (in_throngs(house), open_alerts(house)) == (0, 0)
    assert house.profile_id("user_id:ann") == ann
    assert walk_in in {house.profile_id(f"klaviyo_id:k{n}") for n in range(len(WALK_INS))}
    nothing_is_left_to_settle(house)
    everything_hangs_where_it_belongs(house)
    tell(house, call("n1", 5, "klaviyo:late email:late"), call("n2", 6, "klaviyo:k8 email:eight"))
    assert house.profile_id("email:late@x.example") == house.profile_id("klaviyo_id:late")
    resolved = standing(house)

    # The same in a shop that knew from the first.
    house.open_shop()
    make_nobody(house, "walk-in")
    tell(house, *OUTSIDE, *WALK_INS, *LATER, MEANWHILE)
    tell(house, call("n1", 5, "klaviyo:late email:late"), call("n2", 6, "klaviyo:k8 email:eight"))
    assert len(resolved[0]) == len(WALK_INS) + 2
    assert resolved == standing(house)
