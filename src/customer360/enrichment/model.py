"""What the models read: orders by buyer and shop day, and what is known of each buyer on a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def count_below(values: Floats | Ints) -> Ints:
    """How many of the values are strictly below each: equal values get equal counts."""
    return np.searchsorted(np.sort(values), values, side="left").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Orders:
    """A shop's orders, one row each in any order, of the buyers 0 to `buyers` - 1.

    day: whole days of the shop's calendar since any fixed day. total: as placed, in the shop's currency.
    """

    buyers: int
    buyer: Ints
    day: Ints
    total: Floats

    def until(self, day: int) -> Orders:
        """Those that were placed by the end of the day."""
        placed = self.day <= day
        return Orders(self.buyers, self.buyer[placed], self.day[placed], self.total[placed])

    def known(self, day: int) -> tuple[Orders, Ints]:
        """The same of only those who had ordered by the end of the day, numbered anew; and who each of them is."""
        past = self.until(day)
        who = np.flatnonzero(past.count())
        numbers = np.zeros(self.buyers, np.int64)
        numbers[who] = np.arange(len(who))
        return Orders(len(who), numbers[past.buyer], past.day, past.total), who

    def count(self) -> Ints:
        """Orders of each buyer."""
        return np.bincount(self.buyer, minlength=self.buyers)

    def spend(self) -> Floats:
        """Total spend of each buyer."""
        return np.bincount(self.buyer, self.total, minlength=self.buyers).astype(np.float64)

    def first_day(self, none: int) -> Ints:
        """Day of each buyer's first order; `none` where there is no order."""
        first = np.full(self.buyers, np.iinfo(np.int64).max)
        np.minimum.at(first, self.buyer, self.day)
        return np.where(self.count() > 0, first, none)

    def last_day(self, none: int) -> Ints:
        """Day of each buyer's last order; `none` where there is no order."""
        last = np.full(self.buyers, np.iinfo(np.int64).min)
        np.maximum.at(last, self.buyer, self.day)
        return np.where(self.count() > 0, last, none)

    def by_day(self) -> Orders:
        """One row for each buyer and day with an order, the totals added up; sorted by buyer, then day."""
        if not len(self.day):
            return self
        begin = self.day.min()
        span = self.day.max() - begin + 1
        keys, place = np.unique(self.buyer * span + self.day - begin, return_inverse=True)
        total = np.bincount(place, self.total).astype(np.float64)
        return Orders(self.buyers, keys // span, keys % span + begin, total)


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """How often and when each buyer ordered, in days; orders of one day count as one.

    recency_days: from the first order to the last. age_days: from the first order to today.
    """

    repeat_orders: Ints
    recency_days: Ints
    age_days: Ints

    def __len__(self) -> int:
        return len(self.repeat_orders)

    @classmethod
    def of(cls, orders: Orders, today: int) -> OrderHistory:
        """The histories of all buyers as of the end of a day; each must have ordered by then."""
        days = orders.until(today).by_day()
        first, last = days.first_day(today), days.last_day(today)
        return cls(np.maximum(days.count() - 1, 0), last - first, today - first)

    def counted(self) -> tuple[OrderHistory, Ints]:
        """Histories that differ, and how many buyers have each."""
        keys, span = self._keys()
        found, counts = np.unique(keys, return_counts=True)
        return _unpacked(found, span), counts

    def grouped(self) -> tuple[OrderHistory, Ints]:
        """Histories that differ, and which one each buyer has."""
        keys, span = self._keys()
        found, place = np.unique(keys, return_inverse=True)
        return _unpacked(found, span), place

    def _keys(self) -> tuple[Ints, int]:
        """The three numbers as one, and the base that they are its digits in."""
        span = int(self.age_days.max(initial=0)) + 1
        return (self.repeat_orders * span + self.recency_days) * span + self.age_days, span


def _unpacked(keys: Ints, span: int) -> OrderHistory:
    rest, age = np.divmod(keys, span)
    repeat, recency = np.divmod(rest, span)
    return OrderHistory(repeat, recency, age)
