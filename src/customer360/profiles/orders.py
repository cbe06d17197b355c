"""What is an order, when several sources tell of it, in pieces and in any order?

A snapshot tells a whole order: of two the more authoritative source wins, then the newer `updated_at`. A file
tells an order line by line: its figures are those of all lines told so far. Either way the outcome depends on
what was told, never on when it arrived.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.events.model import OrderLine, OrderReport, RefundReport, SourceRank, Trust
from customer360.events.placed import PlacedEvent
from customer360.profiles.tables import order_lines, orders, refunds
from customer360.storage.database import Writes, rows_in
from customer360.storage.metadata import tombstones
from customer360.values import Amount, new_ids

REFUNDS_MIRROR = 5
"""Number of the refunds mirror in tombstones."""

_NO_RANK = -1
_BY_LINES = "line:"
"""Begins the `dedupe_key` of an order that a file tells line by line."""
_ORDER_COLUMNS = tuple(column.name for column in orders.columns)
_LINE_COLUMNS = tuple(column.name for column in order_lines.columns)
_REFUND_COLUMNS = tuple(column.name for column in refunds.columns)


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
        return self.dedupe_key.startswith(_BY_LINES)


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


def tells_of_order(placed: PlacedEvent) -> bool:
    """Whether the event changes an order; a browser can neither cancel nor refund."""
    order, refund = placed.event.order, placed.event.refund
    if order is None and refund is None:
        return False
    return placed.trust is not Trust.PUBLIC or (order is not None and order.kind == "snapshot")


def has_own_row(placed: PlacedEvent) -> bool:
    """Whether the event is kept as an event; a purchase or refund is told by its order or refund instead."""
    return placed.event.type not in ("order_placed", "order_refunded") or not tells_of_order(placed)


def account(
    connection: Connection, shop_id: int, shop_currency: str, placed: Iterable[PlacedEvent]
) -> Ledger:
    """Work the orders and refunds that a batch tells of into those already known. Only reads."""
    telling = [one for one in placed if tells_of_order(one)]
    ledger = Ledger()
    if not telling:
        return ledger
    _load(connection, shop_id, telling, ledger)
    for one in telling:
        if one.event.order is not None:
            order = ledger.orders.setdefault(
                one.event.order.order_key, Order(one.event.order.order_key)
            )
            _tell(order, one, one.event.order, shop_currency)
        if one.event.refund is not None:
            _tell_refund(ledger, one, one.event.refund, shop_currency)
    for order in ledger.orders.values():
        if order.by_lines and order.new_lines:
            _sum_lines(order)
        _returns(ledger, order)
    for refund in ledger.refunds.values():
        owner = ledger.orders.get(refund.order_key)
        refund.fragment_id = (owner.fragment_id if owner else 0) or refund.own_fragment_id
    _number_new(ledger)
    return ledger


def write(writes: Writes, shop_id: int, change: int, ledger: Ledger) -> None:
    """Store the changed orders, lines and refunds."""
    changed = list(ledger.orders.values())
    writes.insert(
        orders,
        _ORDER_COLUMNS,
        [
            tuple(
                change
                if name == "change"
                else shop_id
                if name == "shop_id"
                else getattr(order, name)
                for name in _ORDER_COLUMNS
            )
            for order in changed
        ],
        replace_on=("shop_id", "order_id"),
    )
    writes.each(
        "delete from order_lines where shop_id = {} and order_id = {}",
        [(shop_id, order.order_id) for order in changed if order.replaced],
    )
    writes.insert(
        order_lines,
        _LINE_COLUMNS,
        [
            _line_row(shop_id, order.order_id, line)
            for order in changed
            for line in order.new_lines.values()
        ],
        replace_on=("shop_id", "order_id", "line_key"),
    )
    writes.insert(
        refunds,
        _REFUND_COLUMNS,
        [
            tuple(
                change
                if name == "change"
                else shop_id
                if name == "shop_id"
                else getattr(refund, name)
                for name in _REFUND_COLUMNS
            )
            for refund in ledger.refunds.values()
        ],
        replace_on=("shop_id", "refund_id"),
    )
    writes.each(
        "delete from refunds where shop_id = {} and refund_id = {}",
        [(shop_id, refund_id) for refund_id in ledger.gone_refunds],
    )
    writes.insert(
        tombstones,
        ("shop_id", "change", "mirror", "row_id"),
        [(shop_id, change, REFUNDS_MIRROR, refund_id) for refund_id in ledger.gone_refunds],
    )


def _load(
    connection: Connection, shop_id: int, telling: Sequence[PlacedEvent], ledger: Ledger
) -> None:
    reports = [one.event.order for one in telling if one.event.order is not None]
    refund_reports = [one.event.refund for one in telling if one.event.refund is not None]
    keys = {report.order_key for report in reports}
    keys |= {report.order_key for report in refund_reports}
    refund_keys = {report.refund_key for report in refund_reports}
    of_orders = rows_in(connection, _REFUNDS_OF_ORDERS, (shop_id,), sorted(keys))
    told_again = rows_in(connection, _REFUNDS, (shop_id,), sorted(refund_keys))
    for row in of_orders + told_again:
        refund = Refund(**dict(zip(_REFUND_FIELDS, row, strict=True)))
        ledger.refunds[refund.refund_key] = refund
        ledger.former_fragments.add(refund.fragment_id)
        # A refund that was told of another order before.
        keys.add(refund.order_key)
    by_id: dict[int, Order] = {}
    for row in rows_in(connection, _ORDERS, (shop_id,), sorted(keys)):
        order = Order(**dict(zip(_ORDER_FIELDS, row, strict=True)))
        ledger.orders[order.order_key] = by_id[order.order_id] = order
        order.stored_as = (order.placed_at, order.fragment_id)
        ledger.former_fragments.add(order.fragment_id)
    told_in_lines = [order.order_id for order in by_id.values() if order.by_lines]
    if told_in_lines:
        lines = select(order_lines).where(
            order_lines.c.shop_id == shop_id, order_lines.c.order_id.in_(told_in_lines)
        )
        for told in connection.execute(lines):
            line = OrderLine(
                key=told.line_key,
                product_id=told.product_id,
                variant=told.variant,
                title=told.title,
                vendor=told.vendor,
                sku=told.sku,
                quantity=told.quantity,
                unit_price=told.unit_price,
                discount=told.discount,
            )
            by_id[told.order_id].lines[told.line_key] = Line(line, told.told_at, told.fragment_id)


_ORDER_FIELDS = tuple(name for name in _ORDER_COLUMNS if name not in ("shop_id", "change"))
_REFUND_FIELDS = tuple(name for name in _REFUND_COLUMNS if name not in ("shop_id", "change"))
_ORDERS = (
    f"select {', '.join(_ORDER_FIELDS)} from orders where shop_id = {{}} and order_key in {{}}"
)
_REFUNDS = (
    f"select {', '.join(_REFUND_FIELDS)} from refunds where shop_id = {{}} and refund_key in {{}}"
)
_REFUNDS_OF_ORDERS = (
    f"select {', '.join(_REFUND_FIELDS)} from refunds where shop_id = {{}} and order_key in {{}}"
)


def _tell(order: Order, one: PlacedEvent, report: OrderReport, shop_currency: str) -> None:
    if report.cancelled_at is not None and one.rank > SourceRank.PIXEL:
        order.cancelled_at = min(order.cancelled_at or report.cancelled_at, report.cancelled_at)
    if report.kind == "cancellation":
        return
    _claim(order, one, report)
    if report.kind == "line":
        _tell_lines(order, one, report, shop_currency)
        return
    # A file that tells an order whole knows more of it than one that tells its lines.
    told = (int(one.rank), True, report.updated_at, one.event.dedupe_key)
    if told <= (order.source_rank, not order.by_lines, order.updated_at, order.dedupe_key):
        return
    order.source, order.source_rank, order.updated_at = one.source, int(one.rank), report.updated_at
    order.dedupe_key = one.event.dedupe_key
    _take_header(order, report, one, shop_currency)
    order.placed_at = _told_at(one, report)
    order.given_total = report.total
    order.total = report.total
    order.discount = report.discount
    order.items_count = sum(line.quantity for line in report.lines)
    order.lines = {}
    order.new_lines = {line.key: Line(line) for line in report.lines}
    order.replaced = True


def _claim(order: Order, one: PlacedEvent, report: OrderReport) -> None:
    """The order is the person's whom its most authoritative report names: the newest one, or the first line."""
    at = report.updated_at
    if report.kind == "line":
        if not any(line.quantity > 0 for line in report.lines):
            return
        at = -_told_at(one, report)
    claim = (int(one.rank), at, one.event.dedupe_key)
    if one.fragment_id and claim > (order.owner_rank, order.owner_at, order.owner_key):
        order.fragment_id = one.fragment_id
        order.owner_rank, order.owner_at, order.owner_key = claim


