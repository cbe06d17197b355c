"""The lifecycle stage: every rule and window, by the shop's calendar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from customer360.clock import DAY, parse_instant
from customer360.errors import InvalidInput
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.stages import (
    NEVER_ACTED,
    Activity,
    ShopCalendar,
    Windows,
    check_windows,
    shop_calendar,
    silent_days,
    stage_of,
    stages,
)


def stage(windows: Windows | None = None, **facts: Any) -> str:
    """Of one person who did nothing but what is told, today."""
    nothing = dict.fromkeys(("silent_days", "orders_count", "sessions_count", "product_views"), 0)
    told = {**nothing, "opted_in": False, **facts}
    activity = Activity(**{name: np.array([value]) for name, value in told.items()})
    return stages(activity, windows or Windows())[0]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "new"),
        ({"sessions_count": 1, "product_views": 2}, "new"),
        ({"sessions_count": 2}, "engaged"),
        ({"product_views": 3}, "engaged"),
        ({"opted_in": True}, "engaged"),
        ({"orders_count": 1}, "converted"),
        ({"orders_count": 1, "sessions_count": 9, "opted_in": True}, "converted"),
        ({"orders_count": 2}, "loyal"),
        # Silent for 29, 30, 89, 90 days.
        ({"orders_count": 2, "silent_days": 29}, "loyal"),
        ({"orders_count": 2, "silent_days": 30}, "at_risk"),
        ({"orders_count": 1, "silent_days": 89}, "at_risk"),
        ({"orders_count": 1, "silent_days": 90}, "churned"),
        ({"sessions_count": 2, "silent_days": 30}, "at_risk"),
        ({"opted_in": True, "silent_days": 30}, "at_risk"),
        # Never active: views of products alone are no activity that could end.
        ({"product_views": 3, "silent_days": 30}, "engaged"),
        ({"product_views": 3, "silent_days": 89}, "engaged"),
        ({"sessions_count": 1, "silent_days": 89}, "new"),
        ({"sessions_count": 1, "silent_days": 90}, "churned"),
        ({"silent_days": NEVER_ACTED}, "new"),
    ],
)
def test_the_first_rule_that_fits_names_the_stage(facts: dict[str, Any], expected: str) -> None:
    assert stage(**facts) == expected


@pytest.mark.parametrize(
    ("silent", "expected"), [(6, "loyal"), (7, "at_risk"), (13, "at_risk"), (14, "churned")]
)
def test_a_shop_may_set_its_own_windows(silent: int, expected: str) -> None:
    windows = Windows(at_risk_days=7, churned_days=14)

    assert stage(windows, orders_count=3, silent_days=silent) == expected


@pytest.mark.parametrize(
    ("acted", "now", "days", "expected"),
    [
        # Summer time begins in Dublin on 29 March 2026: 30 calendar days are 29 days and 30 minutes here,
        ("2026-03-01T23:45", "2026-03-31T01:15", 30, "at_risk"),
        # and 29 calendar days are nearly 30 days there.
        ("2026-03-01T00:15", "2026-03-30T23:45", 29, "loyal"),
        ("2026-01-10T23:59", "2026-04-10T00:01", 90, "churned"),
        ("2026-01-10T00:01", "2026-04-09T23:59", 89, "at_risk"),
        # It ends on 25 October 2026.
        ("2026-10-01T23:45", "2026-10-31T00:15", 30, "at_risk"),
        ("2026-10-01T00:15", "2026-10-30T23:45", 29, "loyal"),
        ("2026-08-01T23:59", "2026-10-30T00:01", 90, "churned"),
        ("2026-08-01T00:01", "2026-10-29T23:59", 89, "at_risk"),
    ],
)
def test_windows_count_the_shops_calendar_days_across_a_change_of_clocks(
    acted: str, now: str, days: int, expected: str
) -> None:
    zone = "Europe/Dublin"

    silent = silent_days([parse_instant(acted, zone)], parse_instant(now, zone), zone)

    assert silent.tolist() == [days]
    assert stage(orders_count=2, silent_days=int(silent[0])) == expected


def test_who_never_acted_is_not_silent() -> None:
    now = parse_instant("2026-06-15T12:00:00Z")

    assert silent_days([None, now], now, "Europe/Dublin").tolist() == [NEVER_ACTED, 0]


def test_stages_are_those_that_segments_can_ask_for() -> None:
    everything = np.array(list(np.ndindex(92, 3, 3, 4, 2))).T
    activity = Activity(*everything[:4], everything[4].astype(bool))

    assert set(stages(activity, Windows())) == set(BY_NAME["lifecycle_stage"].choices)


def test_the_windows_of_a_shop_are_among_its_settings() -> None:
    settings = {"enrichment": {"churned_days": 120, "rfm_recency_days": [7, 14, 28, 56]}}

    windows = shop_calendar("Europe/Dublin", settings).windows

    assert windows == Windows(30, 120, (7, 14, 28, 56))
    assert shop_calendar("Europe/Dublin", {"other": 1}) == ShopCalendar("Europe/Dublin")


@pytest.mark.parametrize(
    ("windows", "path"),
    [
        (Windows(0, 90), "at_risk_days"),
        (Windows(90, 90), "at_risk_days"),
        (Windows(30, 3651), "at_risk_days"),
        (Windows(rfm_recency_days=(30, 60, 60, 90)), "rfm_recency_days"),
        (Windows(rfm_recency_days=(0, 60, 90, 180)), "rfm_recency_days"),
    ],
)
def test_windows_that_tell_nobody_apart_are_refused(windows: Windows, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_windows(windows)

    assert refused.value.path == path


def test_the_longest_and_shortest_windows_are_accepted() -> None:
    for windows in (Windows(), Windows(1, 2, (1, 2, 3, 3650)), Windows(3649, 3650)):
        assert check_windows(windows) is windows


def test_one_person_has_the_stage_that_they_have_in_the_crowd() -> None:
    now = parse_instant("2026-06-15T12:00:00Z")
    dublin = ShopCalendar("Europe/Dublin", Windows(7, 14))

    assert stage_of(None, 0, 0, 0, False, now, dublin) == "new"
    assert stage_of(now - 6 * DAY, 2, 0, 0, False, now, dublin) == "loyal"
    assert stage_of(now - 7 * DAY, 0, 0, 0, True, now, dublin) == "at_risk"
    assert stage_of(now - 14 * DAY, 2, 0, 0, False, now, dublin) == "churned"
