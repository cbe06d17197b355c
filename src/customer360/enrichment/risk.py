"""With which probability will each buyer place no order in the next months? Learned of the shop's own past. Pure.

The three facts of the churn index are weighed as they told in the past, at origins so long ago that it is known what
came after: more silence never lowers the risk, more orders or spend never raise it. Isotonic regression then makes
probabilities of the weights' sum, and all are shifted to the share that stays away in this season.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from customer360.enrichment.fitting import least
from customer360.enrichment.model import Bools, Floats, Orders
from customer360.enrichment.origins import Acts, Facts, facts_on, stayed_away

LEAST_BUYERS = 500
LEAST_HISTORY_DAYS = 180
LEAST_LABELS = 100
"""Of a shop that has grown a lot, few buyers have been there long enough to learn of."""
LEAST_ISOTONIC_LABELS = 2_000
"""With fewer, steps would follow chance: the logistic curve through them (Platt's) is used as it is."""
ORIGINS = 3
ORIGIN_STEP_DAYS = 30
"""A quarter of origins: more would teach what was long ago."""
YEAR_DAYS = 364
"""Whole weeks, so that a year ago has the same days of the week."""
_ENOUGH_LABELS = 200_000
"""To weigh facts by; more would change no weight by a hundredth."""
_PRIOR = 1e-3
"""A label in a thousand speaks for weights of 0: no fact is ever weighed without end."""
_FACTS = 3
_LEAST_SPREAD = 1e-6
"""Of a fact that is the same for all, so that its rounding errors are no differences."""
_CERTAIN = 40.0
"""Log-odds beyond which a float knows only 0 and 1."""
_RARE = 1e-3
"""A season in which less than one in a thousand came or stayed away says nothing of the next."""


@dataclass(frozen=True, slots=True)
class RiskModel:
    """What the shop's past taught: how facts weigh, which share of people with a score stayed away, and how many will.

    weights: of each fact, the same unit for all shops, never negative. scores, shares: the isotonic curve, None where
    labels are too few for it. base_rate: the share expected to stay away this season.
    """

    median_spend: float
    weights: Floats
    constant: float
    scores: Floats | None
    shares: Floats | None
    base_rate: float
    origins: tuple[int, ...]
    labels: int

    def risk(self, facts: Facts) -> Floats:
        """The probability that each of these buyers orders nothing within the churned window; nobody else is needed.

        facts: of all the shop's buyers on one day, since the shift to the base rate is theirs together.
        """
        score = _terms(facts, self.median_spend) @ self.weights + self.constant
        if self.scores is None or self.shares is None:
            odds = score
        else:
            odds = scipy.special.logit(np.interp(score, self.scores, self.shares))
        risk: Floats = scipy.special.expit(odds + _shift(odds, self.base_rate))
        return risk


@dataclass(frozen=True, slots=True)
class NotCalibrated:
    """The risk equals the index, for this reason."""

    reason: str


def learn_risk(
    orders: Orders, acts: Acts, today: int, churned_days: int
) -> RiskModel | NotCalibrated:
    """What a shop's past teaches by the end of today; nothing that came later is looked at."""
    orders = orders.until(today)
    history_days = today - int(orders.day.min()) if len(orders.day) else 0
    buyers = int(np.count_nonzero(orders.count()))
    if buyers < LEAST_BUYERS:
        return NotCalibrated(f"{buyers} of at least {LEAST_BUYERS} buyers")
    if history_days < max(LEAST_HISTORY_DAYS, 2 * churned_days):
        return NotCalibrated(
            f"{history_days} of at least {max(LEAST_HISTORY_DAYS, 2 * churned_days)} days of orders"
        )
    # Each origin has a window of history before it and one of labels after it.
    begin = today - history_days + churned_days
    origins = tuple(day for day in label_days(today, churned_days) if day >= begin)
    facts = [facts_on(orders, acts, origin) for origin in origins]
    labels = [
        stayed_away(orders, known, origin, churned_days)
        for known, origin in zip(facts, origins, strict=True)
    ]
    if len(labels[0]) < LEAST_LABELS:
        return NotCalibrated(
            f"{len(labels[0])} of at least {LEAST_LABELS} buyers ordered {churned_days} days ago or earlier"
        )
    rate = _season(orders, today, churned_days, float(labels[0].mean()))
    return _learned(facts, labels, rate, origins)


def label_days(today: int, churned_days: int) -> list[int]:
    """The origins whose labels are known at the end of today, the last one first."""
    return [today - churned_days - ORIGIN_STEP_DAYS * step for step in range(ORIGINS)]


def _learned(
    facts: list[Facts], labels: list[Bools], rate: float, origins: tuple[int, ...]
) -> RiskModel:
    median = max(float(np.median(facts[0].total_spend)), 1.0)
    terms = np.concatenate([_terms(known, median) for known in facts])
    away = np.concatenate(labels).astype(np.float64)
    every = -(-len(away) // _ENOUGH_LABELS)
    weights, constant = _weigh(terms[::every], away[::every])
    # Nobody is certain: where all labels agree, one more would not.
    rare = 1 / (len(away) + 2)
    scores = shares = None
    if len(away) >= LEAST_ISOTONIC_LABELS:
        scores, shares = _curve(terms @ weights + constant, away)
        shares = np.clip(shares, rare, 1 - rare)
    rate = min(max(rate, rare), 1 - rare)
    return RiskModel(median, weights, constant, scores, shares, rate, origins, len(away))


def _curve(score: Floats, away: Floats) -> tuple[Floats, Floats]:
    """The isotonic curve through the labels by score: of each level stretch of it, the two ends."""
    order = np.argsort(score)
    score, away = score[order], away[order]
    begin = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]]))
    counts = np.diff(begin, append=len(score))
    found = scipy.optimize.isotonic_regression(
        np.add.reduceat(away, begin) / counts, weights=counts
    )
    ends = np.union1d(found.blocks[:-1], found.blocks[1:] - 1)
    return score[begin[ends]], found.x[ends]


