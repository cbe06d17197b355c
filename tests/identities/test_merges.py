"""Two profiles made one by hand, and any merge taken back: exactly, in any order, within its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from tests.canonical import canonical
from tests.house import House, at
from tests.stories.identities.books import survivors

from customer360.clock import DAY, HOUR, SECOND
from customer360.errors import (
    AlreadyOne,
    CandidateNotFound,
    CannotUndo,
    Conflict,
    MergeNotFound,
    ProfileNotFound,
)
from customer360.identities.candidates import (
    CandidateRow,
    count_candidates,
    dismiss_candidates,
    list_candidates,
)
from customer360.identities.evidence import evidence_of
from customer360.identities.merge_log import MergeRow, list_merges, merges_of
from customer360.identities.tables import profiles
from customer360.intake import merging
from customer360.profiles.hydrate import hydrate

WINDOW = 7 * DAY


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


@pytest.fixture
def quick_house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(sqlite_url, tmp_path)) as house:
        yield house


def identify(minute: float, user: str = "", cookie: str = "", **traits: Any) -> dict[str, Any]:
    call: dict[str, Any] = {"type": "identify", "timestamp": at(minute), "traits": traits}
    return call | ({"userId": user} if user else {}) | ({"anonymousId": cookie} if cookie else {})


def track(
    minute: float, event: str, user: str = "", cookie: str = "", **said: Any
) -> dict[str, Any]:
    return {**identify(minute, user, cookie), "type": "track", "event": event, "properties": said}


def tell(house: House, *calls: dict[str, Any]) -> None:
    house.segment(*calls)
    house.work_off()


def merge(house: House, one: str, other: str, **options: Any) -> MergeRow:
    with house.app.database.write() as connection:
        return merging.merge(
            connection,
            house.shop.shop_id,
            (house.profile_id(one), house.profile_id(other)),
            actor="ann@shop.example",
            now=house.clock.now(),
            **options,
        )


def undo(house: House, merge_id: int) -> MergeRow:
    with house.app.database.write() as connection:
        row = merging.undo(
            connection,
            house.shop.shop_id,
            merge_id,
            actor="bob@shop.example",
            now=house.clock.now(),
            window=WINDOW,
        )
    house.work_off()
    return row


def candidates(house: House, **options: Any) -> list[CandidateRow]:
    with house.app.database.read() as connection:
        return list_candidates(connection, house.shop.shop_id, **options)


def log(house: House) -> list[MergeRow]:
    with house.app.database.read() as connection:
        return list_merges(connection, house.shop.shop_id)


def fill(house: House) -> None:
    """Three people with visits, orders, checkouts, names and consents, whom nothing links."""
    product = {"product_id": "tea", "name": "Tea", "price": "20.00", "quantity": 1}
    bought = {"total": "20.00", "currency": "EUR", "products": [product]}
    tell(
        house,
        identify(0, "u1", "c1", email="ann@x.example", first_name="Ann", last_name="Byrne"),
        track(1, "Product Viewed", "", "c1", product_id="tea"),
        track(2, "Order Completed", "u1", "c1", order_id="1001", coupon="A", **bought),
        identify(3, "u2", "c2", email="anne@x.example", phone="087 123 4567", name="Anne Byrne"),
        track(4, "Checkout Started", "u2", "c2", checkout_token="t2"),
        track(5, "Consent Granted", "u2", channel="email", address="anne@x.example", text="News"),
        identify(6, "u3", "c3", email="a.byrne@y.example", first_name="A", last_name="Byrne"),
        track(7, "Order Completed", "u3", "c3", order_id="1002", **bought),
        track(8, "Product Viewed", "", "c4", product_id="pot"),
    )


def test_a_merge_by_hand_makes_one_profile_and_the_older_id_stays(house: House) -> None:
    fill(house)
    one, other = house.profile_id("user_id:u1"), house.profile_id("user_id:u2")

    row = merge(house, "user_id:u2", "user_id:u1")

    assert (row.kept_id, row.gone_id) == (min(one, other), max(one, other))
    assert (row.kind, row.actor, row.state) == ("by_hand", "ann@shop.example", "standing")
    assert house.profile_id("user_id:u1") == house.profile_id("user_id:u2") == row.kept_id
    assert survivors(house)[row.gone_id] == row.kept_id
    card = house.card("user_id:u2")
    assert card.attributes["orders_count"] == 1
    assert {one.value for one in card.identifiers} >= {"u1", "u2", "c1", "c2"}
    assert log(house)[0] == row


def test_an_undo_brings_both_back_exactly(house: House) -> None:
    fill(house)
    before = canonical(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    house.work_off()
    assert canonical(house) != before

    undone = undo(house, row.merge_id)

    assert canonical(house) == before
    assert (undone.state, undone.ended_by) == ("undone", "bob@shop.example")
    assert all(into is None for into in survivors(house).values())


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1)])
def test_merges_are_undone_in_any_order(house: House, order: tuple[int, ...]) -> None:
    fill(house)
    before, whole = canonical(house), survivors(house)
    rows = [
        merge(house, "user_id:u2", "user_id:u3"),
        merge(house, "user_id:u1", "user_id:u3"),
        merge(house, "cookie:c4", "user_id:u2"),
    ]
    assert len([1 for into in survivors(house).values() if into is None]) == 1

    for number in order:
        undo(house, rows[number].merge_id)

    assert canonical(house) == before
    assert survivors(house) == whole


def test_one_of_two_merges_taken_back_leaves_the_other(house: House) -> None:
    fill(house)
    merge(house, "user_id:u1", "user_id:u2")
    alone = canonical(house)
    second = merge(house, "user_id:u2", "user_id:u3")

    undo(house, second.merge_id)

    assert canonical(house) == alone
    assert house.profile_id("user_id:u1") == house.profile_id("user_id:u2")


def test_what_happens_after_a_merge_is_with_whom_its_evidence_names_after_the_undo(
    house: House,
) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    house.clock.advance(HOUR)
    tell(house, track(400, "Product Viewed", "u1"), track(401, "Product Viewed", "", "c2"))
    assert house.profile_id("user_id:u1") == house.profile_id("cookie:c2")
    assert house.counts("user_id:u1")["product_viewed"] == 3

    undo(house, row.merge_id)

    assert house.counts("user_id:u1")["product_viewed"] == 2
    assert house.counts("user_id:u2")["product_viewed"] == 1


def test_the_device_that_both_used_while_they_were_one_is_handed_over_at_the_undo(
    house: House,
) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    house.clock.advance(DAY)
    # On the first one's device: a visit, then the second signs in, then another visit.
    tell(
        house,
        track(300, "Product Viewed", "", "c1"),
        track(301, "Product Viewed", "u2", "c1"),
        track(302, "Product Viewed", "", "c1"),
    )

    undo(house, row.merge_id)

    assert house.counts("user_id:u1")["product_viewed"] == 2
    assert house.counts("user_id:u2")["product_viewed"] == 2
    assert house.profile_id("cookie:c1") == house.profile_id("user_id:u2")


def test_the_next_signal_of_either_side_finds_the_merged_profile(house: House) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")

    tell(house, identify(20, "u2", "c9"), identify(21, "u1", phone="087 765 4321"))

    ids = {house.profile_id(each) for each in ("user_id:u1", "cookie:c9", "phone:0877654321")}
    assert ids == {row.kept_id}


def test_an_undo_is_possible_until_the_window_is_over(house: House) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    house.clock.advance(WINDOW + SECOND)

    with pytest.raises(CannotUndo, match="7 days, and that time is over"):
        undo(house, row.merge_id)

    assert house.profile_id("user_id:u1") == house.profile_id("user_id:u2")
    house.clock.advance(-SECOND)
    assert undo(house, row.merge_id).state == "undone"


def test_a_merge_is_undone_once(house: House) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    undo(house, row.merge_id)

    with pytest.raises(CannotUndo, match="undone already"):
        undo(house, row.merge_id)


def test_two_ids_of_one_profile_cannot_be_merged(house: House) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")

    for pair in ((row.kept_id, row.gone_id), (row.kept_id, row.kept_id)):
        with house.app.database.write() as connection, pytest.raises(AlreadyOne, match="already"):
            merging.merge(connection, house.shop.shop_id, pair, actor="", now=0)


def test_nothing_of_another_shop_can_be_merged_undone_or_dismissed(house: House) -> None:
    fill(house)
    tell(house, identify(30, "u1", email="a.byrne@y.example"))
    mine = (house.profile_id("user_id:u1"), house.profile_id("user_id:u3"))
    row = merge(house, "user_id:u1", "user_id:u2")
    (candidate,) = candidates(house)
    kept = canonical(house)
    shop = house.shop
    house.open_shop()
    other, now = house.shop.shop_id, house.clock.now()

    def refused(error: type[Exception], act: Any) -> None:
        with house.app.database.write() as connection, pytest.raises(error):
            act(connection)

    refused(ProfileNotFound, lambda c: merging.merge(c, other, mine, actor="", now=now))
    refused(ProfileNotFound, lambda c: merging.preview(c, other, mine, now))
    refused(
        MergeNotFound,
        lambda c: merging.undo(c, other, row.merge_id, actor="", now=now, window=WINDOW),
    )
    number = [candidate.candidate_id]
    refused(
        CandidateNotFound, lambda c: merging.merge_candidates(c, other, number, actor="", now=now)
    )
    refused(CandidateNotFound, lambda c: dismiss_candidates(c, other, number, actor="", now=now))
    assert log(house) == candidates(house) == []
    house.shop = shop
    assert canonical(house) == kept


calls = st.fixed_dictionaries(
    {"minute": st.integers(0, 60)},
    optional={
        "user": st.sampled_from(["u1", "u2", "u3"]),
        "cookie": st.sampled_from(["c1", "c2", "c3"]),
        "email": st.sampled_from(["e1@x.example", "e2@x.example", "e3@x.example"]),
        "name": st.sampled_from(["Ann Byrne", "Bob Carr"]),
    },
).filter(lambda call: {"user", "cookie", "email"} & set(call))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(st.lists(calls, min_size=1, max_size=5), min_size=1, max_size=3),
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_merges_of_any_history_undone_in_any_order_leave_no_trace(
    quick_house: House, batches: list[Any], pairs: list[tuple[int, int]], order: Random
) -> None:
    house = quick_house
    house.open_shop()
    for batch in batches:
        tell(house, *(identify(call.pop("minute"), **call) for call in map(dict, batch)))
    before, whole = canonical(house), survivors(house)
    ids, shop_id, now = sorted(whole), house.shop.shop_id, house.clock.now()
    rows = []
    for one, other in pairs:
        pair = (ids[one % len(ids)], ids[other % len(ids)])
        with suppress(AlreadyOne), house.app.database.write() as connection:
            rows.append(merging.merge(connection, shop_id, pair, actor="", now=now))

    order.shuffle(rows)
    for row in rows:
        undo(house, row.merge_id)

    assert canonical(house) == before
    assert survivors(house) == whole


# Merges that evidence made


def link_by_an_event(house: House) -> MergeRow:
    """An e-mail and a phone that one event names together."""
    tell(house, identify(0, email="ann@x.example"), identify(1, phone="087 123 4567"))
    tell(house, identify(2, email="ann@x.example", phone="087 123 4567"))
    (row,) = log(house)
    return row


def test_an_automatic_merge_is_undone_as_if_it_had_been_refused(house: House) -> None:
    row = link_by_an_event(house)
    assert (row.kind, row.state) == ("automatic", "standing")
    assert {one.type for one in row.bridges} == {"email", "phone"}

    undo(house, row.merge_id)

    assert house.profile_id("email:ann@x.example") != house.profile_id("phone:0871234567")
    tell(house, identify(3, email="ann@x.example", phone="087 123 4567", first_name="Ann"))
    assert house.profile_id("email:ann@x.example") != house.profile_id("phone:0871234567")
    assert candidates(house) == []


def test_an_undo_names_the_other_evidence_that_holds_both_together(house: House) -> None:
    fill(house)
    row = merge(house, "cookie:c4", "user_id:u1")
    # Told late: before all that we knew of either, one event had named both.
    tell(house, track(-30, "Product Viewed", "u1", "c4"))
    before = canonical(house)

    with pytest.raises(CannotUndo, match="user id u1 and cookie c4 in one event on 15 June 2026"):
        undo(house, row.merge_id)

    assert canonical(house) == before
    assert log(house)[0].state == "standing"


def test_a_profile_says_what_holds_it_together(house: House) -> None:
    link_by_an_event(house)
    tell(house, identify(10, "u9"))
    merge(house, "user_id:u9", "email:ann@x.example")
    with house.app.database.read() as connection:
        found = evidence_of(connection, house.shop.shop_id, house.profile_id("user_id:u9"))

    assert [link.sentence for link in found] == [
        "e-mail ann@x.example and phone +353871234567 in one event on 15 June 2026",
        "merged by ann@shop.example on 15 June 2026",
    ]


def test_a_link_that_an_order_told_says_so(house: House) -> None:
    bought = track(0, "Order Completed", "u1", "c1", order_id="o1", total="9.00")
    tell(house, track(5, "Product Viewed", "u1", "c1"), bought)

    with house.app.database.read() as connection:
        (link,) = evidence_of(connection, house.shop.shop_id, house.profile_id("user_id:u1"))

    # The journey shows the order instead of this event.
    assert (link.event_type, link.source, link.event_id) == ("order_placed", "segment", None)


def test_the_merges_of_a_profile_are_those_of_all_that_it_took_in(house: House) -> None:
    fill(house)
    first = merge(house, "user_id:u2", "user_id:u3")
    second = merge(house, "user_id:u1", "user_id:u2")
    with house.app.database.read() as connection:
        found = merges_of(connection, house.shop.shop_id, second.kept_id)

    assert [row.merge_id for row in found] == [second.merge_id, first.merge_id]


def test_a_merge_of_the_shop_system_acts_at_its_own_time(house: House) -> None:
    fill(house)
    acts_at = house.clock.now() - HOUR

    row = merge(house, "user_id:u1", "user_id:u2", kind="shopify", acts_at=acts_at)

    assert (row.kind, row.merged_at, row.recorded_at) == ("shopify", acts_at, house.clock.now())
    undo(house, row.merge_id)
    assert house.profile_id("user_id:u1") != house.profile_id("user_id:u2")


def test_customers_that_shopify_merged_become_one_in_any_order_of_arrival(house: House) -> None:
    def told(order: list[int]) -> list[str]:
        house.open_shop()
        for number in order:
            topic, payload = signals[number]
            house.shopify(topic, payload, webhook_id=f"w{number}")
            house.work_off()
        assert house.profile_id("shopify_customer_id:7") == house.profile_id(
            "shopify_customer_id:8"
        )
        assert log(house)[0].kind == "shopify"
        return canonical(house)

    def customer(number: int, email: str) -> dict[str, Any]:
        at = "2026-06-15T09:00:00Z"
        return {"id": number, "email": email, "created_at": at, "updated_at": at}

    gid = "gid://shopify/Customer/"
    signals = [
        ("customers/create", customer(7, "ann@x.example")),
        ("customers/create", customer(8, "anne@x.example")),
        (
            "customers/merge",
            {
                "admin_graphql_api_customer_kept_id": f"{gid}7",
                "admin_graphql_api_customer_deleted_id": f"{gid}8",
                "status": "completed",
            },
        ),
    ]
    assert told([0, 1, 2]) == told([2, 1, 0]) == told([1, 2, 0])


def test_a_failed_merge_of_shopify_merges_nothing(house: House) -> None:
    body = {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/7",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/8",
        "status": "failed",
    }
    house.shopify("customers/create", {"id": 7, "email": "ann@x.example"})
    house.shopify("customers/create", {"id": 8, "email": "anne@x.example"})
    house.shopify("customers/merge", body)
    house.work_off()

    assert house.profile_id("shopify_customer_id:7") != house.profile_id("shopify_customer_id:8")
    assert log(house) == []


# Candidates


def doubt(house: House) -> CandidateRow:
    """An account that names the address of another account."""
    fill(house)
    tell(house, identify(30, "u1", email="anne@x.example"))
    (candidate,) = candidates(house)
    return candidate


def test_a_candidate_says_what_speaks_for_one_person(house: House) -> None:
    candidate = doubt(house)

    assert candidate.profile_ids == tuple(
        sorted((house.profile_id("user_id:u1"), house.profile_id("user_id:u2")))
    )
    (reason,) = candidate.reasons
    assert reason.word == "account_ids"
    assert reason.identifier is not None
    assert reason.identifier.value == "anne@x.example"
    assert 0 < candidate.score < 1000


def test_a_candidate_is_merged_and_comes_back_as_not_the_same(house: House) -> None:
    candidate = doubt(house)
    with house.app.database.write() as connection:
        (row,) = merging.merge_candidates(
            connection,
            house.shop.shop_id,
            [candidate.candidate_id],
            actor="ann@shop.example",
            now=house.clock.now(),
        )
    assert house.profile_id("user_id:u1") == house.profile_id("user_id:u2")
    assert candidates(house) == []
    assert [one.candidate_id for one in candidates(house, state="merged")] == [
        candidate.candidate_id
    ]

    undo(house, row.merge_id)

    assert house.profile_id("user_id:u1") != house.profile_id("user_id:u2")
    tell(house, identify(40, "u1", email="anne@x.example", first_name="Ann"))
    assert candidates(house) == []
    assert len(candidates(house, state="dismissed")) == 1


def test_a_dismissed_candidate_never_reopens(house: House) -> None:
    candidate = doubt(house)
    before = canonical(house)

    def dismiss() -> None:
        with house.app.database.write() as connection:
            dismiss_candidates(
                connection,
                house.shop.shop_id,
                [candidate.candidate_id],
                actor="ann@shop.example",
                now=house.clock.now(),
            )

    dismiss()
    dismiss()

    assert candidates(house) == []
    assert canonical(house) == before
    tell(house, identify(50, "u2", email="ann@x.example"))
    assert candidates(house) == []
    with house.app.database.write() as connection, pytest.raises(Conflict, match="not the same"):
        merging.merge_candidates(
            connection, house.shop.shop_id, [candidate.candidate_id], actor="", now=0
        )


def test_many_candidates_are_decided_together_or_not_at_all(house: House) -> None:
    fill(house)
    tell(
        house,
        identify(30, "u1", email="anne@x.example"),
        identify(31, "u1", email="a.byrne@y.example"),
    )
    numbers = [one.candidate_id for one in candidates(house)]
    assert len(numbers) == 2
    shop_id, now = house.shop.shop_id, house.clock.now()

    with pytest.raises(CandidateNotFound), house.app.database.write() as connection:
        merging.merge_candidates(connection, shop_id, [*numbers, 7], actor="", now=now)
    assert len(candidates(house)) == 2

    with house.app.database.write() as connection:
        merging.merge_candidates(connection, shop_id, numbers, actor="", now=now)
        assert count_candidates(connection, shop_id) == 0
    assert len({house.profile_id(f"user_id:u{number}") for number in (1, 2, 3)}) == 1


def test_candidates_are_paged_newest_first(house: House) -> None:
    fill(house)
    tell(
        house,
        identify(30, "u1", email="anne@x.example"),
        identify(31, "u1", email="a.byrne@y.example"),
    )
    whole = candidates(house)

    first = candidates(house, limit=1)
    second = candidates(house, limit=1, after=first[0].position)

    assert first + second == whole
    assert candidates(house, after=second[0].position) == []


def test_the_profile_of_a_merge_can_be_merged_against_a_not_the_same(house: House) -> None:
    fill(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    undo(house, row.merge_id)

    again = merge(house, "user_id:u1", "user_id:u2")

    assert house.profile_id("user_id:u1") == house.profile_id("user_id:u2")
    undo(house, again.merge_id)
    assert house.profile_id("user_id:u1") != house.profile_id("user_id:u2")


# Consent


def consent(house: House, of: str, channel: str = "sms") -> dict[str, str]:
    """The state of each address of somebody."""
    return {
        point.address: point.consent
        for point in house.card(of).contact_points
        if point.channel == channel
    }


def two_with_phones(house: House) -> None:
    tell(
        house,
        identify(0, "u1", phone="087 111 1111"),
        identify(0, "u2", phone="087 222 2222"),
        track(1, "Consent Granted", "u2", channel="sms", address="087 222 2222"),
    )


ONE, TWO = "+353871111111", "+353872222222"


def test_the_most_restrictive_consent_from_before_a_merge_wins(house: House) -> None:
    two_with_phones(house)
    # About the person: it says nothing of whose number 222 is, which they agreed to later.
    tell(house, track(0.5, "Consent Withdrawn", "u1", channel="sms"))
    assert consent(house, "user_id:u2") == {TWO: "granted"}

    row = merge(house, "user_id:u1", "user_id:u2")

    assert consent(house, "user_id:u1") == {ONE: "withdrawn", TWO: "withdrawn"}
    undo(house, row.merge_id)
    assert consent(house, "user_id:u1") == {ONE: "withdrawn"}
    assert consent(house, "user_id:u2") == {TWO: "granted"}


def test_a_grant_after_a_merge_wins_for_its_address(house: House) -> None:
    two_with_phones(house)
    tell(house, track(0.5, "Consent Withdrawn", "u1", channel="sms"))
    merge(house, "user_id:u1", "user_id:u2", acts_at=house.clock.now() - HOUR)

    tell(house, track(200, "Consent Granted", "u1", channel="sms", address="087 222 2222"))

    assert consent(house, "user_id:u1") == {ONE: "withdrawn", TWO: "granted"}


def test_a_stop_of_before_the_merge_counts_though_it_is_told_after_it(house: House) -> None:
    two_with_phones(house)
    merge(house, "user_id:u1", "user_id:u2", acts_at=house.clock.now() - HOUR)

    # From another cookie, so of evidence that nobody knew before the merge.
    tell(house, track(2, "Consent Withdrawn", "u1", "c9", channel="sms"))

    assert consent(house, "user_id:u1") == {ONE: "withdrawn", TWO: "withdrawn"}


def test_a_stop_by_the_person_stays_on_both_after_an_undo(house: House) -> None:
    two_with_phones(house)
    row = merge(house, "user_id:u1", "user_id:u2", acts_at=house.clock.now() - HOUR)
    tell(house, track(200, "Consent Withdrawn", "u1", channel="sms"))
    assert consent(house, "user_id:u1") == {ONE: "withdrawn", TWO: "withdrawn"}

    undo(house, row.merge_id)

    assert consent(house, "user_id:u1") == {ONE: "withdrawn"}
    assert consent(house, "user_id:u2") == {TWO: "withdrawn"}


def test_a_stop_to_an_address_binds_it_whoever_holds_it(house: House) -> None:
    two_with_phones(house)
    row = merge(house, "user_id:u1", "user_id:u2")
    tell(house, track(200, "Consent Withdrawn", "u1", channel="sms", address="087 222 2222"))
    assert consent(house, "user_id:u1") == {ONE: "never", TWO: "withdrawn"}

    undo(house, row.merge_id)

    assert consent(house, "user_id:u2") == {TWO: "withdrawn"}


def test_a_preview_says_what_would_come_together_and_changes_nothing(house: House) -> None:
    fill(house)
    tell(house, track(9, "Consent Withdrawn", "u1", channel="email"))
    before = canonical(house)
    pair = (house.profile_id("user_id:u2"), house.profile_id("user_id:u1"))
    with house.app.database.read() as connection:
        found = merging.preview(connection, house.shop.shop_id, pair, house.clock.now())

    assert found.sentence == "1 order, 2 e-mails, 1 phone, consent for e-mail becomes withdrawn"
    assert found.profile_ids == tuple(sorted(pair))
    assert canonical(house) == before
    row = merge(house, "user_id:u1", "user_id:u2")
    told = consent(house, "user_id:u1", "email")
    assert {one.address: one.after for one in found.consents}.items() <= told.items()
    undo(house, row.merge_id)


def test_a_name_that_only_one_side_told_is_gone_with_it(house: House) -> None:
    tell(house, identify(0, "u1"), identify(1, "u2", first_name="Ann", last_name="Byrne"))
    row = merge(house, "user_id:u1", "user_id:u2")
    with house.app.database.read() as connection:
        (person,) = hydrate(connection, house.shop.shop_id, [row.kept_id])
    assert person.name == house.card("user_id:u1").name == "Ann Byrne"

    undo(house, row.merge_id)

    assert house.card("user_id:u1").name == ""
    with house.app.database.read() as connection:
        assert names(connection, house) == ["", "Ann Byrne"]


def test_an_order_of_the_one_ends_a_checkout_of_the_other_while_they_are_one(house: House) -> None:
    tell(
        house,
        track(0, "Checkout Started", "u1", checkout_token="t1"),
        track(20, "Order Completed", "u2", order_id="1001", total="9"),
    )
    assert house.counts("user_id:u1")["checkout_abandoned"] == 1
    row = merge(house, "user_id:u1", "user_id:u2")
    house.work_off()
    assert "checkout_abandoned" not in house.counts("user_id:u1")

    undo(house, row.merge_id)

    assert house.counts("user_id:u1")["checkout_abandoned"] == 1


def names(connection: Connection, house: House) -> list[str]:
    query = select(profiles.c.name).where(profiles.c.shop_id == house.shop.shop_id)
    return sorted(connection.scalars(query))
