"""How busy a day is, and that times are drawn within bounds."""

from datetime import date
from random import Random

import pytest

from customer360.clock import DAY, parse_instant, to_datetime
from customer360.demo.seasons import Seasons, season

NOW = parse_instant("2026-06-15T12:00:00Z")


@pytest.mark.parametrize(
    ("busy", "quiet"),
    [
        (date(2025, 12, 15), date(2025, 10, 15)),
        (date(2025, 11, 28), date(2025, 11, 10)),
        (date(2025, 10, 15), date(2025, 8, 15)),
        (date(2025, 12, 20), date(2025, 12, 27)),
    ],
)
def test_some_times_of_the_year_are_busier(busy: date, quiet: date):
    assert season(busy) > season(quiet)


def test_nothing_is_drawn_from_the_future_or_before_the_first_day():
    seasons, rng = Seasons(NOW, "Europe/Dublin", 30), Random(1)
    drawn = [seasons.moment(rng) for _ in range(2000)]
    assert seasons.starts[0] <= min(drawn) < seasons.starts[0] + DAY
    assert NOW - DAY < max(drawn) <= NOW


def test_a_time_between_two_days_is_on_one_of_them_or_between():
    seasons, rng = Seasons(NOW, "Europe/Dublin", 30), Random(1)
    days = {seasons.day_of(seasons.moment(rng, NOW - 10 * DAY, NOW - 8 * DAY)) for _ in range(500)}
    assert days == {20, 21, 22}


def test_more_happens_in_the_evening_than_at_night():
    seasons, rng = Seasons(NOW, "Europe/Dublin", 30), Random(1)
    hours = [to_datetime(seasons.moment(rng)).hour for _ in range(2000)]
    assert sum(18 <= hour < 22 for hour in hours) > 10 * sum(1 <= hour < 4 for hour in hours)
