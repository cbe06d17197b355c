"""How much faster is BG/NBD fitted here than by `lifetimes`, and is it the same? A million made-up buyers, in one run.

python benchmarks/enrichment/fitting.py [--buyers 1000000] [--runs 3]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from lifetimes import BetaGeoFitter

from customer360.enrichment.bgnbd import fit_bgnbd
from customer360.enrichment.model import OrderHistory

T = TypeVar("T")

R, ALPHA, A, B = 0.5, 8.0, 0.8, 2.5
DAYS = 730


def made_up(buyers: int) -> OrderHistory:
    """Buyers who order and leave as the model says, over two years."""
    chance = np.random.default_rng(1)
    rate, leaves = chance.gamma(R, 1 / ALPHA, buyers), chance.beta(A, B, buyers)
    age = chance.integers(1, DAYS, buyers)
    repeat, last, week = np.zeros(buyers, np.int64), np.zeros(buyers), np.zeros(buyers)
    there = np.arange(buyers)
    while len(there):
        week[there] += chance.exponential(1 / rate[there])
        there = there[week[there] < age[there] / 7]
        repeat[there] += 1
        last[there] = week[there]
        there = there[chance.random(len(there)) > leaves[there]]
    return OrderHistory(repeat, np.minimum(np.rint(last * 7).astype(np.int64), age), age)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--buyers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    history = made_up(asked.buyers)
    terms = (history.repeat_orders, history.recency_days / 7, history.age_days / 7)
    print(f"{len(history):,} buyers, {len(history.counted()[1]):,} histories that differ")
    ours, theirs = [], []
    for _ in range(asked.runs):
        seconds, model = timed(lambda: fit_bgnbd(*history.counted()))
        ours.append(seconds)
        seconds, fitted = timed(lambda: BetaGeoFitter().fit(*terms))
        theirs.append(seconds)
        print(
            f"here {ours[-1]:.2f} s, lifetimes {theirs[-1]:.2f} s, ratio {theirs[-1] / ours[-1]:.1f}"
        )
    for name in ("r", "alpha", "a", "b"):
        here, there = getattr(model, name), fitted.params_[name]
        print(f"{name:5} {here:.6f}, lifetimes {there:.6f}, differs by {abs(here - there):.1e}")
    print(f"ratio of medians {np.median(theirs) / np.median(ours):.1f}")


if __name__ == "__main__":
    main()
