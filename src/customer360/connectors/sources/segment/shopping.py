"""Properties of track calls under the names that we use, and what they say of orders and refunds."""

from __future__ import annotations

from typing import Any

from customer360.connectors.sources.payload import (
    Json,
    amount,
    currency_code,
    decimal_text,
    first_amount,
    first_text,
    record,
    records,
    text,
    texts,
    total_of,
    whole,
)
from customer360.connectors.sources.segment.call import Call
from customer360.events.model import OrderLine, OrderReport, Place, RefundReport
from customer360.events.vocabulary import BY_NAME
from customer360.values import AMOUNT_SCALE, Amount

_PRODUCT = {
    "id": "product_id",
    "name": "title",
    "product_name": "title",
    "productId": "product_id",
    "variantId": "variant_id",
    "url": "link",
}
_REVIEW = {name: ours for name, ours in _PRODUCT.items() if name != "id"}
_CART = {"products": "items", "value": "total", "cartToken": "cart_token"}
_ORDER = {"products": "items", "orderId": "order_id"}
_CART_PRODUCT = {**_PRODUCT, "cartToken": "cart_token"}
_LIST = {"list_id": "collection_id", "list_name": "collection_title", "products": "items"}
_SEARCH = {"query": "search_term", "products": "items"}
_MESSAGE = {
    "campaign_name": "campaign",
    "email_subject": "subject",
    "link_url": "link",
    "url": "link",
}
_TICKET = {"id": "ticket_id", "ticketId": "ticket_id"}
_MESSAGE_GROUPS = ("email", "sms", "whatsapp", "push")

_RENAMES: dict[str, dict[str, str]] = {
    **{name: _MESSAGE for name, type_ in BY_NAME.items() if type_.group in _MESSAGE_GROUPS},
    **{name: _ORDER for name, type_ in BY_NAME.items() if type_.group == "orders"},
    **dict.fromkeys(("product_viewed", "product_image_clicked"), _PRODUCT),
    "review_submitted": _REVIEW,
    **dict.fromkeys(("added_to_cart", "removed_from_cart"), _CART_PRODUCT),
    **dict.fromkeys(("cart_viewed", "checkout_started", "checkout_updated"), _CART),
    "collection_viewed": _LIST,
    "searched": _SEARCH,
    "ticket_opened": _TICKET,
    "ticket_closed": _TICKET,
}
"""Event type -> their name of a property -> ours. Custom events keep all names."""

ORDER_TYPES = frozenset({"order_placed", "order_cancelled"})
REFUND_TYPES = frozenset({"order_refunded", "order_partially_refunded"})
CHECKOUT_TYPES = frozenset({"checkout_started", "checkout_updated", "order_placed"})

_MARKETPLACES = frozenset({"amazon", "ebay", "tiktok"})


def _count(value: Any) -> Any:
    counted = whole(value, -1)
    return counted if counted >= 0 else value


def _stars(value: Any) -> Any:
    """Whole stars, rounded down; what is none stays as it came."""
    told = amount(value)
    return told // AMOUNT_SCALE if told is not None and 1 <= told // AMOUNT_SCALE <= 5 else value


def _id(value: Any) -> Any:
    """An id as text; of a gid://shopify/Order/1 only the 1."""
    written = text(value)
    return written.rpartition("/")[2] if written[:6] == "gid://" else written or value


def _currency(value: Any) -> Any:
    return currency_code(value) or value


def _items(value: Any) -> Any:
    return [canonical(one, _PRODUCT) for one in records(value)] if type(value) is list else value


_READERS = {
    "price": decimal_text,
    "total": decimal_text,
    "quantity": _count,
    "rating": _stars,
    "currency": _currency,
    "items": _items,
    **dict.fromkeys(("product_id", "variant_id", "sku", "collection_id", "order_id"), _id),
    **dict.fromkeys(("campaign_id", "ticket_id"), _id),
}
"""How the properties that have a set form are brought into it."""


def shopping_properties(type_: str, properties: Json) -> Json:
    """The properties of an event under our names; all others as they came."""
    names = _RENAMES.get(type_)
    if names is None:
        return properties
    told = canonical(properties, names)
    if type_ == "collection_viewed" and "collection_title" not in told and "category" in told:
        told["collection_title"] = told["category"]
    if "items" in told and "quantity" not in told:
        told["quantity"] = sum(whole(item.get("quantity"), 1) for item in records(told["items"]))
    return told


def canonical(properties: Json, names: dict[str, str]) -> Json:
    """Properties renamed, where the better name is not taken, and brought into their set forms."""
    told = {}
    for name, value in properties.items():
        ours = names.get(name)
        if ours is None or ours in properties:
            ours = name
        reader = _READERS.get(ours)
        told[ours] = reader(value) if reader and value is not None else value
    return told


