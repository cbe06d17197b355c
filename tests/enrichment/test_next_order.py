"""The next order: by the mean gap, with an interval, overdue and rolled forward; and products due."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from customer360.enrichment.model import Orders
from customer360.enrichment.next_order import coming_day, is_due, next_orders, rhythm_of
from tests.enrichment import cdnow, crowd


def of_days(*days: int) -> Orders:
    """One buyer's orders."""
    return crowd.shop(*((0, day, 10.0) for day in days), buyers=1)


@pytest.mark.parametrize(
    ("days", "today", "expected", "overdue", "following"),
    [
        ((0, 28, 56), 60, 84, 0, 84),
        ((0, 28, 56), 84, 84, 0, 84),
        ((0, 28, 56), 85, 84, 1, 112),
        ((0, 28, 56), 112, 84, 28, 112),
        ((0, 28, 56), 113, 84, 29, 140),
        # A mean gap of 28.6: due after 29 days, on which it is not late yet.
        ((0, 29, 57, 86, 114, 143), 172, 172, 0, 172),
        ((0, 29, 57, 86, 114, 143), 173, 172, 1, 200),
        ((0, 1), 400, 2, 398, 400),
        # Two orders of a day are one.
        ((0, 0, 28, 28, 56), 60, 84, 0, 84),
    ],
)
def test_a_date_is_the_last_order_and_the_mean_gap(
    days: tuple[int, ...], today: int, expected: int, overdue: int, following: int
) -> None:
    found = next_orders(of_days(*days), today)

    assert (found.day[0], found.overdue_days[0], found.next_day[0]) == (
        expected,
        overdue,
        following,
    )


@pytest.mark.parametrize("days", [(), (5,), (5, 5)])
def test_one_day_with_orders_has_no_rhythm(days: tuple[int, ...]) -> None:
    assert not len(next_orders(of_days(*days), 100).buyer)


def test_orders_after_today_are_not_known() -> None:
    assert next_orders(of_days(0, 28, 56, 57), 56).day.tolist() == [84]


def test_few_gaps_are_drawn_to_the_shops_median_and_many_are_not() -> None:
    """Everybody but the last two orders every 40 days; those two every 10, one of them once and one twenty times."""
    rows = [(buyer, day, 1.0) for buyer in range(9) for day in (0, 40, 80)]
    rows += [(9, 70, 1.0), (9, 80, 1.0)]
    rows += [(10, day, 1.0) for day in range(0, 201, 10)]

    found = next_orders(crowd.shop(*rows), 200)

    # (1 x 10 + 3 x 40) / 4 days, and until the shop knows better from half to twice of it; the date is never outside.
    assert (found.low_day[9], found.day[9], found.high_day[9]) == (90, 90, 80 + 65)
    # (20 x 10 + 3 x 40) / 23 days.
    assert (found.low_day[10], found.day[10], found.high_day[10]) == (200 + 7, 210, 200 + 28)


def test_most_who_order_again_come_within_the_interval() -> None:
    orders, today = cdnow.orders("master"), cdnow.day("1997-09-30")
    found, last = next_orders(orders, today), orders.until(today).last_day(0)

    # Of who ordered in the last week, and again in the nine months that followed.
    later = orders.day > today
    came = np.full(orders.buyers, 10_000)
    np.minimum.at(came, orders.buyer[later], orders.day[later])
    asked = (last[found.buyer] > today - 7) & (came[found.buyer] < 10_000)
    within = (found.low_day <= came[found.buyer]) & (came[found.buyer] <= found.high_day)
    assert asked.sum() > 400
    assert 0.75 < within[asked].mean() < 0.95


@pytest.mark.parametrize(
    ("today", "due"), [(83, False), (84, True), (111, True), (112, False), (400, False)]
)
def test_a_product_is_due_from_one_gap_after_it_was_last_bought_until_two(
    today: int, due: bool
) -> None:
    assert is_due(rhythm_of(of_days(0, 28, 56)), today).tolist() == [due]


@pytest.mark.parametrize(
    ("today", "coming"),
    [("2026-03-25", "2026-03-26"), ("2026-03-26", "2026-03-26"), ("2026-03-27", "2026-04-23")],
)
def test_a_day_that_is_past_is_rolled_forward_by_whole_gaps(today: str, coming: str) -> None:
    expected = date.fromisoformat("2026-03-26")
    assert coming_day(expected, 28.0, date.fromisoformat(today)).isoformat() == coming
