"""What do the models rest on, how good were they when it was known what came, and whom do they leave out? Pure.

The card is JSON: days are dates, and what cannot be said is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from customer360.enrichment.backtest import backtest, spend_backtest
from customer360.enrichment.clv import Forecast
from customer360.enrichment.evaluation import (
    Bin,
    auc,
    brier,
    calibration_error,
    deciles,
    mean_absolute_error,
    normalised_gini,
    reliability,
)
from customer360.enrichment.model import Bools, Floats, Ints, Orders
from customer360.enrichment.next_order import NextOrder
from customer360.enrichment.origins import Acts, Facts
from customer360.enrichment.rfm import Rfm
from customer360.enrichment.risk import NotCalibrated, RiskModel, label_days
from customer360.enrichment.tiers import Tiers

VALUE_HORIZON_DAYS = 90
MOST_TESTED = 100_000
"""Buyers whom a backtest asks: more would change no measure by a hundredth, and take seconds."""
_MOST_DOUBLINGS = 50.0
"""Odds of two to the power of it are certainty; larger ones would end beyond the numbers."""


class LeftOut(msgspec.Struct, frozen=True):
    """People whom a model does not cover: who, how many, what they have none of, and why."""

    who: str
    people: int
    has_no: str
    why: str


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What the models read; days are of the shop's calendar."""

    buyers: int
    orders: int
    first_day: str | None
    last_day: str | None
    history_days: int
    left_out: list[LeftOut]


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """How a fact weighs, as the factor of the odds to stay away where there is twice as much of it."""

    fact: str
    odds_of_twice: float
    words: str


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """How good probabilities were."""

    brier: float
    auc: float | None
    calibration_error: float
    reliability: list[Bin]
    deciles: list[Bin]


class RiskBacktest(msgspec.Struct, frozen=True, kw_only=True):
    """What a run at the end of a past day would have told of so many buyers, one of `one_in`, beside what came."""

    day: str
    buyers: int
    one_in: int
    stayed_away: float
    risk: Measures
    index: Measures


class ChurnRisk(msgspec.Struct, frozen=True, kw_only=True):
    """What the churn risk was learned of.

    not_calibrated, no_backtest: why not, in words; None where it is. curve: isotonic or logistic.
    """

    churned_days: int
    not_calibrated: str | None
    origins: list[str]
    labels: int
    base_rate: float | None
    curve: str | None
    weights: list[Weight]
    backtest: RiskBacktest | None
    no_backtest: str | None


class ValueBacktest(msgspec.Struct, frozen=True, kw_only=True):
    """What a run at the end of a past day would have told of the horizon, beside what came; orders by days.

    inside_interval: the share of buyers whose spend ended in it.
    """

    day: str
    horizon_days: int
    buyers: int
    one_in: int
    mean_absolute_error: float
    normalised_gini: float | None
    predicted_spend: float
    actual_spend: float
    inside_interval: float
    predicted_orders: float
    actual_orders: int


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What orders and spend are expected by; shop_means: why the shop's means stand in for the models, else None."""

    shop_means: str | None
    orders: dict[str, float]
    """Parameters of BG/NBD: r, alpha (weeks), a, b."""
    values: dict[str, float]
    """Parameters of Gamma-Gamma: p, q, v."""
    predicted_orders: float
    predicted_spend: float
    backtest: ValueBacktest | None
    no_backtest: str | None


class TierLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From where on somebody is a VIP, and how many buyers have each tier."""

    vip_spend: float | None
    vip_orders: float
    buyers: dict[str, int]


class RfmLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From where on buyers have which score.

    recency_days: at most, for 5, 4, 3, 2. The others: at least, for 2, 3, 4, 5; None where nobody has it.
    """

    recency_days: list[int]
    orders: list[float | None]
    average_order_value: list[float | None]


class NextOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many buyers the next order is expected, and the share whose day is past."""

    buyers: int
    overdue: float | None


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's models rest on, and how good they are."""

    day: str
    data: Data
    churn_risk: ChurnRisk
    value: Value
    tiers: TierLimits
    rfm: RfmLimits
    next_order: NextOrders


