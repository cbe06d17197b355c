"""Whom people told apart: listed while it holds, and taken back at once as if it had never been said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.canonical import canonical
from tests.house import House, at

from customer360.clock import HOUR, MINUTE
from customer360.errors import AlreadyOne, CannotUndo, DecisionNotFound
from customer360.events.model import Trust
from customer360.identities.apart import SLIP, ApartRow, list_apart
from customer360.identities.candidates import CandidateRow, dismiss_candidates, list_candidates
from customer360.intake import merging


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        # An account that names the address of another one.
        tell(house, 0, "u1", email="ann@x.example")
        tell(house, 1, "u2", email="anne@x.example")
        tell(house, 2, "u1", email="anne@x.example")
        yield house


def tell(house: House, minute: float, user: str = "", **traits: Any) -> None:
    call = {"type": "identify", "timestamp": at(minute), "traits": traits}
    house.segment(call | ({"userId": user} if user else {}))
    house.work_off()


def pairs(house: House) -> list[CandidateRow]:
    with house.app.database.read() as connection:
        return list_candidates(connection, house.shop.shop_id)


def apart(house: House, **options: Any) -> list[ApartRow]:
    with house.app.database.read() as connection:
        return list_apart(connection, house.shop.shop_id, **options)


def dismiss(house: House) -> int:
    ids = [pair.candidate_id for pair in pairs(house)]
    with house.app.database.write() as connection:
        (made,) = dismiss_candidates(
            connection, house.shop.shop_id, ids, actor="ann@shop.example", now=house.clock.now()
        )
    return made


def take_back(house: House, *decision_ids: int) -> None:
    with house.app.database.write() as connection:
        merging.take_back(connection, house.shop.shop_id, decision_ids, house.clock.now())


def merge(house: House) -> int:
    ids = (house.profile_id("user_id:u1"), house.profile_id("user_id:u2"))
    with house.app.database.write() as connection:
        row = merging.merge(
            connection, house.shop.shop_id, ids, actor="ann@shop.example", now=house.clock.now()
        )
    return row.merge_id


def test_a_slip_taken_back_leaves_no_trace(house: House) -> None:
    (pair,) = pairs(house)
    before = canonical(house)
    decision_id = dismiss(house)
    (said,) = apart(house)
    assert (said.decision_id, said.actor, said.kind) == (
        decision_id,
        "ann@shop.example",
        "not_same",
    )
    assert said.profile_ids == pair.profile_ids
    house.clock.advance(MINUTE)

    take_back(house, decision_id)

    assert (pairs(house), apart(house)) == ([pair], [])
    assert canonical(house) == before


def test_what_joined_them_meanwhile_counts_once_the_slip_is_taken_back(house: House) -> None:
    house.open_shop()
    email, phone = {"email": "ann@x.example"}, {"phone": "+353871234567"}
    tell(house, 0, **email)
    tell(house, 1, **phone)
    claim = {"type": "identify", "timestamp": at(2), "traits": email | phone}
    house.segment(claim, trust=Trust.PUBLIC)
    house.work_off()
    decision_id = dismiss(house)
    tell(house, 3, **email, **phone)
    assert len(apart(house)) == 1

    take_back(house, decision_id)

    assert (pairs(house), apart(house)) == ([], [])
    assert house.profile_id("email:ann@x.example") == house.profile_id("phone:+353871234567")


def test_later_than_a_slip_is_noticed_it_cannot_be_taken_back(house: House) -> None:
    decision_id = dismiss(house)
    house.clock.advance(SLIP + 1)

    with pytest.raises(CannotUndo, match="merge the two to overrule"):
        take_back(house, decision_id)

    assert (pairs(house), len(apart(house))) == ([], 1)


def test_what_an_undone_merge_said_is_not_taken_back(house: House) -> None:
    merge_id = merge(house)
    assert apart(house) == []
    with house.app.database.write() as connection:
        merging.undo(
            connection,
            house.shop.shop_id,
            merge_id,
            actor="bob@shop.example",
            now=house.clock.now(),
            window=HOUR,
        )
    (said,) = apart(house)
    assert (said.kind, said.actor) == ("undone", "bob@shop.example")

    with pytest.raises(CannotUndo, match="undoing a merge"):
        take_back(house, said.decision_id)


def test_a_merge_by_hand_overrules_what_was_said(house: House) -> None:
    decision_id = dismiss(house)
    merge(house)

    assert apart(house) == []
    with pytest.raises(AlreadyOne):
        take_back(house, decision_id)


def test_nothing_said_in_another_shop_is_listed_or_taken_back(house: House) -> None:
    decision_id = dismiss(house)
    shop = house.shop
    house.open_shop()

    assert apart(house) == []
    with pytest.raises(DecisionNotFound):
        take_back(house, decision_id)
    house.shop = shop
    assert [said.decision_id for said in apart(house)] == [decision_id]
    assert apart(house, before=decision_id) == []
