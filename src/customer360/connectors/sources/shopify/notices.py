"""What Shopify tells of the installation instead of a person: privacy requests and the uninstall.

The events of these name nobody: a request about a person must not bring forth a profile of theirs.
"""

from __future__ import annotations

from customer360.connectors.sources.payload import Json, record, text
from customer360.connectors.sources.shopify.fields import filled, id_text
from customer360.connectors.sources.shopify.webhook import Webhook
from customer360.events.model import Event, Notice, Unusable


def privacy_event(webhook: Webhook) -> tuple[Event, ...]:
    """customers/data_request and customers/redact; a redact may hold only an e-mail address."""
    body = webhook.body
    customer = record(body.get("customer"))
    person = filled(
        {
            "id": id_text(customer.get("id")),
            "email": text(customer.get("email")),
            "phone": text(customer.get("phone")),
        }
    )
    orders = _order_ids(body.get("orders_requested")) or _order_ids(body.get("orders_to_redact"))
    if not (person or orders):
        raise Unusable("missing_id", "The privacy request names nobody.")
    details: Json = {
        "customer": person,
        "orders": orders,
        "data_request_id": id_text(record(body.get("data_request")).get("id")),
    }
    return _notice_event(webhook, details)


def shop_redact_event(webhook: Webhook) -> tuple[Event, ...]:
    """shop/redact: 48 hours or more after the uninstall."""
    return _notice_event(webhook, {})


def uninstalled_event(webhook: Webhook) -> tuple[Event, ...]:
    """app/uninstalled: the shop is the one in the header."""
    notice = Notice(kind="app_uninstalled", details=_common(webhook))
    return (webhook.event(webhook.custom_name, webhook.told_at, notice=notice),)


def _notice_event(webhook: Webhook, details: Json) -> tuple[Event, ...]:
    notice = Notice(kind="privacy_request", details=_common(webhook) | filled(details))
    return (webhook.event(webhook.custom_name, webhook.told_at, notice=notice),)


def _common(webhook: Webhook) -> Json:
    domain = webhook.shop_domain or text(webhook.body.get("shop_domain")).lower()
    return filled({"topic": webhook.topic, "shop_domain": domain})


def _order_ids(value: object) -> list[str]:
    ids = value if isinstance(value, list) else []
    return [written for entry in ids if (written := id_text(entry))]
