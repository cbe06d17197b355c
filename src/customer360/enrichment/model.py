"""What the models read: orders by buyer and shop day, and what is known of each buyer on a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MONEY_PLACES = 4
"""Amounts have no more decimals, so a sum that is rounded to them is the same in whatever order rows come."""


def count_below(values: Floats | Ints) -> Ints:
    """How many of the values are strictly below each: equal values get equal counts."""
    order = np.argsort(values)
    ordered = values[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))[: len(values)]
    below = np.empty(len(values), np.int64)
    below[order] = np.repeat(first, np.diff(first, append=len(values)))
    return below


def places_in(sorted_ids: Ints, ids: Ints) -> tuple[Ints, Bools]:
    """Where those of the ids are that are among the sorted ones, and which of the ids these are."""
    place = np.minimum(np.searchsorted(sorted_ids, ids), max(len(sorted_ids) - 1, 0))
    known = sorted_ids[place] == ids if len(sorted_ids) else np.zeros(len(ids), np.bool_)
    return place[known], known


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
        if placed.all():
            return self
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
        return np.round(np.bincount(self.buyer, self.total, self.buyers), _MONEY_PLACES)

    def last_day(self, none: int) -> Ints:
        """Day of each buyer's last order; `none` where there is no order."""
        never = np.iinfo(np.int64).min
        last = np.full(self.buyers, never)
        np.maximum.at(last, self.buyer, self.day)
        return np.where(last == never, none, last)

    def by_day(self) -> OrderDays:
        """Days with orders, those of a day added up."""
        begin = self.day.min(initial=0)
        shape = (self.buyers, int(self.day.max(initial=0) - begin) + 1)
        # A matrix of buyers and days, of which only what is there takes room, is sorted in no time.
        rows = scipy.sparse.coo_array(
            (self.total, (self.buyer, self.day - begin)), shape=shape
        ).tocsr()
        return OrderDays(
            rows.indptr.astype(np.int64), rows.indices + begin, np.round(rows.data, _MONEY_PLACES)
        )


@dataclass(frozen=True, slots=True)
class OrderDays:
    """One row for each buyer and day with an order, sorted by buyer, then day.

    begin: of each buyer, where their rows begin; the last number is that of all rows.
    """

    begin: Ints
    day: Ints
    total: Floats

    @property
    def buyer(self) -> Ints:
        """Of each row, whose it is."""
        return np.repeat(np.arange(len(self.begin) - 1), self.count())

    def count(self) -> Ints:
        """Days of each buyer."""
        return np.diff(self.begin)

    def first(self, none: int) -> Ints:
        """The first day of each buyer; `none` where there is none."""
        return self._at(self.begin[:-1], none)

    def last(self, none: int) -> Ints:
        """The last day of each buyer; `none` where there is none."""
        return self._at(self.begin[1:] - 1, none)

    def history(self, today: int) -> OrderHistory:
        """The histories of all buyers as of the end of a day; each must have ordered by then, and nobody later."""
        first, last = self.first(today), self.last(today)
        return OrderHistory(np.maximum(self.count() - 1, 0), last - first, today - first)

    def _at(self, row: Ints, none: int) -> Ints:
        some = self.count() > 0
        found = np.full(len(row), none, np.int64)
        found[some] = self.day[row[some]]
        return found


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
