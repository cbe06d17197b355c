"""The stage history of a person follows from what they did, wherever and whenever it was told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.clock import DAY
from customer360.intake import merging
from customer360.profiles.stage_history import stage_history
from customer360.profiles.stages import ShopCalendar
from tests.house import House

DUBLIN = ShopCalendar("Europe/Dublin")


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def tell(house: House, *calls: dict[str, Any]) -> None:
    house.segment(*calls)
    house.work_off()


def track(event: str, at: str, user: str = "ann", **properties: Any) -> dict[str, Any]:
    told = {"type": "track", "event": event, "timestamp": at, "properties": properties}
    return {**told, "userId": user}


def order(number: str, at: str, user: str = "ann") -> dict[str, Any]:
    return track("Order Completed", at, user, order_id=number, total="10.00", currency="EUR")


def history(house: House, user: str = "ann", calendar: ShopCalendar = DUBLIN) -> list[str]:
    profile_id = house.profile_id(f"user_id:{user}")
    with house.app.database.read() as connection:
        spans = stage_history(
            connection, house.shop.shop_id, profile_id, calendar, house.clock.now()
        )
    return [f"{one.stage} {one.since} {one.until or ''}".strip() for one in spans]


def test_visits_views_opt_ins_and_orders_move_a_person(house: House) -> None:
    tell(
        house,
        {"type": "identify", "userId": "ann", "timestamp": "2026-01-02T09:00:00Z"},
        track("Product Viewed", "2026-01-10T09:00:00Z", product_id="p1"),
        track("Product Viewed", "2026-01-12T09:00:00Z", product_id="p1"),
        order("1", "2026-02-01T09:00:00Z"),
        order("2", "2026-02-20T09:00:00Z"),
    )

    assert history(house) == [
        "churned 2026-05-21",
        "at_risk 2026-03-22 2026-05-20",
        "loyal 2026-02-20 2026-03-21",
        "converted 2026-02-01 2026-02-19",
        "engaged 2026-01-12 2026-01-31",
        "new 2026-01-02 2026-01-11",
    ]


def test_the_newest_stage_is_the_one_that_the_person_has(house: House) -> None:
    tell(house, order("1", "2026-05-16T22:59:00Z"), order("2", "2026-05-16T23:01:00Z", "bob"))

    for user in ("ann", "bob"):
        present = house.attributes(f"user_id:{user}")["lifecycle_stage"]
        assert history(house, user)[0].startswith(present)


def test_an_opt_in_that_a_file_or_server_tells_of_is_interest_since_then(house: House) -> None:
    customer = {
        "id": 5,
        "email": "ann@x.com",
        "created_at": "2026-06-05T09:00:00Z",
        "email_marketing_consent": {
            "state": "subscribed",
            "consent_updated_at": "2026-06-01T09:00:00Z",
        },
    }
    house.shopify("customers/create", customer)
    house.work_off()
    profile_id = house.profile_id("email:ann@x.com")

    with house.app.database.read() as connection:
        (span,) = stage_history(
            connection, house.shop.shop_id, profile_id, DUBLIN, house.clock.now()
        )

    assert (span.stage, span.since.isoformat()) == ("engaged", "2026-06-01")


def test_an_opt_in_alone_is_interest(house: House) -> None:
    tell(
        house,
        {"type": "identify", "userId": "ann", "timestamp": "2026-06-01T09:00:00Z"},
        track("Consent Given", "2026-06-10T09:00:00Z", channel="email"),
    )

    assert history(house) == ["engaged 2026-06-10", "new 2026-06-01 2026-06-09"]


def test_a_late_event_changes_the_past(house: House) -> None:
    tell(house, order("2", "2026-06-10T09:00:00Z"))
    before = history(house)

    tell(house, order("1", "2026-03-01T09:00:00Z"))

    assert before == ["converted 2026-06-10"]
    assert history(house) == [
        "loyal 2026-06-10",
        "churned 2026-05-30 2026-06-09",
        "at_risk 2026-03-31 2026-05-29",
        "converted 2026-03-01 2026-03-30",
    ]


def test_a_cancelled_order_is_an_act_and_no_order(house: House) -> None:
    webhook = {
        "id": 7,
        "created_at": "2026-06-01T09:00:00Z",
        "updated_at": "2026-06-02T09:00:00Z",
        "cancelled_at": "2026-06-02T09:00:00Z",
        "currency": "EUR",
        "total_price": "5.00",
        "customer": {"id": 5},
    }
    house.shopify("orders/create", webhook)
    house.work_off()
    profile_id = house.profile_id("shopify_customer_id:5")
    house.clock.advance(90 * DAY)

    with house.app.database.read() as connection:
        spans = stage_history(connection, house.shop.shop_id, profile_id, DUBLIN, house.clock.now())

    assert [(one.stage, one.since.isoformat()) for one in spans] == [
        ("churned", "2026-08-30"),
        ("new", "2026-06-01"),
    ]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # Half past midnight in Dublin, in summer time; it began on 29 March.
        (
            "2026-03-27T23:30:00Z",
            [
                "churned 2026-06-25",
                "at_risk 2026-04-26 2026-06-24",
                "converted 2026-03-27 2026-04-25",
            ],
        ),
        ("2026-03-30T23:30:00Z", ["at_risk 2026-04-30", "converted 2026-03-31 2026-04-29"]),
    ],
)
def test_days_are_the_shops_own_across_a_change_of_clocks(
    house: House, at: str, expected: list[str]
) -> None:
    tell(house, order("1", at))
    house.clock.advance((10 if expected[0].startswith("churned") else 0) * DAY)

    assert history(house) == expected


def test_a_merge_makes_one_history_and_its_undo_two_again(house: House) -> None:
    tell(house, order("1", "2026-06-01T09:00:00Z"), order("2", "2026-06-05T09:00:00Z", "bob"))
    apart = history(house), history(house, "bob")
    people = house.profile_id("user_id:ann"), house.profile_id("user_id:bob")
    with house.app.database.write() as connection:
        merged = merging.merge(
            connection, house.shop.shop_id, people, actor="eve@shop.example", now=house.clock.now()
        )

    together = history(house)
    with house.app.database.write() as connection:
        merging.undo(
            connection,
            house.shop.shop_id,
            merged.merge_id,
            actor="eve@shop.example",
            now=house.clock.now(),
            window=30 * DAY,
        )
    house.work_off()

    assert apart == (["converted 2026-06-01"], ["converted 2026-06-05"])
    assert together == ["loyal 2026-06-05", "converted 2026-06-01 2026-06-04"]
    assert (history(house), history(house, "bob")) == apart
