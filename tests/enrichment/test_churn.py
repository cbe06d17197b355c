"""The churn index: three parts, weighed as told, and the band it is in."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.churn import BANDS, ChurnIndex, churn_index
from customer360.profiles.attributes import BY_NAME


def test_the_index_weighs_its_three_parts() -> None:
    silent, orders = np.array([45, 90, 400, 0]), np.array([1, 1, 2, 4])

    found = churn_index(silent, orders, np.array([5.0, 20, 20, 90]), 90)

    assert found.recency.tolist() == [0.5, 1, 1, 0]
    assert found.frequency.tolist() == [1, 1, 0.5, 0.25]
    assert found.monetary.tolist() == [1, 0.75, 0.75, 0.25]
    assert found.index.tolist() == [0.7, 0.9625, 0.8375, 0.1]


def test_a_shop_may_set_its_own_window() -> None:
    found = churn_index(np.array([45]), np.array([1]), np.array([1.0]), churned_days=45)

    assert found.recency.tolist() == [1]


@pytest.mark.parametrize(
    ("index", "band"),
    [
        (0.0, "healthy"),
        (0.2999, "healthy"),
        (0.3, "drifting"),
        (0.4999, "drifting"),
        (0.5, "at_risk"),
        (0.6999, "at_risk"),
        (0.7, "likely_lost"),
        (1.0, "likely_lost"),
    ],
)
def test_a_band_begins_at_its_bound(index: float, band: str) -> None:
    nothing = np.zeros(1)

    assert ChurnIndex(nothing, nothing, nothing, np.array([index])).band() == [band]


def test_an_index_that_adds_up_to_a_bound_is_in_its_band() -> None:
    """0.6 x 1/2 + 0.25 x 1 + 0.15 x 1 is 0.7, and in floats a little less or more."""
    found = churn_index(np.array([45, 0]), np.array([1, 1]), np.array([1.0, 2]), 90)

    assert found.index[0] == 0.7
    assert found.band()[0] == "likely_lost"


def test_bands_are_those_that_segments_can_ask_for() -> None:
    assert tuple(band.name for band in BANDS) == BY_NAME["churn_band"].choices
