"""Signals in, profiles out: what the worker makes of what the inbox holds, on both profile stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.event import listens_for
from tests.house import House, at

from customer360 import worker
from customer360.clock import SECOND, FixedClock, Instant
from customer360.events.model import Trust
from customer360.events.tables import events
from customer360.identities.tables import profiles
from customer360.intake import batch, dead_letters, understanding, waiting
from customer360.intake.accepted import AcceptedSignals
from customer360.intake.batch import Lease
from customer360.intake.tables import imports
from customer360.intake.waiting import take
from customer360.storage.database import next_change
from customer360.storage.metadata import profile_changes


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def track(name: str, minutes: float = 0, **rest: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "timestamp": at(minutes), **rest}


def test_a_visitor_who_identifies_becomes_a_customer_with_their_history(house: House) -> None:
    house.segment(
        track("Product Viewed", 0, anonymousId="c1", properties={"product_id": "p1"}),
        {
            "type": "identify",
            "anonymousId": "c1",
            "userId": "u1",
            "traits": {"email": "Ann@X.com ", "first_name": "Ann", "last_name": "Lee"},
            "timestamp": at(5),
        },
    )
    house.drain()

    card = house.card("email:ann@x.com")

    assert (card.kind, card.name, card.fragments) == ("customer", "Ann Lee", 2)
    assert house.counts("cookie:c1") == {
        "product_viewed": 1,
        "contact_updated": 1,
        "visited_site": 1,
    }
    assert card.attributes["events_count"] == 2
    assert card.attributes["has_email"] is True


def test_a_second_delivery_is_a_duplicate_and_changes_nothing(house: House) -> None:
    call = track("Product Viewed", anonymousId="c1", messageId="same")
    house.segment(call)
    house.drain()
    before = house.card("cookie:c1")
    house.segment(call, call)
    house.drain()

    assert house.card("cookie:c1") == before
    balance = house.balance()
    assert (balance.received, balance.stored, balance.duplicate, balance.waiting) == (3, 1, 2, 0)


def test_an_unusable_signal_becomes_a_dead_letter_without_harming_its_neighbours(
    house: House,
) -> None:
    house.app.inbox.accept([house.row("segment", b'{"type": "track"')])
    house.segment(track("Product Viewed", anonymousId="c1"))
    house.drain()

    balance = house.balance()

    assert balance.holds
    assert (balance.stored, sum(balance.rejected.values())) == (1, 1)


def test_a_signal_that_breaks_the_store_is_set_aside_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = understanding.evidence_digest

    def breaking(key: bytes, identifiers: Any, name: str, trust: Trust) -> bytes:
        if any(one.value == "poison" for one in identifiers):
            raise ValueError("cannot be stored")
        return whole(key, identifiers, name, trust)

    monkeypatch.setattr(understanding, "evidence_digest", breaking)
    house.segment(
        *(track("Product Viewed", anonymousId=f"c{n}" if n != 17 else "poison") for n in range(40))
    )
    house.drain()

    balance = house.balance()

    assert (balance.stored, balance.rejected) == (39, {"internal_error": 1})


def test_sqlite_finds_by_index_what_a_batch_touches_and_never_reads_a_whole_shop(
    sqlite_url: str, tmp_path: Path
) -> None:
    house = House(sqlite_url, tmp_path)
    known = {"email": "ann@x.com", "first_name": "Ann", "last_name": "Lee"}
    order = {"order_id": "o1", "total": 5}
    house.segment(
        *(track("Product Viewed", n, anonymousId=f"c{n}") for n in range(100)),
        *({"type": "identify", "userId": f"u{n}", "traits": known} for n in range(9)),
        *(track("Order Completed", n, userId="u1", properties=order) for n in range(9)),
    )
    asked: set[str] = set()
    house.app.database.engine.dispose()
    listens_for(house.app.database.engine, "connect")(
        lambda connection, _: connection.set_trace_callback(asked.add)
    )
    house.work_off()
    # A shop changed its rules a few times at most.
    queries = [
        one
        for one in asked
        if one.startswith("select ") and " in (" in one and "from identity_rules" not in one
    ]

    with house.app.database.read() as connection:
        plans = [
            step.detail
            for query in queries
            for step in connection.exec_driver_sql(f"explain query plan {query}")
        ]
    house.close()

    assert len(queries) >= 9
    # The index of open alerts holds those alone.
    plans = [plan for plan in plans if "ix_alerts_open" not in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN") or plan.endswith("(shop_id=?)")]


VISITS = {
    "events within thirty minutes are one visit": ([0, 10, 39], 1),
    "a gap of exactly thirty minutes begins another": ([0, 30], 2),
    "a gap just under thirty minutes does not": ([0, 29.99], 1),
    "two visits a day apart are two": ([0, 1440 * -1], 2),
}


@pytest.mark.parametrize("name", VISITS)
def test_visits_are_cut_by_thirty_minutes_of_silence(house: House, name: str) -> None:
    minutes, expected = VISITS[name]
    house.segment(*(track("Product Viewed", m, anonymousId="c1") for m in minutes))
    house.drain()

    assert house.attributes("cookie:c1", "sessions_count") == {"sessions_count": expected}


def test_a_late_event_joins_two_visits_and_their_events_follow(house: House) -> None:
    house.segment(
        track("Product Viewed", 0, anonymousId="c1"), track("Product Viewed", 50, anonymousId="c1")
    )
    house.drain()
    assert house.counts("cookie:c1")["visited_site"] == 2

    house.segment(track("Product Viewed", 25, anonymousId="c1"))
    house.drain()

    entries = house.timeline("cookie:c1").items
    assert house.counts("cookie:c1")["visited_site"] == 1
    assert len({entry.session_id for entry in entries}) == 1


def test_a_login_in_the_middle_does_not_cut_a_visit(house: House) -> None:
    house.segment(
        track("Product Viewed", 0, anonymousId="c1"),
        {"type": "identify", "anonymousId": "c1", "userId": "u1", "timestamp": at(5)},
        track("Product Viewed", 10, anonymousId="c1", userId="u1"),
    )
    house.drain()

    assert house.attributes("user_id:u1", "sessions_count") == {"sessions_count": 1}


def test_the_sources_own_session_id_makes_the_visit(house: House) -> None:
    house.segment(
        track("Product Viewed", 0, anonymousId="c1", context={"sessionId": "s1"}),
        track("Product Viewed", 200, anonymousId="c1", context={"sessionId": "s1"}),
        track("Product Viewed", 201, anonymousId="c1", context={"sessionId": "s2"}),
    )
    house.drain()

    assert house.attributes("cookie:c1", "sessions_count") == {"sessions_count": 2}


def test_first_and_last_touch_come_from_the_visits_first_pages(house: House) -> None:
    page = "https://shop.example/?utm_source={}&utm_medium={}&utm_campaign={}"
    house.segment(
        track(
            "Page Viewed",
            0,
            anonymousId="c1",
            context={"page": {"url": page.format("google", "cpc", "spring")}},
        ),
        track(
            "Page Viewed",
            100,
            anonymousId="c1",
            context={"page": {"url": page.format("news", "email", "may")}},
        ),
        track(
            "Page Viewed",
            101,
            anonymousId="c1",
            context={"page": {"url": page.format("x", "y", "z")}},
        ),
    )
    house.drain()

    names = (
        "first_touch_source",
        "first_touch_campaign",
        "last_touch_source",
        "acquisition_source",
    )
    assert list(house.attributes("cookie:c1", *names).values()) == [
        "google",
        "spring",
        "news",
        "google",
    ]


ORDER = {
    "id": 1001,
    "created_at": at(0),
    "updated_at": at(0),
    "processed_at": at(0),
    "currency": "EUR",
    "total_price": "59.00",
    "total_discounts": "5.00",
    "discount_codes": [{"code": "MAY", "amount": "5.00", "type": "fixed_amount"}],
    "email": "ann@x.com",
    "customer": {"id": 7, "email": "ann@x.com", "first_name": "Ann", "last_name": "Lee"},
    "line_items": [{"id": 1, "product_id": 11, "title": "Mug", "quantity": 2, "price": "32.00"}],
}


def test_an_order_from_pixel_sdk_and_webhook_counts_once(house: House) -> None:
    house.segment(
        track(
            "Order Completed",
            -1,
            anonymousId="c1",
            properties={"order_id": "1001", "total": "58.00", "email": "ann@x.com"},
        ),
        trust=Trust.PUBLIC,
    )
    house.drain()
    assert house.attributes("email:ann@x.com", "total_spend") == {"total_spend": "58.00"}
    house.shopify("orders/create", ORDER)
    house.shopify("orders/paid", {**ORDER, "updated_at": at(1), "financial_status": "paid"})
    house.drain()

    names = ("orders_count", "items_count", "total_spend", "discount_received", "promo_codes_count")
    assert list(house.attributes("email:ann@x.com", *names).values()) == [1, 2, "59.00", "5.00", 1]
    assert house.counts("email:ann@x.com")["order_placed"] == 1
    assert house.profile_id("cookie:c1") == house.profile_id("shopify_customer_id:7")


def test_a_cancelled_order_leaves_every_figure_and_stays_in_the_timeline(house: House) -> None:
    house.shopify("orders/create", ORDER)
    house.shopify("orders/cancelled", {**ORDER, "updated_at": at(9), "cancelled_at": at(9)})
    house.drain()

    assert house.attributes("email:ann@x.com", "orders_count", "total_spend") == {
        "orders_count": 0,
        "total_spend": "0.00",
    }
    assert [order.counts for order in house.orders("email:ann@x.com")] == [False]


def test_an_older_version_of_an_order_never_overrules_a_newer(house: House) -> None:
    house.shopify("orders/updated", {**ORDER, "updated_at": at(9), "total_price": "70.00"})
    house.shopify("orders/create", ORDER)
    house.drain()

    assert house.attributes("email:ann@x.com", "total_spend") == {"total_spend": "70.00"}


def test_a_refund_counts_for_the_person_of_its_order_whichever_came_first(house: House) -> None:
    refund = {
        "id": 5,
        "order_id": 1001,
        "created_at": at(60),
        "processed_at": at(60),
        "refund_line_items": [
            {"id": 1, "line_item_id": 1, "quantity": 1, "subtotal": "32.00", "total_tax": "0.00"}
        ],
        "transactions": [
            {"id": 1, "kind": "refund", "status": "success", "amount": "32.00", "currency": "EUR"}
        ],
    }
    house.shopify("refunds/create", refund)
    house.drain()
    house.shopify("orders/create", ORDER)
    house.drain()

    names = ("refunded_total", "net_spend", "returned_items_count")
    assert list(house.attributes("email:ann@x.com", *names).values()) == ["32.00", "27.00", 1]
    assert house.counts("email:ann@x.com")["order_refunded"] == 1


def test_a_browser_can_neither_cancel_nor_refund_nor_claim_a_customer_id(house: House) -> None:
    house.shopify("orders/create", ORDER)
    house.segment(
        track("Order Cancelled", 1, anonymousId="c1", properties={"order_id": "1001"}),
        track(
            "Order Refunded", 1, anonymousId="c1", properties={"order_id": "1001", "total": "59.00"}
        ),
        track(
            "Product Viewed",
            1,
            anonymousId="c2",
            context={"externalIds": [{"type": "shopify_customer_id", "id": "7"}]},
        ),
        trust=Trust.PUBLIC,
    )
    house.drain()

    assert house.attributes("email:ann@x.com", "orders_count", "net_spend") == {
        "orders_count": 1,
        "net_spend": "59.00",
    }
    assert house.profile_id("cookie:c2") != house.profile_id("shopify_customer_id:7")


def test_a_browser_never_renames_a_person_whom_a_trusted_source_named(house: House) -> None:
    house.shopify(
        "customers/create",
        {"id": 7, "email": "ann@x.com", "created_at": at(0), "updated_at": at(0)},
    )
    house.segment(
        {
            "type": "identify",
            "anonymousId": "c1",
            "traits": {"email": "ann@x.com", "first_name": "Mallory", "last_name": "M"},
        },
        trust=Trust.PUBLIC,
    )
    house.drain()

    assert house.card("email:ann@x.com").name == ""


def test_a_name_that_a_browser_gave_goes_once_a_trusted_source_vouches(house: House) -> None:
    traits = {"email": "ann@x.com", "first_name": "Mallory", "last_name": "M"}
    house.segment({"type": "identify", "traits": traits}, trust=Trust.PUBLIC)
    house.drain()
    assert listed_as(house, "email:ann@x.com") == "Mallory M"

    house.segment(track("Product Viewed", 1, anonymousId="c1", properties={"email": "ann@x.com"}))
    house.drain()

    assert listed_as(house, "email:ann@x.com") == ""


def listed_as(house: House, identifier: str) -> str:
    query = select(profiles.c.name).where(profiles.c.profile_id == house.profile_id(identifier))
    with house.app.database.read() as connection:
        return connection.execute(query).scalar_one()


def test_consent_that_a_browser_claims_is_pending_at_most(house: House) -> None:
    grant = track(
        "Consent Granted",
        0,
        userId="u1",
        properties={"channel": "email", "email": "ann@x.com", "text": "News, please"},
    )
    house.segment({**grant, "anonymousId": "c1"}, trust=Trust.PUBLIC)
    house.drain()
    assert house.card("email:ann@x.com").attributes["consent_email"] == "pending"

    house.segment({**grant, "timestamp": at(5)})
    house.drain()

    point = next(
        one for one in house.card("email:ann@x.com").contact_points if one.channel == "email"
    )
    assert (point.consent, point.consent_text) == ("granted", "News, please")


def test_a_checkout_without_an_order_is_abandoned_after_an_hour_until_a_late_order_says_otherwise(
    house: House,
) -> None:
    house.segment(
        track("Checkout Started", 0, anonymousId="c1", properties={"checkout_token": "t1"})
    )
    house.drain()
    assert house.counts("cookie:c1").get("checkout_abandoned") == 1

    house.segment(
        track(
            "Order Completed",
            20,
            anonymousId="c1",
            properties={"order_id": "o1", "total": "9", "checkout_token": "t1"},
        )
    )
    house.drain()

    assert "checkout_abandoned" not in house.counts("cookie:c1")


def test_an_event_that_names_nobody_is_kept_without_a_profile(house: House) -> None:
    house.segment(track("Product Viewed", anonymousId="undefined"))
    house.drain()

    with house.app.database.read() as connection:
        kept = connection.execute(
            text("select count(*) from events where fragment_id = 0")
        ).scalar_one()
        people = connection.execute(text("select count(*) from profiles")).scalar_one()
    assert (kept, people) == (1, 0)


def test_a_worker_whose_lease_was_taken_writes_nothing(house: House) -> None:
    house.segment(track("Product Viewed", anonymousId="c1"))
    stale = batch.Lease(house.shop.shop_id, owner=1, epoch=-1, seconds=10)

    with pytest.raises(batch.LeaseLost):
        batch.process(
            house.app.database,
            house.shop,
            stale,
            house.app.translators,
            AcceptedSignals(),
            house.clock,
            10,
        )

    assert house.balance().waiting == 1


def test_change_numbers_have_no_holes(house: House) -> None:
    with house.app.database.write() as connection:
        first = next_change(connection, house.shop.shop_id)
    with house.app.database.write() as connection:
        assert next_change(connection, house.shop.shop_id) == first + 1


class BusyClock(FixedClock):
    """Somebody else takes a change number the first time that a step is about to write."""

    def __init__(self, house: House, *, moves: bool) -> None:
        super().__init__()
        self._house, self._moves, self._taken = house, moves, False

    def now(self) -> Instant:
        if not self._taken:
            self._taken = True
            with self._house.app.database.write() as connection:
                next_change(connection, self._house.shop.shop_id, moves=self._moves)
        return super().now()


@pytest.mark.parametrize(("moves", "computed"), [(True, 1), (False, 2)])
def test_a_step_is_computed_again_for_other_changes_than_moves_of_members(
    house: House, moves: bool, computed: int
) -> None:
    house.segment(track("Product Viewed", anonymousId="c1"))
    app, shop_id = house.app, house.shop.shop_id
    translated: list[object] = []

    def translate(*told: Any) -> Any:
        translated.append(told)
        return app.translators["segment"](*told)

    clock, lease = BusyClock(house, moves=moves), Lease(shop_id, 1, 0, 10)
    result = batch.process(
        app.database, house.shop, lease, {"segment": translate}, AcceptedSignals(), clock, 10
    )

    assert (result.stored, len(translated)) == (1, computed)
    with app.database.read() as connection:
        assert list(connection.scalars(select(events.c.change))) == [2]
        assert set(connection.scalars(select(profile_changes.c.change))) == {2}


def test_a_large_import_does_not_hold_up_the_signals_of_now(house: House) -> None:
    row = msgspec.structs.replace(
        house.row("segment", b'{"type": "track", "event": "Old"}'), import_id=1
    )
    house.app.inbox.accept([row] * 5)
    house.segment(track("Product Viewed", anonymousId="live"))

    with house.app.database.read() as connection:
        first = take(connection, house.shop.shop_id, 1)[0]

    assert b"Product Viewed" in first.body


def test_a_replayed_row_of_a_file_is_counted_once_in_its_import(house: House) -> None:
    with house.app.database.write() as connection:
        connection.execute(
            insert(imports).values(
                shop_id=house.shop.shop_id, import_id=1, kind="orders", format="generic", file_name="f",
                file_digest="", mapping="{}", state="done", rows_read=2, bytes_read=0, bytes_total=0, stored=0,
                duplicate=0, rejected=0, error="", started_at=0,
            )
        )  # fmt: skip
    broken = msgspec.structs.replace(house.row("segment", b"[]"), import_id=1)
    house.app.inbox.accept([broken, broken])
    house.drain()
    counted = select(imports.c.rejected).where(imports.c.shop_id == house.shop.shop_id)
    with house.app.database.read() as connection:
        assert connection.execute(counted).scalar_one() == 2

    with house.app.database.write() as connection:
        dead_letters.replay(
            connection, house.shop.shop_id, None, house.clock.now(), most_event_bytes=32_768
        )
    with house.app.database.read() as connection:
        assert connection.execute(counted).scalar_one() == 0
    house.drain()

    assert house.balance().rejected == {"not_an_object": 2}


def test_an_identifier_shows_the_source_that_told_it_first(house: House) -> None:
    house.segment(track("Product Viewed", 0, anonymousId="c1"), trust=Trust.PUBLIC)
    house.shopify(
        "customers/create",
        {"id": 7, "email": "ann@x.com", "created_at": at(1), "updated_at": at(1)},
    )
    house.segment(
        {
            "type": "identify",
            "anonymousId": "c1",
            "traits": {"email": "ann@x.com"},
            "timestamp": at(2),
        }
    )
    house.drain()

    sources = {one.type: one.source for one in house.card("email:ann@x.com").identifiers}

    assert sources == {"cookie": "segment", "email": "shopify", "shopify_customer_id": "shopify"}


def test_a_step_is_small_while_somebody_sends_and_large_when_nobody_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_WHILE_SENDING", 3)
    house.segment(*(track("Product Viewed", n, anonymousId="c1") for n in range(12)))
    working = worker.Worker(house.app, warehouse=False)
    assert working.turn(house.shop) == 3
    house.clock.advance(SECOND)
    assert working.turn(house.shop) == 3
    house.clock.advance(1)
    assert working.turn(house.shop) == 6
    assert house.balance().stored == 12


def test_a_step_of_huge_signals_takes_fewer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_TAKEN_AT_ONCE", 2)
    monkeypatch.setattr(waiting, "_ENOUGH_BYTES", 5000)
    calls = [track("Product Viewed", n, anonymousId="c1") for n in range(5)]
    house.segment(*(call | {"properties": {"name": "x" * 1500}} for call in calls))
    house.segment(*(track("Product Viewed", n, anonymousId="c2") for n in range(9)))
    with house.app.database.read() as connection:
        taken = [len(take(connection, house.shop.shop_id, limit)) for limit in (1, 3, 100)]
    assert taken == [1, 3, 4]
    house.drain()
    assert house.balance().stored == 14
