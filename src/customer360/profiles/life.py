"""Which stage was a person in, day by day? Pure: by the one rule, of the days on which they did something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from customer360.profiles.stages import NEVER_ACTED, Activity, Windows, stages


@dataclass(frozen=True, slots=True)
class Life:
    """What a person did, as the shop's calendar days, each as often as it happened, in any order.

    known_since: the day they were first heard of.
    """

    known_since: date
    acted: Sequence[date] = ()
    ordered: Sequence[date] = ()
    visited: Sequence[date] = ()
    viewed: Sequence[date] = ()
    opted_in: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A stage from the first to the last day at whose end somebody was in it; `until` is None while they are."""

    stage: str
    since: date
    until: date | None


def stage_spans(life: Life, today: date, windows: Windows) -> list[StageSpan]:
    """Every stage that a person was in until today, newest first. A span ends on the day before the next begins."""
    silences = (timedelta(windows.at_risk_days), timedelta(windows.churned_days))
    turning = {life.known_since, *life.ordered, *life.visited, *life.viewed, *life.opted_in}
    turning |= {day + silence for day in life.acted for silence in (timedelta(), *silences)}
    days = sorted(day for day in turning if day <= today)
    named = list(zip(days, stages_on(life, days, windows), strict=True))
    begun = [named[0]] if named else []
    begun += [newer for older, newer in pairwise(named) if newer[1] != older[1]]
    ends = [day - timedelta(1) for day, _ in begun[1:]]
    spans = (
        StageSpan(stage, since, until)
        for (since, stage), until in zip(begun, [*ends, None], strict=False)
    )
    return list(spans)[::-1]


def stages_on(life: Life, days: Sequence[date], windows: Windows) -> Sequence[str]:
    """The stage at the end of each of these days."""
    ends = _ordinals(days)
    acted = _ordinals(life.acted)
    acts = np.searchsorted(acted, ends, side="right")
    last = np.concatenate(([0], acted))[acts]
    activity = Activity(
        silent_days=np.where(acts > 0, ends - last, NEVER_ACTED),
        orders_count=_so_far(life.ordered, ends),
        sessions_count=_so_far(life.visited, ends),
        product_views=_so_far(life.viewed, ends),
        opted_in=_so_far(life.opted_in, ends) > 0,
    )
    return stages(activity, windows)


def _so_far(done: Sequence[date], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.searchsorted(_ordinals(done), ends, side="right").astype(np.int64)


def _ordinals(days: Sequence[date]) -> npt.NDArray[np.int64]:
    return np.sort(np.fromiter((day.toordinal() for day in days), np.int64, len(days)))
