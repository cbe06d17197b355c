"""The filter bar of a report: one address says which days, beside which, by which zone, of whom."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import available_timezones

from customer360.reports.asking import write_filter
from customer360.reports.model import Filter, Question, Report
from customer360.reports.periods import COMPARES, RANGES, days_of, moved
from customer360.segments.model import Segment
from customer360.web import formats
from customer360.web.visit import Visit


class Preset(NamedTuple):
    """A range that a link chooses."""

    label: str
    query: str
    is_chosen: bool


class Select(NamedTuple):
    """A list to choose one of."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


class Bar(NamedTuple):
    """What the bar shows."""

    days: str
    first: str
    last: str
    today: str
    range: str
    sort: str
    presets: list[Preset]
    earlier: str
    """The query of the period before, "" where there is none; so is `later`."""
    later: str
    selects: list[Select]
    zone: str
    zones: list[str]
    others_zone: bool
    """Whether days are counted by another zone than the shop's."""
    cleared: str
    """The query without a segment."""
    segment: Segment | None


def filter_bar(
    visit: Visit,
    report: Report,
    question: Question,
    segments: list[Segment],
    chosen: Segment | None,
) -> Bar:
    """The bar as this question sets it."""
    asked, home = question.filter, visit.shop.timezone

    def query(changed: Filter | None) -> str:
        return "" if changed is None else visit.path + write_filter(changed, report, home)

    return Bar(
        days=formats.days(asked.first, asked.last),
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
        today=question.today.isoformat(),
        range=asked.range,
        sort=asked.sort,
        presets=[
            Preset(label, query(_preset(asked, name, question)), name == asked.range)
            for name, label in RANGES.items()
        ],
        earlier=query(moved(asked, question.today, -1)),
        later=query(moved(asked, question.today, 1)),
        selects=_selects(report, asked, segments),
        zone=asked.timezone,
        zones=_zones(),
        others_zone=asked.timezone != home,
        cleared=query(replace(asked, segment_id=None)),
        segment=chosen,
    )


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    """The zones that the bar offers; looking for their files takes as long as a report."""
    return sorted(available_timezones())


def _preset(asked: Filter, name: str, question: Question) -> Filter:
    first, last = days_of(name, question.today)
    return replace(asked, first=first, last=last, range=name)


def _selects(report: Report, asked: Filter, segments: list[Segment]) -> list[Select]:
    own = [
        Select(one.name, one.label, list(one.options), asked.choices[one.name])
        for one in report.choices
    ]
    compares = [
        Select("compare", "Compare with", [(str(k), v) for k, v in COMPARES.items()], asked.compare)
    ]
    of = [("", "Everybody"), *((str(one.segment_id), one.name) for one in segments)]
    chosen = "" if asked.segment_id is None else str(asked.segment_id)
    return [
        *(compares if report.compares else []),
        Select("segment", "Of whom", of, chosen),
        *own,
    ]
