"""One Segment call as the translators pass it on: its parts, its time and its key."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import msgspec

from customer360.clock import Instant, parse_instant
from customer360.connectors.sources.payload import Json, read_object, record, text
from customer360.errors import InvalidTime
from customer360.events.model import ShopContext, Signal, SourceRank, Trust, Unusable

# Longer ids are replaced by their digest: they become part of keys.
_LONGEST_ID = 200
_TILLS = frozenset({"pos", "kiosk"})
# Looked up once: reading a member of an enumeration costs as much as reading a field of a body.
_PUBLIC = Trust.PUBLIC
_FILE = SourceRank.FILE


class Call(msgspec.Struct, frozen=True):
    """What every kind of call has. `context` includes what the batch said for all of its events."""

    kind: str
    message: Json
    context: Json
    occurred_at: Instant
    dedupe_key: str
    till: bool
    shop: ShopContext


def read_call(signal: Signal, shop: ShopContext) -> Call:
    """The call in a signal; raises Unusable when it lacks its type or has an unreadable time."""
    message = read_object(signal.body)
    context = record(message.get("context"))
    shared = signal.envelope.get("context")
    if shared and type(shared) is dict:
        context = {**shared, **context}
    return Call(
        _kind(message, signal),
        message,
        context,
        _occurred_at(message, signal, shop.timezone),
        _dedupe_key(message, signal),
        "channel" in context and text(context["channel"]).lower() in _TILLS,
        shop,
    )


def _kind(message: Json, signal: Signal) -> str:
    """The type of the call: the body's own, else that of the address it was posted to."""
    kind = message.get("type") or signal.envelope.get("type")
    if kind is None:
        raise Unusable("missing_type", "A call needs a `type`, such as track or identify.")
    if type(kind) is not str:
        raise Unusable("unknown_type", "The `type` of a call is a text, such as track or identify.")
    return kind if kind.islower() else kind.lower()


def _occurred_at(message: Json, signal: Signal, timezone: str) -> Instant:
    """When it happened, with the sender's clock put right; the time of arrival where the call tells none."""
    original = message.get("originalTimestamp")
    told = message.get("timestamp") or original
    if not told:
        return signal.received_at
    try:
        at = parse_instant(told, timezone)
    except InvalidTime:
        raise Unusable("invalid_time", f"The time {str(told)[:40]!r} is none since 1900.") from None
    # A file was sent by nobody's clock, and where both times stand somebody has corrected one already.
    if signal.rank is _FILE or (original and original != told):
        return at
    sent_at = message.get("sentAt") or signal.envelope.get("sentAt")
    return at + _skew(sent_at, signal.received_at, timezone) if sent_at else at


def _skew(sent_at: object, received_at: Instant, timezone: str) -> Instant:
    """By how much the sender's clock (and the way here) lags behind ours; nothing where it cannot be told."""
    if type(sent_at) not in (str, int, float):
        return 0
    try:
        return received_at - _parse(sent_at, timezone)
    except InvalidTime:
        return 0


# The calls of one batch share the time it was sent.
@lru_cache(maxsize=1024)
def _parse(sent_at: str | int | float, timezone: str) -> Instant:
    return parse_instant(sent_at, timezone)


def _dedupe_key(message: Json, signal: Signal) -> str:
    """The message id, or a digest of the whole where there is none, so that a retry is still a duplicate.

    Browsers have a key space of their own: they cannot use up the ids of a server's messages.
    """
    name = text(message.get("messageId"))
    if not name:
        name = blake2b(signal.body, digest_size=16).hexdigest()
    elif len(name) > _LONGEST_ID:
        name = blake2b(name.encode(), digest_size=16).hexdigest()
    return f"pixel:{name}" if signal.trust is _PUBLIC else f"segment:{name}"
