"""What the builder offers while a value is typed: what is there, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from customer360.clock import DAY
from customer360.segments.catalogue import EVENT_BY_NAME
from customer360.segments.values import (
    MOST_OFFERED,
    Offer,
    events_told,
    values_of_attribute,
    values_of_property,
)
from tests.segments.shop import NOW, Event, Order, Person
from tests.segments.warehouses import SHOP_ID, DuckDB


def event(type: str, **told: Any) -> Event:
    return Event(type, NOW - DAY, {**dict.fromkeys(EVENT_BY_NAME[type].properties), **told})


def order(*products: tuple[str, str], **told: Any) -> Order:
    entry = EVENT_BY_NAME["order_placed"]
    lines = [
        {**dict.fromkeys(entry.lines), "product_id": product_id, "title": title}
        for product_id, title in products
    ]
    return Order(NOW, {**dict.fromkeys(entry.properties), **told}, lines)


TEA, MUG = ("7411204456514", "Green tea"), ("7411204456515", "Mug")
PEOPLE = [
    Person(
        1,
        attributes={"country": "IE", "tags": ["VIP", "tea"], "consent_email": "granted"},
        events=[
            event("product_viewed", product_id=TEA[0], title=TEA[1]),
            event("product_viewed", product_id=MUG[0], title=MUG[1]),
            event("product_viewed", product_id=MUG[0], title=MUG[1]),
            Event("Quiz finished", NOW, {"answer": "Blue", "score": 7}),
            Event("Quiz finished", NOW, {"answer": "Red"}),
            Event("Quiz finished", NOW, {"answer": "Blue"}),
        ],
        orders=[
            order(TEA, MUG, promo_codes=["TEN", "SPRING"], location="Cork", place="online"),
            order(TEA, promo_codes=["TEN"]),
        ],
    ),
    Person(
        2,
        attributes={"country": "GB", "tags": ["vip lounge"], "consent_email": "granted"},
        scores={"products_due": ["Green tea", "Mug"]},
    ),
    Person(
        3,
        attributes={"country": "IE", "tags": None, "consent_email": "never"},
        scores={"products_due": ["Green tea"]},
    ),
    Person(
        4, "visitor", attributes={"country": "FR", "tags": []}, scores={"products_due": ["Mug"]}
    ),
    Person(5, orders=[Order(NOW, order(MUG).told, order(MUG).lines, cancelled=True)]),
]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDB]:
    asked = DuckDB()
    asked.fill(PEOPLE)
    yield asked
    asked.close()


@pytest.mark.parametrize(
    ("attribute", "part", "expected"),
    [
        ("country", "", [Offer("IE", 2), Offer("GB", 1)]),
        ("country", "g", [Offer("GB", 1)]),
        ("country", "%", []),
        ("tags", "vip", [Offer("VIP", 1), Offer("vip lounge", 1)]),
        (
            "consent_email",
            "",
            [Offer("granted", 2), Offer("never", 1), Offer("pending", 0), Offer("withdrawn", 0)],
        ),
        ("churn_band", "lost", [Offer("likely_lost", 0)]),
        (
            "next_best_action",
            "order",
            [Offer("remind_reorder", 0), Offer("second_order", 0), Offer("first_order", 0)],
        ),
        ("lifecycle_stage", "ch", [Offer("churned", 0)]),
        ("products_due", "", [Offer("Green tea", 2), Offer("Mug", 1)]),
        ("churn_risk", "", []),
        ("orders_count", "", []),
    ],
)
def test_the_values_of_an_attribute_are_offered_by_how_many_customers_have_them(
    warehouse: DuckDB, attribute: str, part: str, expected: list[Offer]
) -> None:
    assert values_of_attribute(warehouse, SHOP_ID, attribute, part) == expected


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        (("product_viewed", "product_id"), "", [Offer(MUG[0], 2, "Mug"), Offer(TEA[0], 1, "Green tea")]),
        (("product_viewed", "product_id"), "TEA", [Offer(TEA[0], 1, "Green tea")]),
        (("product_viewed", "product_id"), "6515", [Offer(MUG[0], 2, "Mug")]),
        (("product_viewed", "vendor"), "", []),
        (("order_placed", "product_id"), "", [Offer(TEA[0], 2, "Green tea"), Offer(MUG[0], 1, "Mug")]),
        (("order_placed", "title"), "mu", [Offer("Mug", 1)]),
        (("order_placed", "promo_codes"), "", [Offer("TEN", 2), Offer("SPRING", 1)]),
        (("order_placed", "location"), "", [Offer("Cork", 1)]),
        (("order_placed", "place"), "", [Offer("online", 1), Offer("in_store", 0), Offer("marketplace", 0)]),
        (("order_placed", "collection"), "", []),
        (("order_placed", "total"), "", []),
        (("Quiz finished", "answer"), "", [Offer("Blue", 2), Offer("Red", 1)]),
        (("Quiz finished", "score"), "", [Offer("7", 1)]),
        (("order_placed", "nothing"), "", []),
    ],
)  # fmt: skip
def test_the_values_of_a_property_are_offered_by_how_many_events_have_them(
    warehouse: DuckDB, name: tuple[str, str], part: str, expected: list[Offer]
) -> None:
    assert values_of_property(warehouse, SHOP_ID, *name, part) == expected


def test_events_are_offered_with_those_that_only_the_shop_knows(warehouse: DuckDB) -> None:
    assert events_told(warehouse, SHOP_ID) == [
        Offer("Quiz finished", 3),
        Offer("order_placed", 3, "Purchased"),
        Offer("product_viewed", 3, "Product viewed"),
    ]
    assert events_told(warehouse, SHOP_ID, "quiz") == [Offer("Quiz finished", 3)]


def test_no_more_are_offered_than_anybody_reads() -> None:
    asked = DuckDB()
    asked.fill([Person(number, attributes={"city": f"c{number}"}) for number in range(30)])

    assert len(values_of_attribute(asked, SHOP_ID, "city")) == MOST_OFFERED
    asked.close()


def test_a_quote_in_what_is_typed_is_harmless(warehouse: DuckDB) -> None:
    assert values_of_attribute(warehouse, SHOP_ID, "country", "' or 1=1 --") == []
    assert values_of_property(warehouse, SHOP_ID, "Quiz finished", "a'\"b", "x") == []


def test_amounts_are_written_not_offered(warehouse: DuckDB) -> None:
    assert values_of_property(warehouse, SHOP_ID, "order_placed", "price", str(Decimal(1))) == []
