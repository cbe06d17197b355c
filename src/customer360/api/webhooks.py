"""Webhooks: is the signature right, and which shop is it?"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from time import perf_counter

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from customer360.access.shops import Shop
from customer360.api.bodies import read_body
from customer360.api.doors import Doors
from customer360.api.intake import IntakeDoor, success
from customer360.api.limits import DiskGuard
from customer360.api.metrics import Metrics
from customer360.clock import Instant
from customer360.errors import Unauthenticated
from customer360.events.model import SourceRank, Trust
from customer360.intake.inbox import InboxRow
from customer360.settings import secret_key

_WRONG = "The signature does not match, or no shop is linked with this domain."
_UNINSTALLED = ("shop_uninstalled", "The shop has uninstalled the app")
# The law asks for these of a shop that has gone as well.
_PRIVACY_TOPICS = frozenset({"customers/redact", "customers/data_request", "shop/redact"})
_LONGEST_HEADER = 255
_ENVELOPE = {
    "topic": "x-shopify-topic",
    "webhook_id": "x-shopify-webhook-id",
    "api_version": "x-shopify-api-version",
    "shop_domain": "x-shopify-shop-domain",
    "triggered_at": "x-shopify-triggered-at",
}


def webhook_routes(
    doors: Doors, door: IntakeDoor, disk: DiskGuard, metrics: Metrics
) -> list[BaseRoute]:
    """Every address that takes webhooks."""
    return [Route("/webhooks/shopify", _shopify(doors, door, disk, metrics), methods=["POST"])]


def _shopify(
    doors: Doors, door: IntakeDoor, disk: DiskGuard, metrics: Metrics
) -> Callable[[Request], Awaitable[Response]]:
    installation_key = secret_key(doors.settings)

    async def endpoint(request: Request) -> Response:
        started = perf_counter()
        disk.check()
        # The signature is of the bytes as sent, so they are read before anything is known of the sender.
        body = await read_body(request, doors.settings.max_webhook_bytes)
        now = doors.clock.now()
        domain = request.headers.get("x-shopify-shop-domain", "").strip().lower()
        found = await run_in_threadpool(
            doors.directory.by_shopify_domain, domain, now, installation_key
        )
        shop, secrets = found or (None, ())
        signed = is_signed(body, request.headers.get("x-shopify-hmac-sha256", ""), secrets)
        if shop is None or not signed:
            raise Unauthenticated(_WRONG)
        await door.keep([shopify_row(shop, request.headers, body, now)])
        metrics.acknowledged(perf_counter() - started)
        return success()

    return endpoint


def is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets signed the body; how long it takes tells nothing about them."""
    given = signature.strip().encode("utf-8", "replace")
    matches = [hmac.compare_digest(_signature(body, secret), given) for secret in secrets or [""]]
    return bool(secrets) and any(matches)


def _signature(body: bytes, secret: str) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), body, sha256).digest())


def _topic(told: Mapping[str, str]) -> str:
    return told.get("topic", "").strip().lower().replace(".", "/")


def shopify_row(shop: Shop, headers: Mapping[str, str], body: bytes, now: Instant) -> InboxRow:
    """A webhook as a signal; `headers` by their names in lower case."""
    told = {
        name: headers[header][:_LONGEST_HEADER]
        for name, header in _ENVELOPE.items()
        if header in headers
    }
    refused = shop.state != "active" and _topic(told) not in _PRIVACY_TOPICS
    return InboxRow(
        shop_id=shop.shop_id,
        source="shopify",
        trust=Trust.FULL,
        rank=SourceRank.WEBHOOK,
        received_at=now,
        body=body,
        envelope=msgspec.json.encode(told),
        rejected=_UNINSTALLED if refused else None,
        kept=not refused,
    )
