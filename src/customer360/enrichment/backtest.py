"""How good would predictions have been at past origins, told only what was known then? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.churn import churn_index
from customer360.enrichment.clv import Forecast, forecast
from customer360.enrichment.model import Bools, Floats, Ints, Orders
from customer360.enrichment.origins import Acts, Facts, facts_on, stayed_away
from customer360.enrichment.risk import NotCalibrated, learn_risk


@dataclass(frozen=True, slots=True)
class Backtest:
    """Predictions of all origins together, one row for each buyer and origin, and what happened.

    too_early: the origins that had too little history, and what was too little.
    """

    index: Floats
    risk: Floats
    away: Bools
    origins: tuple[int, ...]
    too_early: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class SpendBacktest:
    """What was expected of who had ordered by then, what they spent, and what the expectation rested on.

    order_days: on how many days each of them ordered.
    """

    predicted: Floats
    actual: Floats
    order_days: Ints
    told: Forecast


def spend_backtest(orders: Orders, day: int, horizon_days: int) -> SpendBacktest:
    """What a run at the end of a day would have told of the days after it, and what came."""
    known, who = orders.known(day)
    told = forecast(known, day)
    after = (orders.day > day) & (orders.day <= day + horizon_days)
    came = Orders(orders.buyers, orders.buyer[after], orders.day[after], orders.total[after])
    return SpendBacktest(
        told.ahead[horizon_days].spend, came.spend()[who], came.by_day().count()[who], told
    )


def risk_on(
    orders: Orders, acts: Acts, day: int, churned_days: int
) -> tuple[Facts, Floats] | NotCalibrated:
    """The facts and risks of all buyers at the end of a day, as a run on that day tells them."""
    model = learn_risk(orders, acts, day, churned_days)
    if isinstance(model, NotCalibrated):
        return model
    facts = facts_on(orders, acts, day)
    return facts, model.risk(facts)


def backtest(orders: Orders, acts: Acts, origins: Sequence[int], churned_days: int) -> Backtest:
    """Index and risk at each origin that had enough history, beside who then stayed away."""
    indices, risks, aways, used = [], [], [], []
    too_early = {}
    for origin in origins:
        told = risk_on(orders, acts, origin, churned_days)
        if isinstance(told, NotCalibrated):
            too_early[origin] = told.reason
            continue
        facts, risk = told
        index = churn_index(facts.silent_days, facts.orders_count, facts.total_spend, churned_days)
        indices.append(index.index)
        risks.append(risk)
        aways.append(stayed_away(orders, facts, origin, churned_days))
        used.append(origin)
    nothing = np.zeros(0)
    return Backtest(
        np.concatenate([nothing, *indices]),
        np.concatenate([nothing, *risks]),
        np.concatenate([nothing.astype(bool), *aways]),
        tuple(used),
        too_early,
    )