def _told_at(one: PlacedEvent, report: OrderReport) -> Instant:
    return report.placed_at if report.placed_at is not None else one.event.occurred_at


def _take_header(order: Order, report: OrderReport, one: PlacedEvent, shop_currency: str) -> None:
    order.test = report.test
    order.currency = report.currency or shop_currency
    order.foreign_currency = order.currency != shop_currency
    order.promo_codes = json.dumps(sorted(set(report.promo_codes)))
    order.place, order.marketplace, order.location = (
        report.place,
        report.marketplace,
        report.location,
    )
    order.number, order.status = report.number, report.status
    order.properties = json.dumps(one.event.properties) if one.event.properties else None


def _tell_lines(order: Order, one: PlacedEvent, report: OrderReport, shop_currency: str) -> None:
    if order.source_rank >= SourceRank.FILE and not order.by_lines:
        return
    if order.source_rank < SourceRank.FILE:
        # The file knows better than what a pixel or an SDK said of this order.
        order.source, order.source_rank = one.source, int(SourceRank.FILE)
        order.updated_at, order.dedupe_key, order.given_total = _NEVER, _BY_LINES, None
        order.lines, order.new_lines, order.replaced = {}, {}, True
        order.placed_at, order.currency, order.foreign_currency = None, "", False
    told_at, key = _told_at(one, report), _BY_LINES + one.event.dedupe_key
    for line in report.lines:
        order.new_lines[line.key] = Line(line, told_at, one.fragment_id)
    if not any(line.quantity > 0 for line in report.lines):
        if order.updated_at == _NEVER:
            order.currency = max(order.currency, report.currency or shop_currency)
            order.foreign_currency = order.currency != shop_currency
        return
    given = order.given_total is not None
    # The row that tells a total is the order's head; without one it is the earliest row.
    if (not report.total, told_at, key) < (not given, order.updated_at, order.dedupe_key):
        order.updated_at, order.dedupe_key = told_at, key
        order.given_total = report.total or None
        order.source = one.source
        _take_header(order, report, one, shop_currency)
        order.discount = report.discount


