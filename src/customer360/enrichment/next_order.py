"""When will each buyer order next, and which products are due? By the mean gap between orders. Pure.

The same rule serves buyers and, of each buyer, the products that they bought again. Orders of one day count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from customer360.enrichment.bgnbd import HIGH, LOW
from customer360.enrichment.model import Bools, Floats, Ints, OrderDays, Orders

_SHOP_GAPS = 3
"""The shop's median gap weighs as much as so many gaps of one's own."""
_LEAST_RATIOS = 50
_USUAL_RATIOS = (0.5, 2.0)
"""Of a gap to what was expected, until the shop has enough gaps of its own to tell."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Who ordered on two days or more, and how: the last day, the number of gaps before it, and their mean."""

    buyer: Ints
    last_day: Ints
    gaps: Ints
    mean_gap_days: Floats


@dataclass(frozen=True, slots=True)
class NextOrder:
    """When each of them is expected next; eight in ten come between low and high.

    overdue_days: since a date already past, else 0. next_day: that date, or rolled forward by whole gaps from today on.
    """

    buyer: Ints
    day: Ints
    low_day: Ints
    high_day: Ints
    overdue_days: Ints
    next_day: Ints
    mean_gap_days: Floats


def rhythm_of(orders: Orders) -> Rhythm:
    """The rhythm of everybody who has one; for products `orders` holds one buyer for each pair of buyer and product."""
    return _rhythm(orders.by_day())


def next_orders(orders: Orders, today: int) -> NextOrder:
    """The next order of everybody who ordered on two days or more by the end of today."""
    days = orders.until(today).by_day()
    rhythm = _rhythm(days)
    mean, gaps, last = rhythm.mean_gap_days, rhythm.gaps, rhythm.last_day
    median = float(np.median(mean)) if len(mean) else 0.0
    expected = _shrunk(mean, gaps, median)
    low, high = _ratios(days, rhythm, median)
    day = due_days(rhythm)
    overdue = np.maximum(today - day, 0)
    return NextOrder(
        rhythm.buyer,
        day,
        last + _whole(np.minimum(expected * low, mean)),
        last + _whole(np.maximum(expected * high, mean)),
        overdue,
        np.where(overdue > 0, rolled_forward(last, mean, today), day),
        mean,
    )


def due_days(rhythm: Rhythm) -> Ints:
    """The day on which each of them is expected next."""
    return rhythm.last_day + _whole(rhythm.mean_gap_days)


def rolled_forward(last_day: Ints, mean_gap_days: Floats, today: int) -> Ints:
    """The first day from today on that is whole gaps after the last order."""
    return last_day + _whole(mean_gap_days * np.ceil((today - last_day) / mean_gap_days))


def coming_day(expected: date, mean_gap_days: float, today: date) -> date:
    """When one buyer is expected: that day, or once it is past, the one rolled forward."""
    if expected >= today:
        return expected
    gap = np.array([mean_gap_days])
    last = expected.toordinal() - _whole(gap)
    return date.fromordinal(int(rolled_forward(last, gap, today.toordinal())[0]))


def is_due(rhythm: Rhythm, today: int) -> Bools:
    """Whether a product is due: one gap has passed since it was last bought, and not yet two."""
    silent = today - rhythm.last_day
    due: Bools = (silent >= _whole(rhythm.mean_gap_days)) & (silent < 2 * rhythm.mean_gap_days)
    return due


def _rhythm(days: OrderDays) -> Rhythm:
    count = days.count()
    buyer = np.flatnonzero(count > 1)
    last, first = days.last(0)[buyer], days.first(0)[buyer]
    gaps = count[buyer] - 1
    return Rhythm(buyer, last, gaps, (last - first) / gaps)


def _shrunk(mean: Floats, gaps: Ints, median: float) -> Floats:
    """The gap to expect: few gaps of one's own say less than the shop's median."""
    return (gaps * mean + _SHOP_GAPS * median) / (gaps + _SHOP_GAPS)


def _ratios(days: OrderDays, rhythm: Rhythm, median: float) -> tuple[float, float]:
    """The quantiles LOW and HIGH of how long last gaps were beside what was to be expected before them."""
    told = rhythm.gaps > 1
    if np.count_nonzero(told) < _LEAST_RATIOS:
        return _USUAL_RATIOS
    gaps, last = rhythm.gaps[told], rhythm.last_day[told]
    gap = last - days.day[days.begin[rhythm.buyer[told] + 1] - 2]
    before = (_whole(gaps * rhythm.mean_gap_days[told]) - gap) / (gaps - 1)
    low, high = np.quantile(gap / _shrunk(before, gaps - 1, median), (LOW, HIGH))
    return float(low), float(high)


def _whole(days: Floats) -> Ints:
    """Days as a whole number, halves up."""
    return np.floor(days + 0.5).astype(np.int64)
