"""What the builder shows while a rule is written: how many, who, how they can be reached, and what hides them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.clock import DAY
from customer360.segments.ast import EVERYONE, AllOf, Rule, rule_of
from customer360.segments.notices import notices
from customer360.segments.parse import parse_query
from customer360.segments.preview import Preview, Reach, Sample, preview, without
from customer360.segments.write import write_query
from tests.examples import examples
from tests.segments import oracle
from tests.segments.shop import CALENDAR, NOW, Event, Inventor, Person
from tests.segments.trees import RULES
from tests.segments.warehouses import SHOP_ID, DuckDB


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDB]:
    asked = DuckDB()
    yield asked
    asked.close()


def person(profile_id: int, kind: str = "customer", **attributes: Any) -> Person:
    known = {
        "orders_count": Decimal(0),
        "total_spend": Decimal(0),
        "has_email": False,
        "has_phone": False,
    }
    never = {f"consent_{channel}": "never" for channel in ("email", "sms", "whatsapp", "push")}
    return Person(profile_id, kind, {**known, **never, **attributes})


def seen(warehouse: DuckDB, people: list[Person], query: str) -> Preview:
    warehouse.fill(people)
    return preview(warehouse, SHOP_ID, parse_query(query), NOW, CALENDAR)


IRISH = [
    person(
        number,
        country="IE",
        orders_count=Decimal(number),
        total_spend=Decimal("10.50") * number,
        last_seen_at=NOW - number * DAY,
    )
    for number in range(1, 8)
]


def test_a_preview_counts_customers_and_shows_five_that_were_seen_last(warehouse: DuckDB) -> None:
    found = seen(
        warehouse, [*IRISH, person(20), person(30, "visitor", country="IE")], "country = 'ie'"
    )

    assert (found.count, found.everyone, found.share) == (7, 8, 7 / 8)
    assert found.samples == tuple(Sample(one, one, 105_000 * one) for one in (1, 2, 3, 4, 5))
    assert found.bottlenecks == ()


@pytest.mark.parametrize(
    "name", ["*", "**", "$x", "$", "a.b", "/x", "a/b", "~", "[0]", "#-1", "0", 'a"b']
)
def test_a_custom_property_may_have_any_name(warehouse: DuckDB, name: str) -> None:
    ann, bob = person(1), person(2)
    ann.events.append(Event("quiz", NOW, {name: 8}))
    bob.events.append(Event("quiz", NOW, {name: 2, "x": 8, "b": 8}))
    quoted = name.replace("'", "''")

    found = seen(warehouse, [ann, bob], f"event('quiz') MATCHES (property('{quoted}') >= 7)")

    assert [one.profile_id for one in found.samples] == [1]


def test_visitors_are_counted_where_the_rule_includes_them(warehouse: DuckDB) -> None:
    people = [person(1, country="IE"), person(2, "visitor", country="IE"), person(3, "visitor")]

    found = seen(warehouse, people, "country = 'IE' INCLUDING VISITORS")

    assert (found.count, found.everyone) == (2, 3)
    assert [one.profile_id for one in found.samples] == [2, 1]


def test_a_preview_says_how_many_can_be_reached_and_why_not_the_others(warehouse: DuckDB) -> None:
    people = [
        person(1, has_email=True, consent_email="granted", consent_sms="granted"),
        person(2, has_email=True, consent_email="withdrawn"),
        person(3, has_email=True),
        person(4, has_phone=True, consent_email="pending"),
        person(5),
    ]

    found = seen(warehouse, people, "")

    assert found.reachable == {"email": 1, "sms": 1, "whatsapp": 0, "push": 0}
    assert found.reach["email"] == Reach(granted=1, pending=1, withdrawn=1, no_address=1)
    assert found.reach["sms"] == Reach(granted=1, pending=0, withdrawn=0, no_address=3)
    assert found.reach["push"] == Reach(granted=0, pending=0, withdrawn=0, no_address=0)


def test_an_empty_warehouse_is_no_trouble(warehouse: DuckDB) -> None:
    found = seen(warehouse, [], "country = 'IE'")

    assert (found.count, found.everyone, found.share, found.samples) == (0, 0, 0.0, ())
    assert found.bottlenecks == ()


def hidden(found: Preview) -> list[tuple[str, int]]:
    """What hides people, and how many there are without it."""
    return [(write_query(rule_of(one.node)), one.count) for one in found.bottlenecks]


BUYER = person(9, country="FR", orders_count=Decimal(3))
BUYER.events.append(
    Event("searched", NOW - DAY, dict.fromkeys(("search_term", "url", "referrer", "page_title")))
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("country = 'GB'", [("country = 'GB'", 8)]),
        ("country = 'GB' AND orders_count >= 3", [("country = 'GB'", 6)]),
        ("country = 'IE' AND orders_count > 9", [("orders_count > 9", 7)]),
        ("country = 'IE' AND country = 'FR'", [("country = 'FR'", 7), ("country = 'IE'", 1)]),
        ("country = 'GB' AND orders_count > 9", []),
        ("country = 'IE' AND searched MATCHES ()", [("searched MATCHES ()", 7), ("country = 'IE'", 1)]),
        (
            "country = 'IE' AND (orders_count > 9 OR country = 'GB')",
            [("orders_count > 9 OR country = 'GB'", 7)],
        ),
        (
            "country = 'FR' AND (orders_count >= 3 AND orders_count > 9)",
            [("orders_count > 9", 1)],
        ),
        ("country = 'IE' AND NOT orders_count < 9", [("NOT orders_count < 9", 7)]),
        (
            "country = 'IE' AND NOT (orders_count < 9 OR country = 'GB')",
            [("orders_count < 9", 7)],
        ),
        ("ANY ()", []),
    ],
)  # fmt: skip
def test_where_nobody_is_found_the_parts_that_hide_people_are_told(
    warehouse: DuckDB, query: str, expected: list[tuple[str, int]]
) -> None:
    found = seen(warehouse, [*IRISH, BUYER], query)

    assert found.count == 0
    assert hidden(found) == expected


@examples(25)
@given(rule=RULES, seed=st.integers(0, 1 << 30))
def test_without_a_bottleneck_there_are_as_many_people_as_it_says(
    warehouse: DuckDB, rule: Rule, seed: int
) -> None:
    people = Inventor([rule], seed).people(8)
    for someone in people:
        someone.attributes |= {"orders_count": Decimal(1), "total_spend": Decimal(1)}
    warehouse.fill(people)

    found = preview(warehouse, SHOP_ID, rule, NOW, CALENDAR)

    assert found.count == len(oracle.members(rule, people))
    for one in found.bottlenecks:
        root = without(rule.root, one.path) or AllOf()
        assert one.count == len(oracle.members(Rule(root, rule.include_visitors), people)) > 0


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("email_domain CONTAINS 'ann@x.com'", "E-mail addresses"),
        ("searched MATCHES (search_term = '+353 87 123 4567')", "E-mail addresses"),
        ("event('Quiz finished') MATCHES (property('answer') = 'ann@x.com')", "E-mail addresses"),
        ("event('Quiz finished') MATCHES (property('first name') = 'Ann')", "may name a person"),
        (f"event('Quiz finished') MATCHES (property('answer') = '{'a' * 65}')", "64 characters"),
        ("first_touch_url CONTAINS '/tea?utm_source=x'", "paths"),
        ("page_viewed MATCHES (url STARTS WITH 'https://shop.example/')", "paths"),
        ("products_purchased(tag: 'sale') = true", "No source tells"),
    ],
)
def test_what_the_warehouse_does_not_have_is_told(query: str, word: str) -> None:
    (notice,) = notices(parse_query(query))

    assert word in notice.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "zip = '123456789' AND country IN ('IE', 'GB') AND orders_count > 3",
        "order_placed MATCHES (product_id = '7411204456514', count >= 2)",
        "page_viewed MATCHES (url = '/products/tea')",
        "event('Quiz finished') MATCHES (property('score') > 3)",
        "segments CONTAINS '7'",
    ],
)  # fmt: skip
def test_nothing_is_told_of_what_it_has(query: str) -> None:
    assert notices(parse_query(query)) == ()


def test_all_customers_are_previewed_without_a_condition(warehouse: DuckDB) -> None:
    warehouse.fill(IRISH)

    assert preview(warehouse, SHOP_ID, EVERYONE, NOW, CALENDAR).share == 1
