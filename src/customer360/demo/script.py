"""Everything that the shop's systems tell, in the order of time: webhooks and calls, with their real payloads."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Literal, NamedTuple

from customer360.clock import Instant, to_iso

Json = dict[str, Any]
"""A JSON object as another system writes it."""


class Webhook(NamedTuple):
    """One webhook of Shopify."""

    at: Instant
    topic: str
    webhook_id: str
    body: Json


class Call(NamedTuple):
    """One Segment call, from a browser (`pixel`) or a server (`write`)."""

    at: Instant
    key: Literal["pixel", "write"]
    message: Json


Told = Webhook | Call


class Script:
    """Collects what is told; what lies after `now` has not happened yet."""

    def __init__(self, rng: Random, now: Instant) -> None:
        self._rng = rng
        self._now = now
        self._told: list[Told] = []

    def call(self, key: Literal["pixel", "write"], at: Instant, kind: str, **fields: Any) -> None:
        """Write down a call with its id and time."""
        if at <= self._now:
            message = {
                "type": kind,
                "messageId": self.new_id(),
                "timestamp": to_iso(at),
                **fields,
            }
            self._told.append(Call(at, key, message))

    def webhook(self, at: Instant, topic: str, body: Json) -> None:
        """Write down a webhook with its id."""
        if at <= self._now:
            self._told.append(Webhook(at, topic, self.new_id(), body))

    def new_id(self) -> str:
        """128 bits, different each time and the same for the same seed."""
        return f"{self._rng.getrandbits(128):032x}"

    def in_order(self) -> Iterator[Told]:
        """All of it, oldest first; what happened at the same time stays as it was written."""
        return iter(sorted(self._told, key=lambda told: told.at))
