"""New, Regular and VIP, by thresholds of the shop's own."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.tiers import tiers
from customer360.profiles.attributes import BY_NAME


def test_a_vip_spends_with_the_top_fifth_and_orders_as_often_as_told() -> None:
    orders = np.array([1, 2, 2, 2, 3, 3, 2, 3, 1, 3])
    spend = np.array([900.0, 10, 20, 30, 40, 50, 60, 70, 80, 800])

    found = tiers(orders, spend)

    assert found.tier == ["new", *["regular"] * 7, "new", "vip"]
    assert (found.vip_spend, found.vip_orders) == (800.0, 3.0)


def test_where_repeat_buyers_order_often_a_vip_does_so_too() -> None:
    orders = np.array([4, 6, 7, 10, 5])

    found = tiers(orders, np.array([1.0, 2, 3, 4, 5]))

    assert found.vip_orders == 6
    assert found.tier == ["regular"] * 5


@pytest.mark.parametrize("buyers", [0, 1, 7])
def test_where_all_spend_alike_nobody_stands_out(buyers: int) -> None:
    found = tiers(np.full(buyers, 5), np.full(buyers, 20.0))

    assert found.tier == ["regular"] * buyers
    assert found.vip_spend is None


def test_tiers_are_those_that_segments_can_ask_for() -> None:
    orders = np.array([1, 2, 2, 2, 2, 4])

    assert set(tiers(orders, np.arange(6.0)).tier) == set(BY_NAME["tier"].choices)
