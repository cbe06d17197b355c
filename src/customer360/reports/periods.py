"""Which days are "last month", what do they compare with, and how are they cut into weeks? Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from customer360.errors import InvalidInput, NotFound
from customer360.reports.model import Choice, Compare, Filter

RANGES: dict[str, str] = {
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "month": "This month",
    "last_month": "Last month",
    "year": "This year",
    "13m": "Last 13 months",
}
"""The presets: their names in addresses and their labels. Each ends today, but for last month."""
COMPARES: dict[Compare, str] = {
    "none": "No comparison",
    "previous": "Previous period",
    "year": "A year before",
}
GRAIN = Choice(
    "grain",
    "By",
    (("auto", "Automatic"), ("day", "Day"), ("week", "Week"), ("month", "Month")),
)
# Days that move on by themselves are no months, even where they begin with one.
_ROLLING = ("7d", "30d", "90d")
EARLIEST = date(1970, 1, 1)
# Decades of days draw no line that anybody can read, and cost as much.
_MOST_DAYS = 800
_DAYS_BY_DAY = 45
_DAYS_BY_WEEK = 190
# What holds at the end of a period is computed anew for each.
_MOST_POINTS = 120


def days_of(name: str, today: date) -> tuple[date, date]:
    """The first and last day of a preset."""
    month = today.replace(day=1)
    if name == "last_month":
        last = month - timedelta(1)
        return last.replace(day=1), last
    if name == "month":
        return month, today
    if name == "year":
        return today.replace(month=1, day=1), today
    if name == "13m":
        return months_before(month, 12), today
    return today - timedelta(int(name.removesuffix("d")) - 1), today


def months_before(day: date, months: int) -> date:
    """The same day some months before; a month that is too short gives its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def compared_days(chosen: Filter) -> tuple[date, date] | None:
    """The days beside which the filter's stand; None where there are none."""
    first, last = chosen.first, chosen.last
    if chosen.compare == "none" or first.year <= EARLIEST.year + 1:
        return None
    if chosen.compare == "year":
        return months_before(first, 12), months_before(last, 12)
    if first.day == 1 and chosen.range not in _ROLLING:
        # Whole months beside whole months; a month so far beside as much of the one before.
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        begins, ends = months_before(first, months), months_before(last, months)
        if last == month_end(last):
            ends = month_end(ends)
        return begins, ends
    length = last - first + timedelta(1)
    return first - length, last - length


def month_end(day: date) -> date:
    """The last day of its month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def moved(chosen: Filter, today: date, steps: int) -> Filter | None:
    """The period just before or after, as long; None for one that has not begun."""
    is_of_months = chosen.first.day == 1 and chosen.range not in _ROLLING
    if is_of_months and chosen.last in (month_end(chosen.last), today):
        months = (
            (chosen.last.year - chosen.first.year) * 12 + chosen.last.month - chosen.first.month + 1
        )
        first = months_before(chosen.first, -steps * months)
        last = month_end(months_before(chosen.last.replace(day=1), -steps * months))
    else:
        length = (chosen.last - chosen.first + timedelta(1)) * steps
        first, last = chosen.first + length, chosen.last + length
    if not EARLIEST <= first <= today:
        return None
    return replace(chosen, first=first, last=min(last, today), range="")


def grain_of(chosen: Filter) -> str:
    """By what the days are cut: as chosen, else so that a line has some dozen points. Raises InvalidInput."""
    days = (chosen.last - chosen.first).days + 1
    grain = chosen.choices.get(GRAIN.name, "auto")
    if grain == "auto":
        return "day" if days <= _DAYS_BY_DAY else "week" if days <= _DAYS_BY_WEEK else "month"
    if grain == "day" and days > _MOST_DAYS:
        raise InvalidInput(f"Choose weeks or months for more than {_MOST_DAYS} days.", GRAIN.name)
    return grain


def cut(first: date, last: date, grain: str) -> list[date]:
    """The first days of every day, week or month that has a day between these, in order."""
    return list(_cut(first, last, grain))


def _cut(first: date, last: date, grain: str) -> Iterator[date]:
    begins = {"week": first - timedelta(first.weekday()), "month": first.replace(day=1)}
    day = begins.get(grain, first)
    while day <= last:
        yield day
        day = last_of(day, grain) + timedelta(1)


def days_behind(chosen: Filter, who: Mapping[str, str]) -> tuple[date, date]:
    """The days that a number counts: those of its row's `date` within the filter's, or all; raises NotFound."""
    if "date" not in who:
        return chosen.first, chosen.last
    grain = grain_of(chosen)
    day = next(
        (one for one in cut(chosen.first, chosen.last, grain) if str(one) == who["date"]), None
    )
    if day is None:
        raise NotFound
    return max(day, chosen.first), min(last_of(day, grain), chosen.last)


def points(chosen: Filter) -> list[tuple[date, date]]:
    """Every period of the filter with the day at whose end things are counted. Raises InvalidInput."""
    grain = grain_of(chosen)
    days = cut(chosen.first, chosen.last, grain)
    if len(days) > _MOST_POINTS:
        coarser = {"day": "weeks or months", "week": "months"}.get(grain)
        told = f"Choose {coarser} for so many days." if coarser else "Choose fewer days."
        raise InvalidInput(told, GRAIN.name if coarser else "from")
    return [(day, min(last_of(day, grain), chosen.last)) for day in days]


def last_of(day: date, grain: str) -> date:
    """The last day of the day, week or month that begins on a day."""
    if grain == "month":
        return month_end(day)
    return day + timedelta(6 if grain == "week" else 0)