@dataclass(frozen=True, slots=True)
class People:
    """How many there are of a shop's people, buyers and others."""

    customers: int
    visitors: int


def origin_days(today: int, churned_days: int) -> list[int]:
    """All days at whose end a run asks who had acted when, in order: of the acts between two, the last is enough."""
    days = (today, today - churned_days)
    return sorted({*days, *(int(one) for day in days for one in label_days(day, churned_days))})


def model_card(
    orders: Orders,
    acts: Acts,
    today: int,
    churned_days: int,
    *,
    people: People,
    facts: Facts,
    told: Forecast,
    learned: RiskModel | NotCalibrated,
    tiers: Tiers,
    rfm: Rfm,
    recency_days: Sequence[int],
    expected: NextOrder,
) -> ModelCard:
    """The card of what was computed of a shop at the end of today; every buyer has ordered by then.

    facts, told, learned, tiers, rfm, expected: what the run found. The backtests are all that is computed here.
    """
    orders = orders.until(today)
    sample, acted, one_in = _sampled(orders, acts)
    return ModelCard(
        day=_date(today),
        data=_data(orders, today, people, len(expected.buyer)),
        churn_risk=_churn_risk(sample, acted, one_in, today, churned_days, learned),
        value=_value(sample, one_in, today, told),
        tiers=TierLimits(
            vip_spend=tiers.vip_spend,
            vip_orders=tiers.vip_orders,
            buyers={name: tiers.tier.count(name) for name in ("new", "regular", "vip")},
        ),
        rfm=RfmLimits(
            recency_days=list(recency_days),
            orders=_limits(rfm.frequency, facts.orders_count),
            average_order_value=_limits(
                rfm.monetary, facts.total_spend / np.maximum(facts.orders_count, 1)
            ),
        ),
        next_order=NextOrders(
            buyers=len(expected.buyer),
            overdue=float(np.mean(expected.overdue_days > 0)) if len(expected.buyer) else None,
        ),
    )


def _data(orders: Orders, today: int, people: People, with_rhythm: int) -> Data:
    days = (int(orders.day.min()), int(orders.day.max())) if len(orders.day) else None
    buyers = orders.buyers
    everything = "RFM, tier, churn, value and next order"
    paid = np.zeros(buyers, np.bool_)
    paid[orders.buyer[orders.total > 0]] = True
    left_out = (
        LeftOut("visitors", people.visitors, everything, "Nobody knows who they are."),
        LeftOut("customers", people.customers - buyers, everything, "They have not ordered."),
        LeftOut("buyers", buyers - with_rhythm, "next order", "They ordered on one day only."),
        LeftOut(
            "buyers",
            buyers - int(paid.sum()),
            "value of their own",
            "No order of theirs came to more than nothing: the shop's mean is taken.",
        ),
    )
    return Data(
        buyers=buyers,
        orders=len(orders.day),
        first_day=_date(days[0]) if days else None,
        last_day=_date(days[1]) if days else None,
        history_days=today - days[0] if days else 0,
        left_out=[one for one in left_out if one.people > 0],
    )


def _churn_risk(
    orders: Orders,
    acts: Acts,
    one_in: int,
    today: int,
    churned_days: int,
    learned: RiskModel | NotCalibrated,
) -> ChurnRisk:
    if isinstance(learned, NotCalibrated):
        return ChurnRisk(
            churned_days=churned_days, not_calibrated=learned.reason, origins=[], labels=0, base_rate=None,
            curve=None, weights=[], backtest=None, no_backtest=learned.reason,
        )  # fmt: skip
    then = today - churned_days
    found = backtest(orders, acts, [then], churned_days)
    tested = RiskBacktest(
        day=_date(then), buyers=len(found.away), one_in=one_in, stayed_away=float(found.away.mean()),
        risk=_measures(found.risk, found.away), index=_measures(found.index, found.away),
    ) if found.origins else None  # fmt: skip
    return ChurnRisk(
        churned_days=churned_days,
        not_calibrated=None,
        origins=[_date(day) for day in learned.origins],
        labels=learned.labels,
        base_rate=learned.base_rate,
        curve="logistic" if learned.scores is None else "isotonic",
        weights=_weights(learned),
        backtest=tested,
        no_backtest=found.too_early.get(then),
    )


