"""Which of our event types does the name of a track call mean? Unknown names are types of their own."""

from __future__ import annotations

from functools import lru_cache

from customer360.events.vocabulary import BY_NAME, MAX_CUSTOM_NAME

_NAMES: dict[str, tuple[str, ...]] = {
    # Segment's e-commerce names, those of its first version, and those of Klaviyo and Google Analytics.
    "page_viewed": ("loaded a page", "page view"),
    "product_viewed": ("viewed product", "view item"),
    "product_image_clicked": ("product clicked",),
    "collection_viewed": ("product list viewed", "viewed product category", "viewed collection"),
    "searched": ("products searched", "searched products", "search submitted", "submitted search"),
    "added_to_cart": ("product added", "added product", "add to cart", "product added to cart"),
    "removed_from_cart": (
        *("product removed", "removed product", "remove from cart"),
        "product removed from cart",
    ),
    "cart_viewed": ("viewed cart", "view cart"),
    "checkout_started": ("started checkout", "begin checkout"),
    "checkout_updated": (
        *("checkout step viewed", "checkout step completed", "viewed checkout step"),
        *("completed checkout step", "payment info entered", "coupon applied", "coupon removed"),
    ),
    "order_placed": ("order completed", "completed order", "placed order"),
    "order_paid": ("paid order",),
    "order_updated": ("updated order",),
    "order_fulfilled": ("fulfilled order",),
    "order_partially_fulfilled": ("partially fulfilled order",),
    "order_cancelled": ("cancelled order", "order canceled", "canceled order"),
    "order_refunded": ("refunded order",),
    "order_partially_refunded": ("partially refunded order",),
    "item_returned": ("returned item", "product returned"),
    "consent_granted": ("consent given", "granted consent"),
    "consent_withdrawn": ("consent revoked", "consent denied", "withdrew consent"),
    "email_sent": ("sent email",),
    "email_received": ("email delivered", "received email"),
    "email_opened": ("opened email",),
    "email_clicked": ("email link clicked", "clicked email"),
    "email_dropped": ("dropped email",),
    "email_bounced": ("bounced email",),
    "email_marked_spam": ("email marked as spam", "marked email as spam"),
    "email_unsubscribed": (
        *("unsubscribed", "unsubscribed from email", "unsubscribed from email marketing"),
        "email list unsubscribed",
    ),
    "email_resubscribed": ("resubscribed", "resubscribed to email"),
    "sms_sent": ("sent sms",),
    "sms_received": ("sms delivered", "received sms"),
    "sms_clicked": ("sms link clicked", "clicked sms"),
    "sms_failed": ("failed to deliver sms", "failed sms"),
    "sms_replied": ("replied to sms",),
    "whatsapp_sent": ("sent whatsapp", "whatsapp message sent"),
    "whatsapp_received": ("received whatsapp", "whatsapp delivered", "whatsapp message delivered"),
    "whatsapp_read": ("read whatsapp", "whatsapp message read"),
    "whatsapp_replied": ("replied to whatsapp", "whatsapp message replied"),
    "whatsapp_failed": ("failed whatsapp", "whatsapp message failed"),
    "push_sent": ("push notification sent",),
    "push_clicked": ("push notification tapped", "push notification clicked", "opened push"),
    "push_dismissed": ("push notification dismissed",),
    "ticket_opened": ("ticket created", "opened ticket", "created ticket"),
    "ticket_closed": ("ticket solved", "closed ticket", "ticket resolved"),
    "review_submitted": ("product reviewed", "reviewed product", "submitted review"),
}
"""Our type -> what others call it, in lower case with single spaces; our own name in words goes without saying."""

_TYPES: dict[str, str] = {
    **{name.replace("_", " "): name for name in BY_NAME},
    **{other: name for name, others in _NAMES.items() for other in others},
}


@lru_cache(maxsize=4096)
def type_of(name: str) -> str:
    """The event type of a name, whatever its case and word separators; a custom event keeps its name.

    A type that is derived (a session, an abandoned checkout) is only ever told by what it is derived from, so a
    name that claims one stays a custom event and says so.
    """
    known = _TYPES.get(" ".join(name.replace("_", " ").replace("-", " ").lower().split()))
    if known is None:
        return name[:MAX_CUSTOM_NAME]
    return f"{known} (reported)" if BY_NAME[known].derived else known
