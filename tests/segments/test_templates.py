"""Every template is a rule that reads, says and finds what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from customer360.clock import DAY
from customer360.segments.catalogue import EVENT_BY_NAME
from customer360.segments.preview import preview
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.sentence import Speaker
from customer360.segments.templates import TEMPLATE_BY_ID, TEMPLATES, Template
from tests.segments import oracle
from tests.segments.shop import CALENDAR, NOW, Event, Inventor, Order, Person
from tests.segments.warehouses import SHOP_ID, DuckDB


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDB]:
    asked = DuckDB()
    people = Inventor([template.rule for template in TEMPLATES], seed=1).people(60)
    for one in people:
        for name in ("orders_count", "total_spend"):
            one.attributes[name] = one.attributes[name] or Decimal(0)
    asked.fill(people)
    asked.people = people
    yield asked
    asked.close()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.template_id)
def test_a_template_means_whom_python_means(warehouse: Any, template: Template) -> None:
    found = preview(warehouse, SHOP_ID, template.rule, NOW, CALENDAR)

    assert read_rule(write_rule(template.rule)) == template.rule
    assert found.count == len(oracle.members(template.rule, warehouse.people))
    assert not found.notices
    assert Speaker("EUR").sentence(template.rule).startswith("Customers ")


def test_templates_that_wait_for_a_run_of_enrichment_say_so() -> None:
    waiting = {template.template_id for template in TEMPLATES if template.enriched}

    assert waiting == {
        "vips",
        "vips_at_risk",
        "drifting_customers",
        "lookalike_seed",
        "likely_lost",
        "order_overdue",
    }


def test_every_template_has_an_id_of_its_own() -> None:
    assert len(TEMPLATE_BY_ID) == len(TEMPLATES)


def event(type: str, days: int) -> Event:
    return Event(type, NOW - days * DAY, dict.fromkeys(EVENT_BY_NAME[type].properties))


SUBSCRIBER = {"orders_count": Decimal(0), "consent_email": "granted"}


def buyer(days: int, **attributes: Any) -> Person:
    known = {
        "orders_count": Decimal(1),
        "discount_received": Decimal(0),
        "last_order_at": NOW - days * DAY,
    }
    told = dict.fromkeys(EVENT_BY_NAME["order_placed"].properties)
    return Person(1, attributes={**known, **attributes}, orders=[Order(NOW - days * DAY, told, [])])


def scored(percentile: float, band: str) -> Person:
    return Person(1, scores={"ltv_percentile": Decimal(percentile), "churn_band": band})


@pytest.mark.parametrize(
    ("template_id", "person", "expected"),
    [
        ("browse_abandoners", Person(1, events=[event("product_viewed", 2)]), True),
        ("browse_abandoners", Person(1, events=[event("product_viewed", 8)]), False),
        ("browse_abandoners", Person(1, events=[event("product_viewed", 2), event("added_to_cart", 1)]), False),
        ("cart_abandoners", Person(1, events=[event("added_to_cart", 1)]), True),
        ("cart_abandoners", Person(1, events=[event("checkout_started", 1)]), True),
        ("cart_abandoners", Person(1, events=[event("product_viewed", 1)]), False),
        ("bargain_hunters", buyer(90, discount_received=Decimal(5)), True),
        ("bargain_hunters", buyer(90), False),
        ("lapsed_vips", buyer(200, orders_count=Decimal(5)), True),
        ("lapsed_vips", buyer(100, orders_count=Decimal(5)), False),
        ("quiet_spenders", buyer(31, total_spend=Decimal(201)), True),
        ("quiet_spenders", buyer(29, total_spend=Decimal(201)), False),
        ("win_back", buyer(120, orders_count=Decimal(2)), True),
        ("win_back", buyer(400, orders_count=Decimal(2)), False),
        ("new_customers", buyer(9, first_order_at=NOW - 9 * DAY), True),
        ("drifting_customers", scored(80, "drifting"), True),
        ("drifting_customers", scored(99.5, "at_risk"), True),
        ("drifting_customers", scored(79, "drifting"), False),
        ("drifting_customers", scored(80, "healthy"), False),
        ("drifting_customers", scored(80, "likely_lost"), False),
        ("subscribers_without_order", Person(1, attributes=SUBSCRIBER), True),
    ],
)  # fmt: skip
def test_a_template_means_these_people(template_id: str, person: Person, expected: bool) -> None:
    assert oracle.holds(TEMPLATE_BY_ID[template_id].rule.root, person) == expected
