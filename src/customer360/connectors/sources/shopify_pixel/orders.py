"""The order that a completed checkout became, as the browser saw it."""

from __future__ import annotations

from collections.abc import Sequence

from customer360.clock import Instant
from customer360.connectors.sources.payload import (
    Json,
    amount,
    currency_code,
    record,
    records,
    text,
    total_of,
    whole,
)
from customer360.connectors.sources.shopify.fields import id_text
from customer360.connectors.sources.shopify_pixel.properties import codes, money
from customer360.events.model import OrderLine, OrderReport, ShopContext
from customer360.values import Amount


def order_of(checkout: Json, key: str, at: Instant, shop: ShopContext) -> OrderReport:
    """The order that a completed checkout became."""
    lines = tuple(
        line
        for number, entry in enumerate(records(checkout.get("lineItems")), 1)
        if (line := _order_line(str(number), entry)).quantity
    )
    total, currency = money(checkout.get("totalPrice"))
    told = amount(total)
    return OrderReport(
        order_key=id_text(record(checkout.get("order")).get("id")) or key,
        updated_at=at,
        placed_at=at,
        test=record(checkout.get("order")).get("test") is True,
        currency=currency_code(checkout.get("currencyCode")) or currency or shop.currency,
        total=_of_lines(lines) if told is None else told,
        discount=max(amount(money(checkout.get("discountsAmount"))[0]) or 0, 0),
        promo_codes=codes(checkout),
        lines=lines,
    )


def _of_lines(lines: Sequence[OrderLine]) -> Amount:
    return total_of(line.quantity * line.unit_price - line.discount for line in lines)


def _order_line(number: str, entry: Json) -> OrderLine:
    variant = record(entry.get("variant"))
    product = record(variant.get("product"))
    given = (
        amount(money(allocation.get("amount"))[0])
        for allocation in records(entry.get("discountAllocations"))
    )
    return OrderLine(
        key=id_text(entry.get("id")) or number,
        product_id=id_text(product.get("id")),
        variant=id_text(variant.get("id")),
        title=text(product.get("title")) or text(entry.get("title")),
        vendor=text(product.get("vendor")),
        sku=text(variant.get("sku")),
        quantity=whole(entry.get("quantity"), 1),
        unit_price=amount(money(variant.get("price"))[0]) or 0,
        discount=max(total_of(given), 0),
    )
