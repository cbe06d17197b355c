"""A run reads the warehouse, computes all scores and writes what changed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from customer360.clock import DAY, parse_instant, to_iso
from customer360.enrichment.engagement import HALF_LIFE_DAYS, WEIGHTS, engagement_scores
from customer360.enrichment.run import ENRICHMENT, Enrichment, Report
from customer360.enrichment.store import read_scores
from customer360.enrichment.tables import scores
from customer360.intake import merging
from customer360.jobs.log import last_run
from customer360.storage.metadata import shop_clock
from tests.house import House

START = parse_instant("2026-03-20T12:00:00Z")
"""Before the clocks go forward in Dublin."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


def order(house: House, user: str, number: int, day: int, total: float = 20, **more: Any) -> None:
    """An order so many days after the start; of a product if it is named."""
    products = [
        {"product_id": name, "name": f"Tea {name}", "quantity": 1, "price": total}
        for name in more.pop("products", [])
    ]
    properties = {"order_id": f"o{number}", "total": total, "products": products, **more}
    call = {"type": "track", "event": "Order Completed", "userId": user, "properties": properties}
    house.segment({**call, "timestamp": to_iso(START + day * DAY)})


def run(house: House, at: str) -> Report:
    house.drain()
    house.clock.advance(parse_instant(at) - house.clock.now())
    return house.app.enrichment.run(house.shop)


def of(house: House, user: str) -> dict[str, Any]:
    profile_id = house.profile_id(f"user_id:{user}")
    with house.app.database.read() as connection:
        return read_scores(connection, house.shop.shop_id, profile_id)


def test_orders_on_days_0_28_and_56_predict_day_84(house: House) -> None:
    for number, day in enumerate((0, 28, 56)):
        order(house, "ann", number, day, products=["green"])

    report = run(house, "2026-06-13T12:00:00Z")

    assert (report.people, report.card.data.buyers, report.written) == (1, 1, 1)
    found = of(house, "ann")
    # Midnight in Dublin, which is an hour before that of UTC in summer.
    assert to_iso(found["predicted_next_order_at"]) == "2026-06-11T23:00:00Z"
    assert (found["order_gap_days"], found["products_due"]) == (28.0, ["Tea green"])
    assert (found["tier"], found["rfm_r"], found["rfm_f"], found["rfm_m"]) == ("regular", 5, 1, 1)


def test_a_run_with_nothing_new_writes_nothing(house: House) -> None:
    for number in range(60):
        order(
            house, f"u{number % 23}", number, number * 7 % 80, 5 + number % 9, products=["a", "b"]
        )
    house.segment({"type": "page", "anonymousId": "visitor"})
    first = run(house, "2026-06-16T10:00:00Z")
    assert (first.people, first.card.data.buyers, first.written) == (24, 23, 24)

    def change() -> int:
        with house.app.database.read() as connection:
            return int(connection.scalar(select(shop_clock.c.change)) or 0)

    before = change()
    again = run(house, "2026-06-16T20:00:00Z")

    assert (again.people, again.written, again.removed, change()) == (24, 0, 0, before)
    order(house, "u1", 61, 88)
    assert 0 < run(house, "2026-06-16T21:00:00Z").written <= 24


def test_what_a_run_that_died_had_written_is_told_of_by_the_next_one(house: House) -> None:
    order(house, "ann", 1, 0)
    house.drain()
    app, told = house.app, list[int]()

    def die(*_told: object) -> None:
        raise KeyboardInterrupt

    def note(_connection: object, shop_id: int) -> None:
        told.append(shop_id)

    with pytest.raises(KeyboardInterrupt):
        Enrichment(app.database, app.warehouse, app.clock, die).run(house.shop)
    following = Enrichment(app.database, app.warehouse, app.clock, note)
    # The rows were written; only the word of them was not.
    assert following.run(house.shop).written == 0
    assert told == [house.shop.shop_id]
    following.run(house.shop)
    assert told == [house.shop.shop_id]


