"""Measures of predictions, on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.evaluation import (
    Bin,
    auc,
    brier,
    calibration_error,
    deciles,
    mean_absolute_error,
    normalised_gini,
    reliability,
)

PROBABILITY = np.array([0.1, 0.3, 0.3, 0.8, 1.0])
HAPPENED = np.array([False, False, True, True, True])


def test_brier_is_the_mean_square_of_what_was_off() -> None:
    assert brier(PROBABILITY, HAPPENED) == pytest.approx((0.01 + 0.09 + 0.49 + 0.04) / 5)


def test_auc_counts_pairs_in_order_and_equal_ones_half() -> None:
    assert auc(PROBABILITY, HAPPENED) == pytest.approx(5.5 / 6)
    assert auc(-PROBABILITY, HAPPENED) == pytest.approx(0.5 / 6)


@pytest.mark.parametrize("happened", [[True, True], [False, False]])
def test_auc_is_silent_where_all_came_to_the_same(happened: list[bool]) -> None:
    assert auc(np.array([0.1, 0.2]), np.array(happened)) is None


def test_the_reliability_curve_is_by_tenths_of_the_scale() -> None:
    assert reliability(PROBABILITY, HAPPENED) == [
        Bin(1, 0.1, 0.0),
        Bin(2, 0.3, 0.5),
        Bin(1, 0.8, 1.0),
        Bin(1, 1.0, 1.0),
    ]


def test_deciles_are_of_people_in_order() -> None:
    assert deciles(PROBABILITY, HAPPENED, bins=2) == [
        Bin(3, pytest.approx(0.7 / 3), pytest.approx(1 / 3)),
        Bin(2, pytest.approx(0.9), 1.0),
    ]


def test_the_calibration_error_weighs_bins_by_their_people() -> None:
    curve = reliability(PROBABILITY, HAPPENED)

    assert calibration_error(curve) == pytest.approx((0.1 + 2 * 0.2 + 0.2 + 0) / 5)
    assert calibration_error([]) == 0


def test_the_normalised_gini_is_one_for_the_true_order_and_zero_for_none() -> None:
    spent = np.array([0.0, 10.0, 30.0, 0.0])

    assert normalised_gini(spent * 2 + 1, spent) == pytest.approx(1)
    assert normalised_gini(np.full(4, 7.0), spent) == pytest.approx(0)
    assert normalised_gini(-spent, spent) == pytest.approx(-1, abs=0.15)
    assert normalised_gini(spent, np.zeros(4)) is None


def test_the_mean_absolute_error_is_by_how_much_predictions_are_off() -> None:
    assert mean_absolute_error(np.array([1.0, 5.0]), np.array([2.0, 2.0])) == 2
