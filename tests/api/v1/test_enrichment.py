"""Scores over the API: how a run stands, what it rests on, and why one person's are as they are."""

from __future__ import annotations

import pytest

from customer360.enrichment.run import ENRICHMENT
from customer360.jobs.log import shops_that_ask
from tests.api.v1.conftest import Desk, fill


def test_a_shop_whose_scores_were_never_computed_says_so(desk: Desk) -> None:
    found = desk.told("/enrichment")

    assert (found["state"], found["computed_at"], found["model_card"]) == ("never", None, None)
    assert found["thresholds"]["churned_days"] == 90
    assert [band["least"] for band in found["thresholds"]["churn_bands"]] == [0.0, 0.3, 0.5, 0.7]
    assert (found["thresholds"]["tiers"], found["thresholds"]["rfm"]) == (None, None)


def test_whoever_asks_has_a_run_waiting_and_only_one(desk: Desk) -> None:
    first = desk.told("/enrichment/run", method="POST")
    second = desk.told("/enrichment/run", method="POST")

    assert (first["state"], first["began_at"]) == ("asked", second["began_at"])
    with desk.house.app.database.read() as connection:
        assert shops_that_ask(connection, ENRICHMENT) == [desk.house.shop.shop_id]


def test_scores_and_what_they_rest_on_are_told(desk: Desk) -> None:
    fill(desk)
    desk.house.app.enrichment.run(desk.house.shop)

    found = desk.told("/enrichment")
    assert (found["state"], found["computed_at"]) == ("done", "2026-06-15T12:00:00Z")
    assert found["model_card"]["churn_risk"]["not_calibrated"] == "2 of at least 500 buyers"
    assert found["thresholds"]["tiers"]["buyers"] == {"new": 1, "regular": 1, "vip": 0}

    profile = desk.told(f"/profiles/{desk.house.profile_id('email:ann@x.example')}")
    why = profile["explanations"]
    assert why["churn"] == {
        "recency": 0.0,
        "frequency": 0.5,
        "monetary": 0.5,
        "index": 0.2,
        "band": "healthy",
        "advice": "nothing to do",
        "risk": 0.2,
        "calibrated": False,
        "not_calibrated": "2 of at least 500 buyers",
        "window_days": 90,
    }
    assert why["rfm"] == {"r": 5, "f": 3, "m": 3, "group": "active"}
    assert (
        why["ltv"]["shop_means"]
        == "0 of at least 100 buyers have paid for orders on two days or more"
    )
    assert why["tier"] == {"tier": "regular", "vip_spend": None, "vip_orders": 3.0}
    assert "next_order" not in why


@pytest.mark.parametrize("path", ["/enrichment", "/enrichment/run"])
def test_a_wrong_key_learns_nothing(desk: Desk, path: str) -> None:
    method = "POST" if path.endswith("run") else "GET"
    answer = desk.client.request(method, f"/api/v1{path}", headers={"Authorization": "Bearer no"})
    assert answer.status_code == 401
