"""The filter bar's one parser: what an address asks of a report, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from customer360.clock import Instant, local_date, zone
from customer360.errors import InvalidInput, InvalidTime
from customer360.reports.model import Compare, Filter, Report
from customer360.reports.periods import COMPARES, EARLIEST, RANGES, days_of
from customer360.values import parse_id


def read_filter(told: Mapping[str, str], report: Report, now: Instant, timezone: str) -> Filter:
    """The filter of an address; `timezone` is the shop's. Raises InvalidInput, naming what makes no sense."""
    asked_zone = told.get("timezone") or timezone
    try:
        zone(asked_zone)
    except InvalidTime as error:
        raise InvalidInput(str(error), "timezone") from error
    name, first, last = _days(told, report, local_date(now, asked_zone))
    return Filter(
        first=first,
        last=last,
        timezone=asked_zone,
        range=name,
        compare=_compare(told, report),
        segment_id=_segment(told.get("segment", "")),
        choices={one.name: _one_of(one.name, told, dict(one.options)) for one in report.choices},
        sort=_one_of("sort", told, dict.fromkeys(sorts(report), "")) if report.usual_sort else "",
    )


def write_filter(chosen: Filter, report: Report, timezone: str, **more: Any) -> str:
    """The query that `read_filter` turns into this filter again, without what holds anyway: "?range=7d", or ""."""
    pairs: dict[str, Any] = {}
    if not chosen.range:
        pairs = {"from": chosen.first.isoformat(), "to": chosen.last.isoformat()}
    elif chosen.range != report.usual_range:
        pairs["range"] = chosen.range
    if chosen.compare != report.usual_compare:
        pairs["compare"] = chosen.compare
    if chosen.timezone != timezone:
        pairs["timezone"] = chosen.timezone
    if chosen.segment_id is not None:
        pairs["segment"] = chosen.segment_id
    usual = {one.name: one.options[0][0] for one in report.choices}
    pairs |= {name: value for name, value in chosen.choices.items() if value != usual[name]}
    if chosen.sort != report.usual_sort:
        pairs["sort"] = chosen.sort
    pairs |= more
    return "?" + urlencode(pairs) if pairs else ""


def sorts(report: Report) -> tuple[str, ...]:
    """Every order that the rows of a report may stand in, the usual one first."""
    names = [one.name for one in report.columns]
    return (report.usual_sort, *(name for one in names for name in (one, f"-{one}")))


def _days(told: Mapping[str, str], report: Report, today: date) -> tuple[str, date, date]:
    if report.is_of_now:
        return report.usual_range, today, today
    named = told.get("range", "")
    if named and named not in RANGES:
        raise InvalidInput(f"Use one of {', '.join(RANGES)}.", "range")
    told_first, told_last = (_day(told.get(name, ""), name, today) for name in ("from", "to"))
    first, last = days_of(named or report.usual_range, today)
    # A form sends its days beside the preset that they came from: others than the preset's are meant.
    if (told_first or first, told_last or last) == (first, last) and (named or not told_first):
        return named or report.usual_range, first, last
    last = told_last or today
    first = told_first or min(last, days_of(report.usual_range, last)[0])
    if first > last:
        raise InvalidInput("The first day comes after the last one.", "from")
    return "", first, last


def _day(text: str, name: str, today: date) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput("Write a day as 2026-01-31.", name) from error
    if day is not None and not EARLIEST <= day <= today:
        raise InvalidInput(f"Give a day from {EARLIEST} to {today}.", name)
    return day


def _compare(told: Mapping[str, str], report: Report) -> Compare:
    if not report.compares:
        return "none"
    return cast(Compare, _one_of("compare", {"compare": report.usual_compare, **told}, COMPARES))


def _one_of(name: str, told: Mapping[str, str], options: Mapping[Any, str]) -> str:
    value = told.get(name) or str(next(iter(options)))
    if value not in options:
        raise InvalidInput(f"Use one of {', '.join(options)}.", name)
    return value


def _segment(text: str) -> int | None:
    found = parse_id(text) if text else None
    if text and found is None:
        raise InvalidInput("This is no id of a segment.", "segment")
    return found
