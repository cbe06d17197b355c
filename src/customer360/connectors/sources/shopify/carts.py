"""Carts and checkouts: what somebody is about to buy."""

from __future__ import annotations

from customer360.connectors.sources.payload import Json, records, total_of
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.fields import filled, id_text, own_id, token
from customer360.connectors.sources.shopify.lines import items, items_count
from customer360.connectors.sources.shopify.money import Purse, purse_of
from customer360.connectors.sources.shopify.orders import marketplace_of, place_of
from customer360.connectors.sources.shopify.pages import landing_page
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, Unusable

CHECKOUT_TOPICS = {
    "checkouts/create": ("checkout_started", ("created_at", "updated_at")),
    "checkouts/update": ("checkout_updated", ("updated_at", "created_at")),
}
CART_TOPICS = {
    "carts/create": ("cart_created", ("created_at", "updated_at")),
    "carts/update": ("cart_updated", ("updated_at", "created_at")),
}


def checkout_event(webhook: Webhook) -> tuple[Event, ...]:
    """A checkout began or changed; versions differ in `id`, so its token names it."""
    body = webhook.body
    name, times = CHECKOUT_TOPICS[webhook.topic]
    checkout_token, cart_token = token(body.get("token")), token(body.get("cart_token"))
    if not (checkout_token or cart_token or own_id(body)):
        raise Unusable("missing_id", "The checkout has neither token nor id.")
    place = place_of(body)
    till = place == "in_store"
    browser = () if till else people.of_browser(cart_token, checkout_token)
    event = webhook.event(
        name,
        webhook.time(*times),
        identifiers=people.of_buyer(body) + browser,
        properties=_checkout_properties(webhook, checkout_token, cart_token),
        traits=people.buyer_traits(body),
        page=None if till else landing_page(body, webhook.shop_domain),
        place=place,
        till=till,
        checkout_token="" if till else checkout_token,
    )
    return (event,)


def checkout_deleted_event(webhook: Webhook) -> tuple[Event, ...]:
    """A checkout is gone: it expired, or its order was made."""
    body = webhook.body
    tokens = {
        "checkout_token": token(body.get("token")),
        "cart_token": token(body.get("cart_token")),
    }
    if not (any(tokens.values()) or own_id(body)):
        raise Unusable("missing_id", "The checkout has neither token nor id.")
    event = webhook.event(
        "checkout_deleted",
        webhook.told_at,
        identifiers=people.of_browser(tokens["cart_token"], tokens["checkout_token"]),
        properties=filled(tokens),
    )
    return (event,)


def cart_event(webhook: Webhook) -> tuple[Event, ...]:
    """An online cart was made or changed; nothing but its token says whose it is."""
    body = webhook.body
    name, times = CART_TOPICS[webhook.topic]
    cart_token = token(body.get("token")) or token(body.get("id"))
    if not cart_token:
        raise Unusable("missing_id", "The cart has no token.")
    raw_lines = records(body.get("line_items"))
    purse = purse_of(body, raw_lines[0].get("line_price_set") if raw_lines else None, webhook.shop)
    total = total_of(purse.amount(raw, "line_price") for raw in raw_lines)
    event = webhook.event(
        name,
        webhook.time(*times),
        identifiers=people.of_browser(cart_token, None),
        properties={
            "cart_token": cart_token,
            "total": purse.text(total),
            **_goods(raw_lines, purse),
        },
    )
    return (event,)


def _checkout_properties(webhook: Webhook, checkout_token: str, cart_token: str) -> Json:
    body = webhook.body
    purse = purse_of(body, body.get("total_price_set"), webhook.shop)
    codes = (entry.get("code") for entry in records(body.get("discount_codes")))
    properties = {
        "checkout_token": checkout_token,
        "cart_token": cart_token,
        "total": purse.text(purse.amount(body, "total_price")),
        "coupon": ", ".join(code for code in codes if isinstance(code, str)),
        "location": id_text(body.get("location_id")),
        "marketplace": marketplace_of(body),
    }
    return filled(properties) | _goods(records(body.get("line_items")), purse)


def _goods(raw_lines: list[Json], purse: Purse) -> Json:
    """Currency, number and list of the goods, as properties."""
    return {
        "currency": purse.currency,
        "quantity": items_count(raw_lines),
        "items": items(raw_lines, purse),
    }
