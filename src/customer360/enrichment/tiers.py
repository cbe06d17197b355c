"""What is each buyer to the shop: New, Regular or VIP? By thresholds of the shop's own distribution. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Floats, Ints
from customer360.enrichment.rfm import top_fifth

LEAST_VIP_ORDERS = 3


@dataclass(frozen=True, slots=True)
class Tiers:
    """Each buyer's tier, and from where on somebody is a VIP.

    vip_spend: the least total spend of the top fifth, as told; None where equal spends make nobody stand out.
    vip_orders: 3, or the median orders of repeat buyers where that is more.
    """

    tier: Sequence[str]
    vip_spend: float | None
    vip_orders: float


def tiers(orders_count: Ints, total_spend: Floats) -> Tiers:
    """The tiers of all buyers of a shop; each has an order."""
    repeat = orders_count > 1
    median = float(np.median(orders_count[repeat])) if repeat.any() else 0.0
    vip_orders = max(float(LEAST_VIP_ORDERS), median)
    top = top_fifth(total_spend)
    vip = top & (orders_count >= vip_orders)
    names = np.array(["new", "regular", "vip"], np.object_)
    tier: list[str] = names[repeat.astype(np.int64) + vip].tolist()
    return Tiers(tier, float(total_spend[top].min()) if top.any() else None, vip_orders)
