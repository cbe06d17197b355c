"""People who may be one become candidates that stay what people made of them, and nobody is merged."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from customer360.access.shops import close_shop
from customer360.clock import DAY, MINUTE
from customer360.errors import RunUnderWay, ShopNotFound
from customer360.identities.candidates import dismiss_candidates
from customer360.identities.scan_log import SCAN
from customer360.identities.similarity.model import Finding, Person, Place, Suggestion
from customer360.identities.similarity.scratch import own_folder
from customer360.identities.similarity.store import keep
from customer360.identities.tables import candidates, decisions, merges, profiles
from customer360.jobs.log import due_night, last_run
from customer360.jobs.tables import job_runs
from customer360.profiles.duplicates import Report, people_of, scan_for_duplicates
from tests.house import House, at

HOME = {"street": "7 Wallaby Place", "postalCode": "2119", "city": "Cleveland", "country": "IE"}


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def tell(house: House, user: str, minutes: float, **traits: Any) -> None:
    call = {"type": "identify", "userId": user, "timestamp": at(minutes), "traits": traits}
    house.segment(call)
    house.work_off()


@pytest.fixture
def twins(house: House) -> House:
    """Two profiles of one person, as far as anybody can tell."""
    tell(house, "one", -60, firstName="Stephen", lastName="Morrison", address=HOME)
    tell(house, "two", -50, firstName="Stephen", lastName="Morison", address=HOME)
    return house


def scan(house: House) -> Report:
    house.clock.advance(MINUTE)
    return scan_for_duplicates(
        house.app.database, house.clock, house.shop.shop_id, house.settings.data_dir / "duplicates"
    )


def kept(house: House) -> list[Any]:
    with house.app.database.read() as connection:
        return list(connection.execute(select(candidates).order_by(candidates.c.candidate_id)))


def founders(house: House, *users: str) -> list[int]:
    ids = [house.profile_id(f"user_id:{user}") for user in users]
    query = select(profiles.c.profile_id, profiles.c.founded_by).where(
        profiles.c.profile_id.in_(ids)
    )
    with house.app.database.read() as connection:
        found = {row.profile_id: row.founded_by for row in connection.execute(query)}
    return [found[profile_id] for profile_id in ids]


def test_two_profiles_of_one_person_become_a_candidate_and_stay_two(twins: House) -> None:
    report = scan(twins)

    assert (report.scan.people, report.candidates, report.new, report.ended) == (2, 1, 1, 0)
    (candidate,) = kept(twins)
    assert sorted((candidate.fragment_a, candidate.fragment_b)) == sorted(
        founders(twins, "one", "two")
    )
    assert candidate.fragment_a < candidate.fragment_b
    assert (candidate.origin, candidate.state, candidate.weak) == ("similarity", "open", False)
    assert 900 <= candidate.score < 1000
    assert candidate.made_at == twins.clock.now()
    reasons = json.loads(candidate.reasons)
    assert reasons[1] == {
        "word": "similar", "about": "last_name", "agrees": True, "text": "similar last name"
    }  # fmt: skip
    with twins.app.database.read() as connection:
        assert connection.execute(select(merges)).all() == []
        assert connection.scalars(select(profiles.c.merged_into)).all() == [None, None]


def test_what_differs_stands_behind_what_agrees(twins: House) -> None:
    tell(twins, "one", -40, phone="+353851234567")
    tell(twins, "two", -30, phone="+353869999999")

    scan(twins)

    (candidate,) = kept(twins)
    words = [(reason["about"], reason["agrees"]) for reason in json.loads(candidate.reasons)]
    assert words[-1] == ("phone", False)
    assert all(agrees for _, agrees in words[:-1])


def test_a_second_scan_changes_nothing(twins: House) -> None:
    scan(twins)
    before = kept(twins)

    report = scan(twins)

    assert (report.candidates, report.new, report.ended) == (1, 0, 0)
    assert kept(twins) == before


def test_a_dismissed_pair_never_comes_back(twins: House) -> None:
    scan(twins)
    (candidate,) = kept(twins)
    with twins.app.database.write() as connection:
        dismiss_candidates(
            connection,
            twins.shop.shop_id,
            [candidate.candidate_id],
            actor="ann",
            now=twins.clock.now(),
        )
    before = kept(twins)

    report = scan(twins)

    assert (report.candidates, report.new, report.ended) == (0, 0, 0)
    assert kept(twins) == before
    assert before[0].state == "dismissed"


def test_a_dismissed_candidate_stays_as_it_is_whatever_else_is_known(twins: House) -> None:
    scan(twins)
    with twins.app.database.write() as connection:
        connection.execute(update(candidates).values(state="dismissed", score=1))

    report = scan(twins)

    assert (report.candidates, report.new) == (0, 0)
    (candidate,) = kept(twins)
    assert (candidate.state, candidate.score) == ("dismissed", 1)


@pytest.mark.parametrize("kind", ["not_same", "undone"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_that_somebody_told_apart_is_not_suggested(
    twins: House, kind: str, turned: bool
) -> None:
    one, other = founders(twins, "one", "two")
    if turned:
        one, other = other, one
    row = {"shop_id": twins.shop.shop_id, "decision_id": 1, "kind": kind, "actor": "ann"}
    row |= {
        "fragment_a": one,
        "at_a": 0,
        "fragment_b": other,
        "at_b": 0,
        "acts_at": 0,
        "made_at": 0,
    }
    with twins.app.database.write() as connection:
        connection.execute(insert(decisions).values(row))

    assert scan(twins).candidates == 0
    assert kept(twins) == []


def test_a_pair_that_no_longer_is_alike_ends_and_may_open_again(twins: House) -> None:
    scan(twins)
    tell(twins, "two", -20, firstName="Walburga", lastName="Quick", address=HOME)

    report = scan(twins)

    assert (report.candidates, report.ended) == (0, 1)
    (ended,) = kept(twins)
    assert (ended.state, ended.decided_at) == ("ended", twins.clock.now())

    tell(twins, "two", -10, firstName="Stephen", lastName="Morrison", address=HOME)
    report = scan(twins)

    assert (report.candidates, report.new) == (1, 1)
    (again,) = kept(twins)
    assert again.candidate_id == ended.candidate_id
    assert (again.state, again.decided_at, again.made_at) == ("open", None, twins.clock.now())


def test_a_pair_that_became_one_while_the_scan_ran_is_left_out(house: House) -> None:
    house.segment(
        {
            "type": "identify",
            "anonymousId": "c1",
            "timestamp": at(-60),
            "traits": {"email": "a@x.com"},
        }
    )
    house.work_off()
    tell(house, "one", -50, firstName="Ann", lastName="Lee")
    with house.app.database.read() as connection:
        pair = sorted(connection.scalars(select(profiles.c.founded_by)).all())
    tell(house, "one", -40, email="a@x.com")
    suggestion = Suggestion(pair[0], pair[1], 0.95, (Finding("first_name", "same"),))

    with house.app.database.write() as connection:
        found = keep(connection, house.shop.shop_id, [suggestion], house.clock.now())

    assert (found.pairs, found.new) == (set(), 0)
    assert kept(house) == []


def test_a_person_is_compared_with_what_is_known_of_them(house: House) -> None:
    tell(
        house, "one", -60, firstName="Ann", lastName="Lee", email="rose.garden@x.com", address=HOME
    )
    tell(house, "one", -50, birthday="1971-11-30", vip=True, phone="+353851234567")
    tell(house, "one", -40, address={**HOME, "street": "9 Main Street"})
    account = [{"type": "shopify_customer_id", "id": "1001"}]
    call = {"type": "identify", "userId": "one", "timestamp": at(-35)}
    house.segment({**call, "context": {"externalIds": account}})
    house.segment({"type": "page", "anonymousId": "nobody", "timestamp": at(-30)})
    house.work_off()

    (people,) = people_of(house.app.database, house.shop.shop_id)

    assert people == [
        Person(
            person_id=founders(house, "one")[0],
            first_name="Ann",
            last_name="Lee",
            places=(
                Place("9 Main Street", "", "2119", "Cleveland"),
                Place("7 Wallaby Place", "", "2119", "Cleveland"),
            ),
            phones=("+353851234567",),
            mailboxes=("rose.garden",),
            accounts=("1001",),
            traits={"custom.birthday": "1971-11-30"},
        )
    ]


def test_people_are_read_page_by_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customer360.profiles.duplicates._PAGE", 2)
    for number in range(5):
        tell(house, f"u{number}", number - 60, firstName="Ann", lastName=f"Lee{number}")

    pages = list(people_of(house.app.database, house.shop.shop_id))

    assert [len(page) for page in pages] == [2, 2, 1]
    assert {each.last_name for page in pages for each in page} == {f"Lee{n}" for n in range(5)}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "It ran out of memory."),
        (KeyboardInterrupt(), "Somebody stopped it."),
        (ShopNotFound(), "No shop has this id; `c360 shop list` shows the shops."),
        (ValueError("Stephen"), "ValueError at test_duplicates.py"),
    ],
)
def test_a_scan_that_fails_says_why_and_nothing_of_anybody(
    twins: House, error: BaseException, reason: str
) -> None:
    def fail(stage: str, _done: int, _total: int) -> None:
        if stage == "Comparing":
            raise error

    with pytest.raises(type(error)):
        scan_for_duplicates(
            twins.app.database,
            twins.clock,
            twins.shop.shop_id,
            twins.settings.data_dir / "duplicates",
            progress=fail,
        )

    with twins.app.database.read() as connection:
        last = last_run(connection, twins.shop.shop_id, SCAN)
    assert last is not None
    assert last.state == "failed"
    assert last.reason.startswith(reason)
    assert "Stephen" not in last.reason


def test_a_scan_beside_another_of_the_shop_leaves_no_word_in_the_log(twins: House) -> None:
    folder = twins.settings.data_dir / "duplicates"
    with own_folder(folder / str(twins.shop.shop_id)), pytest.raises(RunUnderWay):
        scan(twins)
    with twins.app.database.read() as connection:
        assert last_run(connection, twins.shop.shop_id, SCAN) is None


def test_a_scan_says_that_it_goes_on_while_it_runs(twins: House) -> None:
    def moved_at() -> int:
        with twins.app.database.read() as connection:
            return int(connection.execute(select(job_runs.c.moved_at)).scalar_one())

    def slowly(stage: str, _done: int, _total: int) -> None:
        if stage == "Comparing":
            twins.clock.advance(MINUTE)
            deadline = time.monotonic() + 20
            while moved_at() < twins.clock.now():
                assert time.monotonic() < deadline
                time.sleep(0.01)

    scan_for_duplicates(
        twins.app.database,
        twins.clock,
        twins.shop.shop_id,
        twins.settings.data_dir / "duplicates",
        progress=slowly,
        beat_seconds=0.01,
    )

    assert not [each for each in threading.enumerate() if each.name == SCAN]


def test_a_scan_of_a_shop_that_is_deleted_meanwhile_ends_with_a_word(twins: House) -> None:
    shop_id = twins.shop.shop_id
    scratch = twins.settings.data_dir / "duplicates"

    def delete(stage: str, done: int, _total: int) -> None:
        if stage == "Comparing" and not done:
            with twins.app.database.write() as connection:
                close_shop(connection, shop_id)
            shutil.rmtree(scratch / str(shop_id))

    with pytest.raises(ShopNotFound, match="was deleted, so its run of duplicates has ended"):
        scan_for_duplicates(twins.app.database, twins.clock, shop_id, scratch, progress=delete)

    assert not (scratch / str(shop_id)).exists()


def test_what_a_scan_itself_wrote_makes_no_further_one_due(twins: House) -> None:
    def due() -> bool:
        with twins.app.database.read() as connection:
            now = twins.clock.now() + DAY
            return (
                due_night(connection, twins.shop.shop_id, SCAN, 13, "Europe/Dublin", now)
                is not None
            )

    assert due()
    assert scan(twins).new == 1
    assert not due()
    tell(twins, "three", 5)
    assert due()
