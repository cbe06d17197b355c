"""Orders: each of these webhooks but orders/edited tells the whole order as it is now."""

from __future__ import annotations

from customer360.clock import Instant
from customer360.connectors.sources.payload import Json, record, records, text, whole
from customer360.connectors.sources.shopify import people
from customer360.connectors.sources.shopify.fields import filled, id_text, own_id, token
from customer360.connectors.sources.shopify.lines import items, items_count, order_lines
from customer360.connectors.sources.shopify.money import Purse, purse_of
from customer360.connectors.sources.shopify.pages import landing_page
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, OrderReport, Place, Unusable

# topic -> type of event, and the fields that may tell its time
ORDER_TOPICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "orders/create": ("order_placed", ("processed_at", "created_at")),
    "orders/paid": ("order_paid", ("updated_at", "processed_at")),
    "orders/updated": ("order_updated", ("updated_at",)),
    "orders/cancelled": ("order_cancelled", ("cancelled_at", "updated_at")),
    "orders/fulfilled": ("order_fulfilled", ("updated_at",)),
    "orders/partially_fulfilled": ("order_partially_fulfilled", ("updated_at",)),
}
MARKETPLACES = ("amazon", "ebay", "tiktok")


def order_event(webhook: Webhook) -> tuple[Event, ...]:
    """The event of the topic with a snapshot of the order; raises Unusable without order id or total."""
    body = webhook.body
    name, times = ORDER_TOPICS[webhook.topic]
    occurred_at = _fulfilled_at(webhook) if "fulfilled" in name else None
    if occurred_at is None:
        occurred_at = webhook.time(*times)
    placed = name == "order_placed"
    place, purse = place_of(body), purse_of(body, body.get("total_price_set"), webhook.shop)
    report = _report(webhook, purse, occurred_at if placed else None)
    till = place == "in_store"
    browser = () if till else (body.get("cart_token"), body.get("checkout_token"))
    event = webhook.event(
        name,
        occurred_at,
        identifiers=people.of_buyer(body) + (people.of_browser(*browser) if browser else ()),
        properties=_properties(body, report, purse, with_items=placed),
        traits=people.buyer_traits(body),
        landing=landing_page(body, webhook.shop_domain) if placed and not till else None,
        place=place,
        till=till,
        order=report,
        checkout_token="" if till else token(body.get("checkout_token")),
    )
    return (event,)


def edited_event(webhook: Webhook) -> tuple[Event, ...]:
    """orders/edited names the order and what was added and removed; its state comes with orders/updated."""
    edit = record(webhook.body.get("order_edit"))
    order_id = id_text(edit.get("order_id"))
    if not order_id:
        raise Unusable("missing_id", "The edit does not say of which order.")
    changes = record(edit.get("line_items"))
    added, removed = (
        sum(whole(change.get("delta"), 1) for change in records(changes.get(part)))
        for part in ("additions", "removals")
    )
    occurred_at = webhook.at(edit.get("committed_at"), edit.get("created_at"))
    event = webhook.event(
        "order_updated",
        webhook.told_at if occurred_at is None else occurred_at,
        properties={"order_id": order_id, "items_added": added, "items_removed": removed},
    )
    return (event,)


def place_of(body: Json) -> Place:
    """Online, at the till of a shop, or on a marketplace: by the channel that made the order."""
    if text(body.get("source_name")).lower() == "pos":
        return "in_store"
    return "marketplace" if marketplace_of(body) else "online"


def marketplace_of(body: Json) -> str:
    """amazon, ebay or tiktok, where one of them made the order ("amazon-us", "TikTok Shop")."""
    source = text(body.get("source_name")).lower()
    return next((name for name in MARKETPLACES if source.startswith(name)), "")


def _report(webhook: Webhook, purse: Purse, fallback: Instant | None) -> OrderReport:
    """The order as it is now. `fallback`: when it was placed, for one that does not say."""
    body, order_id = webhook.body, own_id(webhook.body)
    if not order_id:
        raise Unusable("missing_id", "The order has no id.")
    total = purse.amount(body, "total_price")
    if total is None:
        raise Unusable(
            "missing_total", "The order has no total_price; its webhook must include it."
        )
    placed_at = webhook.at(body.get("processed_at"), body.get("created_at"))
    cancelled_at = webhook.at(body.get("cancelled_at"))
    return OrderReport(
        order_key=order_id,
        updated_at=webhook.time("updated_at"),
        placed_at=fallback if placed_at is None else placed_at,
        cancelled_at=cancelled_at,
        test=body.get("test") is True,
        currency=purse.currency,
        total=total,
        discount=purse.amount(body, "total_discounts") or 0,
        promo_codes=_promo_codes(body),
        place=place_of(body),
        marketplace=marketplace_of(body),
        location=id_text(body.get("location_id")),
        lines=order_lines(records(body.get("line_items")), purse),
        number=_number(body),
        status="cancelled" if cancelled_at is not None else text(body.get("financial_status")),
    )


def _promo_codes(body: Json) -> tuple[str, ...]:
    codes = (text(entry.get("code")) for entry in records(body.get("discount_codes")))
    return tuple(dict.fromkeys(code for code in codes if code))


def _number(body: Json) -> str:
    """The name that people know the order by, such as "#1001"."""
    number = id_text(body.get("order_number"))
    return text(body.get("name")) or (f"#{number}" if number else "")


def _fulfilled_at(webhook: Webhook) -> Instant | None:
    """When the newest fulfilment was made."""
    made = (
        webhook.at(entry.get("created_at")) for entry in records(webhook.body.get("fulfillments"))
    )
    return max((at for at in made if at is not None), default=None)


def _properties(body: Json, report: OrderReport, purse: Purse, *, with_items: bool) -> Json:
    """What the timeline shows; the item list stands on the purchase only, not again on each step after it."""
    raw_lines = records(body.get("line_items"))
    return filled(
        {
            "order_id": report.order_key,
            "number": report.number,
            "total": purse.text(report.total),
            "currency": report.currency,
            "quantity": items_count(raw_lines),
            "discount": purse.text(report.discount) if report.discount else None,
            "coupon": ", ".join(report.promo_codes),
            "status": report.status,
            "fulfillment_status": text(body.get("fulfillment_status")),
            "reason": text(body.get("cancel_reason")),
            "location": report.location,
            "marketplace": report.marketplace,
            "items": items(raw_lines, purse) if with_items else None,
        }
    )
