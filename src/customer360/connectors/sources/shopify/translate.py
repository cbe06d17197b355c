"""Shopify's webhooks as events: one function for each topic, and a custom event for every other.

All versions from 2024-10 to 2026-04. Ids are text and exact, money is the shop's, and nothing of a means of
payment is kept. docs/sources/shopify.md tells what becomes of each topic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from customer360.connectors.sources.payload import Json, record, text
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.carts import (
    CART_TOPICS,
    CHECKOUT_TOPICS,
    cart_event,
    checkout_deleted_event,
    checkout_event,
)
from customer360.connectors.sources.shopify.consents import email_consent_event, sms_consent_event
from customer360.connectors.sources.shopify.customers import (
    CONTACT_TOPICS,
    contact_deleted_event,
    contact_event,
    merge_event,
    purchasing_summary_event,
    tags_event,
)
from customer360.connectors.sources.shopify.fields import filled, id_text, own_id
from customer360.connectors.sources.shopify.fulfilments import fulfilment_event, transaction_event
from customer360.connectors.sources.shopify.notices import (
    privacy_event,
    shop_redact_event,
    uninstalled_event,
)
from customer360.connectors.sources.shopify.orders import ORDER_TOPICS, edited_event, order_event
from customer360.connectors.sources.shopify.refunds import refund_events
from customer360.connectors.sources.shopify.webhook import Webhook, open_webhook
from customer360.events.model import Event, Identifier, ShopContext, Signal

TranslateTopic = Callable[[Webhook], tuple[Event, ...]]

TOPICS: dict[str, TranslateTopic] = {
    **dict.fromkeys(ORDER_TOPICS, order_event),
    "orders/edited": edited_event,
    "refunds/create": refund_events,
    "order_transactions/create": transaction_event,
    "fulfillments/create": fulfilment_event,
    **dict.fromkeys(CHECKOUT_TOPICS, checkout_event),
    "checkouts/delete": checkout_deleted_event,
    **dict.fromkeys(CART_TOPICS, cart_event),
    **dict.fromkeys(CONTACT_TOPICS, contact_event),
    "customers/delete": contact_deleted_event,
    "customers/merge": merge_event,
    "customers/purchasing_summary": purchasing_summary_event,
    "customer/tags_added": tags_event,
    "customer/tags_removed": tags_event,
    "customers_email_marketing_consent/update": email_consent_event,
    "customers_marketing_consent/update": sms_consent_event,
    "customers/data_request": privacy_event,
    "customers/redact": privacy_event,
    "shop/redact": shop_redact_event,
    "app/uninstalled": uninstalled_event,
}


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The events of one webhook; raises Unusable, and nothing else."""
    webhook = open_webhook(signal, shop)
    return TOPICS.get(webhook.topic, _custom_event)(webhook)


def _custom_event(webhook: Webhook) -> tuple[Event, ...]:
    """A topic that we do not know: whom it tells of, and which object; the rest could be anything."""
    body = webhook.body
    about_customer = webhook.topic.startswith("customers/")
    properties: Json = {
        "id": own_id(body),
        "order_id": id_text(body.get("order_id")),
        "status": text(body.get("status")),
    }
    event = webhook.event(
        webhook.custom_name,
        webhook.time("updated_at", "created_at"),
        identifiers=people.of_customer(body) if about_customer else _customer_named(body),
        properties=filled(properties),
    )
    return (event,)


def _customer_named(body: Json) -> tuple[Identifier, ...]:
    """The customer inside an object, or the one that it refers to. A bare e-mail may be the shop's own."""
    return people.of_customer(record(body.get("customer"))) or people.account(
        body.get("customer_id")
    )
