"""The orders and refunds that a batch works on, as they are read, kept at hand and written.

What they become by what the batch tells is said in `orders`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import OrderLine
from customer360.profiles.tables import order_lines, orders, refunds
from customer360.storage.database import Writes, rows_in
from customer360.storage.metadata import tombstones
from customer360.values import Amount, new_ids

REFUNDS_MIRROR = 5
"""Number of the refunds mirror in tombstones."""
BY_LINES = "line:"
"""Begins the `dedupe_key` of an order that a file tells line by line."""

_NO_RANK = -1


@dataclass(slots=True)
class Line:
    """A line of an order, and, where a file told it alone, when and by which fragment."""

    line: OrderLine
    told_at: Instant = 0
    fragment_id: int = 0


@dataclass(slots=True)
class Order:
    """One order while a batch works on it."""

    order_key: str
    order_id: int = 0
    fragment_id: int = 0
    source: str = ""
    source_rank: int = _NO_RANK
    updated_at: Instant = 0
    dedupe_key: str = ""
    owner_rank: int = _NO_RANK
    owner_at: Instant = 0
    owner_key: str = ""
    placed_at: Instant | None = None
    cancelled_at: Instant | None = None
    test: bool = False
    currency: str = ""
    foreign_currency: bool = False
    given_total: Amount | None = None
    total: Amount = 0
    discount: Amount = 0
    items_count: int = 0
    promo_codes: str = "[]"
    place: str = "online"
    marketplace: str = ""
    location: str = ""
    number: str = ""
    status: str = ""
    properties: str | None = None
    lines: dict[str, Line] = field(default_factory=dict)
    new_lines: dict[str, Line] = field(default_factory=dict)
    replaced: bool = False
    stored_as: tuple[Instant | None, int] = (None, 0)
    """When it was placed and whose it was (a fragment) before this batch."""

    @property
    def by_lines(self) -> bool:
        """Whether a file tells it line by line."""
        return self.dedupe_key.startswith(BY_LINES)


@dataclass(slots=True)
class Refund:
    """One refund while a batch works on it."""

    refund_key: str
    order_key: str
    refund_id: int = 0
    fragment_id: int = 0
    own_fragment_id: int = 0
    source: str = ""
    source_rank: int = _NO_RANK
    updated_at: Instant = 0
    dedupe_key: str = ""
    refunded_at: Instant = 0
    amount: Amount = 0
    foreign_currency: bool = False
    items_count: int = 0
    properties: str | None = None


@dataclass(slots=True)
class Ledger:
    """The orders and refunds that a batch changes, and the fragments whose figures move with them."""

    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    gone_refunds: list[int] = field(default_factory=list)
    former_fragments: set[int] = field(default_factory=set)

    @property
    def fragments(self) -> set[int]:
        """Every fragment that gained, lost or changed an order or a refund."""
        of_orders = {order.fragment_id for order in self.orders.values()}
        of_refunds = {refund.fragment_id for refund in self.refunds.values()}
        return (of_orders | of_refunds | self.former_fragments) - {0}

    @property
    def moved_away(self) -> set[int]:
        """Fragments that had an order at a time when they have it no more: it is told of another time or person."""
        return {
            order.stored_as[1]
            for order in self.orders.values()
            if order.stored_as[0] is not None
            and order.stored_as != (order.placed_at, order.fragment_id)
        } - {0}

    def number_new(self) -> None:
        """Give an id to each order and refund that has none yet."""
        new_orders = [order for order in self.orders.values() if not order.order_id]
        for order, order_id in zip(new_orders, new_ids.take(len(new_orders)), strict=True):
            order.order_id = order_id
        new_refunds = [refund for refund in self.refunds.values() if not refund.refund_id]
        for refund, refund_id in zip(new_refunds, new_ids.take(len(new_refunds)), strict=True):
            refund.refund_id = refund_id


_ADDED = ("shop_id", "change")
_ORDER_FIELDS = tuple(column.name for column in orders.columns if column.name not in _ADDED)
_REFUND_FIELDS = tuple(column.name for column in refunds.columns if column.name not in _ADDED)
_SOLD = ("product_id", "variant", "title", "vendor", "sku", "quantity", "unit_price", "discount")
_LINE_COLUMNS = ("order_id", "line_key", *_SOLD, "told_at", "fragment_id")

_ORDERS = (
    f"select {', '.join(_ORDER_FIELDS)} from orders where shop_id = {{}} and order_key in {{}}"
)
_LINES = (
    f"select {', '.join(_LINE_COLUMNS)} from order_lines where shop_id = {{}} and order_id in {{}}"
)
_REFUNDS = (
    f"select {', '.join(_REFUND_FIELDS)} from refunds where shop_id = {{}} and refund_key in {{}}"
)
_REFUNDS_OF_ORDERS = (
    f"select {', '.join(_REFUND_FIELDS)} from refunds where shop_id = {{}} and order_key in {{}}"
)

_order_values = attrgetter(*_ORDER_FIELDS)
_refund_values = attrgetter(*_REFUND_FIELDS)
_line_values = attrgetter("line.key", *(f"line.{name}" for name in _SOLD), "told_at", "fragment_id")


def read_ledger(
    connection: Connection, shop_id: int, order_keys: Set[str], refund_keys: Set[str]
) -> Ledger:
    """These orders and refunds as they are stored, the orders with their refunds and the refunds with their orders."""
    ledger = Ledger()
    of_orders = rows_in(connection, _REFUNDS_OF_ORDERS, (shop_id,), sorted(order_keys))
    told_again = rows_in(connection, _REFUNDS, (shop_id,), sorted(refund_keys))
    for row in of_orders + told_again:
        refund = Refund(**dict(zip(_REFUND_FIELDS, row, strict=True)))
        ledger.refunds[refund.refund_key] = refund
        ledger.former_fragments.add(refund.fragment_id)
    # A refund may have been told of another order before.
    order_keys = order_keys | {refund.order_key for refund in ledger.refunds.values()}
    for row in rows_in(connection, _ORDERS, (shop_id,), sorted(order_keys)):
        order = Order(**dict(zip(_ORDER_FIELDS, row, strict=True)))
        ledger.orders[order.order_key] = order
        order.stored_as = (order.placed_at, order.fragment_id)
        ledger.former_fragments.add(order.fragment_id)
    by_id = {order.order_id: order for order in ledger.orders.values() if order.by_lines}
    for order_id, key, *sold, told_at, fragment_id in rows_in(
        connection, _LINES, (shop_id,), list(by_id)
    ):
        line = OrderLine(key, *sold)
        by_id[order_id].lines[key] = Line(line, told_at, fragment_id)
    return ledger


def write(writes: Writes, shop_id: int, change: int, ledger: Ledger) -> None:
    """Store the changed orders, lines and refunds."""
    changed = list(ledger.orders.values())
    writes.insert(
        orders,
        ("shop_id", "change", *_ORDER_FIELDS),
        [(shop_id, change, *_order_values(order)) for order in changed],
        replace_on=("shop_id", "order_id"),
    )
    writes.each(
        "delete from order_lines where shop_id = {} and order_id = {}",
        [(shop_id, order.order_id) for order in changed if order.replaced],
    )
    writes.insert(
        order_lines,
        ("shop_id", *_LINE_COLUMNS),
        [
            (shop_id, order.order_id, *_line_values(line))
            for order in changed
            for line in order.new_lines.values()
        ],
        replace_on=("shop_id", "order_id", "line_key"),
    )
    writes.insert(
        refunds,
        ("shop_id", "change", *_REFUND_FIELDS),
        [(shop_id, change, *_refund_values(refund)) for refund in ledger.refunds.values()],
        replace_on=("shop_id", "refund_id"),
    )
    _write_gone(writes, shop_id, change, ledger.gone_refunds)


def _write_gone(writes: Writes, shop_id: int, change: int, refund_ids: Sequence[int]) -> None:
    writes.each(
        "delete from refunds where shop_id = {} and refund_id = {}",
        [(shop_id, refund_id) for refund_id in refund_ids],
    )
    writes.insert(
        tombstones,
        ("shop_id", "change", "mirror", "row_id"),
        [(shop_id, change, REFUNDS_MIRROR, refund_id) for refund_id in refund_ids],
    )
