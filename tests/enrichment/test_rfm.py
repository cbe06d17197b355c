"""RFM: equal values get equal scores, and every combination has one of eleven groups."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.rfm import group_of, rfm
from customer360.profiles.attributes import BY_NAME, NO_ORDER_GROUP
from tests.enrichment import crowd


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, 5), (30, 5), (31, 4), (60, 4), (61, 3), (90, 3), (91, 2), (180, 2), (181, 1), (9000, 1)],
)
def test_recency_is_scored_by_days_since_the_last_order(days: int, score: int) -> None:
    assert rfm(np.array([days]), np.array([1]), np.array([1.0])).recency.tolist() == [score]


def test_a_shop_may_set_its_own_days() -> None:
    found = rfm(np.array([7, 8, 400]), np.ones(3, int), np.ones(3), recency_days=(7, 14, 28, 365))

    assert found.recency.tolist() == [5, 4, 1]


def test_ties_share_their_scores_and_five_is_the_top_fifth() -> None:
    orders = np.array([1, 1, 1, 1, 1, 1, 2, 2, 3, 9])
    values = np.array([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100])

    found = rfm(np.zeros(10, int), orders, values)

    # Strictly below one order are none, below two six of ten, below three eight.
    assert found.frequency.tolist() == [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]
    assert found.monetary.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_scores_are_exact_where_a_share_is_no_binary_fraction() -> None:
    for buyers in range(1, 60):
        scores = rfm(np.zeros(buyers, int), np.arange(buyers) + 1, np.ones(buyers)).frequency
        assert scores.tolist() == [1 + 5 * below // buyers for below in range(buyers)]


@pytest.mark.parametrize(
    ("frequency", "monetary", "groups"),
    [
        (5, 3, "previously_loyal previously_loyal loyal loyal champions"),
        (4, 4, "previously_loyal previously_loyal loyal loyal champions"),
        (4, 3, "at_risk at_risk needs_attention active active"),
        (1, 4, "at_risk at_risk needs_attention active active"),
        (3, 1, "dormant dormant almost_lost promising new"),
        (1, 1, "dormant dormant almost_lost promising new"),
    ],
)
def test_a_group_is_named_by_recency_and_the_mean_of_the_others(
    frequency: int, monetary: int, groups: str
) -> None:
    recency = np.arange(1, 6)

    found = group_of(recency, np.full(5, frequency), np.full(5, monetary))

    assert found == groups.split()


def test_groups_are_those_that_segments_can_ask_for() -> None:
    every = np.array(list(np.ndindex(5, 5, 5))) + 1

    found = set(group_of(*every.T))

    assert found | {NO_ORDER_GROUP} == set(BY_NAME["rfm_group"].choices)
    assert len(found) == 10


def test_the_order_in_which_rows_come_changes_no_score_and_equal_averages_score_alike() -> None:
    rows = [(buyer, 0, total) for buyer in range(40) for total in (0.1, 0.2, 0.3)]
    mixed, straight = crowd.shop(*rows[60:], *rows[:60][::-1]), crowd.shop(*rows)

    assert np.array_equal(mixed.spend(), straight.spend())
    assert np.array_equal(mixed.by_day().total, straight.by_day().total)
    assert len(set(mixed.spend().tolist())) == 1
    average = np.array([0.3 / 3, 0.1, 0.2 / 2, 0.1])
    assert len(set(average.tolist())) > 1
    assert rfm(np.zeros(4), np.ones(4), average).monetary.tolist() == [1] * 4
