"""What did this person do, newest first? Events, visits, orders, refunds and abandoned checkouts on one line.

The last four are derived from tables of their own, so each appears once however many signals told of it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, literal, null, or_, select, union_all

from customer360.clock import Instant
from customer360.errors import InvalidInput
from customer360.events.tables import events
from customer360.events.vocabulary import label_of
from customer360.identities.tables import fragments
from customer360.profiles.tables import checkouts, order_lines, orders, refunds, sessions
from customer360.values import Amount, money_text, round_amount

# One statement reads at most so many fragments' newest rows; more fragments take several.
_FRAGMENTS_A_QUERY = 100


class TimelineEntry(msgspec.Struct, frozen=True):
    """One thing that happened; `properties` is what the entry shows when it is opened."""

    event_id: int
    type: str
    label: str
    occurred_at: Instant
    source: str
    session_id: int | None
    properties: dict[str, Any]


class TimelinePage(msgspec.Struct, frozen=True):
    """Some entries, newest first, and where to go on."""

    items: tuple[TimelineEntry, ...]
    next_cursor: str | None


class EventCount(msgspec.Struct, frozen=True):
    """How often a type of event happened, and first and last when."""

    type: str
    label: str
    count: int
    first_at: Instant
    last_at: Instant


class OrderLineView(msgspec.Struct, frozen=True):
    """One line of an order."""

    product_id: str
    variant: str
    title: str
    vendor: str
    sku: str
    quantity: int
    unit_price: Amount
    discount: Amount


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as doors show it; `counts` is false for cancelled and test orders."""

    order_id: int
    order_key: str
    number: str
    placed_at: Instant
    cancelled_at: Instant | None
    test: bool
    currency: str
    foreign_currency: bool
    total: Amount
    discount: Amount
    refunded: Amount
    items: int
    promo_codes: tuple[str, ...]
    place: str
    marketplace: str
    location: str
    status: str
    source: str
    lines: tuple[OrderLineView, ...]

    @property
    def counts(self) -> bool:
        """Whether the order is part of any figure."""
        return self.cancelled_at is None and not self.test


def fragments_of(connection: Connection, shop_id: int, profile_id: int) -> list[int]:
    """The fragments of a profile."""
    query = select(fragments.c.fragment_id).where(
        fragments.c.shop_id == shop_id, fragments.c.profile_id == profile_id
    )
    return list(connection.scalars(query))


def timeline(
    connection: Connection,
    shop_id: int,
    profile_id: int,
    *,
    type: str | None = None,
    before: str | None = None,
    limit: int = 50,
    currency: str = "",
) -> TimelinePage:
    """A page of the person's journey back from `before` (a cursor of an earlier page), newest first."""
    position = _decode_cursor(before) if before else None
    found: list[tuple[Any, ...]] = []
    members = fragments_of(connection, shop_id, profile_id)
    for start in range(0, len(members), _FRAGMENTS_A_QUERY):
        part = members[start : start + _FRAGMENTS_A_QUERY]
        for query in _branches(shop_id, part, type, position, limit + 1):
            found += [tuple(row) for row in connection.execute(query)]
    found.sort(key=lambda row: (row[0], row[1]), reverse=True)
    page = found[:limit]
    items = tuple(_entry(row) for row in _with_lines(connection, shop_id, page, currency))
    more = len(found) > limit
    return TimelinePage(items, _encode_cursor(page[-1][0], page[-1][1]) if more else None)


def event_counts(connection: Connection, shop_id: int, profile_id: int) -> list[EventCount]:
    """How often each type of event happened, most often first."""
    members = fragments_of(connection, shop_id, profile_id)
    counts: dict[str, EventCount] = {}
    for name, n, first_at, last_at in _counted(connection, shop_id, members):
        known = counts.get(name)
        if known is not None:
            n, first_at, last_at = (
                n + known.count,
                min(first_at, known.first_at),
                max(last_at, known.last_at),
            )
        counts[name] = EventCount(name, label_of(name), n, first_at, last_at)
    return sorted(counts.values(), key=lambda entry: (-entry.count, entry.type))


