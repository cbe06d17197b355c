"""The names of events, their labels, and which of their properties may enter the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal[
    "storefront", "orders", "contacts", "email", "sms", "whatsapp", "push", "service", "custom"
]


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event: `acted` says that the person did something (silence is counted from it)."""

    name: str
    label: str
    group: Group
    acted: bool = True
    derived: bool = False


def _types(
    group: Group, acted: bool, *pairs: tuple[str, str], derived: bool = False
) -> tuple[EventType, ...]:
    return tuple(EventType(name, label, group, acted, derived) for name, label in pairs)


EVENT_TYPES: tuple[EventType, ...] = (
    *_types("storefront", True, ("visited_site", "Visited site"), derived=True),
    *_types(
        "storefront",
        True,
        ("page_viewed", "Page viewed"),
        ("product_viewed", "Product viewed"),
        ("product_image_clicked", "Product image clicked"),
        ("collection_viewed", "Collection viewed"),
        ("searched", "Searched"),
        ("added_to_cart", "Product added to cart"),
        ("removed_from_cart", "Product removed from cart"),
        ("cart_viewed", "Cart viewed"),
        ("checkout_started", "Checkout started"),
        ("checkout_updated", "Checkout updated"),
    ),
    *_types("storefront", False, ("checkout_abandoned", "Checkout abandoned"), derived=True),
    *_types("orders", True, ("order_placed", "Purchased")),
    *_types(
        "orders",
        False,
        ("order_paid", "Paid order"),
        ("order_updated", "Updated order"),
        ("order_fulfilled", "Fulfilled order"),
        ("order_partially_fulfilled", "Partially fulfilled order"),
        ("order_cancelled", "Cancelled order"),
        ("order_refunded", "Refunded order"),
        ("order_partially_refunded", "Partially refunded order"),
        ("item_returned", "Returned item"),
    ),
    *_types(
        "contacts",
        False,
        ("contact_created", "Contact created"),
        ("contact_updated", "Contact updated"),
    ),
    *_types("contacts", True, ("consent_granted", "Consent granted")),
    *_types("contacts", False, ("consent_withdrawn", "Consent withdrawn")),
    *_types(
        "email",
        False,
        ("email_sent", "Sent e-mail"),
        ("email_received", "Received e-mail"),
        ("email_dropped", "Dropped e-mail"),
        ("email_bounced", "Bounced e-mail"),
        ("email_marked_spam", "Marked e-mail as spam"),
        ("email_unsubscribed", "Unsubscribed from e-mail"),
    ),
    *_types(
        "email",
        True,
        ("email_opened", "Opened e-mail"),
        ("email_clicked", "Clicked e-mail"),
        ("email_resubscribed", "Resubscribed to e-mail"),
    ),
    *_types(
        "sms",
        False,
        ("sms_sent", "Sent SMS"),
        ("sms_received", "Received SMS"),
        ("sms_failed", "Failed SMS"),
    ),
    *_types("sms", True, ("sms_clicked", "Clicked SMS"), ("sms_replied", "Replied to SMS")),
    *_types(
        "whatsapp",
        False,
        ("whatsapp_sent", "Sent WhatsApp message"),
        ("whatsapp_received", "Received WhatsApp message"),
        ("whatsapp_failed", "Failed WhatsApp message"),
    ),
    *_types(
        "whatsapp",
        True,
        ("whatsapp_read", "Read WhatsApp message"),
        ("whatsapp_replied", "Replied to WhatsApp message"),
    ),
    *_types("push", False, ("push_sent", "Sent push message")),
    *_types(
        "push",
        True,
        ("push_clicked", "Clicked push message"),
        ("push_dismissed", "Dismissed push message"),
    ),
    *_types(
        "service",
        True,
        ("ticket_opened", "Opened ticket"),
        ("review_submitted", "Submitted review"),
    ),
    *_types("service", False, ("ticket_closed", "Closed ticket")),
)

BY_NAME: dict[str, EventType] = {entry.name: entry for entry in EVENT_TYPES}

STOREFRONT: frozenset[str] = frozenset(
    entry.name for entry in EVENT_TYPES if entry.group == "storefront"
)
"""Events that make and prolong a session."""

ACTED: frozenset[str] = frozenset(entry.name for entry in EVENT_TYPES if entry.acted)
"""Events in which the person acted; messages sent to them are none."""

OPT_INS: frozenset[str] = frozenset(("consent_granted", "email_resubscribed"))
"""Events in which the person agreed to be written to."""

OUR_DOING: frozenset[str] = frozenset(
    entry.name
    for entry in EVENT_TYPES
    if entry.group in ("email", "sms", "whatsapp", "push")
    and not entry.acted
    and entry.name not in ("email_marked_spam", "email_unsubscribed")
)
"""What becomes of messages without anybody doing anything: they prove no address and no device to be in use."""

MAX_CUSTOM_NAME = 100


def label_of(name: str) -> str:
    """The name in words; a custom event keeps its own name."""
    entry = BY_NAME.get(name)
    return entry.label if entry else name
