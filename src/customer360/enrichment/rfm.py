"""How recently, how often and how much did each buyer buy, from 1 to 5, and which group is that? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Bools, Floats, Ints
from customer360.profiles.stages import Windows

RECENCY_DAYS = Windows().rfm_recency_days

GROUPS: dict[str, tuple[str, str, str, str, str]] = {
    "high": ("previously_loyal", "previously_loyal", "loyal", "loyal", "champions"),
    "middle": ("at_risk", "at_risk", "needs_attention", "active", "active"),
    "low": ("dormant", "dormant", "almost_lost", "promising", "new"),
}
"""Shopify's names by the mean of F and M (high from 4, low up to 2) and by R from 1 to 5."""


@dataclass(frozen=True, slots=True)
class Rfm:
    """Each buyer's three scores, 1 to 5, and the name of their group."""

    recency: Ints
    frequency: Ints
    monetary: Ints
    group: Sequence[str]


def rfm(
    days_since_last_order: Ints,
    orders_count: Ints,
    average_order_value: Floats,
    recency_days: Sequence[int] = RECENCY_DAYS,
) -> Rfm:
    """The scores of all buyers of a shop; each has an order. Equal values get equal scores."""
    recency = 5 - np.searchsorted(np.asarray(recency_days), days_since_last_order, side="left")
    # A third of 0.30 is 0.10, which a division misses by a last digit.
    frequency, monetary = fifth(orders_count), fifth(np.round(average_order_value, 6))
    return Rfm(recency, frequency, monetary, group_of(recency, frequency, monetary))


def fifth(values: Floats | Ints) -> Ints:
    """1 + floor(5 x share of buyers strictly below), so 5 is the top fifth; in whole numbers, without rounding."""
    # Who is above the last of the first fifth has at least a fifth of all strictly below.
    last = np.array([-(-part * len(values) // 5) - 1 for part in range(1, 5)])
    limits = np.partition(values, last)[last] if len(values) else values
    return 1 + np.searchsorted(limits, values, side="left").astype(np.int64)


def top_fifth(values: Floats | Ints) -> Bools:
    """Whether at least four in five buyers are strictly below."""
    top: Bools = fifth(values) == 5
    return top


def group_of(recency: Ints, frequency: Ints, monetary: Ints) -> Sequence[str]:
    """The group of each buyer by their scores."""
    both = frequency + monetary
    names = np.array([GROUPS["low"], GROUPS["middle"], GROUPS["high"]], np.object_)
    level = (both > 4).astype(np.int64) + (both >= 8)
    found: list[str] = names[level, recency - 1].tolist()
    return found
