"""The SQL of a rule means the people that a slow evaluator in plain Python means, on real engines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from customer360.clock import parse_instant
from customer360.profiles.attributes import ATTRIBUTES, Attribute
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import EVERYONE, EventDid, Node, Not, Rule, rule_of
from customer360.segments.catalogue import EVENT_BY_NAME, operators_of
from customer360.segments.comparisons import Bound, certain
from customer360.segments.conditions import attribute_is
from customer360.segments.parse import parse_query
from customer360.segments.rule import read_rule
from customer360.segments.to_sql import (
    MEASURED,
    Compiled,
    Evaluator,
    of_people,
    person,
    select_members,
)
from tests.examples import examples
from tests.segments import oracle
from tests.segments.shop import CALENDAR, NOW, TIMEZONE, Event, Inventor, Order, Person
from tests.segments.test_rule import EXAMPLE
from tests.segments.test_text import OURS, SHOPIFY
from tests.segments.trees import NODES, RULES, event_conditions
from tests.segments.warehouses import Warehouse


def found(warehouse: Warehouse, rule: Rule) -> set[int]:
    """Whom the warehouse answers, nobody twice."""
    compiled = select_members(rule, NOW, CALENDAR, warehouse.schema)
    members = [profile_id for (profile_id,) in warehouse.rows(compiled)]
    assert len(members) == len(set(members))
    return set(members)


def check(warehouse: Warehouse, rules: Sequence[Rule], people: Sequence[Person]) -> None:
    """Each rule means whom Python means."""
    warehouse.fill(people)
    for rule in rules:
        assert found(warehouse, rule) == oracle.members(rule, people), rule


def check_each(warehouse: Warehouse, nodes: Sequence[Node], people: Sequence[Person]) -> None:
    """Each node holds for whom Python says that it does, and is never null."""
    warehouse.fill(people)
    bound = Bound(NOW, CALENDAR)
    evaluator = Evaluator(bound, warehouse.schema)
    truths = exp.select(person(), *(certain(evaluator.condition(node)) for node in nodes))
    query = of_people(truths, warehouse.schema)
    rows = warehouse.rows(Compiled(query, bound.values))

    found = {profile_id: held for profile_id, *held in rows}
    assert len(found) == len(rows) == len(people)
    for number, node in enumerate(nodes):
        holding = {profile_id for profile_id, held in found.items() if held[number] is True}
        denied = {profile_id for profile_id, held in found.items() if held[number] is False}
        meant = {one.profile_id for one in people if oracle.holds(node, one)}
        assert (holding, denied) == (meant, found.keys() - meant), node


@examples(40)
@given(rules=st.lists(RULES, min_size=5, max_size=5), seed=st.integers(0, 1 << 30))
def test_sql_means_whom_python_means(warehouse: Warehouse, rules: list[Rule], seed: int) -> None:
    check(warehouse, rules, Inventor(rules, seed).people(12))


SOME_EVENTS = (
    *(EVENT_BY_NAME["order_placed"],) * 4,
    *(
        EVENT_BY_NAME[name]
        for name in ("visited_site", "order_refunded", "checkout_abandoned", "product_viewed")
    ),
    None,
)


@examples(25)
@given(
    conditions=st.lists(event_conditions(SOME_EVENTS), min_size=10, max_size=10),
    seed=st.integers(0, 1 << 30),
)
def test_conditions_on_events_mean_whom_python_means(
    warehouse: Warehouse, conditions: list[EventDid], seed: int
) -> None:
    rules = [rule_of(one, include_visitors=True) for one in conditions]

    check(warehouse, rules, Inventor(rules, seed).people(20))


VALUES: dict[str, list[Any]] = {
    "number": [0, 2, 2.5, -1],
    "money": [0, 19.99, 100],
    "time": ["today", "-1d", "-30d", "2026-01-31", "2026-06-15T09:30:00Z", "+7d"],
    "text": ["IE", "e", "Größe 42"],
    "list": ["IE", "VIP"],
    "boolean": [True, False],
}


def values_of(attribute: Attribute, op: str) -> list[Any]:
    """Some values for an operator."""
    values = VALUES[attribute.type] if attribute.type != "choice" else list(attribute.choices)
    if op in ("is_empty", "is_not_empty"):
        return [None]
    if op in ("in_last_days", "not_in_last_days"):
        return [0, 30]
    if op in ("in", "not_in"):
        return [values[:2], values[-1:]]
    if op == "between":
        return [[values[0], values[-1]], [values[-1], values[0]], [values[1], values[1]]]
    return [value for value in values if op != "on" or "T" not in value]


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_every_operator_of_an_attribute_means_whom_python_means(
    warehouse: Warehouse, attribute: Attribute
) -> None:
    conditions = [
        attribute_is(attribute.name, op, value)
        for op in operators_of(attribute.type)
        for value in values_of(attribute, op)
    ]
    nodes = [*conditions, *map(Not, conditions)]

    check_each(warehouse, nodes, Inventor(map(rule_of, nodes), seed=1).people(40))


def line(product: str, quantity: int, price: int = 10) -> dict[str, Any]:
    names = EVENT_BY_NAME["order_placed"].lines
    told = {"product_id": product, "quantity": Decimal(quantity), "price": Decimal(price)}
    return dict.fromkeys(names) | told


def order(day: str, total: int, *lines: dict[str, Any], **more: bool) -> Order:
    names = EVENT_BY_NAME["order_placed"].properties
    return Order(
        parse_instant(f"{day}T12:00:00Z"),
        dict.fromkeys(names) | {"total": Decimal(total)},
        list(lines),
        **more,
    )


ANN, BOB, CY, DEE, EVE, FAY = range(1, 7)
EVERYBODY = {ANN, BOB, CY, DEE, EVE, FAY}
BUYERS = [
    Person(ANN, orders=[order("2026-06-10", 40, line("p1", 3), line("p2", 1)), order("2026-01-10", 60)]),
    Person(BOB, orders=[order("2026-06-10", 50, line("p1", 1), cancelled=True)]),
    Person(CY, orders=[order("2026-06-10", 50, line("p1", 1), test=True)]),
    Person(DEE, orders=[order("2026-06-10", 5000, line("p2", 3, 700), foreign=True)]),
    Person(EVE, events=[Event("Quiz finished", NOW, {"score": 7, "it's/ok~": "Yes"})]),
    Person(FAY, orders=[order("2026-06-15", 0)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("order_placed MATCHES ()", {ANN, DEE, FAY}),
        ("order_placed NOT MATCHES ()", {BOB, CY, EVE}),
        ("NOT order_placed MATCHES ()", {BOB, CY, EVE}),
        ("order_placed MATCHES (count = 0)", {BOB, CY, EVE}),
        ("order_placed MATCHES (count <= 1)", EVERYBODY - {ANN}),
        ("order_placed MATCHES (count >= 2)", {ANN}),
        ("order_placed NOT MATCHES (count >= 2)", EVERYBODY - {ANN}),
        ("order_placed MATCHES (count BETWEEN 1 AND 2, date > 2026-06-10)", {FAY}),
        ("order_placed MATCHES (date >= 2026-06-10, date <= 2026-06-10)", {ANN, DEE}),
        ("order_placed MATCHES (date = today)", {FAY}),
        ("order_placed MATCHES (total >= 50)", {ANN}),
        ("order_placed MATCHES (sum_total >= 100)", {ANN}),
        ("order_placed MATCHES (sum_total < 100)", EVERYBODY - {ANN}),
        ("order_placed MATCHES (total IS NULL)", {DEE}),
        ("order_placed MATCHES (product_id = 'P1')", {ANN}),
        ("order_placed MATCHES (product_id = 'p2', quantity >= 3)", {DEE}),
        ("order_placed MATCHES (product_id = 'p1', quantity >= 3)", {ANN}),
        ("order_placed MATCHES (product_id = 'p1', product_id = 'p2')", set()),
        ("order_placed MATCHES (product_id != 'p1')", {ANN, DEE}),
        ("order_placed MATCHES (price > 0)", {ANN}),
        ("order_placed MATCHES (sum_quantity >= 4)", {ANN}),
        ("order_placed MATCHES (product_id = 'p2', sum_quantity = 1)", {ANN}),
        ("order_placed MATCHES (sum_quantity >= 0, count >= 1)", {ANN, DEE, FAY}),
        ("order_placed MATCHES (sum_quantity >= 0, count = 2)", {ANN}),
        ("products_purchased(tag: 'sale') = true", set()),
        ("products_purchased(tag: 'sale') = false", EVERYBODY),
        ("event('Quiz finished') MATCHES (property('score') >= 7)", {EVE}),
        ("event('Quiz finished') MATCHES (property('score') = '7')", {EVE}),
        ("event('Quiz finished') MATCHES (property('it''s/ok~') = 'yes')", {EVE}),
        ("event('Quiz finished') MATCHES (property('other') IS NULL, sum('score') = 7)", {EVE}),
        ("churn_risk IS NULL AND NOT churn_risk > 0.5", EVERYBODY),
        ("rfm_group = 'prospects'", set()),
        ("next_order_overdue_days IS NULL", EVERYBODY),
        ("churn_risk <= 0.5", set()),
    ],
)
def test_what_people_bought_and_did_is_counted_like_this(
    warehouse: Warehouse, query: str, expected: set[int]
) -> None:
    warehouse.fill(BUYERS)

    assert found(warehouse, parse_query(query)) == expected
    assert oracle.members(parse_query(query), BUYERS) == expected


@pytest.mark.parametrize(
    ("acted", "now", "stage"),
    [
        # Clocks go forward in Dublin on 29 March 2026, and back on 25 October.
        ("2026-03-01T23:45", "2026-03-31T01:15", "at_risk"),
        ("2026-03-01T00:15", "2026-03-30T23:45", "loyal"),
        ("2026-01-10T23:59", "2026-04-10T00:01", "churned"),
        ("2026-01-10T00:01", "2026-04-09T23:59", "at_risk"),
        ("2026-10-01T23:45", "2026-10-31T00:15", "at_risk"),
        ("2026-10-01T00:15", "2026-10-30T23:45", "loyal"),
        ("2026-08-01T23:59", "2026-10-30T00:01", "churned"),
        ("2026-08-01T00:01", "2026-10-29T23:59", "at_risk"),
    ],
)
def test_stages_count_the_shops_calendar_days_across_a_change_of_clocks(
    warehouse: Warehouse, acted: str, now: str, stage: str
) -> None:
    at = parse_instant(acted, TIMEZONE)
    warehouse.fill([Person(1, attributes={"orders_count": Decimal(2), "last_acted_at": at})])

    rule, instant = parse_query(f"lifecycle_stage = '{stage}'"), parse_instant(now, TIMEZONE)
    compiled = select_members(rule, instant, ShopCalendar(TIMEZONE), warehouse.schema)

    assert warehouse.rows(compiled) == [(1,)]


@pytest.mark.parametrize(
    ("expected_at", "days"),
    [
        ("2026-06-20T12:00", 0),
        ("2026-06-15T00:00", 0),
        ("2026-06-14T23:59", 1),
        ("2026-06-05T12:00", 10),
    ],
)
def test_an_order_is_overdue_by_the_days_since_it_was_expected(
    warehouse: Warehouse, expected_at: str, days: int
) -> None:
    at = parse_instant(expected_at, TIMEZONE)
    warehouse.fill([Person(1, scores={"predicted_next_order_at": at}), Person(2)])

    assert found(warehouse, parse_query(f"next_order_overdue_days = {days}")) == {1}
    assert found(warehouse, parse_query("next_order_overdue_days > 0")) == ({1} if days else set())


def test_scores_are_read_only_where_a_rule_asks_for_them() -> None:
    without = select_members(parse_query("lifecycle_stage = 'loyal'"), NOW, CALENDAR).sql()
    asked = select_members(parse_query("NOT churn_risk > 0.5"), NOW, CALENDAR).sql()

    assert "scores" not in without
    assert asked.count("scores") == 1


def test_every_query_of_shopifys_means_whom_python_means(
    warehouse: Warehouse,
) -> None:
    rules = [parse_query(query) for query, _ in (*SHOPIFY, *OURS)]

    check(warehouse, [*rules, read_rule(EXAMPLE)], Inventor(rules, seed=1).people(60))


def test_a_visitor_is_asked_for_only_where_the_rule_says_so(
    warehouse: Warehouse,
) -> None:
    warehouse.fill([Person(1), Person(2, "visitor")])

    assert found(warehouse, EVERYONE) == {1}
    assert found(warehouse, Rule(include_visitors=True)) == {1, 2}


@examples(15)
@given(nodes=st.lists(NODES, min_size=4, max_size=4), seed=st.integers(0, 1 << 30))
def test_each_condition_holds_for_a_person_or_does_not(
    warehouse: Warehouse, nodes: list[Node], seed: int
) -> None:
    check_each(warehouse, nodes, Inventor(map(rule_of, nodes), seed).people(12))


def test_no_value_of_a_rule_stands_in_the_sql() -> None:
    rule = parse_query("country = 'xx''--' AND event('yy''') MATCHES (property('zz') = 'ww')")

    compiled = select_members(rule, NOW, CALENDAR)

    assert not re.search("xx|yy|zz|ww", compiled.sql())
    assert compiled.values == ["xx'--", "yy'", "zz", "ww"]


def test_every_attribute_that_time_changes_is_computed_on_reading() -> None:
    moving = {one.name for one in ATTRIBUTES if one.moves and not one.enriched}

    assert moving == {*MEASURED, "days_since_last_order"}
