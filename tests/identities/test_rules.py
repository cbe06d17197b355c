"""A shop's own rules: checked, kept with who changed what, and read by whatever links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.house import House, at
from tests.stories.identities import outcome

from customer360.clock import DAY
from customer360.errors import InvalidInput
from customer360.events.model import Identifier
from customer360.identities import normalise
from customer360.identities.evidence import evidence_of
from customer360.identities.merge_log import list_merges
from customer360.identities.model import DEFAULT_RULES
from customer360.identities.rules import (
    DEFAULT_CHOICE,
    Change,
    Choice,
    Version,
    change_rules,
    changes_of,
    present_version,
    rules_of,
    versions_of,
)
from customer360.identities.sides import partings
from customer360.intake import merging
from customer360.intake.resolving import resolve_shop


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


def choose(house: House, actor: str = "ann@shop.example", **chosen: Any) -> Version:
    limits = DEFAULT_CHOICE.limits | chosen.pop("limits", {})
    choice = Choice(limits=limits, **chosen)
    with house.app.database.write() as connection:
        return change_rules(
            connection, house.shop.shop_id, choice, "IE", actor=actor, now=house.clock.now()
        )


def identify(minute: float, user: str = "", **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "timestamp": at(minute), "userId": user, "traits": traits}


def test_a_shop_that_chose_nothing_has_the_products_rules(house: House) -> None:
    with house.app.database.read() as connection:
        assert rules_of(connection, house.shop.shop_id) == DEFAULT_RULES
        assert present_version(connection, house.shop.shop_id).version == 0
    assert DEFAULT_CHOICE.rules == DEFAULT_RULES


def test_a_change_says_who_changed_what_from_what_to_what(house: House) -> None:
    choose(house, limits={"email": 3})
    choose(house, "bob@shop.example", limits={"email": 3}, stale_months=24, placeholders=("N/A",))

    with house.app.database.read() as connection:
        versions = versions_of(connection, house.shop.shop_id)
    newest, older, default = versions
    assert [(one.version, one.actor) for one in (newest, older, default)] == [
        (2, "bob@shop.example"),
        (1, "ann@shop.example"),
        (0, ""),
    ]
    now = house.clock.now()
    assert changes_of(versions) == [
        Change("stale_months", "12", "24", "bob@shop.example", now),
        Change("placeholders", "", "n/a", "bob@shop.example", now),
        Change("email", "5", "3", "ann@shop.example", now),
    ]
    assert newest.resolved_at is None


def test_what_changes_nothing_is_no_change(house: House) -> None:
    choose(house, limits={"email": 3})

    assert choose(house, limits={"email": 3}).version == 1


@pytest.mark.parametrize(
    ("chosen", "path"),
    [
        ({"limits": {"email": 0}}, "email"),
        ({"limits": {"email": 101}}, "email"),
        ({"limits": {"cookie": 3}}, "limits"),
        ({"known_identifiers": 0}, "known_identifiers"),
        ({"hub_customer_ids": 1001}, "hub_customer_ids"),
        ({"hub_profiles": -1}, "hub_profiles"),
        ({"stale_months": 0}, "stale_months"),
        ({"placeholders": ("x" * 256,)}, "placeholders"),
        ({"placeholders": ("walk-in, till",)}, "placeholders"),
        ({"placeholders": tuple(f"p{n}" for n in range(501))}, "placeholders"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_name(
    house: House, chosen: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        choose(house, **chosen)

    assert refused.value.path == path
    with house.app.database.read() as connection:
        assert present_version(connection, house.shop.shop_id).version == 0


def test_events_are_linked_by_the_shops_own_limit(house: House) -> None:
    choose(house, limits={"email": 1})
    house.segment(identify(0, "u1", email="a@x.com"), identify(1, "u1", email="b@x.com"))

    house.work_off()

    held = {one.value for one in house.card("user_id:u1").identifiers}
    assert held == {"u1", "a@x.com"}


def test_a_profile_is_explained_and_taken_apart_by_the_shops_own_rules(house: House) -> None:
    choose(house, limits={"user_id": 2})
    for call in (
        identify(0, "u1", email="a@x.com"),
        identify(1, "u2", email="b@x.com"),
        identify(2, "u1", email="b@x.com"),
    ):
        house.segment(call)
        house.work_off()
    shop_id, profile_id = house.shop.shop_id, house.profile_id("user_id:u1")
    assert profile_id == house.profile_id("user_id:u2")

    with house.app.database.write() as connection:
        *_, link = evidence_of(connection, shop_id, profile_id)
        (merge,) = list_merges(connection, shop_id, limit=5)
        merging.undo(
            connection,
            shop_id,
            merge.merge_id,
            actor="",
            now=house.clock.now(),
            window=DAY,
        )

    assert {one.value for one in link.identifiers} == {"u1", "b@x.com"}
    assert house.profile_id("user_id:u1") != house.profile_id("user_id:u2")


def test_a_merge_by_hand_keeps_what_the_shops_own_rules_link(house: House) -> None:
    choose(house, limits={"user_id": 2})
    for call in (
        identify(0, "u1", email="a@x.com"),
        identify(1, "u2", email="b@x.com"),
        identify(2, "u1", email="b@x.com"),
        identify(3, "u3"),
    ):
        house.segment(call)
        house.work_off()
    shop_id, now = house.shop.shop_id, house.clock.now()
    pair = (house.profile_id("user_id:u1"), house.profile_id("user_id:u3"))

    with house.app.database.write() as connection:
        merging.merge(connection, shop_id, pair, actor="ann", now=now)
        parted = partings(connection, shop_id, [min(pair)])

    assert len({house.profile_id(f"user_id:u{n}") for n in (1, 2, 3)}) == 1
    assert len(parted[min(pair)]) == 2


def test_a_placeholder_of_the_shop_identifies_nobody(house: House) -> None:
    choose(house, placeholders=("Walk-In", "01 555 0000"))
    house.segment(
        identify(0, "walk-in", email="a@x.com", phone="+353 1 555 0000"),
        identify(1, "WALK-IN", email="b@x.com", phone="015550000"),
    )

    house.work_off()

    assert {one.type for one in house.card("email:a@x.com").identifiers} == {"email"}
    assert house.profile_id("email:a@x.com") != house.profile_id("email:b@x.com")


def test_what_was_seen_with_a_placeholder_before_is_resolved_without_it(house: House) -> None:
    house.segment(
        identify(0, "walk-in", email="a@x.com"),
        identify(1, "walk-in", email="b@x.com"),
        identify(2, "walk-in"),
    )
    house.work_off()
    walk_in = house.profile_id("user_id:walk-in")
    assert {house.profile_id(f"email:{each}@x.com") for each in "ab"} == {walk_in}

    choose(house, placeholders=("walk-in",))
    *_, step = resolve_shop(house.app.database, house.clock, house.shop.shop_id)

    assert step.total == 3
    assert {one.type for one in house.card("email:a@x.com").identifiers} == {"email"}
    assert len({walk_in, house.profile_id("email:a@x.com"), house.profile_id("email:b@x.com")}) == 2
    with house.app.database.read() as connection:
        assert len(outcome.living(connection, house.shop.shop_id)) == 3
    with pytest.raises(AssertionError, match="belongs to nobody"):
        house.profile_id("user_id:walk-in")


def test_nobody_goes_on_owning_what_has_become_a_placeholder(house: House) -> None:
    house.segment(identify(0, "walk-in", email="a@x.com"))
    house.work_off()

    choose(house, placeholders=("walk-in",))
    *_, step = resolve_shop(house.app.database, house.clock, house.shop.shop_id)

    assert step.total == 1
    assert {one.type for one in house.card("email:a@x.com").identifiers} == {"email"}


@pytest.mark.parametrize(
    ("told", "identifies"),
    [
        ("user_id:walk-in", False),
        ("user_id:Walk-In", False),
        ("email:walk-in@x.com", True),
        # As if they had been stored before our own list had them.
        ("user_id:guest", False),
        ("cookie:0000", False),
        ("email:noemail@x.com", False),
        ("user_id:noemail@x.com", True),
        ("user_id:u1", True),
    ],
)
def test_a_stored_value_identifies_unless_it_is_a_placeholder_now(
    told: str, identifies: bool
) -> None:
    kind, _, value = told.partition(":")

    assert normalise.identifies(Identifier(kind, value), frozenset({"walk-in"})) is identifies
