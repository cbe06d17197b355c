"""What can a rule ask for? Every event with its properties, and what fits each; attributes are the profile's. Pure.

The builder, the text form, the API and the reference of `docs/segments.md` are made from these entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from customer360.events import vocabulary
from customer360.events.vocabulary import EventType
from customer360.profiles.attributes import ATTRIBUTES, OPERATORS, AttributeType

ValueType: TypeAlias = AttributeType | Literal["custom"]
"""What a value is; one that only the shop knows is text, a number or yes and no, as it comes."""

VALUE_TYPES: tuple[ValueType, ...] = (*OPERATORS, "custom")

CUSTOM_OPERATORS = tuple(
    dict.fromkeys((*OPERATORS["number"], *OPERATORS["text"], *OPERATORS["boolean"]))
)

OPERATOR_WORDS: dict[str, str] = {
    "eq": "is",
    "neq": "is not",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "between": "is between",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "is_empty": "is empty",
    "is_not_empty": "is not empty",
    "before": "is before",
    "after": "is after",
    "on": "is on",
    "in_last_days": "is in the last days",
    "not_in_last_days": "is not in the last days",
}
"""Every operator in words, as the builder shows it."""

COUNT_OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte", "between")
"""How counts and sums are compared; both are 0 where nothing happened."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of events. `unknown` says that no source tells it yet, so it is null."""

    name: str
    label: str
    type: ValueType
    help: str
    choices: tuple[str, ...] = ()
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class EventEntry:
    """An event that a rule can ask for.

    `phrase` completes "who have …". `properties` are those it usually has; one that a source tells may have any
    other of `PROPERTIES`, and properties that only the shop knows. `lines` are those of an order's lines: conditions
    on them hold together where one line fits them all.
    """

    type: EventType
    phrase: str
    properties: tuple[str, ...]
    lines: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it may have properties that are not listed."""
        return not self.type.derived and self.type.name not in _DERIVED_FROM_ORDERS


# Purchases and refunds are derived from orders, whatever event told of them.
_DERIVED_FROM_ORDERS = ("order_placed", "order_refunded")

PROPERTIES: tuple[Property, ...] = (
    Property("product_id", "Product", "text", "Id of the product"),
    Property("variant_id", "Variant id", "text", "Id of the product's variant"),
    Property("variant", "Variant", "text", "Name of the product's variant"),
    Property("title", "Product title", "text", "Name of the product"),
    Property("sku", "SKU", "text", "Stock keeping unit"),
    Property("vendor", "Vendor", "text", "Who makes the product"),
    Property("category", "Category", "text", "Kind of product"),
    Property("brand", "Brand", "text", "Brand of the product"),
    Property("product_tag", "Product tag", "list", "Tags of the product in the shop", unknown=True),
    Property("collection", "Collection", "list", "Collections that the product is in", unknown=True),
    Property("price", "Price", "money", "Price of one piece"),
    Property("quantity", "Quantity", "number", "How many pieces"),
    Property("total", "Total", "money", "Value of the order, checkout, cart or refund"),
    Property("discount", "Discount", "money", "What the customer was spared"),
    Property("currency", "Currency", "text", "ISO code of the currency"),
    Property("coupon", "Coupon", "text", "Discount code"),
    Property("promo_codes", "Promo codes", "list", "Discount codes of the order"),
    Property("order_id", "Order", "text", "The order by its name across sources, such as shopify:1001"),
    Property("location", "Location", "text", "Store or warehouse"),
    Property("place", "Where", "choice", "Where the order was placed", ("online", "in_store", "marketplace")),
    Property("marketplace", "Marketplace", "text", "Name of the marketplace"),
    Property("url", "Page", "text", "Path of the page, without its host and parameters"),
    Property("referrer", "Referrer", "text", "Host that the visit came from"),
    Property("page_title", "Page title", "text", "Title of the page"),
    Property("collection_id", "Collection id", "text", "Id of the collection that was viewed"),
    Property("collection_title", "Collection title", "text", "Name of the collection that was viewed"),
    Property("search_term", "Search term", "text", "What was searched for"),
    Property("touch_source", "Touch source", "text", "Where the visit came from, such as google"),
    Property("touch_medium", "Touch medium", "text", "Medium of the visit, such as cpc"),
    Property("campaign", "Campaign", "text", "Name of the campaign"),
    Property("campaign_id", "Campaign id", "text", "Id of the campaign in the system that sent it"),
    Property("journey", "Journey", "text", "Name of the journey"),
    Property("subject", "Subject", "text", "Subject of the message"),
    Property("link", "Link", "text", "Path of the link that was clicked"),
    Property("rating", "Rating", "number", "Stars of a review, 1 to 5"),
    Property("ticket_id", "Ticket", "text", "Id of the ticket"),
    Property("reason", "Reason", "text", "Why it happened, as the source says"),
)  # fmt: skip

PROPERTY_BY_NAME: dict[str, Property] = {entry.name: entry for entry in PROPERTIES}

_PRODUCT = (
    "product_id", "variant_id", "title", "sku", "vendor", "category", "brand", "price", "quantity", "currency",
)  # fmt: skip
_PAGE = ("url", "referrer", "page_title")
_BASKET = ("total", "quantity", "currency", "coupon")
_MESSAGE = ("campaign", "campaign_id", "journey", "subject")
_LINES = (
    "product_id",
    "variant",
    "title",
    "vendor",
    "sku",
    "quantity",
    "price",
    "product_tag",
    "collection",
)
_ORDER = (
    "total",
    "discount",
    "currency",
    "promo_codes",
    "order_id",
    "location",
    "place",
    "marketplace",
)

_PHRASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "visited_site": (
        "visited the site",
        ("touch_source", "touch_medium", "campaign", "url", "referrer"),
    ),
    "page_viewed": ("viewed a page", _PAGE),
    "product_viewed": ("viewed a product", (*_PRODUCT, *_PAGE)),
    "product_image_clicked": ("clicked a product image", (*_PRODUCT, *_PAGE)),
    "collection_viewed": (
        "viewed a collection",
        ("collection_id", "collection_title", "category", *_PAGE),
    ),
    "searched": ("searched", ("search_term", *_PAGE)),
    "added_to_cart": ("added a product to the cart", (*_PRODUCT, "total", *_PAGE)),
    "removed_from_cart": ("removed a product from the cart", (*_PRODUCT, "total", *_PAGE)),
    "cart_viewed": ("viewed the cart", (*_BASKET, *_PAGE)),
    "checkout_started": ("started a checkout", (*_BASKET, *_PAGE)),
    "checkout_updated": ("continued a checkout", (*_BASKET, *_PAGE)),
    "checkout_abandoned": ("abandoned a checkout", _BASKET),
    "order_placed": ("placed an order", _ORDER),
    "order_paid": ("paid an order", ("total", "currency", "order_id")),
    "order_updated": ("had an order updated", ("total", "currency", "order_id")),
    "order_fulfilled": ("had an order fulfilled", ("order_id", "location")),
    "order_partially_fulfilled": ("had an order partially fulfilled", ("order_id", "location")),
    "order_cancelled": ("had an order cancelled", ("total", "order_id", "reason")),
    "order_refunded": ("had an order refunded", ("total", "quantity", "order_id")),
    "order_partially_refunded": ("had an order partially refunded", ("total", "order_id")),
    "item_returned": ("returned an item", (*_PRODUCT, "order_id", "reason")),
    "contact_created": ("been created as a contact", ()),
    "contact_updated": ("been updated as a contact", ()),
    "consent_granted": ("granted a consent", ()),
    "consent_withdrawn": ("withdrawn a consent", ()),
    "email_sent": ("been sent an e-mail", _MESSAGE),
    "email_received": ("received an e-mail", _MESSAGE),
    "email_opened": ("opened an e-mail", _MESSAGE),
    "email_clicked": ("clicked in an e-mail", (*_MESSAGE, "link")),
    "email_dropped": ("had an e-mail dropped", (*_MESSAGE, "reason")),
    "email_bounced": ("had an e-mail bounce", (*_MESSAGE, "reason")),
    "email_marked_spam": ("marked an e-mail as spam", _MESSAGE),
    "email_unsubscribed": ("unsubscribed from e-mail", _MESSAGE),
    "email_resubscribed": ("resubscribed to e-mail", _MESSAGE),
    "sms_sent": ("been sent an SMS", _MESSAGE),
    "sms_received": ("received an SMS", _MESSAGE),
    "sms_clicked": ("clicked in an SMS", (*_MESSAGE, "link")),
    "sms_failed": ("had an SMS fail", (*_MESSAGE, "reason")),
    "sms_replied": ("replied to an SMS", _MESSAGE),
    "whatsapp_sent": ("been sent a WhatsApp message", _MESSAGE),
    "whatsapp_received": ("received a WhatsApp message", _MESSAGE),
    "whatsapp_read": ("read a WhatsApp message", _MESSAGE),
    "whatsapp_replied": ("replied to a WhatsApp message", _MESSAGE),
    "whatsapp_failed": ("had a WhatsApp message fail", (*_MESSAGE, "reason")),
    "push_sent": ("been sent a push message", _MESSAGE),
    "push_clicked": ("clicked a push message", (*_MESSAGE, "link")),
    "push_dismissed": ("dismissed a push message", _MESSAGE),
    "ticket_opened": ("opened a ticket", ("ticket_id", "subject")),
    "ticket_closed": ("had a ticket closed", ("ticket_id", "subject")),
    "review_submitted": ("submitted a review", ("rating", "product_id", "title")),
}

EVENTS: tuple[EventEntry, ...] = tuple(
    EventEntry(entry, *_PHRASES[entry.name], _LINES if entry.name == "order_placed" else ())
    for entry in vocabulary.EVENT_TYPES
)
"""Every event of the vocabulary; a purchase is an order that counts, so neither a cancelled nor a test order."""

EVENT_BY_NAME: dict[str, EventEntry] = {entry.type.name: entry for entry in EVENTS}


def event_of(name: str) -> EventEntry:
    """The entry of an event; a custom one is known by its name alone."""
    known = EVENT_BY_NAME.get(name)
    return known or EventEntry(EventType(name, name, "custom"), f"done “{name}”", ())


def property_of(event: str, name: str) -> Property | None:
    """A property as this event has it; None where the event cannot have it."""
    entry = event_of(event)
    if name in entry.properties or name in entry.lines:
        return PROPERTY_BY_NAME[name]
    if not entry.open:
        return None
    known = PROPERTY_BY_NAME.get(name)
    return known if known and name not in _DERIVED_ONLY else Property(name, name, "custom", "")


# Columns of orders, lines and visits alone; told with another event, they are properties that only the shop knows.
_DERIVED_ONLY = frozenset(
    ("variant", "product_tag", "collection", "discount", "promo_codes", "place", "marketplace",
     "touch_source", "touch_medium")
)  # fmt: skip


def operators_of(kind: ValueType) -> tuple[str, ...]:
    """How a value of this type can be compared."""
    return CUSTOM_OPERATORS if kind == "custom" else OPERATORS[kind]


def nearest(name: str, names: Iterable[str]) -> str:
    """What may have been meant, as the end of a message: "; did you mean …?"; empty where nothing is near."""
    found = get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


ATTRIBUTE_NAMES: tuple[str, ...] = tuple(attribute.name for attribute in ATTRIBUTES)
