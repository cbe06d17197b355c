"""One webhook as its translators read it: topic, decoded body, and what to say where the body is silent."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import msgspec

from customer360.clock import Instant
from customer360.connectors.sources.payload import Json, read_object, text
from customer360.connectors.sources.shopify.fields import instant
from customer360.events.model import Event, ShopContext, Signal, Unusable
from customer360.events.vocabulary import BY_NAME, MAX_CUSTOM_NAME

_NOT_IN_NAMES = re.compile(r"[^a-z0-9_]+")


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded webhook. `told_at` is when Shopify sent it, or else when it came."""

    topic: str
    """Always with a slash and in small letters: "customer.tags_added" is "customer/tags_added"."""
    body: Json
    shop: ShopContext
    shop_domain: str
    told_at: Instant
    dedupe_key: str

    def at(self, *values: Any) -> Instant | None:
        """The first of these times that can be read."""
        for value in values:
            if (found := instant(value, self.shop.timezone)) is not None:
                return found
        return None

    def time(self, *fields: str) -> Instant:
        """The first of these fields of the body that is a time, else when the webhook was sent."""
        found = self.at(*(self.body.get(field) for field in fields))
        return self.told_at if found is None else found

    def event(self, name: str, occurred_at: Instant, *, part: str = "", **facts: Any) -> Event:
        """An event of this webhook; `part` tells a second one from the first."""
        key = f"{self.dedupe_key}:{part}" if part else self.dedupe_key
        return Event(type=name, occurred_at=occurred_at, dedupe_key=key, **facts)

    @property
    def custom_name(self) -> str:
        """The topic as the name of a custom event: "customers/merge" is "customers_merge"."""
        return _custom_name(self.topic)


def open_webhook(signal: Signal, shop: ShopContext) -> Webhook:
    """Decode a signal; raises Unusable when it is no JSON object or its topic is missing."""
    envelope = signal.envelope
    topic = text(envelope.get("topic")).lower().replace(".", "/")
    if not _custom_name(topic):
        raise Unusable("missing_topic", "The webhook came without the header X-Shopify-Topic.")
    told_at = instant(envelope.get("triggered_at"), shop.timezone)
    return Webhook(
        topic=topic,
        body=read_object(signal.body),
        shop=shop,
        shop_domain=text(envelope.get("shop_domain")).lower(),
        told_at=signal.received_at if told_at is None else told_at,
        dedupe_key=f"shopify:{text(envelope.get('webhook_id')) or _digest(topic, signal.body)}",
    )


def _custom_name(topic: str) -> str:
    name = _NOT_IN_NAMES.sub("_", topic).strip("_")[:MAX_CUSTOM_NAME]
    # A canonical event promises facts that an unknown topic does not bring.
    return f"shopify_{name}" if name in BY_NAME else name


def _digest(topic: str, body: bytes) -> str:
    """Stands for the webhook id where there is none, so that a retry is still a duplicate."""
    return blake2b(topic.encode() + b"\0" + body, digest_size=16).hexdigest()
