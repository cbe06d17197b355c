"""Which parameters make what happened most probable? For models whose parameters are all positive. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy
from threadpoolctl import threadpool_limits

from customer360.enrichment.model import Floats

Loss = Callable[[Floats], tuple[float, Floats]]
"""Parameters -> what is to be small and its gradient."""

LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Parameters -> log-likelihood and its gradient."""

_PRIOR_SPREAD = 10.0
"""Of a logarithm: ten times the start costs a fortieth of a unit of log-likelihood."""
_FARTHEST = 10.0
"""From the start, as a logarithm: beyond a factor of 22,000 no shop is, and products stay finite."""


def fit(likelihood: LogLikelihood, start: Floats, buyers: int) -> tuple[Floats, float]:
    """The parameters of greatest probability, and the log-likelihood there without the prior.

    A weak normal prior on the logarithms around `start` keeps parameters finite that the data do not tell.
    """
    centre = np.log(start)

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = likelihood(np.exp(logs))
        off = (logs - centre) / _PRIOR_SPREAD
        slope = gradient * np.exp(logs) - off / _PRIOR_SPREAD
        # By buyer, so that one tolerance fits shops of every size.
        return -(value - float(off @ off) / 2) / buyers, -slope / buyers

    bounds = [(log - _FARTHEST, log + _FARTHEST) for log in centre]
    parameters = np.exp(least(loss, centre, bounds))
    return parameters, likelihood(parameters)[0]


def least(loss: Loss, start: Floats, bounds: Sequence[tuple[float | None, float | None]]) -> Floats:
    """Where between the bounds the loss is least."""
    options = {"ftol": 1e-12, "gtol": 1e-8, "maxiter": 200}
    # A few numbers squared by several threads: on a busy machine these wait for each other a hundred times as long.
    with threadpool_limits(1):
        found = scipy.optimize.minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
    where: Floats = found.x
    return where
