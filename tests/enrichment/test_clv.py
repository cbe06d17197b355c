"""Orders and spend to come: right on CDNOW, careful where there is little to tell of."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.backtest import spend_backtest
from customer360.enrichment.bgnbd import BgNbd
from customer360.enrichment.clv import (
    HORIZONS_DAYS,
    Ahead,
    Forecast,
    _by_models,
    forecast,
    percentile_of,
)
from customer360.enrichment.evaluation import mean_absolute_error, normalised_gini
from customer360.enrichment.gamma_gamma import GammaGamma
from customer360.enrichment.model import Floats, OrderHistory, Orders
from tests.enrichment import cdnow, crowd

TODAY = cdnow.day("1998-03-31")


@pytest.fixture(scope="module")
def told() -> Forecast:
    """Of the CDNOW customers, on the last day that has 90 days after it."""
    return forecast(cdnow.orders("master"), TODAY)


def came(horizon: int) -> Orders:
    """What happened in the days after."""
    everything = cdnow.orders("master")
    after = (everything.day > TODAY) & (everything.day <= TODAY + horizon)
    return Orders(
        everything.buyers,
        everything.buyer[after],
        everything.day[after],
        everything.total[after],
    )


def dollars(amounts: Floats) -> Floats:
    return amounts / 100


def test_spend_of_90_days_is_near_what_came_and_ranks_people(told: Forecast) -> None:
    found = spend_backtest(cdnow.orders("master"), TODAY, 90)
    predicted, actual = dollars(found.predicted), dollars(found.actual)

    assert np.array_equal(found.predicted, told.ahead[90].spend)
    assert np.array_equal(found.actual, came(90).spend())
    assert mean_absolute_error(predicted, actual) <= 11.1
    assert (normalised_gini(predicted, actual) or 0) >= 0.765


@pytest.mark.parametrize("horizon", HORIZONS_DAYS)
def test_eight_in_ten_spend_between_low_and_high(told: Forecast, horizon: int) -> None:
    ahead, spent = told.ahead[horizon], came(horizon).spend()
    open_ended = ahead.spend_high > 0

    assert np.mean((ahead.spend_low <= spent) & (spent <= ahead.spend_high)) >= 0.8
    # Most will spend nothing, which is easily said; of the others one in ten spends more than told.
    assert np.mean(spent[open_ended] > ahead.spend_high[open_ended]) == pytest.approx(0.1, abs=0.05)
    assert np.all((ahead.spend_low <= ahead.spend_high) & (ahead.spend_low >= 0))


def test_the_interval_of_spend_is_that_of_a_thousand_futures() -> None:
    """Four buyers, whose rates, leaving and values are drawn as the models say what is known of them."""
    chance, draws = np.random.default_rng(5), 100_000
    orders, value = BgNbd(0.5, 4.0, 0.8, 2.5, 0.0), GammaGamma(2.0, 3.0, 15.0, 0.0)
    known = OrderHistory(*np.array([[0, 2, 9, 40], [0, 60, 280, 280], [10, 80, 300, 300]]))
    # Of the third's ten orders one was worth something, so the value is known as little as the first's.
    days, worth = np.array([1, 3, 1, 41]), np.array([20.0, 35.0, 60.0, 15.0])

    ahead, mean_value = orders.orders_ahead(known, 90), value.mean_value(days, worth)
    found = _by_models(ahead, value, days, np.arange(4), mean_value)

    alive = orders.probability_alive(known)
    for row, repeat in enumerate(known.repeat_orders):
        rate = chance.gamma(0.5 + repeat, 1 / (4 + known.age_days[row] / 7), draws)
        leaves = chance.beta(0.8, 2.5 + repeat, draws)
        before_leaving = np.where(chance.random(draws) < alive[row], chance.geometric(leaves), 0)
        count = np.minimum(chance.poisson(rate * 90 / 7), before_leaving)
        scale = (15 + days[row] * worth[row]) / chance.gamma(2.0 * days[row] + 3, 1.0, draws)
        spent = scale * chance.gamma(np.maximum(2.0 * count, 1e-9)) * (count > 0)
        assert found.spend[row] == pytest.approx(spent.mean(), rel=0.03)
        low, high = np.quantile(spent, (0.1, 0.9))
        assert found.spend_low[row] == pytest.approx(low, rel=0.06, abs=1)
        # Two gammas of one mean and variance have nearly the same tail.
        assert found.spend_high[row] == pytest.approx(high, rel=0.06)


def test_who_surely_left_is_expected_to_do_nothing() -> None:
    long_ago = OrderHistory(np.array([400]), np.array([400]), np.array([4000]))
    value = GammaGamma(6.0, 4.0, 15.0, 0.0)

    orders = BgNbd(0.5, 4.0, 0.8, 2.5, 0.0).orders_ahead(long_ago, 90)
    found = _by_models(orders, value, np.array([401]), np.array([0]), np.array([20.0]))

    assert orders.any[0] == 0
    assert (found.spend[0], found.spend_low[0], found.spend_high[0]) == (0, 0, 0)


def test_90_days_bring_more_than_30(told: Forecast) -> None:
    assert np.all(told.ahead[90].orders > told.ahead[30].orders)
    assert np.all(told.ahead[90].spend > told.ahead[30].spend)
    assert told.too_few is None


def test_what_comes_after_today_changes_nothing() -> None:
    orders = cdnow.orders("sample")

    told, known = forecast(orders, TODAY), forecast(orders.until(TODAY), TODAY)

    assert np.array_equal(known.ahead[90].spend, told.ahead[90].spend)


def test_a_shop_with_few_repeat_buyers_tells_its_means_and_says_so() -> None:
    # Two buyers, 100 and 50 days known, one repeat order: 90 / 150 of an order in 90 days.
    orders = crowd.shop((0, 0, 10.0), (0, 40, 30.0), (1, 50, 20.0))

    found = forecast(orders, 100)

    assert found.too_few == "1 of at least 100 buyers have paid for orders on two days or more"
    assert found.order_model is found.value_model is None
    assert found.ahead[90].orders == pytest.approx([0.6, 0.6])
    assert found.ahead[90].spend == pytest.approx([12.0, 12.0])
    # Poisson with mean 0.6: 0.55 of none, 0.88 of at most one, 0.98 of at most two.
    assert (found.ahead[90].orders_low[0], found.ahead[90].orders_high[0]) == (0, 2)
    assert (found.ahead[90].spend_low[0], found.ahead[90].spend_high[0]) == (0, 40)


def test_a_backtest_is_of_who_had_ordered_by_then() -> None:
    orders = crowd.shop((0, 150, 9.0), (1, 0, 10.0), (2, 90, 20.0), (1, 120, 7.0), (1, 200, 8.0))

    found = spend_backtest(orders, 100, 90)

    assert found.actual.tolist() == [7.0, 0.0]
    assert len(found.predicted) == 2
    assert found.told.too_few


def test_a_percentile_is_the_share_with_as_much_or_less() -> None:
    assert percentile_of(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [75.0, 25.0, 75.0, 100.0]


def whole(ahead: Ahead) -> bool:
    parts = (ahead.orders, ahead.orders_low, ahead.orders_high)
    parts += (ahead.spend, ahead.spend_low, ahead.spend_high)
    return all(np.isfinite(part).all() and (part >= 0).all() for part in parts)


@pytest.mark.parametrize(
    ("name", "total"),
    [("all alike", 20.0), ("worth nothing", 0.0), ("negative", -5.0)],
)
def test_models_hold_where_values_tell_nothing(name: str, total: float) -> None:
    varied = crowd.steady(300, 400, 60)
    totals = np.full(len(varied.day), total)
    # Half the orders keep their value where the other half has none, so that there is something to fit.
    if total <= 0:
        totals[::2] = varied.total[::2]
    found = forecast(Orders(varied.buyers, varied.buyer, varied.day, totals), 400)

    assert found.too_few is None
    assert all(whole(ahead) for ahead in found.ahead.values())
    if name == "all alike":
        # Some ordered twice on a day, and are expected to do so again.
        worth = found.ahead[90].spend / found.ahead[90].orders
        assert np.median(worth) == pytest.approx(total, rel=0.01)


def test_models_hold_where_nobody_ever_leaves_and_where_somebody_orders_daily() -> None:
    gaps = np.full(200, 30.0)
    gaps[0] = 1.0
    found = forecast(crowd.steady(200, 800, gaps), 800)

    assert found.too_few is None
    assert all(whole(ahead) for ahead in found.ahead.values())
    assert found.ahead[90].orders[0] > 40