def _weights(learned: RiskModel) -> list[Weight]:
    """The weights as what twice as much does; facts are weighed by their logarithms."""
    more = (
        ("silent_days", "as many silent days", 1),
        ("orders_count", "as many orders", -1),
        ("total_spend", "as much spend", -1),
    )
    found = []
    for (fact, what, sign), weight in zip(more, learned.weights.tolist(), strict=True):
        factor = 2.0 ** (sign * min(weight, _MOST_DOUBLINGS))
        words = f"With twice {what}, the odds of staying away are {factor:.2f} times as high."
        found.append(Weight(fact=fact, odds_of_twice=factor, words=words))
    return found


def _measures(probability: Floats, happened: Bools) -> Measures:
    curve = reliability(probability, happened)
    return Measures(
        brier=brier(probability, happened),
        auc=auc(probability, happened),
        calibration_error=calibration_error(curve),
        reliability=curve,
        deciles=deciles(probability, happened),
    )


def _value(orders: Orders, one_in: int, today: int, told: Forecast) -> Value:
    ahead, then = told.ahead[VALUE_HORIZON_DAYS], today - VALUE_HORIZON_DAYS
    early = not np.any(orders.day <= then)
    order_model, value_model = told.order_model, told.value_model
    return Value(
        shop_means=told.too_few,
        orders={name: getattr(order_model, name) for name in ("r", "alpha", "a", "b")} if order_model else {},
        values={name: getattr(value_model, name) for name in ("p", "q", "v")} if value_model else {},
        predicted_orders=float(ahead.orders.sum()),
        predicted_spend=float(ahead.spend.sum()),
        backtest=None if early else _value_backtest(orders, one_in, then),
        no_backtest=f"Nobody had ordered {VALUE_HORIZON_DAYS} days ago" if early else None,
    )  # fmt: skip


def _value_backtest(orders: Orders, one_in: int, day: int) -> ValueBacktest:
    found = spend_backtest(orders, day, VALUE_HORIZON_DAYS)
    ahead, actual = found.told.ahead[VALUE_HORIZON_DAYS], found.actual
    return ValueBacktest(
        day=_date(day),
        horizon_days=VALUE_HORIZON_DAYS,
        buyers=len(actual),
        one_in=one_in,
        mean_absolute_error=mean_absolute_error(found.predicted, actual),
        normalised_gini=normalised_gini(found.predicted, actual),
        predicted_spend=float(found.predicted.sum()),
        actual_spend=float(actual.sum()),
        inside_interval=float(np.mean((actual >= ahead.spend_low) & (actual <= ahead.spend_high))),
        predicted_orders=float(ahead.orders.sum()),
        actual_orders=int(found.order_days.sum()),
    )


def _limits(scores: Ints, values: Floats | Ints) -> list[float | None]:
    """The least value that has each score from 2 to 5."""
    having = [values[scores == score] for score in range(2, 6)]
    return [float(some.min()) if len(some) else None for some in having]


def _sampled(orders: Orders, acts: Acts) -> tuple[Orders, Acts, int]:
    """The same of every so many-th buyer, so that enough are left; always the same ones."""
    one_in = max(-(-orders.buyers // MOST_TESTED), 1)
    if one_in == 1:
        return orders, acts, one_in
    mine, theirs = orders.buyer % one_in == 0, acts.buyer % one_in == 0
    some = Orders(
        -(-orders.buyers // one_in),
        orders.buyer[mine] // one_in,
        orders.day[mine],
        orders.total[mine],
    )
    return some, Acts(acts.buyer[theirs] // one_in, acts.day[theirs]), one_in


def _date(day: int) -> str:
    return str(np.datetime64(day, "D"))