_NEVER: Instant = 1 << 62


def _sum_lines(order: Order) -> None:
    """The figures of an order that a file tells line by line."""
    lines = {**order.lines, **order.new_lines}
    bought = sorted(
        (line for line in lines.values() if line.line.quantity > 0),
        key=lambda line: (line.told_at, line.line.key),
    )
    if not bought:
        order.placed_at, order.total, order.items_count = None, 0, 0
        return
    order.placed_at = bought[0].told_at
    order.items_count = sum(line.line.quantity for line in bought)
    gross = sum(line.line.quantity * line.line.unit_price - line.line.discount for line in bought)
    if order.given_total is None:
        order.total, order.discount = gross, sum(line.line.discount for line in bought)
    else:
        order.total = order.given_total


def _returns(ledger: Ledger, order: Order) -> None:
    """Negative lines of a file are one refund of the order; a webhook's own refunds replace them."""
    key = f"{order.order_key}:returns"
    if not order.by_lines:
        known = ledger.refunds.get(key)
        summed = known is not None and not known.dedupe_key
        if known is not None and (summed or order.source_rank != SourceRank.FILE):
            del ledger.refunds[key]
            if known.refund_id:
                ledger.gone_refunds.append(known.refund_id)
        return
    lines = {**order.lines, **order.new_lines}
    back = sorted(
        (line for line in lines.values() if line.line.quantity < 0),
        key=lambda line: (line.told_at, line.line.key),
    )
    if not back:
        return
    refund = ledger.refunds.setdefault(key, Refund(key, order.order_key))
    refund.source, refund.source_rank = order.source, int(SourceRank.FILE)
    refund.refunded_at = refund.updated_at = back[0].told_at
    refund.amount = sum(-line.line.quantity * line.line.unit_price for line in back)
    refund.items_count = sum(-line.line.quantity for line in back)
    refund.foreign_currency = order.foreign_currency
    refund.own_fragment_id = next((line.fragment_id for line in back if line.fragment_id), 0)
    refund.properties = json.dumps({"order_id": order.order_key})


def _tell_refund(
    ledger: Ledger, one: PlacedEvent, report: RefundReport, shop_currency: str
) -> None:
    refund = ledger.refunds.setdefault(
        report.refund_key, Refund(report.refund_key, report.order_key)
    )
    claim = (int(one.rank), report.updated_at, one.event.dedupe_key)
    if claim <= (refund.source_rank, refund.updated_at, refund.dedupe_key):
        return
    refund.source, refund.source_rank, refund.updated_at = (
        one.source,
        int(one.rank),
        report.updated_at,
    )
    refund.dedupe_key, refund.own_fragment_id = one.event.dedupe_key, one.fragment_id
    refund.order_key = report.order_key
    refund.refunded_at, refund.amount, refund.items_count = (
        report.refunded_at,
        report.amount,
        report.items,
    )
    refund.foreign_currency = bool(report.currency) and report.currency != shop_currency
    refund.properties = json.dumps(one.event.properties) if one.event.properties else None


def _number_new(ledger: Ledger) -> None:
    new_orders = [order for order in ledger.orders.values() if not order.order_id]
    for order, order_id in zip(new_orders, new_ids.take(len(new_orders)), strict=True):
        order.order_id = order_id
    new_refunds = [refund for refund in ledger.refunds.values() if not refund.refund_id]
    for refund, refund_id in zip(new_refunds, new_ids.take(len(new_refunds)), strict=True):
        refund.refund_id = refund_id


def _line_row(shop_id: int, order_id: int, told: Line) -> tuple[object, ...]:
    line = told.line
    return (
        shop_id,
        order_id,
        line.key,
        line.product_id,
        line.variant,
        line.title,
        line.vendor,
        line.sku,
        line.quantity,
        line.unit_price,
        line.discount,
        told.told_at,
        told.fragment_id,
    )