def orders_of(connection: Connection, shop_id: int, profile_id: int) -> list[OrderView]:
    """The person's orders with their lines, newest first; cancelled and test orders are marked."""
    members = fragments_of(connection, shop_id, profile_id)
    rows = connection.execute(
        select(orders)
        .where(
            orders.c.shop_id == shop_id,
            orders.c.fragment_id.in_(members),
            orders.c.placed_at.is_not(None),
        )
        .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
    ).all()
    lines = _lines(connection, shop_id, [row.order_id for row in rows])
    returned = connection.execute(
        select(refunds.c.order_key, func.sum(refunds.c.amount))
        .where(
            refunds.c.shop_id == shop_id, refunds.c.order_key.in_([row.order_key for row in rows])
        )
        .group_by(refunds.c.order_key)
    )
    refunded = {order_key: int(amount) for order_key, amount in returned}
    return [
        OrderView(
            order_id=row.order_id,
            order_key=row.order_key,
            number=row.number or "",
            placed_at=row.placed_at,
            cancelled_at=row.cancelled_at,
            test=bool(row.test),
            currency=row.currency,
            foreign_currency=bool(row.foreign_currency),
            total=row.total,
            discount=row.discount,
            refunded=refunded.get(row.order_key, 0),
            items=row.items_count,
            promo_codes=tuple(json.loads(row.promo_codes)),
            place=row.place,
            marketplace=row.marketplace,
            location=row.location,
            status=row.status,
            source=row.source,
            lines=tuple(lines.get(row.order_id, ())),
        )
        for row in rows
    ]


def _branches(
    shop_id: int,
    members: Sequence[int],
    type: str | None,
    position: tuple[int, int] | None,
    limit: int,
) -> Iterable[Select[Any]]:
    """One query per table and, for events, per fragment: each reads only its newest rows by the primary key."""

    def newest(query: Select[Any], table: Any, at: Any, row_id: Any) -> Select[Any]:
        if position is not None:
            query = query.where(
                or_(at < position[0], and_(at == position[0], row_id < position[1]))
            )
        return (
            query.where(table.c.shop_id == shop_id).order_by(at.desc(), row_id.desc()).limit(limit)
        )

    derived: tuple[tuple[str, Callable[[], Select[Any]]], ...] = (
        (
            "visited_site",
            lambda: newest(_visits(members), sessions, sessions.c.first_at, sessions.c.session_id),
        ),
        (
            "order_placed",
            lambda: newest(_purchases(members), orders, orders.c.placed_at, orders.c.order_id),
        ),
        (
            "order_refunded",
            lambda: newest(_refunds(members), refunds, refunds.c.refunded_at, refunds.c.refund_id),
        ),
        (
            "checkout_abandoned",
            lambda: newest(
                _abandoned(members), checkouts, checkouts.c.abandoned_at, checkouts.c.checkout_id
            ),
        ),
    )
    for name, build in derived:
        if type in (None, name):
            yield build()
    for fragment_id in members:
        query = select(
            events.c.occurred_at,
            events.c.event_id,
            events.c.type,
            events.c.source,
            events.c.session_id,
            events.c.properties,
            literal(None),
        ).where(events.c.fragment_id == fragment_id)
        if type is not None:
            query = query.where(events.c.type == type)
        yield newest(query, events, events.c.occurred_at, events.c.event_id)


def _visits(members: Sequence[int]) -> Select[Any]:
    return select(
        sessions.c.first_at,
        sessions.c.session_id,
        literal("visited_site"),
        literal("derived"),
        sessions.c.session_id,
        null(),
        func.coalesce(sessions.c.touch_source, "")
        + literal("\x1f")
        + func.coalesce(sessions.c.touch_medium, "")
        + literal("\x1f")
        + func.coalesce(sessions.c.touch_campaign, "")
        + literal("\x1f")
        + func.coalesce(sessions.c.touch_url, "")
        + literal("\x1f")
        + func.coalesce(sessions.c.referrer, ""),
    ).where(sessions.c.fragment_id.in_(members))


def _purchases(members: Sequence[int]) -> Select[Any]:
    return select(
        orders.c.placed_at,
        orders.c.order_id,
        literal("order_placed"),
        orders.c.source,
        null(),
        orders.c.properties,
        orders.c.order_key,
    ).where(orders.c.fragment_id.in_(members), orders.c.placed_at.is_not(None))


def _refunds(members: Sequence[int]) -> Select[Any]:
    return select(
        refunds.c.refunded_at,
        refunds.c.refund_id,
        literal("order_refunded"),
        refunds.c.source,
        null(),
        refunds.c.properties,
        refunds.c.order_key,
    ).where(refunds.c.fragment_id.in_(members))


def _abandoned(members: Sequence[int]) -> Select[Any]:
    return select(
        checkouts.c.abandoned_at,
        checkouts.c.checkout_id,
        literal("checkout_abandoned"),
        literal("derived"),
        null(),
        checkouts.c.properties,
        null(),
    ).where(checkouts.c.fragment_id.in_(members), checkouts.c.abandoned_at.is_not(None))


