"""Refunds: money given back, and goods taken back."""

from __future__ import annotations

from collections.abc import Iterable

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
from customer360.connectors.sources.shopify.fields import filled, id_text, own_id
from customer360.connectors.sources.shopify.lines import MAX_ITEMS, item
from customer360.connectors.sources.shopify.money import Purse, purse_of, shop_money
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, RefundReport, ShopContext, Unusable
from customer360.values import Amount

# restock_type: "return" came back from the customer, "legacy_restock" is its older name, "no_restock" was refunded
# without going back on the shelf, and "cancel" never left the shop.
_RETURNED = ("return", "legacy_restock")
_NEVER_LEFT = "cancel"
_MOVED_NO_MONEY = ("failure", "error")


def refund_events(webhook: Webhook) -> tuple[Event, ...]:
    """The refund and, where goods came back, their return; raises Unusable without refund or order id."""
    body = webhook.body
    refund_id, order_id = own_id(body), id_text(body.get("order_id"))
    if not (refund_id and order_id):
        raise Unusable("missing_id", "The refund does not name itself and its order.")
    lines = records(body.get("refund_line_items"))
    returned = [line for line in lines if text(line.get("restock_type")) in _RETURNED]
    refunded_at = webhook.time("processed_at", "created_at")
    value, purse = refunded(body, webhook.shop)
    report = RefundReport(
        refund_key=refund_id,
        order_key=order_id,
        refunded_at=refunded_at,
        amount=max(value, 0),
        currency=purse.currency,
        items=_pieces(line for line in lines if text(line.get("restock_type")) != _NEVER_LEFT),
        updated_at=webhook.time("updated_at", "processed_at", "created_at"),
    )
    properties = {"order_id": order_id, **_goods(lines, purse), "reason": text(body.get("note"))}
    properties |= {"total": purse.text(value), "currency": purse.currency}
    refund = webhook.event(
        "order_refunded", refunded_at, properties=filled(properties), refund=report
    )
    if not returned:
        return (refund,)
    goods = {"order_id": order_id, **_goods(returned, purse)}
    return (refund, webhook.event("item_returned", refunded_at, part="returned", properties=goods))


def refunded(body: Json, shop: ShopContext) -> tuple[Amount, Purse]:
    """How much was given back, and the purse that it came from.

    The sum of the successful refund transactions in the shop's currency. Where there are none, or they tell only
    the customer's currency, the sum of the refunded lines with their tax, and of the refunded shipping.
    """
    lines, shipping = records(body.get("refund_line_items")), _shipping(body)
    money_sets = [line.get("subtotal_set") for line in lines]
    money_sets += [adjustment.get("amount_set") for adjustment in shipping]
    purse = purse_of({}, money_sets[0] if money_sets else None, shop)
    payments = [
        entry for entry in records(body.get("transactions")) if _word(entry, "kind") == "refund"
    ]
    if payments and all(_word(payment, "status") in _MOVED_NO_MONEY for payment in payments):
        return 0, purse
    paid = [payment for payment in payments if _word(payment, "status") == "success"]
    told = [_payment_amount(payment, purse) for payment in paid]
    if paid and None not in told:
        return total_of(told), purse
    if paid and not money_sets:
        return _refunded_abroad(paid, shop)
    goods = total_of(
        purse.amount(line, field) for line in lines for field in ("subtotal", "total_tax")
    )
    # Shopify writes refunded shipping as a negative adjustment of the order.
    sent = total_of(
        purse.amount(entry, field) for entry in shipping for field in ("amount", "tax_amount")
    )
    return goods - sent, purse


def _shipping(body: Json) -> list[Json]:
    adjustments = records(body.get("order_adjustments"))
    return [entry for entry in adjustments if _word(entry, "kind") == "shipping_refund"]


def _word(entry: Json, field: str) -> str:
    return text(entry.get(field)).lower()


def _refunded_abroad(paid: list[Json], shop: ShopContext) -> tuple[Amount, Purse]:
    """Nothing tells the shop's money: what the customer got, to be flagged and not summed."""
    currency = currency_code(paid[0].get("currency"))
    same = [payment for payment in paid if currency_code(payment.get("currency")) == currency]
    return total_of(amount(payment.get("amount")) for payment in same), Purse(
        currency or shop.currency
    )


def _payment_amount(payment: Json, purse: Purse) -> Amount | None:
    """The amount of a transaction in the purse's currency; a transaction without a currency is in it."""
    if currency_code(payment.get("currency")) in ("", purse.currency):
        return amount(payment.get("amount"))
    told, code = shop_money(payment.get("amount_set"))
    return told if code == purse.currency else None


def _pieces(lines: Iterable[Json]) -> int:
    return sum(whole(line.get("quantity"), 1) for line in lines)


def _goods(lines: list[Json], purse: Purse) -> Json:
    """Number and list of the goods, as properties."""
    listed = [
        item(record(line.get("line_item")), purse, whole(line.get("quantity"), 1))
        for line in lines[:MAX_ITEMS]
    ]
    return filled({"quantity": _pieces(lines), "items": listed})
