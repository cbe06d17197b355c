"""Signals from SDKs and pixels: Segment's addresses, and those that other SDKs know it by.

The hot path of the server: read, find the sender, cut into events, wait for the disk, answer.
"""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from customer360.api.batches import Parsed, is_object, parse_batch, parse_single, parse_standard
from customer360.api.bodies import read_body
from customer360.api.configurations import Configurations
from customer360.api.cross_origin import Endpoint, open_route
from customer360.api.doors import Doors
from customer360.api.limits import DiskGuard, RateLimit
from customer360.api.metrics import Metrics
from customer360.api.senders import Sender, Senders, key_of, missing_key
from customer360.clock import Instant
from customer360.errors import ShopNotFound
from customer360.events.model import SourceRank
from customer360.intake.inbox import InboxRow

TYPES = ("track", "identify", "page", "screen", "group", "alias")
BATCH_PATHS = ("/v1/batch", "/v1/b", "/beacon/v1/batch", "/api/s/batch", "/api/s/s2s/batch")
SINGLE_PATHS = {
    pattern.format(kind=kind, initial=kind[0]): kind
    for pattern in ("/v1/{kind}", "/v1/{initial}", "/api/s/{kind}", "/api/s/s2s/{kind}")
    for kind in TYPES
}

_Parse = Callable[[bytes, str | None], Parsed]


class IntakeDoor:
    """What the intake's addresses share."""

    def __init__(self, doors: Doors, senders: Senders, disk: DiskGuard, metrics: Metrics) -> None:
        settings = doors.settings
        self._doors = doors
        self._senders = senders
        self._disk = disk
        self._metrics = metrics
        self._rate = RateLimit(settings.rate_limit_events_per_second)
        self._most_batch_bytes = settings.max_batch_bytes
        self._most_event_bytes = settings.max_event_bytes

    def taking(self, parse: _Parse, rank: SourceRank | None = None) -> Endpoint:
        """The endpoint that takes what `parse` understands; `rank` replaces the sender's own."""

        async def endpoint(request: Request) -> Response:
            started = perf_counter()
            self._disk.check()
            key = key_of(request)
            sender = None if key is None else await self._senders.find(key)
            body = await read_body(request, self._most_batch_bytes)
            parsed = parse(body.removeprefix(BOM_UTF8), request.headers.get("sentat"))
            if sender is None:
                if parsed.write_key is None:
                    raise missing_key()
                sender = await self._senders.find(parsed.write_key)
            self._rate.take(sender, len(parsed.events))
            await self.keep(self._rows(parsed, sender, rank))
            self._metrics.acknowledged(perf_counter() - started)
            return success()

        return endpoint

    async def keep(self, rows: Sequence[InboxRow]) -> None:
        """Return when the rows are on disk."""
        if rows:
            try:
                await asyncio.wrap_future(self._doors.inbox.submit(rows))
            except ShopNotFound as error:
                # Deleted a moment ago, while its key was still remembered.
                raise missing_key() from error
            self._metrics.received(rows[0].source, len(rows))

    def _rows(self, parsed: Parsed, sender: Sender, rank: SourceRank | None) -> list[InboxRow]:
        now = self._doors.clock.now()
        return segment_rows(parsed, sender, now, self._most_event_bytes, rank)


def segment_rows(
    parsed: Parsed,
    sender: Sender,
    received_at: Instant,
    most_event_bytes: int,
    rank: SourceRank | None = None,
) -> list[InboxRow]:
    """The events of a body as signals; `rank` replaces the sender's own."""
    envelope = b'{"auth":"%s"%s}' % (sender.auth.encode(), parsed.around)
    shop_id, source, trust = sender.shop_id, parsed.source, sender.trust
    rank = sender.rank if rank is None else rank
    return [
        InboxRow(
            shop_id, source, trust, rank, received_at, event, envelope, None,
            _rejected(event, most_event_bytes),
        )
        for event in parsed.events
    ]  # fmt: skip


def _rejected(event: bytes, most_bytes: int) -> tuple[str, str] | None:
    if len(event) > most_bytes:
        return "too_large", f"An event may have {most_bytes:,} bytes"
    return None if is_object(event) else ("not_an_object", "An event is a JSON object")


def success() -> Response:
    """What every accepted signal is answered with."""
    return Response(b'{"success":true}', media_type="application/json")


def intake_routes(doors: Doors, door: IntakeDoor, senders: Senders) -> list[BaseRoute]:
    """Every address that takes events, and the configuration that SDKs fetch first."""
    configurations = Configurations(doors.settings, senders)
    standard = door.taking(lambda body, _sent_at: parse_standard(body), SourceRank.PIXEL)
    return [
        # Every address has an endpoint of its own, by which the log names it.
        *(open_route(path, door.taking(parse_batch)) for path in BATCH_PATHS),
        *(open_route(path, door.taking(_singles(kind))) for path, kind in SINGLE_PATHS.items()),
        open_route("/v1/shopify_pixel", standard),
        open_route("/v1/projects/{write_key}/settings", configurations.segment, "GET"),
        open_route("/sourceConfig/", configurations.rudderstack, "GET"),
        open_route("/sourceConfig", configurations.rudderstack, "GET"),
    ]


def _singles(event_type: str) -> _Parse:
    return lambda body, sent_at: parse_single(body, event_type, sent_at)
