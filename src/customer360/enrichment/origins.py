"""What was known of each buyer at the end of a past day, and what did they do after it? Pure.

A past day that a model learns from is an origin: features come from up to its end only, labels from after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Bools, Floats, Ints, Orders


@dataclass(frozen=True, slots=True)
class Acts:
    """On which days buyers acted, orders apart: visits, opens, clicks; one row each, in any order."""

    buyer: Ints
    day: Ints

    @classmethod
    def none(cls) -> Acts:
        """Where nothing but orders is known."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known at the end of a day of everybody who had ordered by then."""

    buyer: Ints
    silent_days: Ints
    orders_count: Ints
    total_spend: Floats


def facts_on(orders: Orders, acts: Acts, day: int) -> Facts:
    """The facts at the end of a day; nothing that came later is looked at."""
    past = orders.until(day)
    count = past.count()
    buyer = np.flatnonzero(count)
    last = past.last_day(day)
    known = acts.day <= day
    np.maximum.at(last, acts.buyer[known], acts.day[known])
    return Facts(buyer, day - last[buyer], count[buyer], past.spend()[buyer])


def stayed_away(orders: Orders, facts: Facts, day: int, window_days: int) -> Bools:
    """Whether each of them placed no order within the window after the day."""
    after = (orders.day > day) & (orders.day <= day + window_days)
    came = np.zeros(orders.buyers, np.bool_)
    came[orders.buyer[after]] = True
    return ~came[facts.buyer]
