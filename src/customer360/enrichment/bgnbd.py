"""How often will each buyer order, and are they still there? The BG/NBD model. Pure.

Each buyer orders at a rate of their own, gamma distributed over the shop, and after each order leaves for good with a
probability of their own, beta distributed. Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way.
Time is in weeks, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, psi

from customer360.enrichment.fitting import LogLikelihood, fit
from customer360.enrichment.model import Floats, Ints, OrderHistory

DAYS_PER_WEEK = 7
_START = np.array([0.5, 5.0, 1.0, 2.0])
"""r, alpha in weeks, a, b of a shop like those published."""
LOW, HIGH = 0.1, 0.9
"""Eight in ten buyers end between these quantiles."""
_NEGLIGIBLE = 1e-12
"""A probability that no sum shows."""
_MOST_ORDERS = 10_000
"""Nobody places more in a season; parameters at their bounds would add up for minutes."""


@dataclass(frozen=True, slots=True)
class OrdersAhead:
    """Of each buyer's number of orders to come: the probability of any, mean, mean square, quantiles LOW and HIGH."""

    any: Floats
    mean: Floats
    square: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class BgNbd:
    """Fitted parameters: the order rate is gamma (r, alpha), the chance to leave after an order beta (a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def probability_alive(self, history: OrderHistory) -> Floats:
        """That a buyer will order again at all, from 0 to 1; 1 where nobody could yet leave.

        Source: Fader, Hardie & Lee (2008), "Computing P(alive) Using the BG/NBD Model", eq. 7.
        """
        repeat = history.repeat_orders
        log_odds_gone = (
            np.log(self.a / (self.b + np.maximum(repeat, 1) - 1))
            + (self.r + repeat) * np.log(self.alpha + _weeks(history.age_days))
            - (self.r + repeat) * np.log(self.alpha + _weeks(history.recency_days))
        )
        return np.where(repeat > 0, expit(-log_odds_gone), 1.0)

    def orders_ahead(self, history: OrderHistory, horizon_days: int) -> OrdersAhead:
        """How many orders each buyer may place within so many days.

        Source: Fader, Hardie & Lee (2005), eq. 10. Its hypergeometric function is added up as the probabilities of
        more than n orders: they are all positive, while library functions fail where a is near 1 or orders are many.
        """
        groups, _, place = history.grouped()
        alive = self.probability_alive(groups)
        share = _weeks(horizon_days) / (self.alpha + _weeks(groups.age_days + horizon_days))
        shape, stays, count = (
            self.r + groups.repeat_orders,
            self.b + groups.repeat_orders,
            len(groups),
        )
        mean, square, low, high = np.zeros((4, count))
        rows = np.arange(count)
        # exactly: probability of exactly n orders of somebody who never leaves; more: of more than n.
        exactly = np.exp(shape * np.log1p(-share))
        more = -np.expm1(shape * np.log1p(-share))
        some = alive * more
        n = 0
        while len(rows) and n < _MOST_ORDERS:
            reached = alive * more
            mean[rows] += reached
            square[rows] += (2 * n + 1) * reached
            low[rows] += reached > 1 - LOW
            high[rows] += reached > 1 - HIGH
            alive = alive * (stays + n) / (stays + n + self.a)
            exactly = exactly * (shape + n) / (n + 1) * share
            more = more - exactly
            n += 1
            kept = more > _NEGLIGIBLE
            rows, alive, exactly, more = rows[kept], alive[kept], exactly[kept], more[kept]
            shape, stays, share = shape[kept], stays[kept], share[kept]
        return OrdersAhead(some[place], mean[place], square[place], low[place], high[place])


def fit_bgnbd(history: OrderHistory) -> BgNbd:
    """The parameters by maximum likelihood, on the histories that differ and how many buyers have each."""
    groups, counts, _ = history.grouped()
    parameters, log_likelihood = fit(_likelihood(groups, counts), _START, len(history))
    r, alpha, a, b = parameters.tolist()
    return BgNbd(r, alpha, a, b, log_likelihood)


def _likelihood(groups: OrderHistory, counts: Ints) -> LogLikelihood:
    """Log-likelihood (eq. 6 of the paper) and gradient as a function of r, alpha, a, b.

    Gamma functions are only asked for the numbers of orders that occur, logarithms only for the days that do.
    """
    repeat = groups.repeat_orders
    numbers, at_number = np.unique(repeat, return_inverse=True)
    of_number = np.bincount(at_number, counts)
    days = np.arange(int(groups.age_days.max(initial=0)) + 1) / DAYS_PER_WEEK
    age, recency, returned = groups.age_days, groups.recency_days, repeat > 0
    buyers = counts.sum()

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters
        logs, inverse = np.log(alpha + days), 1 / (alpha + days)
        stayed = -(r + repeat) * logs[age]
        left = np.log(a / (b + np.maximum(repeat, 1) - 1)) - (r + repeat) * logs[recency]
        either = np.where(returned, np.logaddexp(stayed, left), stayed)
        gone = np.where(returned, np.exp(left - either), 0) * counts
        there = counts - gone
        value = counts @ either + of_number @ (
            gammaln(r + numbers) - gammaln(r) + r * np.log(alpha)
            + gammaln(b + numbers) - gammaln(b) + gammaln(a + b) - gammaln(a + b + numbers)
        )  # fmt: skip
        both = of_number @ (psi(a + b) - psi(a + b + numbers))
        gradient = np.array([
            of_number @ (psi(r + numbers) - psi(r)) + buyers * np.log(alpha) - there @ logs[age] - gone @ logs[recency],
            buyers * r / alpha - ((r + repeat) * (there * inverse[age] + gone * inverse[recency])).sum(),
            both + gone.sum() / a,
            both + of_number @ (psi(b + numbers) - psi(b)) - (gone / (b + np.maximum(repeat, 1) - 1)).sum(),
        ])  # fmt: skip
        return float(value), gradient

    return likelihood


def _weeks(days: Ints | int) -> Floats:
    return np.asarray(days) / DAYS_PER_WEEK
