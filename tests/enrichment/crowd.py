"""Made-up shops for the models."""

from __future__ import annotations

import numpy as np

from customer360.enrichment.model import Floats, Orders


def shop(*rows: tuple[int, int, float], buyers: int | None = None) -> Orders:
    """Orders as (buyer, day, total)."""
    buyer, day, total = zip(*rows, strict=True) if rows else ((), (), ())
    return Orders(
        buyers if buyers is not None else max(buyer, default=-1) + 1,
        np.array(buyer, np.int64),
        np.array(day, np.int64),
        np.array(total, np.float64),
    )


def steady(buyers: int, days: int, gaps: Floats | float, seed: int = 1) -> Orders:
    """A shop whose buyers come again after exponential gaps of a mean of their own, from their first order on."""
    chance = np.random.default_rng(seed)
    means = np.broadcast_to(np.asarray(gaps, np.float64), buyers)
    begin = chance.integers(0, max(days // 2, 1), buyers)
    rows = [(buyer, int(begin[buyer]), 20.0) for buyer in range(buyers)]
    for buyer in range(buyers):
        day = float(begin[buyer])
        while (day := day + chance.exponential(means[buyer])) < days:
            rows.append((buyer, int(day), float(chance.integers(5, 100))))
    return shop(*rows)
