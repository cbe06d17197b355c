"""A shop resolved anew: nothing changes where nothing changed, and new rules hold for all that was ever seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from customer360.events.model import Identifier
from customer360.identities.rules import Choice, change_rules, present_version
from customer360.intake.resolving import check_shop, resolve_shop
from tests.house import House, at
from tests.identities.histories import FROZEN, TIGHT, History
from tests.identities.test_comparison import Told
from tests.stories.identities.books import everything_hangs_where_it_belongs
from tests.stories.identities.test_streaming import (
    chosen,
    dealt,
    expected,
    signals,
    spelling,
    stored,
    story,
)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def how_many(house: House, on_sqlite: int, on_postgresql: int) -> int:
    return on_sqlite if house.app.database.dialect == "sqlite" else on_postgresql


def live(house: House, history: History, chance: Random) -> str:
    """The history arrives in some order; says in which, for a failure."""
    batches = dealt(chance, signals(house, Told(history)))
    for batch in batches:
        house.app.inbox.accept(batch)
        house.work_off()
    return story(history, batches)


def login(minute: float, user: str, cookie: str) -> dict[str, str]:
    return {"type": "identify", "userId": user, "anonymousId": cookie, "timestamp": at(minute)}


def resolve_anew(house: House) -> int:
    """How many components differed."""
    return [*resolve_shop(house.app.database, house.clock, house.shop.shop_id)][-1].total


@pytest.mark.timeout(300)
def test_what_streamed_in_is_what_bulk_gives(house: House) -> None:
    """Several histories in one shop, so that simple and conflicting components lie side by side."""
    for history in chosen(3, how_many(house, 50, 20)):
        if history.number % 5 == 0:
            house.open_shop()
        told = live(house, history, Random(history.number))

        assert check_shop(house.app.database, house.shop.shop_id).differing == (), told


@pytest.mark.timeout(300)
def test_new_rules_hold_for_all_that_was_seen_before(house: House) -> None:
    chance = Random("rules")
    for history in chosen(4, how_many(house, 50, 15)):
        rules = chance.choice((TIGHT, FROZEN))
        told = Told(replace(history, rules=rules))
        house.open_shop()
        happened = live(house, history, chance)

        with house.app.database.write() as connection:
            choice = Choice(
                limits=dict(rules.limits),
                known_identifiers=rules.known_identifiers,
                hub_customer_ids=rules.hub_customer_ids,
                hub_profiles=rules.hub_profiles,
            )
            change_rules(
                connection, house.shop.shop_id, choice, "IE", actor="", now=house.clock.now()
            )
        resolve_anew(house)

        assert stored(house, told) == expected(told), happened
        assert check_shop(house.app.database, house.shop.shop_id).differing == ()
        everything_hangs_where_it_belongs(house)


def nobodys(told: Told) -> list[Identifier]:
    """The identifiers of a history that never come alone."""
    together = [set(event.identifiers) for event in told.events]
    every = sorted(set().union(*together))
    return [one for one in every if {one} not in together]


@pytest.mark.timeout(300)
def test_what_becomes_a_placeholder_is_as_if_nobody_had_ever_told_it(house: House) -> None:
    chance, changed = Random("placeholders"), 0
    for history in chosen(5, how_many(house, 50, 20)):
        if not (may_go := nobodys(Told(history))):
            continue
        gone = chance.choice(may_go)
        without = [
            replace(event, identifiers=tuple(one for one in event.identifiers if one != gone))
            for event in history.events
        ]
        told = Told(replace(history, events=tuple(without)))
        house.open_shop()
        shop_id = house.shop.shop_id
        happened = live(house, history, chance)

        with house.app.database.write() as connection:
            choice = Choice(placeholders=(spelling(gone).value,))
            change_rules(connection, shop_id, choice, "IE", actor="", now=house.clock.now())
        changed += resolve_anew(house)

        assert stored(house, told) == expected(told), (gone, happened)
        assert check_shop(house.app.database, shop_id).differing == ()
        everything_hangs_where_it_belongs(house)
    assert changed > how_many(house, 25, 10)


SIMPLE, DOUBTFUL = "user_id:u1", "user_id:u2"
OF_PROFILE = "in (select fragment_id from fragments where profile_id = {profile})"
SPOILT = {
    "another component": "update fragments set component = component + 1 where profile_id = {profile}",
    "another company": "update fragments set company = 0 where profile_id = {profile}",
    "known by nobody": "update profiles set known = false where profile_id = {profile}",
    "a fragment of somebody else": "update fragments set profile_id = {other}"
    " where fragment_id = (select max(fragment_id) from fragments where profile_id = {profile})",
    "a redirect too many": "update profiles set merged_into = {other} where profile_id = {profile}",
    "an earlier owner": f"update ownerships set since = 0 where fragment_id {OF_PROFILE}",
    "no owner": f"delete from ownerships where fragment_id {OF_PROFILE}",
    "an unverified owner": f"update ownerships set state = 'unverified' where fragment_id {OF_PROFILE}",
    "one owner too many": "insert into ownerships (shop_id, type, value, era, fragment_id, since, state)"
    " select shop_id, type, value, 9, fragment_id, since, state from ownerships"
    f" where fragment_id {OF_PROFILE}",
    "another candidate": "update candidates set state = 'ended', fragment_a = 1 where fragment_a"
    f" {OF_PROFILE} or fragment_b {OF_PROFILE}",
    "a candidate that is not weak": "update candidates set weak = false",
    "one candidate too many": "insert into candidates (shop_id, candidate_id, fragment_a, fragment_b, origin,"
    " weak, reasons, hub, state, made_at) select shop_id, 1, min(fragment_id), max(fragment_id),"
    " 'evidence', false, '[]', '', 'open', 0 from fragments where profile_id = {profile} group by shop_id",
}
ONLY_OF_DOUBTS = {
    "another candidate",
    "a candidate that is not weak",
    "a redirect too many",
    "a fragment of somebody else",
}


@pytest.mark.parametrize(
    ("what", "who"),
    [(what, who) for what in SPOILT for who in (SIMPLE, DOUBTFUL)
     if who == DOUBTFUL or what not in ONLY_OF_DOUBTS],
)  # fmt: skip
def test_what_differs_is_found_and_mended(house: House, what: str, who: str) -> None:
    house.segment(
        *(login(n, "u1", f"c{n}") for n in range(3)),
        login(4, "u2", "c9"),
        login(5, "u2", "c8"),
        login(6, "u3", "c9"),
    )
    house.work_off()
    before = {user: house.profile_id(f"user_id:{user}") for user in ("u1", "u2", "u3")}
    found = check_shop(house.app.database, house.shop.shop_id)
    assert (found.components, found.replayed, found.differing) == (2, 1, ())
    statement = SPOILT[what].format(profile=house.profile_id(who), other=before["u3"])
    with house.app.database.write() as connection:
        connection.execute(text(statement))

    (part,) = check_shop(house.app.database, house.shop.shop_id).differing
    assert len(part) == 3
    assert resolve_anew(house) == 1

    assert check_shop(house.app.database, house.shop.shop_id).differing == ()
    assert before == {user: house.profile_id(f"user_id:{user}") for user in before}


def test_a_simple_component_of_two_profiles_is_found(house: House) -> None:
    house.segment(*(login(n, "u1", f"c{n}") for n in range(3)))
    house.work_off()
    with house.app.database.write() as connection:
        connection.execute(
            text("update fragments set profile_id = 1 where fragment_id = component")
        )

    assert len(check_shop(house.app.database, house.shop.shop_id).differing) == 1


def test_a_shop_says_when_it_is_resolved_by_its_newest_rules(house: House) -> None:
    database, shop_id, now = house.app.database, house.shop.shop_id, house.clock.now()
    with database.write() as connection:
        choice = Choice(stale_months=6)
        assert (
            change_rules(connection, shop_id, choice, "IE", actor="", now=now).resolved_at is None
        )

    resolve_anew(house)

    with database.read() as connection:
        assert present_version(connection, shop_id).resolved_at == now


def test_an_empty_shop_has_no_differences(house: House) -> None:
    found = check_shop(house.app.database, house.shop.shop_id)

    assert (found.observations, found.components, found.differing) == (0, 0, ())
