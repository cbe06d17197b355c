"""Which products will be ordered again, in which week: by the mean gap of each buyer and product."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.model import Orders
from customer360.enrichment.reorders import OVERDUE, WEEKS, monday_of, reorders, weeks_of

TODAY = 20_000
"""Some day."""


def pairs(*days: tuple[int, ...]) -> Orders:
    """Each pair of buyer and product with the days on which it was bought."""
    pair = np.repeat(np.arange(len(days)), [len(one) for one in days])
    day = np.array([one for some in days for one in some], np.int64)
    return Orders(len(days), pair, day, np.ones(len(day)))


def ending(gap: int, due_in: int) -> tuple[int, int]:
    """Two days so far apart that the next one is in so many days."""
    last = TODAY + due_in - gap
    return last - gap, last


@pytest.mark.parametrize(
    ("days", "week"),
    [
        ((TODAY - 3,), None),
        (ending(10, -1), OVERDUE),
        (ending(10, -9), OVERDUE),
        (ending(10, -10), None),
        (ending(30, 0), 0),
        (ending(30, monday_of(TODAY) + 6 - TODAY), 0),
        (ending(30, monday_of(TODAY) + 7 - TODAY), 1),
        (ending(90, monday_of(TODAY) + 7 * WEEKS - 1 - TODAY), WEEKS - 1),
        (ending(90, monday_of(TODAY) + 7 * WEEKS - TODAY), None),
    ],
)
def test_a_pair_is_expected_in_the_week_of_its_next_day(
    days: tuple[int, ...], week: int | None
) -> None:
    pair, found = weeks_of(pairs(days), TODAY)
    assert found.tolist() == ([] if week is None else [week])
    assert pair.tolist() == ([] if week is None else [0])


def test_weeks_begin_on_mondays() -> None:
    for day in range(TODAY, TODAY + 14):
        monday = np.datetime64(monday_of(day), "D").item()
        assert monday.isoweekday() == 1
        assert 0 <= day - monday_of(day) < 7


def test_products_stand_by_how_many_people_are_expected() -> None:
    told = pairs(ending(10, -2), ending(30, 1), ending(40, 8), ending(30, 1))
    found = reorders(["b", "b", "a", "b"], ["Black", "Black", "Assam", "Black"], told, TODAY)

    assert [(row.product_id, row.title, row.people) for row in found.products] == [
        ("b", "Black", 3),
        ("a", "Assam", 1),
    ]
    assert found.products[0].overdue == 1
    assert sum(found.products[0].weeks) == 2
    assert (found.products_in_all, len(found.weeks)) == (2, WEEKS)


def test_a_shop_where_nothing_is_bought_again_has_none() -> None:
    found = reorders([], [], pairs(), TODAY)
    assert (found.products, found.products_in_all) == ([], 0)


def test_a_very_long_product_id_makes_no_other_one_wider() -> None:
    # As one array of numpy these would take eight gigabytes.
    ids = ["x" * 1_000_000, *(["p"] * 2_000), "p\0"]
    found = reorders(ids, ids, pairs(*[ending(30, 1)] * len(ids)), TODAY)
    assert {row.product_id: row.people for row in found.products} == {
        ids[0]: 1,
        "p": 2_000,
        "p\0": 1,
    }
