"""What is an order, when several sources tell of it, in pieces and in any order?

A snapshot tells a whole order: of two the more authoritative source wins, then the newer `updated_at`. A file
tells an order line by line: its figures are those of all lines told so far. Either way the outcome depends on
what was told, never on when it arrived.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import OrderReport, RefundReport, SourceRank, Trust
from customer360.events.placed import PlacedEvent
from customer360.profiles.ledger import BY_LINES, Ledger, Line, Order, Refund, read_ledger


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
    if not telling:
        return Ledger()
    reports = [one.event.order for one in telling if one.event.order is not None]
    refund_reports = [one.event.refund for one in telling if one.event.refund is not None]
    ledger = read_ledger(
        connection,
        shop_id,
        {one.order_key for one in reports} | {one.order_key for one in refund_reports},
        {one.refund_key for one in refund_reports},
    )
    for one in telling:
        if (told := one.event.order) is not None:
            order = ledger.orders.setdefault(told.order_key, Order(told.order_key))
            _tell(order, one, told, shop_currency)
        if one.event.refund is not None:
            _tell_refund(ledger, one, one.event.refund, shop_currency)
    for order in ledger.orders.values():
        if order.by_lines and order.new_lines:
            _sum_lines(order)
        _returns(ledger, order)
    for refund in ledger.refunds.values():
        owner = ledger.orders.get(refund.order_key)
        refund.fragment_id = (owner.fragment_id if owner else 0) or refund.own_fragment_id
    ledger.number_new()
    return ledger


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
        order.updated_at, order.dedupe_key, order.given_total = _NEVER, BY_LINES, None
        order.lines, order.new_lines, order.replaced = {}, {}, True
        order.placed_at, order.currency, order.foreign_currency = None, "", False
    told_at, key = _told_at(one, report), BY_LINES + one.event.dedupe_key
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
