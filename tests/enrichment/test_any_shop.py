"""Whatever a shop has, every score and measure is a number and every buyer has one: no error, no NaN, no warning."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.enrichment.actions import next_best_actions
from customer360.enrichment.backtest import backtest
from customer360.enrichment.churn import churn_index
from customer360.enrichment.clv import Forecast, forecast, percentile_of
from customer360.enrichment.evaluation import auc, normalised_gini
from customer360.enrichment.model import Orders
from customer360.enrichment.next_order import is_due, next_orders, rhythm_of
from customer360.enrichment.origins import Acts, facts_on
from customer360.enrichment.rfm import rfm
from customer360.enrichment.risk import NotCalibrated, RiskModel, learn_risk
from customer360.enrichment.tiers import tiers
from tests.enrichment import crowd
from tests.enrichment.cards import card_of

TODAY = 400
FAR = 700_000
"""Days: nearly to the year 1, and as far ahead."""

Row = tuple[int, int, float]


def rows_of_a_shop(most: int, buyers: int) -> st.SearchStrategy[list[Row]]:
    """Orders of some buyers, among them gifts, corrections and very large ones, a few at any time."""
    totals = st.sampled_from([-1000.0, -1.0, 0.0, 1.0, 20.0, 20.0, 99_999_999.0])
    days = st.integers(0, TODAY) | st.sampled_from([-FAR, -1, 0, TODAY, TODAY + 1, FAR])
    return st.lists(st.tuples(st.integers(0, buyers - 1), days, totals), max_size=most)


def of_buyers_only(rows: list[Row]) -> Orders:
    """Buyers are who has ordered by today, numbered without holes, as a run reads them."""
    return crowd.shop(*rows).known(TODAY)[0]


def acts_of(orders: Orders) -> Acts:
    """Something that everybody did a little before and after each order."""
    return Acts(np.tile(orders.buyer, 2), np.concatenate([orders.day - 3, orders.day + 40]))


def everything(orders: Orders) -> tuple[list[Any], Forecast, RiskModel | NotCalibrated]:
    """All that a run computes of a shop, and the two models."""
    acts = acts_of(orders)
    facts = facts_on(orders, acts, TODAY)
    churn = churn_index(facts.silent_days, facts.orders_count, facts.total_spend, 90)
    learned = learn_risk(orders, acts, TODAY, 90)
    risk = learned.risk(facts) if isinstance(learned, RiskModel) else churn.index
    coming = forecast(orders, TODAY)
    average = facts.total_spend / facts.orders_count
    found = [
        facts, churn, risk, rfm(facts.silent_days, facts.orders_count, average),
        tiers(facts.orders_count, facts.total_spend), *coming.ahead.values(),
        percentile_of(facts.total_spend + coming.ahead[90].spend), next_orders(orders, TODAY),
        is_due(rhythm_of(orders), TODAY),
    ]  # fmt: skip
    nobody = np.zeros(len(facts.buyer), np.bool_)
    found.append(next_best_actions(["loyal"] * len(nobody), churn.band(), nobody, nobody))
    found.append(numbers_of(msgspec.to_builtins(card_of(orders, acts, TODAY))))
    assert np.all((risk >= 0) & (risk <= 1))
    assert np.all((churn.index >= 0) & (churn.index <= 1))
    assert len(churn.band()) == len(facts.buyer) == orders.buyers
    return found, coming, learned


def numbers_in(found: Any) -> list[np.ndarray]:
    """Every array of numbers in what was found."""
    if is_dataclass(found):
        return [
            array for field in fields(found) for array in numbers_in(getattr(found, field.name))
        ]
    if isinstance(found, list):
        return [array for one in found for array in numbers_in(one)]
    return [found] if isinstance(found, np.ndarray) else []


def numbers_of(told: Any) -> np.ndarray:
    """Every number of a model card."""
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        return np.concatenate([np.zeros(0), *(numbers_of(one) for one in told)])
    return np.array([told] if isinstance(told, float | int) else [], np.float64)


def assert_all_numbers(found: list[Any]) -> None:
    arrays = numbers_in(found)
    assert len(arrays) > 20
    assert all(np.isfinite(array).all() for array in arrays)


@settings(max_examples=150, deadline=None)
@given(rows=rows_of_a_shop(most=80, buyers=40))
def test_a_shop_of_any_orders_has_numbers_everywhere(rows: list[Row]) -> None:
    orders = of_buyers_only(rows)

    found, coming, learned = everything(orders)

    assert_all_numbers(found)
    assert coming.too_few
    assert isinstance(learned, NotCalibrated)


@settings(max_examples=8, deadline=None)
@given(rows=rows_of_a_shop(most=10, buyers=10))
def test_a_large_shop_of_any_orders_has_numbers_everywhere(rows: list[Row]) -> None:
    """The same few people five hundred times over: enough for every model, and for nothing that varies."""
    people = of_buyers_only([(10, 0, 20.0), (10, 200, 20.0), *rows])
    copies = np.repeat(np.arange(500) * people.buyers, len(people.buyer))
    orders = Orders(
        500 * people.buyers,
        np.tile(people.buyer, 500) + copies,
        np.tile(people.day, 500),
        np.tile(people.total, 500),
    )

    found, coming, learned = everything(orders)

    assert_all_numbers(found)
    assert coming.too_few is None
    assert isinstance(learned, RiskModel)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="no orders"),
        pytest.param([(0, TODAY, 20.0)], id="one customer"),
        pytest.param([(0, 0, -20.0)], id="negative spend"),
        pytest.param([(buyer, TODAY, 20.0) for buyer in range(900)], id="all orders on one day"),
        pytest.param([(buyer, 0, 20.0) for buyer in range(900)], id="one day long ago"),
        pytest.param(
            [(buyer, day, 20.0) for buyer in range(900) for day in (0, 200)], id="all alike"
        ),
        pytest.param(
            [(buyer, buyer % 400, -5.0 * order) for buyer in range(900) for order in range(2)],
            id="nothing but corrections",
        ),
    ],
)
def test_a_shop_at_the_edge_has_numbers_everywhere(rows: list[Row]) -> None:
    found, _, _ = everything(crowd.shop(*rows))

    assert_all_numbers(found)


def test_a_backtest_without_history_is_empty_and_its_measures_are_silent() -> None:
    found = backtest(crowd.shop((0, 0, 1.0)), Acts.none(), [100, 200], 90)

    assert found.origins == ()
    assert auc(found.risk, found.away) is None
    assert normalised_gini(found.risk, found.risk) is None
