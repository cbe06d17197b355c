"""What is each buyer to the shop: New, Regular or VIP? By thresholds of the shop's own distribution. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Floats, Ints
from customer360.enrichment.rfm import top_fifth

LEAST_VIP_ORDERS = 3
TIERS = ("new", "regular", "vip")
"""The tiers, by rank."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """Each buyer's tier, and from where on somebody is a VIP.

    vip_spend: the least total spend of the top fifth, as told; None where equal spends make nobody stand out.
    vip_orders: 3, or the median orders of repeat buyers where that is more.
    """

    tier: Sequence[str]
    vip_spend: float | None
    vip_orders: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """Each buyer's rank, 0 for New, 1 for Regular, 2 for VIP, and from where on somebody is a VIP, as in `Tiers`."""

    rank: Ints
    vip_spend: float | None
    vip_orders: float


def tiers(orders_count: Ints, total_spend: Floats) -> Tiers:
    """The tiers of all buyers of a shop; each has an order."""
    found = ranks(orders_count, total_spend)
    tier: list[str] = np.array(TIERS, np.object_)[found.rank].tolist()
    return Tiers(tier, found.vip_spend, found.vip_orders)


def ranks(orders_count: Ints, total_spend: Floats) -> Ranks:
    """The ranks of all buyers of a shop; each has an order."""
    repeat = orders_count > 1
    median = float(np.median(orders_count[repeat])) if repeat.any() else 0.0
    vip_orders = max(float(LEAST_VIP_ORDERS), median)
    top = top_fifth(total_spend)
    rank = repeat.astype(np.int64) + (top & (orders_count >= vip_orders))
    return Ranks(rank, float(total_spend[top].min()) if top.any() else None, vip_orders)
