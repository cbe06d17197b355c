"""Churn risk: calibrated on the shop's own past, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.enrichment.backtest import Backtest, backtest, risk_on
from customer360.enrichment.evaluation import auc, brier, calibration_error, reliability
from customer360.enrichment.model import Orders
from customer360.enrichment.origins import Acts, Facts, facts_on, stayed_away
from customer360.enrichment.risk import NotCalibrated, RiskModel, learn_risk
from tests.enrichment import cdnow, crowd

MONTH_ENDS = (
    "1997-09-30", "1997-10-31", "1997-11-30", "1997-12-31", "1998-01-31", "1998-02-28", "1998-03-31",
)  # fmt: skip


@pytest.fixture(scope="module")
def pooled() -> Backtest:
    """CDNOW at seven month ends together."""
    origins = [cdnow.day(end) for end in MONTH_ENDS]
    return backtest(cdnow.orders("master"), Acts.none(), origins, 90)


def test_risk_is_calibrated_and_ranks_on_cdnow(pooled: Backtest) -> None:
    assert len(pooled.origins) == len(MONTH_ENDS)
    assert brier(pooled.risk, pooled.away) <= 0.1046
    assert (auc(pooled.risk, pooled.away) or 0) >= 0.805
    assert calibration_error(reliability(pooled.risk, pooled.away)) <= 0.018


def test_risk_is_better_than_the_index_it_comes_from(pooled: Backtest) -> None:
    assert brier(pooled.risk, pooled.away) < brier(pooled.index, pooled.away)
    assert calibration_error(reliability(pooled.risk, pooled.away)) < calibration_error(
        reliability(pooled.index, pooled.away)
    )


def test_the_future_changes_neither_features_nor_predictions() -> None:
    orders, origin = cdnow.orders("master"), cdnow.day("1997-12-31")
    chance = np.random.default_rng(3)
    acts = Acts(chance.integers(0, orders.buyers, 50_000), chance.integers(0, 545, 50_000))
    later = np.flatnonzero(orders.day > origin)
    mixed = Orders(orders.buyers, orders.buyer.copy(), orders.day.copy(), orders.total.copy())
    for column in (mixed.buyer, mixed.day, mixed.total):
        column[later] = chance.permutation(column[later])
    acted_later = acts.day > origin
    other_acts = Acts(
        np.where(acted_later, chance.permutation(acts.buyer), acts.buyer),
        np.where(acted_later, 545, acts.day),
    )

    seen, mixed_seen = (
        risk_on(*told, origin, 90) for told in ((orders, acts), (mixed, other_acts))
    )

    assert not isinstance(seen, NotCalibrated)
    assert not isinstance(mixed_seen, NotCalibrated)
    assert not np.array_equal(orders.buyer, mixed.buyer)
    for name in ("buyer", "silent_days", "orders_count", "total_spend"):
        assert np.array_equal(getattr(seen[0], name), getattr(mixed_seen[0], name))
    assert np.array_equal(seen[1], mixed_seen[1])


def test_facts_are_of_the_end_of_the_day_and_labels_of_the_days_after() -> None:
    orders = crowd.shop((0, 0, 5.0), (0, 10, 7.0), (1, 10, 3.0), (2, 11, 9.0), (1, 100, 4.0))
    acts = Acts(np.array([0, 0, 1]), np.array([4, 12, 3]))

    facts = facts_on(orders, acts, 10)

    assert facts.buyer.tolist() == [0, 1]
    assert facts.silent_days.tolist() == [0, 0]
    assert facts.orders_count.tolist() == [2, 1]
    assert facts.total_spend.tolist() == [12.0, 3.0]
    assert facts_on(orders, acts, 15).silent_days.tolist() == [3, 5, 4]
    assert stayed_away(orders, facts, 10, 90).tolist() == [True, False]
    assert stayed_away(orders, facts, 10, 89).tolist() == [True, True]


@pytest.mark.parametrize(
    ("buyers", "days", "reason"),
    [
        (499, 400, "499 of at least 500 buyers"),
        (600, 179, "179 of at least 180 days of orders"),
        (0, 400, "0 of at least 500 buyers"),
    ],
)
def test_with_too_little_history_nothing_is_calibrated(buyers: int, days: int, reason: str) -> None:
    orders = crowd.shop(*((buyer, 0, 1.0) for buyer in range(buyers)))

    assert learn_risk(orders, Acts.none(), days, 90) == NotCalibrated(reason)


def test_a_shop_that_only_now_has_buyers_calibrates_nothing() -> None:
    old = [(buyer, 0, 1.0) for buyer in range(99)]
    orders = crowd.shop(*old, *((buyer, 300, 1.0) for buyer in range(99, 600)))

    found = learn_risk(orders, Acts.none(), 300, 90)

    assert found == NotCalibrated("99 of at least 100 buyers ordered 90 days ago or earlier")


def known(silent: list[int], orders: list[int], spend: list[float]) -> Facts:
    buyers = np.arange(len(silent))
    return Facts(buyers, np.array(silent), np.array(orders), np.array(spend))


@pytest.mark.parametrize("buyers", [600, 1000])
def test_more_silence_never_lowers_a_risk_and_more_orders_or_spend_never_raise_it(
    buyers: int,
) -> None:
    """600 buyers give too few labels for the isotonic curve, 1,000 enough."""
    orders = crowd.steady(buyers, 300, np.random.default_rng(2).gamma(1.5, 60, buyers))
    model = learn_risk(orders, Acts.none(), 300, 90)
    assert isinstance(model, RiskModel)
    assert (model.scores is None) == (buyers == 600)

    by_silence = model.risk(known([0, 10, 30, 90, 300], [2] * 5, [50.0] * 5))
    by_orders = model.risk(known([20] * 4, [1, 2, 5, 20], [50.0] * 4))
    by_spend = model.risk(known([20] * 4, [2] * 4, [-5.0, 0.0, 50.0, 5000.0]))

    assert np.all(np.diff(by_silence) >= 0)
    assert np.all(np.diff(by_orders) <= 0)
    assert np.all(np.diff(by_spend) <= 0)
    assert by_silence[0] < by_silence[-1]
    assert by_orders[0] > by_orders[-1]


def test_the_mean_risk_is_the_share_that_stayed_away_last() -> None:
    orders = crowd.steady(800, 300, np.random.default_rng(2).gamma(1.5, 60, 800))
    told = risk_on(orders, Acts.none(), 300, 90)
    facts = facts_on(orders, Acts.none(), 210)

    assert not isinstance(told, NotCalibrated)
    assert told[1].mean() == pytest.approx(stayed_away(orders, facts, 210, 90).mean())


def test_a_season_that_came_a_year_ago_is_expected_again() -> None:
    """Everybody orders in November only, two years running; at the end of October nearly nobody stays away."""
    rows = [
        (buyer, year * 364 + 300 + (buyer * 7 + 13 * year) % 30, 20.0)
        for buyer in range(700)
        for year in range(2)
        if (buyer + year) % 10
    ]
    first = [(buyer, buyer % 20, 20.0) for buyer in range(700)]
    orders = crowd.shop(*first, *rows)
    before_november = 299 + 364

    told = risk_on(orders, Acts.none(), before_november, 90)

    assert not isinstance(told, NotCalibrated)
    assert told[1].mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("comes_back", [False, True])
def test_nothing_is_certain_where_all_did_the_same(comes_back: bool) -> None:
    days = range(0, 300, 30) if comes_back else (0,)
    orders = crowd.shop(*((buyer, day, 1.0) for buyer in range(600) for day in days))

    told = risk_on(orders, Acts.none(), 290, 90)

    assert not isinstance(told, NotCalibrated)
    assert np.all((told[1] > 0) & (told[1] < 1))
    assert np.all(told[1] < 0.01) if comes_back else np.all(told[1] > 0.99)
