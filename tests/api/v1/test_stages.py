"""Stages by program: how customers moved between two days."""

from __future__ import annotations

import pytest

from tests.api.v1.conftest import Desk, order


def test_customers_are_counted_by_their_stages_on_two_days(full_desk: Desk) -> None:
    told = full_desk.told("/reports/stage-flow", params={"from": "2026-06-01", "to": "2026-06-15"})

    assert told == {
        "from": "2026-06-01",
        "to": "2026-06-15",
        "timezone": "Europe/Dublin",
        "total": 3,
        "items": [
            {"was": "not_yet", "became": "converted", "people": 1},
            {"was": "not_yet", "became": "loyal", "people": 1},
            {"was": "not_yet", "became": "new", "people": 1},
        ],
    }


@pytest.mark.parametrize(
    ("days", "wrong"),
    [
        ({"to": "2026-06-16"}, "to"),
        ({"from": "soon"}, "from"),
        ({"from": "2026-06-10", "to": "2026-06-09"}, "from"),
        ({"since": "2026-06-10"}, "since"),
    ],
)
def test_days_that_cannot_be_compared_are_named(
    full_desk: Desk, days: dict[str, str], wrong: str
) -> None:
    assert full_desk.refused("/reports/stage-flow", **days) == [wrong]


def test_windows_are_changed_and_stages_follow(quick_desk: Desk) -> None:
    quick_desk.house.segment(order("u1", "1", "5.00", -15 * 24 * 60))
    quick_desk.house.drain()
    profile_id = quick_desk.house.profile_id("user_id:u1")

    told = quick_desk.told("/enrichment/windows", method="PUT", json={"at_risk_days": 10})

    assert told == {
        "at_risk_days": 10,
        "churned_days": 90,
        "rfm_recency_days": [30, 60, 90, 180],
    }
    assert quick_desk.told("/enrichment/windows") == told
    (present, *_) = quick_desk.walk(f"/profiles/{profile_id}/stages")
    assert present == {"stage": "at_risk", "since": "2026-06-10", "until": None}


@pytest.mark.parametrize(
    "told",
    [
        {"at_risk_days": 90},
        {"at_risk_days": "10"},
        {"rfm_recency_days": [1, 2, 3]},
        {"rfm_recency_days": [1, 2, 3, 3]},
        {"since": 3},
    ],
)
def test_windows_that_cannot_be_are_refused(quick_desk: Desk, told: dict[str, object]) -> None:
    answer = quick_desk.ask("/enrichment/windows", method="PUT", json=told)

    errors = quick_desk.problem(answer, 422)["errors"]
    assert [error["path"].split(".")[0] for error in errors] == [*told]
