"""What no event may exceed, whoever sent it: its time, and the texts that become keys of an index. Pure."""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from customer360.clock import Instant
from customer360.events.model import Event, OrderLine, OrderReport
from customer360.events.vocabulary import MAX_CUSTOM_NAME

# An entry of a PostgreSQL index holds 2,704 bytes, a character up to four, and a key has more than one part.
MAX_KEY = 255


def bounded(event: Event, received_at: Instant) -> Event:
    """The event, not later than it was received and with keys that every database can index."""
    order, refund = event.order, event.refund
    if order is not None:
        order = _bounded_order(order, received_at)
    if refund is not None:
        refund = replace(
            refund,
            refunded_at=min(refund.refunded_at, received_at),
            refund_key=short_key(refund.refund_key),
            order_key=short_key(refund.order_key),
        )
    changed = (
        event.occurred_at > received_at
        or len(event.type) > MAX_CUSTOM_NAME
        or len(event.checkout_token) > MAX_KEY
        or order is not event.order
        or refund != event.refund
    )
    if not changed:
        return event
    return replace(
        event,
        occurred_at=min(event.occurred_at, received_at),
        type=event.type[:MAX_CUSTOM_NAME],
        checkout_token=short_key(event.checkout_token),
        order=order,
        refund=refund,
    )


def short_key(key: str) -> str:
    """The key, or a digest of one that is too long for an index."""
    return key if len(key) <= MAX_KEY else blake2b(key.encode(), digest_size=16).hexdigest()


def _bounded_order(order: OrderReport, received_at: Instant) -> OrderReport:
    late = any(at is not None and at > received_at for at in (order.placed_at, order.cancelled_at))
    long = len(order.order_key) > MAX_KEY or any(len(line.key) > MAX_KEY for line in order.lines)
    if not (late or long):
        return order
    return replace(
        order,
        order_key=short_key(order.order_key),
        placed_at=_not_after(order.placed_at, received_at),
        cancelled_at=_not_after(order.cancelled_at, received_at),
        lines=tuple(_bounded_line(line) for line in order.lines),
    )


def _bounded_line(line: OrderLine) -> OrderLine:
    return line if len(line.key) <= MAX_KEY else replace(line, key=short_key(line.key))


def _not_after(at: Instant | None, latest: Instant) -> Instant | None:
    return None if at is None else min(at, latest)
