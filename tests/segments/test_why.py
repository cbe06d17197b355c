"""Why somebody is in a segment: each condition, and the person's own value."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.clock import DAY, HOUR
from customer360.segments.ast import AllOf, Rule, parts_of
from customer360.segments.catalogue import EVENT_BY_NAME
from customer360.segments.parse import parse_query
from customer360.segments.why import Answer, EventsOwn, Why, why
from tests.examples import examples
from tests.segments import oracle
from tests.segments.shop import CALENDAR, NOW, Event, Inventor, Order, Person
from tests.segments.trees import RULES
from tests.segments.warehouses import SHOP_ID, DuckDB


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDB]:
    asked = DuckDB()
    yield asked
    asked.close()


def event(type: str, days: int, **told: Any) -> Event:
    return Event(type, NOW - days * DAY, {**dict.fromkeys(EVENT_BY_NAME[type].properties), **told})


def order(days: int, total: str, quantity: int, **options: Any) -> Order:
    entry = EVENT_BY_NAME["order_placed"]
    line = {**dict.fromkeys(entry.lines), "product_id": "p1", "quantity": Decimal(quantity)}
    told = {**dict.fromkeys(entry.properties), "total": Decimal(total)}
    return Order(NOW - days * DAY, told, [line], **options)


ANN = Person(
    1,
    attributes={
        "country": "IE",
        "total_spend": Decimal("59.50"),
        "orders_count": Decimal(2),
        "last_order_at": NOW - 40 * DAY,
        "last_acted_at": NOW - 20 * DAY,
        "tags": ["VIP", "tea"],
        "has_email": True,
    },
    events=[
        event("product_viewed", 2, product_id="p1", price=Decimal("19.90")),
        event("product_viewed", 90, product_id="p1", price=Decimal("5")),
        event("product_viewed", 1, product_id="p2"),
        event("email_sent", 3),
        event("email_sent", 0),
        Event("Quiz finished", NOW - HOUR, {"score": 7}),
        event("review_submitted", 5, rating=Decimal("4.5")),
    ],
    orders=[
        order(40, "50.00", 2),
        order(100, "9.50", 1),
        order(10, "70.00", 5, cancelled=True),
        order(20, "30.00", 3, foreign=True),
    ],
    segments={7},
    scores={
        "ltv": Decimal(120),
        "products_due": ["Green tea", "Tea"],
        "predicted_next_order_at": NOW - 3 * DAY,
        "rfm_group": "loyal",
    },
)
BOB = Person(
    2, "visitor", events=[event("product_viewed", 1, product_id="p1")], orders=[order(1, "1.00", 1)]
)


def asked(warehouse: DuckDB, query: str, person: Person = ANN) -> Why:
    warehouse.fill([ANN, BOB])
    found = why(warehouse, SHOP_ID, [parse_query(query)], person.profile_id, NOW, CALENDAR)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("query", "holds", "own"),
    [
        ("country = 'GB'", False, "IE"),
        ("total_spend >= 50", True, 595_000),
        ("orders_count >= 3", False, 2),
        ("last_order_at IN LAST 30 DAYS", False, NOW - 40 * DAY),
        ("days_since_last_order >= 30", True, 40),
        ("tags CONTAINS 'vip'", True, ["VIP", "tea"]),
        ("has_email = false", False, True),
        ("city IS NULL", True, None),
        ("churn_risk > 0.5", False, None),
        ("ltv > 100", True, 1_200_000),
        ("products_due CONTAINS 'tea'", True, ["Green tea", "Tea"]),
        ("lifecycle_stage = 'churned'", False, "at_risk"),
        ("next_best_action = 'remind_reorder'", False, "ask_consent"),
        ("next_order_overdue_days > 7", False, 3),
        ("rfm_group = 'prospects'", False, "loyal"),
        ("messages_7d >= 3", False, 2),
        ("messages_today >= 1", True, 1),
        ("fatigue < 0.5", True, 0.2),
        ("segments CONTAINS '7'", True, True),
        ("segments NOT CONTAINS '7'", False, True),
        ("segments CONTAINS '9'", False, False),
        ("segments NOT CONTAINS '9'", True, False),
        ("product_viewed MATCHES (product_id = 'p1')", True, EventsOwn(2, None, NOW - 2 * DAY)),
        ("product_viewed NOT MATCHES (product_id = 'p1')", False, EventsOwn(2, None, NOW - 2 * DAY)),
        ("product_viewed MATCHES (product_id = 'p1', date >= -30d)", True, EventsOwn(1, None, NOW - 2 * DAY)),
        ("product_viewed MATCHES (product_id = 'p1', date < -90d)", False, EventsOwn(0, None, NOW - 2 * DAY)),
        ("product_viewed MATCHES (product_id = 'p1', count >= 3)", False, EventsOwn(2, None, NOW - 2 * DAY)),
        ("product_viewed MATCHES (sum_price > 20)", True, EventsOwn(3, 249_000, NOW - DAY)),
        ("product_viewed MATCHES (product_id = 'p3')", False, EventsOwn(0, None, None)),
        ("review_submitted MATCHES (sum_rating > 4)", True, EventsOwn(1, 4.5, NOW - 5 * DAY)),
        ("event('Quiz finished') MATCHES (sum('score') > 7)", False, EventsOwn(1, 7, NOW - HOUR)),
        ("order_placed MATCHES (date >= -30d)", True, EventsOwn(1, None, NOW - 20 * DAY)),
        ("order_placed MATCHES (sum_total > 50)", True, EventsOwn(3, 595_000, NOW - 20 * DAY)),
        ("order_placed MATCHES (product_id = 'p1', sum_quantity > 6)", False, EventsOwn(3, 6, NOW - 20 * DAY)),
        ("order_placed MATCHES (product_id = 'p9', sum_quantity > 6)", False, EventsOwn(0, None, None)),
    ],
)  # fmt: skip
def test_each_condition_has_the_persons_own_value(
    warehouse: DuckDB, query: str, holds: bool, own: Any
) -> None:
    found = asked(warehouse, query)

    assert found.holds is holds
    assert [(one.holds, one.own) for one in found.root.parts] == [(holds, own)]


def test_the_answer_mirrors_the_rule(warehouse: DuckDB) -> None:
    found = asked(warehouse, "country = 'IE' AND NOT (orders_count > 5 OR total_spend > 50)")

    country, negation = found.root.parts
    (either,) = negation.parts
    assert not found.holds
    assert (country.holds, negation.holds, either.holds) == (True, False, True)
    assert [(one.holds, one.own) for one in either.parts] == [(False, 2), (True, 595_000)]


def test_a_visitor_is_left_out_of_a_rule_for_customers(warehouse: DuckDB) -> None:
    of_customers = asked(warehouse, "product_viewed MATCHES ()", BOB)
    of_all = asked(warehouse, "product_viewed MATCHES () INCLUDING VISITORS", BOB)

    assert (of_customers.is_customer, of_customers.kind_fits) == (False, False)
    assert (of_customers.root.holds, of_customers.holds) == (True, False)
    assert (of_all.kind_fits, of_all.holds) == (True, True)


def test_several_rules_are_answered_at_once(warehouse: DuckDB) -> None:
    warehouse.fill([ANN])
    rules = [
        parse_query("country = 'IE'"),
        parse_query("orders_count > 5 AND country = 'IE'"),
        Rule(),
    ]

    found = why(warehouse, SHOP_ID, rules, ANN.profile_id, NOW, CALENDAR)

    assert found is not None
    assert [one.holds for one in found] == [True, False, True]


def test_whom_the_warehouse_does_not_know_yet_gets_no_answer(warehouse: DuckDB) -> None:
    warehouse.fill([ANN])

    assert why(warehouse, SHOP_ID, [parse_query("country = 'IE'")], 99, NOW, CALENDAR) is None


def check(answer: Answer, person: Person) -> None:
    assert answer.holds == oracle.holds(answer.node, person), answer.node
    assert tuple(part.node for part in answer.parts) == parts_of(answer.node)
    for part in answer.parts:
        check(part, person)


@examples(20)
@given(rules=st.lists(RULES, min_size=2, max_size=2), seed=st.integers(0, 1 << 30))
def test_what_holds_for_a_person_is_what_python_says(
    warehouse: DuckDB, rules: list[Rule], seed: int
) -> None:
    people = Inventor(rules, seed).people(3)
    warehouse.fill(people)
    person = people[1]

    found = why(warehouse, SHOP_ID, rules, person.profile_id, NOW, CALENDAR)

    assert found is not None
    for rule, one in zip(rules, found, strict=True):
        assert one.holds == (person.profile_id in oracle.members(rule, people))
        assert one.root.node == rule.root
        check(one.root, person)
    assert why(warehouse, SHOP_ID, [Rule(AllOf())], 0, NOW, CALENDAR) is None
