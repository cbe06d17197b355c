"""Where in the lifecycle is each person? Pure: one rule for the crowd by night and for one person after an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from customer360.clock import Instant, local_date
from customer360.errors import InvalidInput

NEVER_ACTED = -1
"""Silent days of somebody who has done nothing yet: nobody falls silent before they acted."""
INTERESTED_SESSIONS = 2
INTERESTED_VIEWS = 3
"""So many visits, or views of products, are interest."""
MOST_WINDOW_DAYS = 3650
"""Longer than ten years says nothing about a customer."""

WINDOWS_PART = "enrichment"
"""The part of a shop's settings that holds its windows."""


@dataclass(frozen=True, slots=True)
class Windows:
    """After how many silent days somebody is at risk, and churned. A shop may set its own.

    rfm_recency_days: the last order at most so many days ago scores 5, 4, 3, 2; longer ago 1.
    """

    at_risk_days: int = 30
    churned_days: int = 90
    rfm_recency_days: tuple[int, int, int, int] = (30, 60, 90, 180)


@dataclass(frozen=True, slots=True)
class ShopCalendar:
    """How a shop counts days: its time zone, and after how many silent ones somebody drifts away."""

    timezone: str
    windows: Windows = Windows()


def shop_calendar(timezone: str, settings: Mapping[str, Any]) -> ShopCalendar:
    """The calendar of a shop with these settings."""
    return ShopCalendar(timezone, windows_of(settings))


def windows_of(settings: Mapping[str, Any]) -> Windows:
    """The windows that a shop set, else the usual ones."""
    return msgspec.convert(settings.get(WINDOWS_PART, {}), Windows)


def as_settings(windows: Windows) -> dict[str, Any]:
    """Windows as a shop's settings hold them."""
    told: dict[str, Any] = msgspec.to_builtins(windows)
    return told | {"rfm_recency_days": list(windows.rfm_recency_days)}


def check_windows(windows: Windows) -> Windows:
    """The windows; raises InvalidInput where they cannot tell one person from another."""
    for name, days in (
        ("at_risk_days", (windows.at_risk_days, windows.churned_days)),
        ("rfm_recency_days", windows.rfm_recency_days),
    ):
        if not 1 <= min(days) <= max(days) <= MOST_WINDOW_DAYS:
            raise InvalidInput(f"Write days from 1 to {MOST_WINDOW_DAYS}", name)
        if sorted(set(days)) != list(days):
            raise InvalidInput("Each window has to be longer than the one before it", name)
    return windows


@dataclass(frozen=True, slots=True)
class Activity:
    """What people did, one row each. opted_in: consent was ever granted."""

    silent_days: npt.NDArray[np.int64]
    orders_count: npt.NDArray[np.int64]
    sessions_count: npt.NDArray[np.int64]
    product_views: npt.NDArray[np.int64]
    opted_in: npt.NDArray[np.bool_]


def stages(activity: Activity, windows: Windows) -> Sequence[str]:
    """The stage of each person: the first that fits."""
    silent, orders = activity.silent_days, activity.orders_count
    interested = (activity.sessions_count >= INTERESTED_SESSIONS) | activity.opted_in
    rules: list[tuple[str, npt.NDArray[np.bool_]]] = [
        ("churned", silent >= windows.churned_days),
        ("at_risk", (silent >= windows.at_risk_days) & ((orders > 0) | interested)),
        ("loyal", orders >= 2),
        ("converted", orders == 1),
        ("engaged", interested | (activity.product_views >= INTERESTED_VIEWS)),
    ]
    found: list[str] = np.select(
        [fits for _, fits in rules], [name for name, _ in rules], "new"
    ).tolist()
    return found


def silent_days(
    acted_at: Sequence[Instant | None], now: Instant, timezone: str
) -> npt.NDArray[np.int64]:
    """The shop's calendar days since each person last acted; NEVER_ACTED for None."""
    today = local_date(now, timezone)
    days = (
        NEVER_ACTED if at is None else (today - local_date(at, timezone)).days for at in acted_at
    )
    return np.fromiter(days, np.int64, len(acted_at))


def stage_of(
    acted_at: Instant | None,
    orders_count: int,
    sessions_count: int,
    product_views: int,
    opted_in: bool,
    now: Instant,
    calendar: ShopCalendar,
) -> str:
    """The stage of one person; acted_at is None for somebody who has done nothing yet."""
    activity = Activity(
        silent_days([acted_at], now, calendar.timezone),
        np.array([orders_count]),
        np.array([sessions_count]),
        np.array([product_views]),
        np.array([opted_in]),
    )
    return stages(activity, calendar.windows)[0]
