"""An address becomes a filter and back; what makes no sense is refused by name."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as some

from customer360.clock import parse_instant
from customer360.errors import InvalidInput
from customer360.reports.activity import REPORT
from customer360.reports.asking import read_filter, write_filter
from customer360.reports.model import Filter
from customer360.reports.periods import (
    COMPARES,
    RANGES,
    compared_days,
    cut,
    days_of,
    last_of,
    moved,
)
from tests.examples import examples

NOW = parse_instant("2026-03-15T23:30:00Z")
HOME = "Europe/Dublin"
TODAY = date(2026, 3, 15)
FILTERS = some.builds(
    dict,
    range=some.sampled_from(["", *RANGES]),
    compare=some.sampled_from(["", *COMPARES]),
    timezone=some.sampled_from(["", HOME, "Asia/Kolkata", "America/New_York"]),
    segment=some.sampled_from(["", "1", "42"]),
    grain=some.sampled_from(["", "day", "month"]),
)
DAYS = some.tuples(some.dates(date(2020, 1, 1), TODAY), some.integers(0, 800)).map(
    lambda pair: {"from": str(pair[0]), "to": str(min(TODAY, pair[0] + timedelta(pair[1])))}
)


def read(**told: str) -> Filter:
    return read_filter({name.rstrip("_"): value for name, value in told.items()}, REPORT, NOW, HOME)


@examples(200)
@given(FILTERS, some.one_of(some.just({}), DAYS))
def test_the_address_of_a_filter_asks_for_the_same_filter(
    words: dict[str, str], days: dict[str, str]
):
    told = {**words, **days}
    chosen = read_filter(told, REPORT, NOW, HOME)
    again = read_filter(dict(parse_qsl(write_filter(chosen, REPORT, HOME)[1:])), REPORT, NOW, HOME)
    assert again == chosen


def test_what_holds_anyway_is_not_in_the_address():
    assert write_filter(read(), REPORT, HOME) == ""


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"range": "yesterday"}, "range"),
        ({"from_": "1 May"}, "from"),
        ({"to": "2026-03-17"}, "to"),
        ({"from_": "1901-01-01"}, "from"),
        ({"from_": "2026-03-10", "to": "2026-03-01"}, "from"),
        ({"timezone": "Dublin"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"compare": "tomorrow"}, "compare"),
        ({"segment": "VIPs"}, "segment"),
        ({"grain": "hour"}, "grain"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(told: dict[str, str], path: str):
    with pytest.raises(InvalidInput) as refused:
        read(**told)
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("7d", date(2026, 3, 9), TODAY),
        ("month", date(2026, 3, 1), TODAY),
        ("last_month", date(2026, 2, 1), date(2026, 2, 28)),
        ("year", date(2026, 1, 1), TODAY),
        ("13m", date(2025, 3, 1), TODAY),
    ],
)
def test_presets_are_these_days(name: str, first: date, last: date):
    assert days_of(name, TODAY) == (first, last)


def test_the_day_is_that_of_the_zone_that_was_asked_for():
    assert read(range="7d", timezone="Asia/Kolkata").last == date(2026, 3, 16)


def test_days_beside_a_preset_hold_only_where_they_are_others():
    form = {"range": "7d", "from_": "2026-03-09", "to": "2026-03-15"}
    assert read(**form).range == "7d"
    assert read(**{**form, "from_": "2026-03-01"}).range == ""


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-03-09", "2026-03-15", (date(2026, 3, 2), date(2026, 3, 8))),
        ("2026-02-01", "2026-02-28", (date(2026, 1, 1), date(2026, 1, 31))),
        ("2026-03-01", "2026-03-15", (date(2026, 2, 1), date(2026, 2, 15))),
        ("2025-03-01", "2026-03-15", (date(2024, 2, 1), date(2025, 2, 15))),
    ],
)
def test_a_period_is_compared_with_as_much_before_it(
    first: str, last: str, before: tuple[date, date]
):
    assert compared_days(read(from_=first, to=last, compare="previous")) == before


def test_days_that_roll_on_are_no_month_even_on_its_first_days():
    seventh = parse_instant("2026-03-07T12:00:00Z")
    week = read_filter({"range": "7d", "compare": "previous"}, REPORT, seventh, HOME)
    assert (week.first, week.last) == (date(2026, 3, 1), date(2026, 3, 7))
    assert compared_days(week) == (date(2026, 2, 22), date(2026, 2, 28))
    before = moved(week, date(2026, 3, 7), -1)
    assert before is not None
    assert (before.first, before.last) == (date(2026, 2, 22), date(2026, 2, 28))


def test_a_year_before_the_29th_of_february_is_the_28th():
    chosen = read(from_="2024-02-29", to="2024-02-29", compare="year")
    assert compared_days(chosen) == (date(2023, 2, 28), date(2023, 2, 28))


@pytest.mark.parametrize(
    ("told", "steps", "days"),
    [
        ({"range": "7d"}, -1, (date(2026, 3, 2), date(2026, 3, 8))),
        ({"range": "last_month"}, -1, (date(2026, 1, 1), date(2026, 1, 31))),
        ({"range": "last_month"}, 1, (date(2026, 3, 1), TODAY)),
        ({"range": "month"}, -1, (date(2026, 2, 1), date(2026, 2, 28))),
    ],
)
def test_a_step_goes_to_the_period_beside(
    told: dict[str, str], steps: int, days: tuple[date, date]
):
    found = moved(read(**told), TODAY, steps)
    assert found is not None
    assert (found.first, found.last) == days


def test_no_step_leads_beyond_today():
    assert moved(read(range="7d"), TODAY, 1) is None


@given(
    some.dates(date(2020, 1, 1), TODAY),
    some.integers(0, 200),
    some.sampled_from(["day", "week", "month"]),
)
def test_cuts_cover_every_day_once(first: date, length: int, grain: str):
    last = first + timedelta(length)
    begins = cut(first, last, grain)
    assert begins[0] <= first
    assert last_of(begins[-1], grain) >= last
    for one, following in pairwise(begins):
        assert last_of(one, grain) + timedelta(1) == following
