"""Sends a history through the doors: the payloads become signals by the very functions that answer requests.

Only the time of arrival is the demo's own: each signal came when it happened, so no sender's clock is put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from customer360.access.shops import Shop
from customer360.api.batches import PIXEL_LIBRARY, parse_batch
from customer360.api.intake import segment_rows
from customer360.api.senders import Sender
from customer360.api.webhooks import shopify_row
from customer360.clock import to_iso
from customer360.demo.arrivals import DOMAIN
from customer360.demo.script import Call, Json, Told, Webhook
from customer360.intake.inbox import Inbox, InboxRow

API_VERSION = "2026-04"
# What SDKs put into a batch, and what waits for the disk at once.
_CALLS_A_BATCH = 100
_SIGNALS_A_COMMIT = 4000

_encode = msgspec.json.Encoder().encode
_CONTEXTS: dict[str, Json] = {
    "pixel": {"library": {"name": PIXEL_LIBRARY, "version": "1.0.0"}},
    "write": {"library": {"name": "fernleaf-server", "version": "2.3.0"}},
}


def send(
    told: Iterable[Told],
    inbox: Inbox,
    shop: Shop,
    most_event_bytes: int,
    progress: Callable[[int], None],
) -> int:
    """Put a history into the inbox, in order; `progress` hears how many signals are in. Returns that number."""
    sent, rest = 0, iter(told)
    while chunk := list(islice(rest, _SIGNALS_A_COMMIT)):
        rows = [*_webhook_rows(chunk, shop)]
        for auth in ("pixel", "write"):
            calls = [one for one in chunk if isinstance(one, Call) and one.key == auth]
            rows += _call_rows(calls, Sender(shop.shop_id, auth, True), most_event_bytes)
        inbox.accept(sorted(rows, key=lambda row: row.received_at))
        sent += len(chunk)
        progress(sent)
    return sent


def _webhook_rows(chunk: Sequence[Told], shop: Shop) -> Iterator[InboxRow]:
    for one in chunk:
        if isinstance(one, Webhook):
            headers = {
                "x-shopify-topic": one.topic,
                "x-shopify-webhook-id": one.webhook_id,
                "x-shopify-api-version": API_VERSION,
                "x-shopify-shop-domain": DOMAIN,
                "x-shopify-triggered-at": to_iso(one.at) or "",
            }
            yield shopify_row(shop, headers, _encode(one.body), one.at)


def _call_rows(calls: Sequence[Call], sender: Sender, most_event_bytes: int) -> Iterator[InboxRow]:
    for start in range(0, len(calls), _CALLS_A_BATCH):
        batch = calls[start : start + _CALLS_A_BATCH]
        body = {"context": _CONTEXTS[sender.auth], "batch": [call.message for call in batch]}
        rows = segment_rows(parse_batch(_encode(body)), sender, batch[-1].at, most_event_bytes)
        for call, row in zip(batch, rows, strict=True):
            yield msgspec.structs.replace(row, received_at=call.at)
