"""What time is it, and how do people write it?

An `Instant` is a whole number of microseconds since 1970-01-01 UTC. It sorts, subtracts and stores as it is,
in every database and without a time zone to get wrong; doors turn it into ISO 8601.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from customer360.errors import InvalidTime

Instant = int

SECOND: Instant = 1_000_000
MINUTE: Instant = 60 * SECOND
HOUR: Instant = 60 * MINUTE
DAY: Instant = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Times before this are typing errors or attacks; those after it would overflow the warehouse's calendar.
_EARLIEST: Instant = int((datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) / _MICROSECOND)
_LATEST: Instant = int((datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) / _MICROSECOND)
_LOOSE_DATE = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?=$|[T ])")
_NAMED_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$")
_SHORT_OFFSET = re.compile(r"([+-]\d{2})(\d{2})?$")


class Clock(Protocol):
    """Tells the time; tests pass one that stands still."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return time.time_ns() // 1000


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, at: Instant | str = "2026-06-15T12:00:00Z") -> None:
        self._now = parse_instant(at) if isinstance(at, str) else at

    def now(self) -> Instant:
        return self._now

    def advance(self, by: Instant) -> None:
        """Move forward by so many microseconds."""
        self._now += by


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of this name; raises InvalidTime when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidTime(f"{name!r} is no IANA time zone, for example Europe/Dublin") from error


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def to_datetime(instant: Instant) -> datetime:
    """The instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def to_iso(instant: Instant | None) -> str | None:
    """ISO 8601 in UTC, as the API writes times; None stays None."""
    if instant is None:
        return None
    text = to_datetime(instant).isoformat(
        timespec="milliseconds" if instant % SECOND else "seconds"
    )
    return text.replace("+00:00", "Z")


def local_date(instant: Instant, zone_name: str) -> date:
    """The calendar day of an instant in a time zone."""
    return to_datetime(instant).astimezone(zone(zone_name)).date()


def start_of_day(day: date, zone_name: str) -> Instant:
    """The first instant of a calendar day in a time zone (midnight, or the end of a skipped midnight)."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)))


def parse_instant(value: str | int | float, zone_name: str = "UTC") -> Instant:
    """Read a time as systems write it.

    Takes ISO 8601 (a time without a zone is in `zone_name`; months and days may lack their zero), `… UTC`,
    a date alone (its first instant), and Unix seconds or milliseconds as numbers.
    A date after 2199 is the last instant of 2199: nothing happens after it is received, so all times to come are one.
    Raises InvalidTime for anything else, for times before 1900, and for numbers after 2199, which count something else.
    """
    instant = _parse_text(value, zone_name) if isinstance(value, str) else _parse_number(value)
    if not _EARLIEST <= instant < _LATEST:
        raise InvalidTime
    return instant


def _parse_number(value: int | float) -> Instant:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidTime
    if value != value or abs(value) > 1e16:
        raise InvalidTime
    # Numbers below 10^11 are seconds until the year 5138; above, milliseconds.
    return int(value * 1_000_000) if abs(value) < 1e11 else int(value * 1000)


def _parse_text(value: str, zone_name: str) -> Instant:
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _parse_loosely(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(zone_name))
    try:
        return min(from_datetime(moment), _LATEST - 1)
    except OverflowError as error:
        raise InvalidTime from error


def _parse_loosely(text: str) -> datetime:
    """ISO 8601 with the liberties that real files take."""
    text, named = _NAMED_ZONE.subn("", text)
    text = _LOOSE_DATE.sub(lambda m: f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}", text)
    if not named and ":" in text:
        text = (
            _SHORT_OFFSET.sub(lambda m: f"{m[1]}:{m[2] or '00'}", text)
            .replace(" +", "+")
            .replace(" -", "-")
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidTime from error
    return moment.replace(tzinfo=UTC) if named else moment
