"""What happened to an order after it was placed: goods that left, money that moved."""

from __future__ import annotations

from customer360.connectors.sources.payload import Json, records, text
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.fields import filled, id_text
from customer360.connectors.sources.shopify.lines import items, items_count
from customer360.connectors.sources.shopify.money import purse_of
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, IdentifierType, Unusable


def fulfilment_event(webhook: Webhook) -> tuple[Event, ...]:
    """Goods were sent; the address that they went to is not kept."""
    body = webhook.body
    raw_lines = records(body.get("line_items"))
    purse = purse_of(body, raw_lines[0].get("price_set") if raw_lines else None, webhook.shop)
    properties: Json = {
        "order_id": _order_id(body),
        "status": text(body.get("shipment_status")) or text(body.get("status")),
        "carrier": text(body.get("tracking_company")),
        "tracking_number": text(body.get("tracking_number")),
        "quantity": items_count(raw_lines),
        "items": items(raw_lines, purse),
    }
    event = webhook.event(
        "fulfillment_created",
        webhook.time("created_at", "updated_at"),
        identifiers=people.identifiers(IdentifierType.EMAIL, text(body.get("email"))),
        properties=filled(properties),
    )
    return (event,)


def transaction_event(webhook: Webhook) -> tuple[Event, ...]:
    """A payment was tried. Of the means of payment nothing is kept: no card, gateway, receipt or authorization."""
    body = webhook.body
    purse = purse_of(body, body.get("amount_set"), webhook.shop)
    properties: Json = {
        "order_id": _order_id(body),
        "kind": text(body.get("kind")),
        "status": text(body.get("status")),
        "total": purse.text(purse.amount(body, "amount")),
        "currency": purse.currency,
        "location": id_text(body.get("location_id")),
    }
    event = webhook.event(
        "order_transaction_created",
        webhook.time("processed_at", "created_at"),
        properties=filled(properties),
    )
    return (event,)


def _order_id(body: Json) -> str:
    order_id = id_text(body.get("order_id"))
    if not order_id:
        raise Unusable("missing_id", "The webhook does not say of which order it tells.")
    return order_id
