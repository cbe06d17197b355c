"""What does a body hold? Cuts it into events, each kept byte for byte as it arrived.

Only the outside of a body is decoded; of the events themselves the decoder checks the syntax and gives back
their bytes. That is what makes a batch cheap to take in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from customer360.errors import InvalidPayload, PayloadTooLarge

PIXEL_LIBRARY = "customer360-pixel"

_Found = TypeVar("_Found")
_Raw = msgspec.Raw
_NONE = msgspec.Raw(b"")
_NULL = b"null"
_OBJECT = ord("{")
# More events make a transaction that others would have to wait for; ten thousand are 50 bytes each.
_MOST_EVENTS = 10_000
# What stands around a batch is kept with every event of it, so a large one must not have many events.
_MOST_ENVELOPES_BYTES = 4 * 1024**2


class Parsed(NamedTuple):
    """A body cut into events."""

    events: Sequence[bytes]
    write_key: str | None
    source: str
    around: bytes
    """JSON members that stood around the events, such as `,"sentAt":"…"`; empty when there are none."""


class _Batch(msgspec.Struct):
    batch: list[_Raw]
    write_key: _Raw = msgspec.field(default=_NONE, name="writeKey")
    sent_at: _Raw = msgspec.field(default=_NONE, name="sentAt")
    context: _Raw = _NONE


class _Single(msgspec.Struct):
    type: _Raw = _NONE
    write_key: _Raw = msgspec.field(default=_NONE, name="writeKey")
    sent_at: _Raw = msgspec.field(default=_NONE, name="sentAt")
    context: _Raw = _NONE


class _Standard(msgspec.Struct):
    """One event of Shopify's web pixel, or several."""

    events: list[_Raw] | None = None
    write_key: _Raw = msgspec.field(default=_NONE, name="writeKey")


class _Library(msgspec.Struct):
    name: str = ""


class _Context(msgspec.Struct):
    library: _Library | None = None


_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)
"""An escape in JSON: a character of two halves, half of one without the other, or any other."""

_batch = msgspec.json.Decoder(_Batch)
_single = msgspec.json.Decoder(_Single)
_standard = msgspec.json.Decoder(_Standard)
_context = msgspec.json.Decoder(_Context)
_text = msgspec.json.Decoder(str)
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def parse_batch(body: bytes, sent_at: str | None = None) -> Parsed:
    """A Segment batch; raises InvalidPayload when it is none."""
    found = _decode(_batch, body)
    events = [bytes(raw) for raw in found.batch]
    around = _around(found.sent_at, found.context, sent_at)
    _check_size(len(events), len(around))
    return Parsed(events, _string(found.write_key), _source(found.context), around)


def parse_single(body: bytes, event_type: str, sent_at: str | None = None) -> Parsed:
    """One Segment event; it gets the type of its address when it has none itself."""
    found = _decode(_single, body)
    event = body.strip()
    if bytes(found.type) in (b"", _NULL):
        # At the end: of two members with one name, the last counts.
        comma = b"" if event[1:-1].strip() == b"" else b","
        event = b'%s%s"type":"%s"}' % (event[:-1], comma, event_type.encode())
    around = b"" if bytes(found.sent_at) else _around(_NONE, _NONE, sent_at)
    return Parsed([event], _string(found.write_key), _source(found.context), around)


def parse_standard(body: bytes) -> Parsed:
    """One standard event of Shopify's web pixel, or {"events": […]}."""
    found = _decode(_standard, body)
    events = [body.strip()] if found.events is None else [bytes(raw) for raw in found.events]
    _check_size(len(events), 0)
    return Parsed(events, _string(found.write_key), "shopify_pixel", b"")


def is_object(event: bytes) -> bool:
    """Whether these bytes, whose syntax is checked, are a JSON object."""
    return event[0] == _OBJECT


def _decode(decoder: msgspec.json.Decoder[_Found], body: bytes) -> _Found:
    try:
        if not body.isascii():
            body.decode()
        try:
            return decoder.decode(body)
        except msgspec.DecodeError:
            # A text that was cut within an emoji must not cost its neighbours.
            return decoder.decode(_HALF.sub(_mended, body))
    except UnicodeDecodeError as error:
        raise InvalidPayload("The body is not valid UTF-8.") from error
    except msgspec.MsgspecError as error:
        # Its message tells the place and what was expected there, not the value.
        raise InvalidPayload(f"{InvalidPayload.__doc__} {error}") from error
    except RecursionError as error:
        raise InvalidPayload("The JSON is nested too deeply.") from error


def _mended(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["half"] else escape[0]


def _around(sent_at: _Raw, context: _Raw, header_sent_at: str | None) -> bytes:
    members = b""
    sent = bytes(sent_at)
    if not sent and header_sent_at:
        sent = msgspec.json.encode(header_sent_at[:64])
    for name, value in ((b"sentAt", sent), (b"context", bytes(context))):
        if value and value != _NULL:
            members += b',"%s":%s' % (name, value)
    if members:
        # Syntax is not all: a number may be too large to read. Better said now than of every event.
        _decode(_anything, b"{%s}" % members[1:])
    return members


def _check_size(events: int, around_bytes: int) -> None:
    if events > _MOST_EVENTS:
        raise PayloadTooLarge(f"A batch holds at most {_MOST_EVENTS:,} events; send smaller ones.")
    if events * around_bytes > _MOST_ENVELOPES_BYTES:
        raise PayloadTooLarge("The batch's context is too large for so many events.")


def _string(raw: _Raw) -> str | None:
    try:
        return _text.decode(raw)
    except msgspec.MsgspecError:
        return None


def _source(context: _Raw) -> str:
    if PIXEL_LIBRARY.encode() not in bytes(context):
        return "segment"
    try:
        library = _context.decode(context).library
    except msgspec.MsgspecError:
        return "segment"
    return "pixel" if library is not None and library.name == PIXEL_LIBRARY else "segment"
