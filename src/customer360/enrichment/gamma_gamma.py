"""How much is each buyer's order worth? The Gamma-Gamma model. Pure.

An order's value varies around the buyer's own mean, and the means vary over the shop, independently of how often
people order. Source: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from customer360.enrichment.fitting import LogLikelihood, fit
from customer360.enrichment.model import Floats, Ints

_START = np.array([5.0, 3.0, 0.6])
"""p, q - 1 and v / mean value of a shop like those published; their mean, p v / (q - 1), is the shop's."""


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Fitted parameters: an order's value is gamma (p, rate), the rate gamma (q, v)."""

    p: float
    q: float
    v: float
    log_likelihood: float

    def mean_value(self, orders: Ints, value: Floats) -> Floats:
        """Expected value of each buyer's next orders, from how many there were and their mean value.

        Eq. 5: the shop's mean and the buyer's own, weighed by the number of orders.
        """
        weight = self.p * orders
        return (self.p * self.v + weight * value) / (weight + self.q - 1)


def fit_gamma_gamma(orders: Ints, value: Floats) -> GammaGamma:
    """The parameters by maximum likelihood; every buyer has an order or more, and a mean value above 0.

    q is kept above 1, below which the shop's mean value would be infinite.
    """
    scale = float(value.mean())
    parameters, log_likelihood = fit(_likelihood(orders, value / scale), _START, len(orders))
    p, above_one, v = parameters.tolist()
    return GammaGamma(
        p, 1 + above_one, v * scale, log_likelihood - len(orders) * float(np.log(scale))
    )


def _likelihood(orders: Ints, value: Floats) -> LogLikelihood:
    """Log-likelihood (eq. 1a) and gradient as a function of p, q - 1, v."""
    numbers, counts = np.unique(orders, return_counts=True)
    log_value, total = np.log(value), orders * value
    log_orders = np.log(orders)
    gammaln, psi = scipy.special.gammaln, scipy.special.psi

    def likelihood(parameters: Floats) -> tuple[float, Floats]:
        p, above_one, v = parameters
        q = 1 + above_one
        shape = p * orders + q
        log_sum, inverse = np.log(v + total), 1 / (v + total)
        log_share = log_value + log_orders - log_sum
        by_value = (p * orders * log_share - log_value + q * (np.log(v) - log_sum)).sum()
        gammas = gammaln(p * numbers + q) - gammaln(p * numbers) - gammaln(q)
        both = psi(p * numbers + q)
        gradient = np.array([
            counts @ (numbers * (both - psi(p * numbers))) + (orders * log_share).sum(),
            counts @ (both - psi(q)) + (np.log(v) - log_sum).sum(),
            (q / v - shape * inverse).sum(),
        ])  # fmt: skip
        return float(counts @ gammas + by_value), gradient

    return likelihood
