"""Days of a rule: how they are written, and which of the shop's they are."""

from datetime import date

import pytest

from customer360.clock import parse_instant
from customer360.errors import InvalidRule
from customer360.segments.days import day_of, days_ago, read_day, read_moment, span_of

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("written", "kept", "day"),
    [
        ("today", "today", "2026-03-31"),
        ("Yesterday", "-1d", "2026-03-30"),
        ("-30d", "-30d", "2026-03-01"),
        ("+0d", "today", "2026-03-31"),
        ("-2w", "-2w", "2026-03-17"),
        ("-1m", "-1m", "2026-02-28"),
        ("+1m", "+1m", "2026-04-30"),
        ("-13m", "-13m", "2025-02-28"),
        ("+9m", "+9m", "2026-12-31"),
        ("-1y", "-1y", "2025-03-31"),
        ("+7d", "+7d", "2026-04-07"),
        ("90_days_ago", "-90d", "2025-12-31"),
        ("1_month_ago", "-1m", "2026-02-28"),
        ("2026-01-31", "2026-01-31", "2026-01-31"),
    ],
)
def test_a_day_is_kept_in_one_form_and_means_one_day(written: str, kept: str, day: str) -> None:
    assert read_day(written) == kept
    assert read_day(kept) == kept
    assert day_of(kept, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    ["yesterdayish", "2026-02-30", "30d", "-99999d", "9999-12-31", "1066-10-14", "", "2026-01-31T09:30:00Z", "-1q"],
)  # fmt: skip
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(InvalidRule):
        read_day(text)


def test_a_leap_day_a_year_ago_is_the_last_of_february() -> None:
    assert day_of("-1y", date(2028, 2, 29)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-03-29", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"),
        ("2026-10-25", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"),
        ("today", "2026-03-30T23:00:00Z", "2026-03-31T23:00:00Z"),
        (
            read_moment("2026-01-31T09:30:00+01:00"),
            "2026-01-31T08:30:00Z",
            "2026-01-31T08:30:00.000001Z",
        ),
    ],
)
def test_a_day_is_as_long_as_the_shops_calendar_says(moment: str, start: str, end: str) -> None:
    span = span_of(moment, TODAY, "Europe/Dublin")

    assert (span.start, span.end) == (parse_instant(start), parse_instant(end))


def test_the_last_days_begin_at_the_shops_midnight() -> None:
    assert days_ago(30, TODAY, "Europe/Dublin") == parse_instant("2026-03-01T00:00:00Z")
    assert days_ago(0, TODAY, "Europe/Dublin") == parse_instant("2026-03-30T23:00:00Z")
