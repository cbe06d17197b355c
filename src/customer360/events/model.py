"""The facts that a translator makes of one signal: pure values, no database, no HTTP.

A signal (one event of a batch, one webhook, one row of a file) becomes a tuple of `Event`s, usually one. Facts
about orders, refunds and consent ride on the event that told of them.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, Literal

import msgspec

from customer360.clock import Instant
from customer360.errors import InvalidInput
from customer360.values import Amount


class Trust(IntEnum):
    """How far a signal's claims are believed."""

    PUBLIC = 0
    """Came with the public pixel key: a browser can claim anything."""
    FULL = 1
    """Came with the secret write key, a signed webhook or a file."""


class SourceRank(IntEnum):
    """Which source speaks with more authority about the same fact; higher wins."""

    PIXEL = 0
    SERVER = 1
    FILE = 2
    WEBHOOK = 3


class IdentifierType(StrEnum):
    """The kinds of identifier, strongest first."""

    SHOPIFY_CUSTOMER_ID = "shopify_customer_id"
    USER_ID = "user_id"
    POS_CUSTOMER = "pos_customer"
    AMAZON_BUYER = "amazon_buyer"
    EBAY_BUYER = "ebay_buyer"
    TIKTOK_BUYER = "tiktok_buyer"
    EMAIL = "email"
    KLAVIYO_ID = "klaviyo_id"
    PHONE = "phone"
    WHATSAPP = "whatsapp"
    COOKIE = "cookie"
    CART_TOKEN = "cart_token"
    CHECKOUT_TOKEN = "checkout_token"


Channel = Literal["email", "sms", "whatsapp", "push"]
ConsentState = Literal["never", "pending", "granted", "withdrawn"]
Place = Literal["online", "in_store", "marketplace"]


class Identifier(msgspec.Struct, frozen=True, order=True):
    """A typed value that points at a person, as the source wrote it; `identities.normalise` cleans it."""

    type: str
    value: str


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where on the web an event happened: full URL (its UTMs make the touch), referrer and title."""

    url: str = ""
    referrer: str = ""
    title: str = ""


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """A postal address; country is ISO 3166 alpha-2 where the source says it so."""

    street: str = ""
    street2: str = ""
    city: str = ""
    region: str = ""
    zip: str = ""
    country: str = ""
    company: str = ""
    name: str = ""
    phone: str = ""


class Traits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Facts about the person told by one event; an empty string or None means that it says nothing."""

    first_name: str = ""
    last_name: str = ""
    name: str = ""
    language: str = ""
    timezone: str = ""
    currency: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    zip: str = ""
    addresses: tuple[Address, ...] = ()
    tags: tuple[str, ...] | None = None
    """All tags of the person as of this event."""
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    account_state: str = ""
    custom: dict[str, str | int | float | bool] = {}


class OrderLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an order. `key` tells it from the order's other lines; quantity < 0 is a return (files only)."""

    key: str
    product_id: str = ""
    variant: str = ""
    title: str = ""
    vendor: str = ""
    sku: str = ""
    quantity: int = 1
    unit_price: Amount = 0
    discount: Amount = 0


class OrderReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one source says of one order.

    `kind` "snapshot" tells the whole order and replaces what sources of lower or equal rank said before
    `updated_at`; "line" adds the given lines to an order that a file tells row by row; "cancellation" only sets
    `cancelled_at`. Amounts are in `currency`; `total` is as placed, tax and shipping included.
    """

    order_key: str
    """The order's name across sources, for example "shopify:820982911946154508"."""
    kind: Literal["snapshot", "line", "cancellation"] = "snapshot"
    updated_at: Instant = 0
    placed_at: Instant | None = None
    cancelled_at: Instant | None = None
    test: bool = False
    currency: str = ""
    total: Amount = 0
    discount: Amount = 0
    promo_codes: tuple[str, ...] = ()
    place: Place = "online"
    marketplace: str = ""
    location: str = ""
    lines: tuple[OrderLine, ...] = ()
    number: str = ""
    """The name that people know it by, for example "#1001"."""
    status: str = ""


class RefundReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one source says of one refund; `refund_key` names it across sources. Newest `updated_at` wins."""

    refund_key: str
    order_key: str
    refunded_at: Instant
    amount: Amount = 0
    currency: str = ""
    items: int = 0
    updated_at: Instant = 0


class ConsentReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of consent for one address on one channel, with the exact text that the person saw."""

    channel: Channel
    address: str
    """E-mail address or phone number as written; empty means every address of the person on that channel."""
    state: ConsentState
    text: str = ""
    occurred_at: Instant = 0
    evidence: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a signal tells about the installation instead of a person."""

    kind: Literal["privacy_request", "app_uninstalled", "customers_merged"]
    details: dict[str, Any] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a person did or that happened to them, as one signal told it."""

    type: str
    occurred_at: Instant
    dedupe_key: str
    """The same for every delivery of the same signal and event, for example "segment:<messageId>"."""
    identifiers: tuple[Identifier, ...] = ()
    properties: dict[str, Any] = {}
    traits: Traits | None = None
    page: Page | None = None
    landing: Page | None = None
    """The page and referrer through which the visit came that ended in this event, where the event is no visit's."""
    source_session: str = ""
    """The source's own session id, where it has one."""
    place: Place = "online"
    till: bool = False
    """From a till or kiosk, whose cookies and tokens are nobody's."""
    order: OrderReport | None = None
    refund: RefundReport | None = None
    consents: tuple[ConsentReport, ...] = ()
    checkout_token: str = ""
    """Which checkout a checkout_started or an order belongs to."""
    notice: Notice | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One acknowledged signal as the inbox keeps it."""

    source: str
    """Name of the source in the registry: segment, pixel, shopify_pixel, shopify, orders_file, …"""
    trust: Trust
    rank: SourceRank
    received_at: Instant
    body: bytes
    envelope: dict[str, Any] = {}
    """What stood around the body: webhook topic and id, batch context and sentAt, the row of a file."""


class ShopContext(msgspec.Struct, frozen=True, kw_only=True):
    """What translators must know of the shop: its currency, IANA time zone and ISO country."""

    currency: str
    timezone: str
    country: str


class Unusable(InvalidInput):
    """The signal cannot be understood; it becomes a dead letter with this reason."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason
        """A short machine word: malformed_json, missing_type, invalid_time, …"""
