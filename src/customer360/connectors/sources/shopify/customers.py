"""Customers: accounts made, changed, tagged, merged and deleted."""

from __future__ import annotations

from customer360.connectors.sources.payload import (
    Json,
    amount,
    currency_code,
    record,
    text,
    texts,
    whole,
)
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.consents import customer_consents
from customer360.connectors.sources.shopify.fields import filled, id_text
from customer360.connectors.sources.shopify.money import Purse
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, Identifier, Notice, Traits, Unusable

CONTACT_TOPICS = {
    "customers/create": ("contact_created", ("created_at", "updated_at")),
    "customers/update": ("contact_updated", ("updated_at", "created_at")),
}


def contact_event(webhook: Webhook) -> tuple[Event, ...]:
    """A customer as they are now, with their consents where the API version has them."""
    name, times = CONTACT_TOPICS[webhook.topic]
    event = webhook.event(
        name,
        webhook.time(*times),
        identifiers=_somebody(people.of_customer(webhook.body)),
        traits=people.customer_traits(webhook.body),
        consents=customer_consents(webhook),
    )
    return (event,)


def contact_deleted_event(webhook: Webhook) -> tuple[Event, ...]:
    """The account is gone; what the person did stays theirs until an erasure is asked for."""
    found = _somebody(people.of_customer(webhook.body))
    return (webhook.event("contact_deleted", webhook.told_at, identifiers=found),)


def tags_event(webhook: Webhook) -> tuple[Event, ...]:
    """customer.tags_added and customer.tags_removed."""
    tags = texts(webhook.body.get("tags"))
    added = webhook.topic.endswith("added")
    event = webhook.event(
        "contact_updated",
        webhook.time("occurredAt"),
        identifiers=_somebody(people.account(webhook.body.get("customerId"))),
        traits=Traits(tags_added=tags) if added else Traits(tags_removed=tags),
        properties=filled({"tags_added" if added else "tags_removed": list(tags)}),
    )
    return (event,)


def purchasing_summary_event(webhook: Webhook) -> tuple[Event, ...]:
    """What Shopify counts for a customer; the profile counts its own orders."""
    body = webhook.body
    spent = record(body.get("amountSpent"))
    purse = Purse(currency_code(spent.get("currencyCode")) or webhook.shop.currency)
    properties: Json = {
        "orders": whole(body.get("numberOfOrders"), 0),
        "total": purse.text(amount(spent.get("amount"))),
        "currency": purse.currency,
        "order_id": id_text(body.get("lastOrderId")),
    }
    event = webhook.event(
        webhook.custom_name,
        webhook.time("occurredAt"),
        identifiers=_somebody(people.account(body.get("customerId"))),
        properties=filled(properties),
    )
    return (event,)


def merge_event(webhook: Webhook) -> tuple[Event, ...]:
    """Two accounts became one: a notice of both ids, unless Shopify says that it failed."""
    body = webhook.body
    kept = id_text(body.get("admin_graphql_api_customer_kept_id"))
    deleted = id_text(body.get("admin_graphql_api_customer_deleted_id"))
    if not (kept and deleted):
        raise Unusable("missing_id", "The merge does not name both customers.")
    status = text(body.get("status")).lower()
    details = {"kept": kept, "deleted": deleted, "status": status}
    failed = status == "failed"
    event = webhook.event(
        webhook.custom_name,
        webhook.told_at,
        identifiers=people.account(kept),
        properties=filled(details),
        notice=None if failed else Notice(kind="customers_merged", details=filled(details)),
    )
    if failed:
        return (event,)
    # The other account may be heard of later only; so that there is somebody to merge, it has an event of its own,
    # by another name: both stand on one timeline.
    other = webhook.event(
        "customer_merged_away",
        webhook.told_at,
        part="deleted",
        identifiers=people.account(deleted),
        properties=filled(details),
    )
    return (event, other)


def _somebody(found: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    if not found:
        raise Unusable("missing_id", "The webhook does not say of which customer it tells.")
    return found
