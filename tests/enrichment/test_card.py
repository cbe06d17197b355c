"""The model card: what models rest on, how good they were, and whom they leave out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from customer360.enrichment.backtest import risk_on
from customer360.enrichment.card import LeftOut, ModelCard, People, origin_days
from customer360.enrichment.model import Orders
from customer360.enrichment.origins import Acts
from customer360.enrichment.risk import NotCalibrated
from tests.enrichment import cdnow, crowd
from tests.enrichment.cards import card_of

TODAY = cdnow.day("1998-06-30")


@pytest.fixture(scope="module")
def of_cdnow() -> ModelCard:
    return card_of(cdnow.orders("master"), Acts.none(), TODAY)


def test_the_card_tells_what_the_models_read(of_cdnow: ModelCard) -> None:
    small = card_of(
        crowd.shop((0, 0, 5.0), (0, 9, 5.0), (1, 3, 0.0)), Acts.none(), 10, people=People(5, 7)
    )

    assert of_cdnow.data.buyers == 23_570
    assert of_cdnow.data.history_days == TODAY
    assert small.data.first_day == "1970-01-01"
    assert small.data.last_day == "1970-01-10"
    assert [(one.who, one.people, one.has_no) for one in small.data.left_out] == [
        ("visitors", 7, "RFM, tier, churn, value and next order"),
        ("customers", 3, "RFM, tier, churn, value and next order"),
        ("buyers", 1, "next order"),
        ("buyers", 1, "value of their own"),
    ]


def test_the_card_tells_how_risk_was_learned_and_how_good_it_was(of_cdnow: ModelCard) -> None:
    risk = of_cdnow.churn_risk

    assert risk.not_calibrated is None
    assert risk.curve == "isotonic"
    assert len(risk.origins) == 3
    assert [weight.fact for weight in risk.weights] == [
        "silent_days",
        "orders_count",
        "total_spend",
    ]
    assert risk.weights[0].odds_of_twice > 1 > risk.weights[1].odds_of_twice
    assert risk.backtest is not None
    assert risk.backtest.day == str(np.datetime64(TODAY - 90, "D"))
    assert risk.backtest.one_in == 1
    assert risk.backtest.risk.brier < risk.backtest.index.brier
    assert risk.backtest.risk.calibration_error < risk.backtest.index.calibration_error
    assert sum(one.count for one in risk.backtest.risk.deciles) == 23_570
    assert len(risk.backtest.risk.deciles) == 10


def test_the_card_tells_what_was_expected_and_what_came(of_cdnow: ModelCard) -> None:
    orders = cdnow.orders("master")
    after = orders.day > TODAY - 90
    value = of_cdnow.value

    assert value.shop_means is None
    assert set(value.orders) == {"r", "alpha", "a", "b"}
    assert set(value.values) == {"p", "q", "v"}
    assert value.backtest is not None
    assert value.backtest.actual_spend == pytest.approx(orders.total[after].sum())
    days = set(zip(orders.buyer[after].tolist(), orders.day[after].tolist(), strict=True))
    assert value.backtest.actual_orders == len(days)
    assert value.backtest.predicted_orders == pytest.approx(len(days), rel=0.25)
    assert (value.backtest.normalised_gini or 0) > 0.7
    assert 0.8 < value.backtest.inside_interval <= 1


def test_the_card_tells_from_where_on_scores_and_tiers_are(of_cdnow: ModelCard) -> None:
    small = card_of(crowd.shop(*((buyer, 0, 10.0 * buyer) for buyer in range(5))), Acts.none(), 10)

    assert small.rfm.average_order_value == [10, 20, 30, 40]
    assert small.rfm.orders == [None] * 4
    assert small.rfm.recency_days == [30, 60, 90, 180]
    assert small.tiers.buyers == {"new": 5, "regular": 0, "vip": 0}
    assert small.tiers.vip_spend == 40
    assert sum(of_cdnow.tiers.buyers.values()) == 23_570
    assert of_cdnow.next_order.overdue is not None


def test_a_small_shop_says_why_it_has_no_models() -> None:
    card = card_of(crowd.shop((0, 300, 5.0)), Acts.none(), 310)

    assert card.churn_risk.not_calibrated == "1 of at least 500 buyers"
    assert card.churn_risk.no_backtest == card.churn_risk.not_calibrated
    assert card.value.shop_means
    assert card.value.no_backtest == "Nobody had ordered 90 days ago"
    assert card.next_order.overdue is None
    assert LeftOut("buyers", 1, "next order", "They ordered on one day only.") in card.data.left_out


def test_a_shop_that_can_learn_but_not_yet_look_back_says_so() -> None:
    card = card_of(crowd.steady(600, 260, 40.0), Acts.none(), 260)

    assert card.churn_risk.not_calibrated is None
    assert card.churn_risk.backtest is None
    assert card.churn_risk.no_backtest == "170 of at least 180 days of orders"


def test_the_last_act_between_the_days_that_are_asked_about_is_enough() -> None:
    orders, chance = cdnow.orders("master"), np.random.default_rng(4)
    acts = Acts(chance.integers(0, orders.buyers, 90_000), chance.integers(0, TODAY + 1, 90_000))
    days = origin_days(TODAY, 90)
    stretch = np.searchsorted(days, acts.day)
    last = np.full((len(days), orders.buyers), -1)
    np.maximum.at(last, (stretch, acts.buyer), acts.day)
    few = Acts(np.nonzero(last >= 0)[1], last[last >= 0])

    assert len(few.day) < 0.9 * len(acts.day)
    assert card_of(orders, few, TODAY) == card_of(orders, acts, TODAY)
    all_told, few_told = (risk_on(orders, one, TODAY, 90) for one in (acts, few))
    assert not isinstance(all_told, NotCalibrated)
    assert not isinstance(few_told, NotCalibrated)
    assert np.array_equal(all_told[0].silent_days, few_told[0].silent_days)
    assert np.array_equal(all_told[1], few_told[1])


def test_of_a_large_shop_some_are_asked_and_the_card_says_how_many(of_cdnow: ModelCard) -> None:
    one = cdnow.orders("master")
    copies = 5
    many = Orders(
        copies * one.buyers,
        np.concatenate([one.buyer + number * one.buyers for number in range(copies)]),
        np.tile(one.day, copies),
        np.tile(one.total, copies),
    )

    card = card_of(many, Acts.none(), TODAY)

    asked, whole = card.churn_risk.backtest, of_cdnow.churn_risk.backtest
    assert asked is not None
    assert whole is not None
    assert (asked.one_in, asked.buyers) == (2, 58_925)
    assert asked.risk.brier == pytest.approx(whole.risk.brier, abs=0.005)
    assert card.value.backtest is not None
    assert card.value.backtest.buyers == 58_925


def test_the_card_is_json_and_comes_back_from_it(of_cdnow: ModelCard) -> None:
    text = msgspec.json.encode(of_cdnow)

    assert b"NaN" not in text
    assert msgspec.json.decode(text, type=ModelCard) == of_cdnow
