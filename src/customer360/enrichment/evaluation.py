"""How good were probabilities and rankings, now that it is known what happened? Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Bools, Floats, count_below

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of a tenth of the scale: how many, what they said on average, and the share that came true."""

    count: int
    predicted: float
    observed: float


def brier(probability: Floats, happened: Bools) -> float:
    """Mean square of what probabilities were off; 0 is perfect. Source: Brier (1950)."""
    return float(np.mean((probability - happened) ** 2))


def auc(score: Floats, happened: Bools) -> float | None:
    """The probability that one it happened to scored higher than one it did not; equal scores count half.

    None where it happened to all or to none.
    """
    hits, misses = int(happened.sum()), int((~happened).sum())
    if not hits or not misses:
        return None
    below = count_below(score)
    equal_or_below = len(score) - count_below(-score)
    ranks = (below + equal_or_below + 1) / 2
    return float((ranks[happened].sum() - hits * (hits + 1) / 2) / (hits * misses))


def reliability(probability: Floats, happened: Bools, bins: int = BINS) -> list[Bin]:
    """The reliability curve: predictions by equal parts of the scale from 0 to 1, empty ones left out."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    return _binned(probability, happened, place)


def deciles(probability: Floats, happened: Bools, bins: int = BINS) -> list[Bin]:
    """The same by tenths of the people, the lowest predictions first."""
    place = np.empty(len(probability), np.int64)
    place[np.argsort(probability, kind="stable")] = (
        np.arange(len(probability)) * bins // max(len(probability), 1)
    )
    return _binned(probability, happened, place)


def calibration_error(curve: list[Bin]) -> float:
    """How far predictions are from what happened, averaged over all people."""
    people = sum(one.count for one in curve)
    return sum(one.count * abs(one.predicted - one.observed) for one in curve) / max(people, 1)


def mean_absolute_error(predicted: Floats, actual: Floats) -> float:
    """How far predictions are off on average."""
    return float(np.mean(np.abs(predicted - actual)))


def normalised_gini(predicted: Floats, actual: Floats) -> float | None:
    """How well predictions rank by what came: 1 as well as possible, 0 no better than chance.

    None where everybody came to the same.
    """
    best = _gini(actual, actual)
    return _gini(predicted, actual) / best if best > 0 else None


def _gini(predicted: Floats, actual: Floats) -> float:
    """Area between the ranked share of the total and the diagonal; equal predictions share what they came to."""
    total = float(actual.sum())
    if total <= 0:
        return 0.0
    _, place, counts = np.unique(-predicted, return_inverse=True, return_counts=True)
    shared = np.repeat(np.bincount(place, actual) / counts, counts)
    return float(np.cumsum(shared).sum() / total - (len(actual) + 1) / 2) / len(actual)


def _binned(probability: Floats, happened: Bools, place: np.ndarray) -> list[Bin]:
    counts = np.bincount(place, minlength=BINS)
    said, came = np.bincount(place, probability), np.bincount(place, happened)
    return [
        Bin(int(counts[i]), float(said[i] / counts[i]), float(came[i] / counts[i]))
        for i in np.flatnonzero(counts)
    ]