def test_whoever_has_no_orders_any_more_keeps_no_scores(house: House) -> None:
    order(house, "ann", 1, -400)
    assert run(house, "2026-06-16T10:00:00Z").people == 1

    cancelled = {"order_id": "o1"}
    house.segment(
        {"type": "track", "event": "Order Cancelled", "userId": "ann", "properties": cancelled}
    )
    report = run(house, "2026-06-16T11:00:00Z")

    assert (report.people, report.removed, of(house, "ann")) == (0, 1, {})
    found = house.app.warehouse.query(house.shop.shop_id, "select * from scores")
    assert found.num_rows == 0


def test_the_scores_of_two_profiles_become_those_of_one(house: House) -> None:
    order(house, "ann", 1, 0)
    order(house, "bea", 2, 30)
    run(house, "2026-06-16T10:00:00Z")

    shop_id, now = house.shop.shop_id, house.clock.now()
    both = house.profile_id("user_id:ann"), house.profile_id("user_id:bea")
    with house.app.database.write() as connection:
        merging.merge(connection, shop_id, both, actor="a user", now=now)
    report = run(house, "2026-06-16T11:00:00Z")

    assert of(house, "ann") == of(house, "bea")
    assert (report.card.data.buyers, of(house, "ann")["order_gap_days"]) == (1, 30.0)


def test_a_score_of_engagement_is_what_is_left_of_what_somebody_did(house: House) -> None:
    for days, event in ((0, "Product Viewed"), (3, "Product Added"), (61, "Checkout Started")):
        at = to_iso(parse_instant("2026-06-15T12:00:00Z") - days * DAY)
        house.segment({"type": "track", "event": event, "userId": "ann", "timestamp": at})
    run(house, "2026-06-15T12:00:00Z")

    told = {"visited_site": (0, 3, 61), "product_viewed": (0,), "added_to_cart": (3,),
            "checkout_started": (61,)}  # fmt: skip
    points = sum(
        WEIGHTS[name] * 0.5 ** (age / HALF_LIFE_DAYS) for name, ages in told.items() for age in ages
    )
    found = of(house, "ann")
    assert found.pop("engagement_score") == round(
        float(engagement_scores(np.array([points]))[0]), 1
    )
    assert set(found.values()) == {None}


def test_a_run_that_fails_says_why_and_nothing_of_anybody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise ValueError("ann@x.example")

    monkeypatch.setattr("customer360.enrichment.run.score", fail)
    order(house, "ann", 1, 0)
    with pytest.raises(ValueError, match="ann"):
        run(house, "2026-06-16T10:00:00Z")

    with house.app.database.read() as connection:
        last = last_run(connection, house.shop.shop_id, ENRICHMENT)
    assert last is not None
    assert last.state == "failed"
    assert last.reason.startswith("ValueError at test_run.py")


@pytest.mark.parametrize(
    "orders",
    [
        [],
        [("ann", 0, 20.0)],
        [("ann", 0, 20.0), ("bea", 0, 30.0)],
        [("ann", 0, -20.0), ("ann", 3, 0.0)],
        [("ann", 4000, 20.0), ("bea", 0, 20.0)],
    ],
    ids=["no orders", "one", "one day", "negative", "in the future"],
)
def test_too_little_data_is_no_error_and_no_nan(
    house: House, orders: list[tuple[str, int, float]]
) -> None:
    for number, (user, day, total) in enumerate(orders):
        order(house, user, number, day, total)

    run(house, "2026-06-16T10:00:00Z")

    with house.app.database.read() as connection:
        people = connection.scalars(select(scores.c.profile_id)).all()
        told = [read_scores(connection, house.shop.shop_id, one) for one in people]
    assert len(people) == len({user for user, *_ in orders})
    assert "NaN" not in json.dumps(told)
