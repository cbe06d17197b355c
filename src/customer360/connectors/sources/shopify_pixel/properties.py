"""What a pixel event's data says of products, carts and searches, as properties under our names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer360.connectors.sources.payload import (
    Json,
    currency_code,
    decimal_text,
    first_text,
    record,
    records,
    text,
    whole,
)
from customer360.connectors.sources.shopify.fields import filled, id_text, token

CHECKOUT_STEPS: dict[str, str] = {
    "checkout_contact_info_submitted": "contact_info",
    "checkout_address_info_submitted": "address_info",
    "checkout_shipping_info_submitted": "shipping_info",
    "payment_info_submitted": "payment_info",
}
"""Standard events that are steps of a checkout, each a checkout_updated."""


def money(value: Any) -> tuple[Any, str]:
    """Amount and currency of {"amount", "currencyCode"}."""
    money = record(value)
    return money.get("amount"), currency_code(money.get("currencyCode"))


def codes(checkout: Json) -> tuple[str, ...]:
    """The discount codes that were entered; automatic discounts have none."""
    applied = records(checkout.get("discountApplications"))
    codes = (
        first_text(one, "title", "code") for one in applied if one.get("type") == "DISCOUNT_CODE"
    )
    return tuple(dict.fromkeys(filter(None, codes)))


def _product(variant: Json) -> Json:
    """The properties of a product variant."""
    product = record(variant.get("product"))
    price, currency = money(variant.get("price"))
    return {
        "product_id": id_text(product.get("id")),
        "variant_id": id_text(variant.get("id")),
        "title": text(product.get("title")) or text(variant.get("title")),
        "variant": text(variant.get("title")),
        "sku": text(variant.get("sku")),
        "vendor": text(product.get("vendor")),
        "category": text(product.get("type")),
        "price": decimal_text(price),
        "currency": currency,
        "link": text(product.get("url")),
    }


def _line(line: Json) -> Json:
    """An item of a cart or checkout."""
    variant = record(line.get("merchandise")) or record(line.get("variant"))
    product = _product(variant)
    wanted = ("product_id", "variant_id", "title", "sku", "price")
    item = {name: product[name] for name in wanted}
    item["title"] = item["title"] or text(line.get("title"))
    return filled({**item, "quantity": whole(line.get("quantity"), 1)})


def _page_viewed(_: Json) -> Json:
    return {}


def _product_viewed(data: Json) -> Json:
    return _product(record(data.get("productVariant")))


def _collection_viewed(data: Json) -> Json:
    collection = record(data.get("collection"))
    return {
        "collection_id": id_text(collection.get("id")),
        "collection_title": text(collection.get("title")),
    }


def _searched(data: Json) -> Json:
    return {"search_term": text(record(data.get("searchResult")).get("query"))}


def _cart_line(data: Json) -> Json:
    line = record(data.get("cartLine"))
    cost, currency = money(record(line.get("cost")).get("totalAmount"))
    product = _product(record(line.get("merchandise")))
    return {
        **product,
        "quantity": whole(line.get("quantity"), 1),
        "total": decimal_text(cost),
        "currency": product["currency"] or currency,
    }


def _cart_viewed(data: Json) -> Json:
    cart = record(data.get("cart"))
    total, currency = money(record(cart.get("cost")).get("totalAmount"))
    items = [_line(line) for line in records(cart.get("lines"))]
    return {
        "total": decimal_text(total),
        "currency": currency,
        "quantity": whole(cart.get("totalQuantity"), sum(item["quantity"] for item in items)),
        "items": items,
        "cart_token": token(cart.get("id")),
    }


def _checkout(data: Json) -> Json:
    checkout = record(data.get("checkout"))
    items = [_line(line) for line in records(checkout.get("lineItems"))]
    total, currency = money(checkout.get("totalPrice"))
    return {
        "order_id": id_text(record(checkout.get("order")).get("id")),
        "total": decimal_text(total),
        "currency": currency_code(checkout.get("currencyCode")) or currency,
        "quantity": sum(item["quantity"] for item in items) if items else None,
        "items": items,
        "coupon": ", ".join(codes(checkout)),
        "checkout_token": token(checkout.get("token")),
    }


def _step(step: str) -> Callable[[Json], Json]:
    return lambda data: {"step": step, **_checkout(data)}


STANDARD: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "page_viewed": ("page_viewed", _page_viewed),
    "product_viewed": ("product_viewed", _product_viewed),
    "collection_viewed": ("collection_viewed", _collection_viewed),
    "search_submitted": ("searched", _searched),
    "product_added_to_cart": ("added_to_cart", _cart_line),
    "product_removed_from_cart": ("removed_from_cart", _cart_line),
    "cart_viewed": ("cart_viewed", _cart_viewed),
    "checkout_started": ("checkout_started", _checkout),
    **{name: ("checkout_updated", _step(step)) for name, step in CHECKOUT_STEPS.items()},
    "checkout_completed": ("order_placed", _checkout),
}
"""Shopify's standard events: our type, and how their data becomes properties."""
