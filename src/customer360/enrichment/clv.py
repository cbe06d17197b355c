"""What will each buyer order and spend in the days to come? BG/NBD with Gamma-Gamma, or the shop's means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from customer360.enrichment.bgnbd import HIGH, LOW, BgNbd, OrdersAhead, fit_bgnbd
from customer360.enrichment.gamma_gamma import GammaGamma, fit_gamma_gamma
from customer360.enrichment.model import Floats, Ints, OrderDays, OrderHistory, Orders, count_below

HORIZONS_DAYS = (30, 90)
LEAST_REPEAT_BUYERS = 100
"""Who paid for orders on two days or more. Seven parameters that fewer tell of are anybody's guess."""
_LEAST_PROBABILITY = 1e-300
"""Of an order by somebody who surely left: what is divided by is never 0."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What each buyer is expected to do within a horizon; eight in ten end between low and high."""

    orders: Floats
    orders_low: Floats
    orders_high: Floats
    spend: Floats
    spend_low: Floats
    spend_high: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of all buyers, by horizon in days, and what it rests on.

    too_few: why the shop's means stand in for the models, in words; None where the models speak.
    """

    ahead: Mapping[int, Ahead]
    too_few: str | None = None
    order_model: BgNbd | None = None
    value_model: GammaGamma | None = None


def forecast(orders: Orders, today: int) -> Forecast:
    """What every buyer will do, from all orders placed by the end of today; each must have placed one."""
    days = orders.until(today).by_day()
    history = days.history(today)
    valued, value = _valued(days)
    repeat_buyers = int(np.count_nonzero(valued > 1))
    if repeat_buyers < LEAST_REPEAT_BUYERS:
        too_few = f"{repeat_buyers} of at least {LEAST_REPEAT_BUYERS} buyers have paid for orders on two days or more"
        return Forecast(
            {horizon: _by_means(history, days, horizon) for horizon in HORIZONS_DAYS}, too_few
        )
    rows, row_valued, row = _alike(history, valued)
    order_model = fit_bgnbd(rows, np.bincount(row, minlength=len(rows)))
    value_model = fit_gamma_gamma(valued[valued > 0], value[valued > 0])
    worth = value_model.mean_value(valued, value)
    ahead = {
        horizon: _by_models(
            order_model.orders_ahead(rows, horizon), value_model, row_valued, row, worth
        )
        for horizon in HORIZONS_DAYS
    }
    return Forecast(ahead, None, order_model, value_model)


def percentile_of(values: Floats) -> Floats:
    """100 times the share of buyers with as much or less: the highest is 100."""
    return 100 * (1 - count_below(-values) / max(len(values), 1))


def _alike(history: OrderHistory, valued: Ints) -> tuple[OrderHistory, Ints, Ints]:
    """Histories that differ, on how many of their days orders were of some value, and which of them each buyer has.

    The few buyers with a day of no value have a row for themselves: grouping by both would take longer than it saves.
    """
    groups, place = history.grouped()
    odd = np.flatnonzero(valued != history.repeat_orders + 1)
    place[odd] = len(groups) + np.arange(len(odd))
    rows = OrderHistory(
        np.append(groups.repeat_orders, history.repeat_orders[odd]),
        np.append(groups.recency_days, history.recency_days[odd]),
        np.append(groups.age_days, history.age_days[odd]),
    )
    return rows, np.append(groups.repeat_orders + 1, valued[odd]), place


def _valued(days: OrderDays) -> tuple[Ints, Floats]:
    """Days of each buyer with orders of some value, and their mean value; 0 and 0 where there are none.

    The models know no gifts and no corrections, so a day that comes to nothing or less says nothing of value.
    """
    paid = days.total > 0
    who, buyers = days.buyer[paid], len(days.begin) - 1
    count = np.bincount(who, minlength=buyers)
    return count, np.bincount(who, days.total[paid], buyers) / np.maximum(count, 1)


def _by_models(
    ahead: OrdersAhead, model: GammaGamma, valued: Ints, row: Ints, mean_value: Floats
) -> Ahead:
    """What buyers do of whom the model expects what is in these rows; mean_value is of each buyer."""
    low, high = (_spend_quantile(ahead, model, valued, level) for level in (LOW, HIGH))
    spend, spend_low, spend_high = (one[row] * mean_value for one in (ahead.mean, low, high))
    return Ahead(ahead.mean[row], ahead.low[row], ahead.high[row], spend, spend_low, spend_high)


def _spend_quantile(ahead: OrdersAhead, model: GammaGamma, valued: Ints, level: float) -> Floats:
    """Spend that a share of `level` of such buyers stays below, beside the mean value of an order of theirs.

    Fader & Hardie (2013): n orders are worth a gamma (p n) variable times one of the rate's uncertainty, together a
    beta prime one. Of a random n, at least 1, the gamma gets the same mean and variance; the mean is exact.
    """
    any_orders = np.maximum(ahead.any, _LEAST_PROBABILITY)
    orders_if_any = np.maximum(ahead.mean / any_orders, 1)
    spread = np.maximum(ahead.square / any_orders - orders_if_any**2, 0)
    shape = model.p * orders_if_any**2 / (orders_if_any + model.p * spread)
    certain = model.p * valued + model.q
    share = np.clip((level - 1 + any_orders) / any_orders, 0, 1)
    ratio = scipy.special.betaincinv(shape, certain, share)
    spend: Floats = orders_if_any * (certain - 1) / shape * ratio / (1 - ratio)
    return spend


def _by_means(history: OrderHistory, days: OrderDays, horizon: int) -> Ahead:
    """Everybody repeats as the shop's buyers do on average, and spends its mean on a day with orders."""
    rate = history.repeat_orders.sum() / max(int(history.age_days.sum()), 1)
    mean = np.full(len(history), min(rate, 1.0) * horizon)
    value = max(float(days.total.mean()), 0.0) if len(days.total) else 0.0
    low, high = (_poisson_quantile(mean, level) for level in (LOW, HIGH))
    return Ahead(mean, low, high, mean * value, low * value, high * value)


def _poisson_quantile(mean: Floats, level: float) -> Floats:
    """The smallest number that a share of `level` does not exceed."""
    quantile: Floats = np.ceil(scipy.special.pdtrik(level, mean))
    return quantile
