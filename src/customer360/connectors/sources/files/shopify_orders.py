"""Shopify's orders export, whose first row of an order tells the whole order.

The reader of the file gives the first row all lines of its order, so it becomes one snapshot. The rows that follow
tell nothing more: they are usable when the first one is, and add no event.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from customer360.clock import SECOND, Instant
from customer360.connectors.sources.files import cells
from customer360.connectors.sources.files.addresses import Columns, traits_of_buyer
from customer360.connectors.sources.files.row import read_row, row_key
from customer360.events.model import (
    Event,
    OrderLine,
    OrderReport,
    RefundReport,
    ShopContext,
    Signal,
    Unusable,
)
from customer360.values import Amount, money_text

# A timeline shows what was bought, not a stock list; the order itself keeps every line.
_MAX_ITEMS = 100


class _OrderRows(msgspec.Struct, frozen=True):
    """`order`: the columns of a first row; `continues`: those that a later row repeats; `lines`: of the whole order."""

    order: Columns = {}
    continues: Columns = {}
    lines: list[Columns] = []


_DECODER = msgspec.json.Decoder(_OrderRows)


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The purchase of an order's first row, with its refund where money went back. Raises Unusable."""
    rows, key = read_row(signal, _DECODER), row_key(signal)
    order = rows.order or rows.continues
    report = _report(order, rows.lines, shop)
    if not rows.order:
        return ()
    event = _purchase(order, report, key, shop)
    refund = _refund(order, report)
    if refund is None:
        return (event,)
    returned = Event(
        type="order_refunded",
        occurred_at=refund.refunded_at,
        dedupe_key=f"row:{key}:refund",
        identifiers=event.identifiers,
        properties={
            "order_id": report.order_key,
            "total": money_text(refund.amount, report.currency or shop.currency),
        },
        # The same names as the purchase, for both to be the same evidence.
        traits=event.traits,
        place=event.place,
        till=event.till,
        refund=refund,
    )
    return (event, returned)


def _purchase(order: Columns, report: OrderReport, key: str, shop: ShopContext) -> Event:
    assert report.placed_at is not None
    email = order.get("Email", "")
    return Event(
        type="order_placed",
        occurred_at=report.placed_at,
        dedupe_key=f"row:{key}",
        # The phone numbers of addresses may be somebody else's.
        identifiers=cells.identifiers("", email, order.get("Phone", "")),
        properties=_properties(order, report, shop),
        traits=traits_of_buyer(order),
        place=report.place,
        till=report.place == "in_store",
        order=report,
        consents=cells.opt_in(order.get("Accepts Marketing"), email, report.placed_at),
    )


def _report(order: Columns, lines: list[Columns], shop: ShopContext) -> OrderReport:
    order_key = cells.order_id(order.get("Id", "")) or cells.order_id(order.get("Name", ""))
    if not order_key:
        raise Unusable("missing_order_id", "The row has neither Id nor Name.")
    if not order.get("Total"):
        raise Unusable(
            "missing_total",
            "The row continues an order whose first row, with its total, is not right above it.",
        )
    if not order.get("Created at"):
        raise Unusable("missing_time", "The order does not say when it was created.")
    placed_at = cells.instant(order["Created at"], shop.timezone)
    cancelled_at = _instant(order, "Cancelled at", shop)
    place, marketplace = cells.place(order.get("Source", ""))
    total = cells.money(order["Total"], "total")
    return OrderReport(
        order_key=order_key,
        updated_at=_updated_at(order, placed_at, total, shop),
        placed_at=placed_at,
        cancelled_at=cancelled_at,
        test="bogus" in order.get("Payment Method", "").lower(),
        currency=cells.currency(order.get("Currency", "")),
        total=total,
        discount=cells.money(order.get("Discount Amount", ""), "discount"),
        promo_codes=_promo_codes(order.get("Discount Code", "")),
        place=place,
        marketplace=marketplace,
        location=cells.text(order.get("Location", "")),
        lines=tuple(_line(number, line) for number, line in enumerate(lines, start=1)),
        number=cells.text(order.get("Name", "")),
        status="cancelled" if cancelled_at else cells.text(order.get("Financial Status", "")),
    )


def _line(number: int, line: Columns) -> OrderLine:
    pieces = cells.quantity(line.get("Lineitem quantity"))
    unit_price = cells.money(line.get("Lineitem price", ""))
    cells.check_line(pieces, unit_price)
    if pieces < 0:
        raise Unusable("invalid_quantity", "A line of an order cannot be of less than nothing.")
    return OrderLine(
        key=str(number),
        title=cells.text(line.get("Lineitem name", "")),
        vendor=cells.text(line.get("Vendor", "")),
        sku=cells.text(line.get("Lineitem sku", "")),
        quantity=pieces,
        unit_price=unit_price,
        discount=cells.money(line.get("Lineitem discount", ""), "discount"),
    )


def _updated_at(order: Columns, placed_at: Instant, total: Amount, shop: ShopContext) -> Instant:
    """The newest time that the order tells.

    An export does not say when money went back. More of it does so later, so the share that did stands in the
    part of a second that Shopify never uses: of two exports, the one with more refunded is the newer.
    """
    told = (_instant(order, name, shop) for name in ("Paid at", "Fulfilled at", "Cancelled at"))
    newest = max([placed_at, *(at for at in told if at is not None)])
    refunded = cells.money(order.get("Refunded Amount", ""), "refund")
    if refunded <= 0:
        return newest
    share = refunded * (SECOND - 1) // total if total > 0 else SECOND - 1
    return newest - newest % SECOND + min(max(share, 1), SECOND - 1)


def _refund(order: Columns, report: OrderReport) -> RefundReport | None:
    """All the money that went back for the order; the export knows no single refunds."""
    amount = cells.money(order.get("Refunded Amount", ""), "refund")
    if amount <= 0:
        return None
    return RefundReport(
        refund_key=f"{report.order_key}:returns",
        order_key=report.order_key,
        refunded_at=report.updated_at - report.updated_at % SECOND,
        amount=amount,
        currency=report.currency,
        updated_at=report.updated_at,
    )


def _instant(order: Columns, name: str, shop: ShopContext) -> Instant | None:
    cell = order.get(name, "")
    return cells.instant(cell, shop.timezone) if cell else None


def _promo_codes(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for part in cell.split(",") if (code := cells.text(part))))


def _properties(order: Columns, report: OrderReport, shop: ShopContext) -> dict[str, object]:
    """What the timeline shows when the purchase is opened."""
    currency = report.currency or shop.currency
    items = [
        {
            "title": line.title,
            "sku": line.sku,
            "quantity": line.quantity,
            "price": money_text(line.unit_price, currency),
        }
        for line in report.lines[:_MAX_ITEMS]
    ]
    told: dict[str, object] = {
        "order_id": report.order_key,
        "number": report.number,
        "total": money_text(report.total, currency),
        "currency": report.currency,
        "quantity": sum(line.quantity for line in report.lines),
        "coupon": ", ".join(report.promo_codes),
        "status": report.status,
        "fulfillment_status": cells.text(order.get("Fulfillment Status", "")),
        "tags": list(cells.tags(order.get("Tags")) or ()),
        "items": items,
    }
    return {name: value for name, value in told.items() if value not in ("", [])}
