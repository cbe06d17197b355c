"""The engagement score: weights by event, halved every 30 days, from 0 to 100."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.engagement import HALF_LIFE_DAYS, WEIGHTS, engagement_scores
from customer360.events.vocabulary import BY_NAME


@pytest.mark.parametrize(
    ("weights", "ages", "score"),
    [
        ([], [], 0.0),
        ([10.0], [0], 100 * (1 - np.exp(-1))),
        ([10.0], [30], 100 * (1 - np.exp(-0.5))),
        ([6.0, 1.0], [60, 0], 100 * (1 - np.exp(-0.25))),
        ([1.0, -8.0], [0, 0], 0.0),
        ([1000.0], [0], 100.0),
    ],
)
def test_a_score_adds_weights_that_halve_in_thirty_days(
    weights: list[float], ages: list[float], score: float
) -> None:
    left = np.array(weights) * 0.5 ** (np.array(ages) / HALF_LIFE_DAYS)

    assert engagement_scores(np.array([left.sum(), 0.0])) == pytest.approx([score, 0.0])


def test_every_weight_is_of_an_event_that_exists() -> None:
    assert set(WEIGHTS) <= set(BY_NAME)
