"""Cancelled and test orders count nowhere, and one in another currency adds nothing to a sum."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from customer360.clock import parse_instant
from customer360.profiles.stages import ShopCalendar
from customer360.reports import cohort_retention, purchase_journey
from customer360.reports.ask import ask
from customer360.reports.asking import read_filter
from customer360.reports.model import Answer, Question, Report
from customer360.reports.week import week
from tests.reports.test_stage_flow import Crowd

NOW = parse_instant("2026-06-15T12:00:00Z")
# Of one person with two fragments: order, fragment, day, cancelled, test, in another currency, total.
ORDERS = (
    (1, 2, "2026-04-01", False, True, False, 5),
    (2, 2, "2026-04-02", True, False, False, 6),
    (3, 3, "2026-05-02", False, False, False, 10),
    (4, 2, "2026-05-20", False, False, True, 500),
    (5, 3, "2026-06-10", False, False, False, 7),
    (6, 2, "2026-06-12", False, False, True, 800),
    (7, 2, "2026-06-13", True, False, False, 9),
)


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    found = Crowd()
    with closing(found.connection) as connection:
        connection.begin()
        connection.execute(
            "insert into profiles (profile_id, kind, first_order_at) values (1, 'customer', '2026-05-02 12:00')"
        )
        connection.execute("insert into fragment_profiles values (2, 1), (3, 1)")
        connection.executemany(
            "insert into orders (order_id, fragment_id, placed_at, cancelled_at, test, foreign_currency, total)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, fragment, f"{day} 12:00", day if cancelled else None, test, foreign, total)
                for number, fragment, day, cancelled, test, foreign, total in ORDERS
            ],
        )
        connection.executemany(
            "insert into order_lines (order_id, fragment_id, product_id, quantity, unit_price)"
            " values (?, ?, ?, 1, ?)",
            [(number, fragment, f"p{number}", total) for number, fragment, *_, total in ORDERS],
        )
        yield found


def asked(crowd: Crowd, report: Report, **told: str) -> Question:
    chosen = read_filter({"range": "13m", **told}, report, NOW, "Europe/Dublin")
    return Question(crowd, 7, ShopCalendar("Europe/Dublin"), NOW, chosen)


def answer(crowd: Crowd, report: Report) -> Answer:
    return ask(report, asked(crowd, report)).answer


def test_a_cohort_begins_with_the_first_order_that_counts(crowd: Crowd):
    rows = answer(crowd, cohort_retention.REPORT).rows
    told: list[tuple[Any, ...]] = [
        (str(row["cohort"]), row["period"], row["orders"], row["revenue"]) for row in rows
    ]
    assert told == [("2026-05-01", 0, 2, 10_0000), ("2026-05-01", 1, 2, 7_0000)]


def test_a_week_sums_what_is_told_in_the_shops_currency(crowd: Crowd):
    days = {"range": "", "from": "2026-06-08", "to": "2026-06-14"}
    found = week(asked(crowd, cohort_retention.REPORT, **days))
    assert (found.orders, found.revenue) == (2, 7_0000)
    assert (found.new_buyers, found.returning_buyers) == (0, 1)


def test_a_journey_goes_from_one_order_that_counts_to_the_next(crowd: Crowd):
    rows = answer(crowd, purchase_journey.REPORT).rows
    assert [(row["product"], row["next_product"]) for row in rows] == [("p3", "p4"), ("p4", "p5")]