def _terms(facts: Facts, median_spend: float) -> Floats:
    """Each fact as a logarithm that grows with the risk: twice the silence, half the orders, half the spend."""
    spend = 100 * np.maximum(facts.total_spend, 0) / median_spend
    return np.column_stack(
        [np.log1p(facts.silent_days), -np.log(facts.orders_count), -np.log1p(spend)]
    )


def _weigh(terms: Floats, away: Floats) -> tuple[Floats, float]:
    """Logistic regression with weights of at least 0; the constant comes last."""
    centre = terms.mean(axis=0)
    spread = np.maximum(terms.std(axis=0), _LEAST_SPREAD)
    design = np.column_stack([(terms - centre) / spread, np.ones(len(terms))])
    prior = np.array([_PRIOR] * _FACTS + [0.0])

    def loss(weights: Floats) -> tuple[float, Floats]:
        score = design @ weights
        value = np.mean(np.logaddexp(0, score) - away * score) + weights @ (prior * weights) / 2
        return float(value), design.T @ (scipy.special.expit(score) - away) / len(
            away
        ) + prior * weights

    bounds: list[tuple[float | None, float | None]] = [(0, None)] * _FACTS + [(-_CERTAIN, _CERTAIN)]
    found = least(loss, np.zeros(_FACTS + 1), bounds)
    weights = found[:_FACTS] / spread
    return weights, float(found[_FACTS] - weights @ centre)


def _season(orders: Orders, today: int, churned_days: int, rate: float) -> float:
    """The share expected to stay away from now: that of the last window, changed as it did a year ago."""
    then = today - YEAR_DAYS
    before = then - churned_days
    if before - orders.day.min() < churned_days:
        return rate
    # Silence does not matter to a share, so neither do acts.
    seasons = [(facts_on(orders, Acts.none(), day), day) for day in (before, then)]
    if len(seasons[0][0].buyer) < LEAST_BUYERS:
        return rate
    known = [np.mean(stayed_away(orders, facts, day, churned_days)) for facts, day in seasons]
    earlier, later, last = scipy.special.logit(np.clip([*known, rate], _RARE, 1 - _RARE))
    return float(scipy.special.expit(last + later - earlier))


def _shift(odds: Floats, rate: float) -> float:
    """What to add to all log-odds so that the mean probability is the rate."""
    if not len(odds):
        return 0.0
    far = float(np.abs(odds).max()) + _CERTAIN
    return float(
        scipy.optimize.brentq(
            lambda by: float(scipy.special.expit(odds + by).mean()) - rate, -far, far
        )
    )
