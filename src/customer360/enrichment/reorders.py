"""Which products will be ordered again, by how many people, and in which week? By each buyer's own rhythm. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from customer360.enrichment.model import Ints, Orders
from customer360.enrichment.next_order import due_days, is_due, rhythm_of

WEEKS = 8
OVERDUE = -1
"""In place of a week: their day is past, and not yet a whole gap ago."""
MOST_PRODUCTS = 200
_MONDAY = 4
"""The first Monday of 1970 was its fifth day."""


class ReorderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A product: how many are overdue, and how many are expected in each of the weeks."""

    product_id: str
    title: str
    overdue: int
    weeks: list[int]

    @property
    def people(self) -> int:
        """All of them."""
        return self.overdue + sum(self.weeks)


class Reorders(msgspec.Struct, frozen=True, kw_only=True):
    """Re-orders to come, by product, most people first; `weeks` are their Mondays, the present week first."""

    weeks: list[str]
    products: list[ReorderRow]
    products_in_all: int


NOTHING = Reorders(weeks=[], products=[], products_in_all=0)
"""Of a shop of which nothing is computed yet."""


def weeks_of(pairs: Orders, today: int) -> tuple[Ints, Ints]:
    """Pairs of buyer and product with a next order in sight, and its week: 0 is the present one, or OVERDUE.

    pairs: one buyer for each pair. Left out is who is beyond the weeks, or silent for two gaps.
    """
    rhythm = rhythm_of(pairs)
    day = due_days(rhythm)
    week = np.where(day < today, OVERDUE, (day - monday_of(today)) // 7)
    wanted = np.where(day < today, is_due(rhythm, today), week < WEEKS)
    return rhythm.buyer[wanted], week[wanted]


def monday_of(day: int) -> int:
    """The Monday on or before a day."""
    return day - (day - _MONDAY) % 7


def reorders(
    product_ids: Sequence[str], titles: Sequence[str], pairs: Orders, today: int
) -> Reorders:
    """The table of a shop; `product_ids` and `titles` say of each pair which product it is about."""
    pair, week = weeks_of(pairs, today)
    # An array of numpy would make every id as wide as the longest, and drop what ends in zero bytes.
    coded = pa.array(product_ids, pa.string()).take(pa.array(pair)).dictionary_encode()
    names, code = coded.dictionary.to_pylist(), coded.indices.to_numpy()
    counts = np.zeros((len(names), WEEKS + 1), np.int64)
    # The last column is that of OVERDUE.
    np.add.at(counts, (code, week), 1)
    title_of = {product_ids[one]: titles[one] for one in pair.tolist()}
    order = sorted(range(len(names)), key=lambda place: (-int(counts[place].sum()), names[place]))
    rows = [
        ReorderRow(
            product_id=names[place],
            title=title_of[names[place]],
            overdue=int(counts[place, OVERDUE]),
            weeks=counts[place, :WEEKS].tolist(),
        )
        for place in order[:MOST_PRODUCTS]
    ]
    mondays = [str(np.datetime64(monday_of(today) + 7 * week, "D")) for week in range(WEEKS)]
    return Reorders(weeks=mondays, products=rows, products_in_all=len(names))
