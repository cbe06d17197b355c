"""Where in the lifecycle is each person? Pure: one rule for the crowd by night and for one person after an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from customer360.clock import Instant, local_date

NEVER_ACTED = -1
"""Silent days of somebody who has done nothing yet: nobody falls silent before they acted."""
_SESSIONS = 2
_PRODUCT_VIEWS = 3
"""So many visits, or views of products, are interest."""


@dataclass(frozen=True, slots=True)
class Windows:
    """After how many silent days somebody is at risk, and churned. A shop may set its own."""

    at_risk_days: int = 30
    churned_days: int = 90


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
    interested = (activity.sessions_count >= _SESSIONS) | activity.opted_in
    rules: list[tuple[str, npt.NDArray[np.bool_]]] = [
        ("churned", silent >= windows.churned_days),
        ("at_risk", (silent >= windows.at_risk_days) & ((orders > 0) | interested)),
        ("loyal", orders >= 2),
        ("converted", orders == 1),
        ("engaged", interested | (activity.product_views >= _PRODUCT_VIEWS)),
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
