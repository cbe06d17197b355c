"""Reads a request's body without ever holding more of it than the limit."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress

from starlette.requests import Request

from customer360.errors import InvalidPayload, PayloadTooLarge

# A client that stalls in the middle of a body holds a connection for nothing.
_SECONDS_FOR_A_BODY = 60
# So much too much is read and dropped: many clients read the answer only when they have sent everything.
_DROPPED_BYTES = 8 * 1024**2
_SECONDS_FOR_DROPPING = 2


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The body, unpacked where it is gzip; raises PayloadTooLarge and InvalidPayload."""
    try:
        async with asyncio.timeout(_SECONDS_FOR_A_BODY):
            body = await _read(request, most_bytes)
    except TimeoutError as error:
        raise InvalidPayload("The body did not arrive in time; send it again.") from error
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            return body
        case "gzip" | "x-gzip":
            return gunzip(body, most_bytes)
    raise InvalidPayload("This Content-Encoding is not supported; use gzip or none.")


def gunzip(body: bytes, most_bytes: int) -> bytes:
    """Unpack gzip; stops at the limit, whatever a small body would grow to."""
    parts: list[bytes] = []
    room = most_bytes
    rest = body
    while rest:
        unpacking = zlib.decompressobj(wbits=31)
        try:
            part = unpacking.decompress(rest, room + 1)
        except zlib.error as error:
            raise InvalidPayload("The body is not valid gzip.") from error
        if len(part) > room:
            raise _too_large(most_bytes)
        if not unpacking.eof:
            raise InvalidPayload("The gzip body ends too early.")
        parts.append(part)
        room -= len(part)
        rest = unpacking.unused_data
    return b"".join(parts)


async def _read(request: Request, most_bytes: int) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > most_bytes + _DROPPED_BYTES:
        raise _too_large(most_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            parts.clear()
            await _drop_rest(request)
            raise _too_large(most_bytes)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _drop_rest(request: Request) -> None:
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_FOR_DROPPING):
            while dropped <= _DROPPED_BYTES:
                message = await request.receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
                dropped += len(message.get("body", b""))


def _too_large(most_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {most_bytes:,} bytes; send smaller ones.")
