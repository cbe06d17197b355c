"""How far has each buyer drifted away? The churn index: three parts that everybody can check. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Floats, Ints, count_below

WEIGHTS = {"recency": 0.60, "frequency": 0.25, "monetary": 0.15}


@dataclass(frozen=True, slots=True)
class Band:
    """A band of the churn index: from where on, its name, and what a shop may do."""

    least: float
    name: str
    advice: str


BANDS = (
    Band(0.0, "healthy", "nothing to do"),
    Band(0.3, "drifting", "newsletter, soft offer"),
    Band(0.5, "at_risk", "win-back, named offer"),
    Band(0.7, "likely_lost", "one last attempt, then leave out"),
)

ADVICE = {band.name: band.advice for band in BANDS}
"""What a shop may do, by band."""


@dataclass(frozen=True, slots=True)
class ChurnIndex:
    """Each buyer's index and its three parts, all from 0 to 1, where 1 is lost."""

    recency: Floats
    frequency: Floats
    monetary: Floats
    index: Floats

    def band(self) -> Sequence[str]:
        """The band that each buyer's index is in."""
        place = np.searchsorted([band.least for band in BANDS], self.index, side="right") - 1
        found: list[str] = np.array([band.name for band in BANDS], np.object_)[place].tolist()
        return found


def churn_index(
    silent_days: Ints, orders_count: Ints, total_spend: Floats, churned_days: int
) -> ChurnIndex:
    """The index of all buyers of a shop; each has an order.

    recency: silent days as a share of the churned window. frequency and monetary: 1 - share of buyers strictly below.
    """
    buyers = max(len(silent_days), 1)
    recency = np.minimum(silent_days / churned_days, 1.0)
    frequency = 1 - count_below(orders_count) / buyers
    monetary = 1 - count_below(total_spend) / buyers
    parts = {"recency": recency, "frequency": frequency, "monetary": monetary}
    # Rounded far below what is shown, so that 0.3 is 0.3 where a band begins.
    index = np.round(sum(WEIGHTS[name] * part for name, part in parts.items()), 12)
    return ChurnIndex(recency, frequency, monetary, index)