def _with_lines(
    connection: Connection, shop_id: int, page: Sequence[tuple[Any, ...]], currency: str
) -> list[tuple[Any, ...]]:
    """Purchases show their figures and lines as they stand now, whatever source told of them."""
    order_ids = [row[1] for row in page if row[2] == "order_placed"]
    refund_ids = [row[1] for row in page if row[2] == "order_refunded"]
    if not order_ids and not refund_ids:
        return list(page)
    lines = _lines(connection, shop_id, order_ids)
    known: dict[int, dict[str, Any]] = {}
    for row in connection.execute(
        select(orders).where(orders.c.shop_id == shop_id, orders.c.order_id.in_(order_ids))
    ):
        known[row.order_id] = {
            "order_id": row.order_key,
            "number": row.number,
            "total": money_text(row.total, row.currency or currency),
            "currency": row.currency,
            "discount": money_text(row.discount, row.currency or currency),
            "quantity": row.items_count,
            "items": [
                {
                    "product_id": line.product_id,
                    "variant_id": line.variant,
                    "title": line.title,
                    "quantity": line.quantity,
                    "price": str(round_amount(line.unit_price, row.currency or currency)),
                }
                for line in lines.get(row.order_id, ())
                if line.quantity > 0
            ],
        }
    query = select(refunds).where(refunds.c.shop_id == shop_id, refunds.c.refund_id.in_(refund_ids))
    for row in connection.execute(query):
        known[row.refund_id] = {
            "order_id": row.order_key,
            "total": money_text(row.amount, currency),
            "quantity": row.items_count,
        }
    return [(*row[:6], known[row[1]]) if row[1] in known else row for row in page]


def _entry(row: tuple[Any, ...]) -> TimelineEntry:
    occurred_at, event_id, type, source, session_id, text, extra = row
    properties: dict[str, Any] = json.loads(text) if text else {}
    if isinstance(extra, dict):
        properties |= extra
    elif type == "visited_site":
        names = ("touch_source", "touch_medium", "touch_campaign", "url", "referrer")
        properties = {
            name: value for name, value in zip(names, extra.split("\x1f"), strict=True) if value
        }
    return TimelineEntry(
        event_id, type, label_of(type), occurred_at, source, session_id, properties
    )


def _counted(
    connection: Connection, shop_id: int, members: Sequence[int]
) -> Iterable[tuple[str, int, Instant, Instant]]:
    sources: tuple[tuple[Any, Any, Any], ...] = (
        (events, events.c.type, events.c.occurred_at),
        (sessions, literal("visited_site"), sessions.c.first_at),
        (orders, literal("order_placed"), orders.c.placed_at),
        (refunds, literal("order_refunded"), refunds.c.refunded_at),
        (checkouts, literal("checkout_abandoned"), checkouts.c.abandoned_at),
    )
    queries = [
        select(name.label("type"), func.count().label("n"), func.min(at), func.max(at))
        .where(table.c.shop_id == shop_id, table.c.fragment_id.in_(members), at.is_not(None))
        .group_by(name.label("type"))
        for table, name, at in sources
    ]
    yield from connection.execute(union_all(*queries))


def _lines(
    connection: Connection, shop_id: int, order_ids: Sequence[int]
) -> dict[int, list[OrderLineView]]:
    found: dict[int, list[OrderLineView]] = {}
    if not order_ids:
        return found
    query = (
        select(order_lines)
        .where(order_lines.c.shop_id == shop_id, order_lines.c.order_id.in_(order_ids))
        .order_by(order_lines.c.order_id, order_lines.c.told_at, order_lines.c.line_key)
    )
    for row in connection.execute(query):
        found.setdefault(row.order_id, []).append(
            OrderLineView(
                row.product_id,
                row.variant,
                row.title,
                row.vendor,
                row.sku,
                row.quantity,
                row.unit_price,
                row.discount,
            )
        )
    return found


def _encode_cursor(occurred_at: Instant, event_id: int) -> str:
    return base64.urlsafe_b64encode(f"{occurred_at}.{event_id}".encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[int, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        occurred_at, _, event_id = text.partition(".")
        position = int(occurred_at), int(event_id)
    except ValueError as error:
        raise InvalidInput("This cursor is none that the last page gave", "cursor") from error
    if not all(abs(number) < 1 << 63 for number in position):
        raise InvalidInput("This cursor is none that the last page gave", "cursor")
    return position
