"""Stages by program: how customers moved between two days."""

from __future__ import annotations

import pytest

from tests.api.v1.conftest import Desk


def test_customers_are_counted_by_their_stages_on_two_days(full_desk: Desk) -> None:
    told = full_desk.told("/reports/stages", params={"from": "2026-06-01", "to": "2026-06-15"})

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
    assert full_desk.refused("/reports/stages", **days) == [wrong]
