"""When is the shop busy? Growth over the months, Christmas, the days of the week, the hours of the day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from customer360.clock import DAY, HOUR, SECOND, Instant, local_date, start_of_day

# Monday to Sunday; people shop on Sunday evenings and least on Saturdays.
_WEEKDAYS = (1.05, 1.0, 0.98, 1.02, 0.92, 0.82, 1.21)
# Midnight to 23:00 in the shop's zone.
_HOURS = (
    *(6, 3, 2, 1, 1, 2, 6, 14, 24, 32, 38, 40),
    *(44, 40, 36, 35, 37, 42, 50, 62, 74, 70, 46, 20),
)
# From the first month to the last, the shop grows by half.
_GROWTH = 0.5


class Seasons:
    """The days of the shop's history, oldest first, and how busy each is; 1 is an ordinary day."""

    def __init__(self, now: Instant, timezone: str, days: int) -> None:
        today = local_date(now, timezone)
        self.dates = [today - timedelta(days - number) for number in range(days + 1)]
        self.starts = [start_of_day(day, timezone) for day in self.dates]
        self.demand = [
            (1 + _GROWTH * number / days) * _WEEKDAYS[day.weekday()] * season(day)
            for number, day in enumerate(self.dates)
        ]
        self.now = now
        self._sums = [0.0, *accumulate(self.demand)]

    def day_of(self, at: Instant) -> int:
        """The number of the day that an instant is on; the first one for anything before."""
        return max(0, bisect_right(self.starts, at) - 1)

    def moment(
        self, rng: Random, after: Instant | None = None, before: Instant | None = None
    ) -> Instant:
        """A time drawn by how busy days and hours are; it lies between the days of `after` and `before`."""
        first = 0 if after is None else self.day_of(after)
        last = len(self.starts) - 1 if before is None else max(first, self.day_of(before))
        low, high = self._sums[first], self._sums[last + 1]
        return self.on_day(
            rng, bisect_left(self._sums, low + rng.random() * (high - low), first + 1) - 1
        )

    def near(self, rng: Random, at: Instant) -> Instant:
        """A time within four days of an instant, rather on a busy day."""
        day = (at - self.starts[0]) // DAY
        if not 4 <= day < len(self.starts) - 4:
            return at
        return self.on_day(
            rng, rng.choices(range(day - 4, day + 5), self.demand[day - 4 : day + 5])[0]
        )

    def on_day(self, rng: Random, day: int) -> Instant:
        """A time of that day; of yesterday where it would not have come yet."""
        (hour,) = rng.choices(range(24), _HOURS)
        at = self.starts[day] + hour * HOUR + rng.randrange(3600) * SECOND
        return at if at <= self.now else at - DAY


def span(amount: float, unit: Instant) -> Instant:
    """So many days, hours or minutes, in whole seconds, as systems tell times."""
    return int(amount * unit) // SECOND * SECOND


def season(day: date) -> float:
    """How busy the time of the year makes a day: Christmas is the peak, high summer the dip."""
    month, number = day.month, day.day
    if month == 12:
        return 1.5 + number / 14 if number <= 17 else 2.0 if number <= 21 else 0.6
    if month == 11:
        return 1.9 if number >= 23 else 1.2
    if month in (7, 8):
        return 0.8
    return 1.0