def order_of(call: Call, type_: str, properties: Json) -> OrderReport | None:
    """The order that a purchase or its cancellation tells of; `properties` under our names."""
    if type_ == "order_placed":
        return _purchase(call, properties)
    if type_ != "order_cancelled" or not (key := _order_key(call, properties)):
        return None
    return OrderReport(
        order_key=key,
        kind="cancellation",
        updated_at=call.occurred_at,
        cancelled_at=call.occurred_at,
    )


def refund_of(call: Call, type_: str, properties: Json) -> RefundReport | None:
    """The refund that an event tells of; without an id of its own it is known by its call."""
    if type_ not in REFUND_TYPES:
        return None
    lines = _lines(properties)
    return RefundReport(
        refund_key=first_text(properties, "refund_id", "refundId") or call.dedupe_key,
        order_key=_order_key(call, properties) or call.dedupe_key,
        refunded_at=call.occurred_at,
        updated_at=call.occurred_at,
        amount=max(_total(properties, lines), 0),
        currency=currency_code(properties.get("currency")) or call.shop.currency,
        items=sum(line.quantity for line in lines),
    )


def checkout_of(type_: str, properties: Json) -> str:
    """Which checkout a checkout event or an order belongs to."""
    if type_ not in CHECKOUT_TYPES:
        return ""
    return first_text(properties, "checkout_token", "checkout_id", "checkoutId")


def _purchase(call: Call, properties: Json) -> OrderReport:
    lines = _lines(properties)
    place, marketplace = _place(call, properties)
    return OrderReport(
        order_key=_order_key(call, properties) or call.dedupe_key,
        updated_at=call.occurred_at,
        placed_at=call.occurred_at,
        test=properties.get("test") is True,
        currency=currency_code(properties.get("currency")) or call.shop.currency,
        total=_total(properties, lines),
        discount=max(amount(properties.get("discount")) or 0, 0),
        promo_codes=_promo_codes(properties),
        place=place,
        marketplace=marketplace,
        location=first_text(properties, "location"),
        lines=lines,
        number=first_text(properties, "order_number", "order_name"),
        status=first_text(properties, "status"),
    )


def _place(call: Call, properties: Json) -> tuple[Place, str]:
    """Where it was bought: a till, a marketplace with its name, or online."""
    if call.till:
        return "in_store", ""
    channel = call.context.get("channel")
    named = first_text(properties, "marketplace") or (text(channel) if channel else "")
    marketplace = named.lower()
    return ("marketplace", marketplace) if marketplace in _MARKETPLACES else ("online", "")


def _order_key(call: Call, properties: Json) -> str:
    """The order's name across sources: its id alone, or after the name of its marketplace."""
    order_id = first_text(properties, "order_id")
    marketplace = _place(call, properties)[1]
    return f"{marketplace}:{order_id}" if marketplace and order_id else order_id


def _total(properties: Json, lines: tuple[OrderLine, ...]) -> Amount:
    """What was paid: the total, else revenue with tax and shipping, which it excludes, else the lines."""
    told = amount(properties.get("total"))
    if told is None and (revenue := first_amount(properties, "revenue", "subtotal")) is not None:
        told = total_of((revenue, *(amount(properties.get(name)) for name in ("tax", "shipping"))))
    if told is None:
        told = first_amount(properties, "value", "amount")
    if told is None:
        told = total_of(line.quantity * line.unit_price - line.discount for line in lines)
    return told


def _promo_codes(properties: Json) -> tuple[str, ...]:
    codes = (*texts(properties.get("coupon")), *texts(properties.get("coupons")))
    return tuple(dict.fromkeys((*codes, *texts(properties.get("promo_codes")))))


def _lines(properties: Json) -> tuple[OrderLine, ...]:
    """The lines of an order; one that names its product beside its own fields has a single line."""
    items = records(properties.get("items"))
    if not items and (properties.get("product_id") or properties.get("sku")):
        items = [canonical(record(properties), _PRODUCT)]
    lines = (_line(str(number), item) for number, item in enumerate(items, 1))
    return tuple(line for line in lines if line.quantity)


def _line(number: str, item: Json) -> OrderLine:
    return OrderLine(
        key=first_text(item, "line_id", "line_item_id") or number,
        product_id=first_text(item, "product_id", "id"),
        variant=first_text(item, "variant_id", "variant"),
        title=first_text(item, "title", "name"),
        vendor=first_text(item, "vendor", "brand"),
        sku=first_text(item, "sku"),
        quantity=whole(item.get("quantity"), 1),
        unit_price=amount(item.get("price")) or 0,
        discount=max(amount(item.get("discount")) or 0, 0),
    )
