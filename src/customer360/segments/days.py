"""Which time does a rule mean by "-30d", "today", "2026-01-31" or an instant? The shop's calendar. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from customer360.clock import Instant, parse_instant, start_of_day, to_iso
from customer360.errors import InvalidRule, InvalidTime
from customer360.values import TimeRange

TODAY = "today"
_OFFSET = re.compile(r"([+-])(\d{1,5})([dwmy])")
_AGO = re.compile(r"(\d{1,5})_(day|week|month|year)s?_ago")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d")
# A century: what is further away is a typing error.
_MOST = {"d": 36_500, "w": 5_200, "m": 1_200, "y": 100}
_MEANT = (
    "write a date such as 2026-01-31, an offset such as -30d, -2w, +1m or -1y, today or yesterday"
)


def read_day(text: str) -> str:
    """A day in the one form that rules keep: 2026-01-31, -30d or today; raises InvalidRule."""
    said = text.strip().lower()
    if said == TODAY:
        return TODAY
    if said == "yesterday":
        return "-1d"
    if ago := _AGO.fullmatch(said):
        said = f"-{ago[1]}{ago[2][0]}"
    if offset := _OFFSET.fullmatch(said):
        amount = int(offset[2])
        if amount > _MOST[offset[3]]:
            raise InvalidRule(f"{text!r} is too far away; at most a century")
        return f"{offset[1]}{amount}{offset[3]}" if amount else TODAY
    if _DATE.fullmatch(said):
        try:
            year = date.fromisoformat(said).year
        except ValueError as error:
            raise InvalidRule(f"{text!r} is no day of the calendar") from error
        if not 1900 <= year < 2200:
            raise InvalidRule(f"{text!r} is too far away; use a day from 1900 to 2199")
        return said
    raise InvalidRule(f"{text!r} is no day; {_MEANT}")


def read_moment(text: str) -> str:
    """A day, or a time of day in ISO 8601, in the one form that rules keep; raises InvalidRule."""
    if not _TIME.match(text.strip()):
        return read_day(text)
    try:
        return to_iso(parse_instant(text)) or ""
    except InvalidTime as error:
        raise InvalidRule(f"{text!r} is no time; {_MEANT}") from error


def is_day(moment: str) -> bool:
    """Whether a moment in the one form is a whole day."""
    return "T" not in moment


def last_days(count: int) -> str:
    """The day on which the last so many days begin."""
    return f"-{count}d" if count else TODAY


def offset_of(day: str) -> tuple[int, str] | None:
    """How far from today, in which unit (d, w, m or y), where a day says so."""
    offset = _OFFSET.fullmatch(day)
    return (int(offset[1] + offset[2]), offset[3]) if offset else None


def days_back(day: str | None) -> int | None:
    """The opposite of `last_days`: how many days ago, where a day says so."""
    if day == TODAY:
        return 0
    amount, unit = offset_of(day or "") or (0, "")
    return -amount if unit == "d" and amount < 0 else None


def day_of(day: str, today: date) -> date:
    """The calendar day, as seen today. A month that is too short gives its last day."""
    offset = offset_of(day)
    if offset is None:
        return today if day == TODAY else date.fromisoformat(day)
    amount, unit = offset
    if unit in "dw":
        return today + timedelta(days=amount * (7 if unit == "w" else 1))
    months = today.year * 12 + today.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def span_of(moment: str, today: date, timezone: str) -> TimeRange:
    """From the first instant of a moment to the first one after it: a day is long, a time of day an instant."""
    if not is_day(moment):
        at = parse_instant(moment)
        return TimeRange(at, at + 1)
    day = day_of(moment, today)
    return TimeRange(start_of_day(day, timezone), start_of_day(day + timedelta(days=1), timezone))


def days_ago(count: int, today: date, timezone: str) -> Instant:
    """The first instant of the shop's day so many days ago."""
    return start_of_day(today - timedelta(days=count), timezone)
