"""BG/NBD and Gamma-Gamma give what their authors published, and what `lifetimes` computes."""

from __future__ import annotations

import numpy as np
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter
from scipy.optimize import approx_fprime
from scipy.special import roots_jacobi

from customer360.enrichment import bgnbd, gamma_gamma
from customer360.enrichment.bgnbd import BgNbd, fit_bgnbd
from customer360.enrichment.gamma_gamma import GammaGamma, fit_gamma_gamma
from customer360.enrichment.model import Floats, Ints, OrderHistory
from tests.enrichment import cdnow

CALIBRATION_ENDS = cdnow.day("1997-09-30")
PUBLISHED = BgNbd(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258, log_likelihood=-9582.43)
PUBLISHED_VALUE = GammaGamma(p=6.249, q=3.745, v=15.448, log_likelihood=-4055.92)


def history() -> OrderHistory:
    """The 1/10 sample over its 39 weeks of calibration."""
    return cdnow.orders("sample").until(CALIBRATION_ENDS).by_day().history(CALIBRATION_ENDS)


def repeat_values() -> tuple[Ints, Floats]:
    """Repeat orders and their mean value in dollars, of who repeated: what the published fit is on."""
    days = cdnow.orders("sample").until(CALIBRATION_ENDS).by_day()
    repeat = days.day > days.first(0)[days.buyer]
    count, spend = days.count() - 1, np.bincount(days.buyer, days.total * repeat)
    return count[count > 0], spend[count > 0] / count[count > 0] / 100


def lifetimes_model(model: BgNbd) -> BetaGeoFitter:
    fitter = BetaGeoFitter()
    fitter.params_ = {"r": model.r, "alpha": model.alpha, "a": model.a, "b": model.b}
    return fitter


def test_bgnbd_finds_the_published_parameters() -> None:
    found = fit_bgnbd(*history().counted())

    assert (found.r, found.alpha, found.a, found.b) == pytest.approx(
        (PUBLISHED.r, PUBLISHED.alpha, PUBLISHED.a, PUBLISHED.b), abs=0.001
    )
    assert found.log_likelihood >= -9582.44


def test_gamma_gamma_finds_the_published_parameters() -> None:
    orders, values = repeat_values()

    found = fit_gamma_gamma(orders, values)

    assert len(orders) == 946
    assert (found.p, found.q, found.v) == pytest.approx(
        (PUBLISHED_VALUE.p, PUBLISHED_VALUE.q, PUBLISHED_VALUE.v), abs=0.02
    )
    assert found.log_likelihood == pytest.approx(PUBLISHED_VALUE.log_likelihood, abs=0.01)


@pytest.mark.parametrize("horizon_days", [1, 30, 90, 365])
def test_given_equal_parameters_expectations_are_those_of_lifetimes(horizon_days: int) -> None:
    known = history()
    chosen = np.random.default_rng(1).choice(len(known), 1000, replace=False)
    some = OrderHistory(
        known.repeat_orders[chosen], known.recency_days[chosen], known.age_days[chosen]
    )
    theirs = lifetimes_model(PUBLISHED)
    terms = (some.repeat_orders, some.recency_days / 7, some.age_days / 7)

    orders = theirs.conditional_expected_number_of_purchases_up_to_time(horizon_days / 7, *terms)
    alive = theirs.conditional_probability_alive(*terms)

    assert PUBLISHED.orders_ahead(some, horizon_days).mean == pytest.approx(orders, abs=1e-6)
    assert PUBLISHED.probability_alive(some) == pytest.approx(alive, abs=1e-6)


def test_given_equal_parameters_the_value_of_an_order_is_that_of_lifetimes() -> None:
    orders, values = repeat_values()
    theirs = GammaGammaFitter()
    theirs.params_ = {"p": PUBLISHED_VALUE.p, "q": PUBLISHED_VALUE.q, "v": PUBLISHED_VALUE.v}

    expected = theirs.conditional_expected_average_profit(orders, values)

    assert PUBLISHED_VALUE.mean_value(orders, values) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("a", [0.01, 0.99999999, 1.0, 1.0000003, 30.0, 1000.0])
@pytest.mark.parametrize(
    ("r", "alpha", "b"), [(0.01, 0.5, 0.01), (3.0, 4.0, 100.0), (50.0, 300.0, 2.0)]
)
def test_expected_orders_are_exact_where_library_functions_fail(
    r: float, alpha: float, a: float, b: float
) -> None:
    """The same expectation as an integral over the chance to leave, by Gauss and Jacobi's rule."""
    some = OrderHistory(*np.array([[0, 1, 60, 300], [0, 5, 300, 500], [700, 5, 330, 501]]))
    model = BgNbd(r, alpha, a, b, 0.0)

    found = model.orders_ahead(some, 90).mean / model.probability_alive(some)

    for row, repeat in enumerate(some.repeat_orders):
        nodes, weights = roots_jacobi(150, b + repeat - 1, a - 1)
        leaves = (nodes + 1) / 2
        reach = np.log1p(leaves * 90 / 7 / (alpha + some.age_days[row] / 7))
        expected = (weights * -np.expm1(-(r + repeat) * reach) / leaves).sum() / weights.sum()
        assert found[row] == pytest.approx(expected, rel=1e-7)


def test_orders_of_the_crowd_fall_between_the_quantiles_as_often_as_said() -> None:
    everybody = cdnow.orders("master")
    today = cdnow.day("1998-03-31")
    known = everybody.until(today).by_day().history(today)

    ahead = fit_bgnbd(*known.counted()).orders_ahead(known, 90)

    ordered = (everybody.until(today + 90).by_day().count() - 1) - known.repeat_orders
    assert np.mean((ahead.low <= ordered) & (ordered <= ahead.high)) >= 0.8
    assert np.all((ahead.low <= ahead.high) & (ahead.square >= ahead.mean**2))
    assert ahead.mean.mean() == pytest.approx(ordered.mean(), rel=0.15)


def test_gradients_are_the_slopes_of_their_log_likelihoods() -> None:
    groups, counts = history().counted()
    orders, values = repeat_values()
    cases = [
        (bgnbd._likelihood(groups, counts), np.array([0.4, 3.0, 0.9, 2.0])),
        (gamma_gamma._likelihood(orders, values), np.array([4.0, 2.0, 10.0])),
    ]

    for likelihood, parameters in cases:
        slopes = approx_fprime(parameters, lambda at, f=likelihood: f(at)[0], 1e-6)
        assert likelihood(parameters)[1] == pytest.approx(slopes, rel=1e-3)
