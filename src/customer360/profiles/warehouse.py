"""What people did, in the warehouse: visits, orders, refunds, checkouts, and all events as one view."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection

from customer360.events.warehouse import CUSTOM, EVENT_FACTS, PROPERTY_FIELDS, spread
from customer360.profiles.ledger import REFUNDS_MIRROR
from customer360.profiles.sessions import SESSIONS_MIRROR
from customer360.storage.mirror import Field, Kind, Mirror, Rows, View, fetch
from customer360.values import LIST_MARK

_CHANGED = "shop_id = {} and change > {} and change <= {} order by change"
_CHECKOUT_PROPERTIES = ("total", "quantity", "currency", "coupon")


def order_ref(order_key: str) -> int:
    """What refunds and orders are joined by: a number, as an order's key may be text of any shape."""
    return int.from_bytes(blake2b(order_key.encode(), digest_size=8).digest(), "big") >> 1


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True))


def _sessions(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    statement = (
        "select session_id, fragment_id, first_at, last_at, events, touched_at, touch_source, touch_medium,"
        f" touch_campaign, touch_url, referrer from sessions where {_CHANGED}"
    )
    for rows in fetch(connection, statement, (shop_id, after, upto)):
        columns = _columns(rows)
        yield Rows(columns[0], columns)


SESSIONS = Mirror(
    table="sessions",
    number=SESSIONS_MIRROR,
    fields=(
        Field("session_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("first_at", Kind.TIME),
        Field("last_at", Kind.TIME),
        Field("events", Kind.COUNT),
        Field("touched_at", Kind.TIME),
        Field("touch_source", Kind.TEXT),
        Field("touch_medium", Kind.TEXT),
        Field("touch_campaign", Kind.TEXT),
        Field("touch_url", Kind.PATH),
        Field("referrer", Kind.HOST),
    ),
    key="session_id",
    changed_in="sessions",
    rows=_sessions,
)


def _orders(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    statement = (
        "select order_id, fragment_id, order_key, source, placed_at, cancelled_at, test, currency,"
        " foreign_currency, total, discount, items_count, place, marketplace, location, status, promo_codes"
        f" from orders where {_CHANGED}"
    )
    for rows in fetch(connection, statement, (shop_id, after, upto)):
        columns = _columns(rows)
        codes = [json.loads(text) for text in columns[-1]]
        refs = [order_ref(key) for key in columns[2]]
        yield Rows(columns[0], [*columns[:-1], codes, refs])


ORDERS_MIRROR = 4
"""Number of orders, which take their lines with them, in tombstones."""

ORDERS = Mirror(
    table="orders",
    number=ORDERS_MIRROR,
    fields=(
        Field("order_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("order_key", Kind.CODE),
        Field("source", Kind.WORD),
        Field("placed_at", Kind.TIME),
        Field("cancelled_at", Kind.TIME),
        Field("test", Kind.FLAG),
        Field("currency", Kind.CODE),
        Field("foreign_currency", Kind.FLAG),
        Field("total", Kind.MONEY),
        Field("discount", Kind.MONEY),
        Field("items_count", Kind.COUNT),
        Field("place", Kind.WORD),
        Field("marketplace", Kind.CODE),
        Field("location", Kind.TITLE),
        Field("status", Kind.CODE),
        Field("promo_codes", Kind.TEXTS),
        Field("order_ref", Kind.ID),
    ),
    key="order_id",
    changed_in="orders",
    rows=_orders,
)


def _order_lines(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    """The lines of changed orders; an order that lost its lines is a key without rows."""
    statement = (
        "select o.order_id, o.fragment_id, l.product_id, l.variant, l.title, l.vendor, l.sku, l.quantity,"
        " l.unit_price, l.discount from orders o"
        " left join order_lines l on l.shop_id = o.shop_id and l.order_id = o.order_id"
        " where o.shop_id = {} and o.change > {} and o.change <= {} order by o.change, o.order_id"
    )
    for rows in fetch(connection, statement, (shop_id, after, upto)):
        lines = [row for row in rows if row[7] is not None]
        yield Rows([row[0] for row in rows], _columns(lines))


ORDER_LINES = Mirror(
    table="order_lines",
    number=ORDERS_MIRROR,
    fields=(
        Field("order_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("product_id", Kind.CODE),
        Field("variant", Kind.TITLE),
        Field("title", Kind.TITLE),
        Field("vendor", Kind.TITLE),
        Field("sku", Kind.CODE),
        Field("quantity", Kind.COUNT),
        Field("unit_price", Kind.MONEY),
        Field("discount", Kind.MONEY),
    ),
    key="order_id",
    changed_in="orders",
    rows=_order_lines,
)


def _refunds(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    statement = (
        "select refund_id, fragment_id, order_key, source, refunded_at, amount, foreign_currency, items_count"
        f" from refunds where {_CHANGED}"
    )
    for rows in fetch(connection, statement, (shop_id, after, upto)):
        columns = _columns(rows)
        yield Rows(columns[0], [*columns, [order_ref(key) for key in columns[2]]])


REFUNDS = Mirror(
    table="refunds",
    number=REFUNDS_MIRROR,
    fields=(
        Field("refund_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("order_key", Kind.CODE),
        Field("source", Kind.WORD),
        Field("refunded_at", Kind.TIME),
        Field("amount", Kind.MONEY),
        Field("foreign_currency", Kind.FLAG),
        Field("items_count", Kind.COUNT),
        Field("order_ref", Kind.ID),
    ),
    key="refund_id",
    changed_in="refunds",
    rows=_refunds,
)


def _checkouts(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    statement = (
        "select checkout_id, fragment_id, started_at, ordered_at, abandoned_at, properties"
        f" from checkouts where {_CHANGED}"
    )
    kept_places = [
        place for place, field in enumerate(PROPERTY_FIELDS) if field.name in _CHECKOUT_PROPERTIES
    ]
    for rows in fetch(connection, statement, (shop_id, after, upto)):
        *columns, properties = _columns(rows)
        told = spread(properties)
        kept = [told[place] for place in kept_places]
        yield Rows(columns[0], [*columns, *kept])


CHECKOUTS_MIRROR = 6
"""Number of the checkouts mirror in tombstones."""

CHECKOUTS = Mirror(
    table="checkouts",
    number=CHECKOUTS_MIRROR,
    fields=(
        Field("checkout_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("started_at", Kind.TIME),
        Field("ordered_at", Kind.TIME),
        Field("abandoned_at", Kind.TIME),
        *(field for field in PROPERTY_FIELDS if field.name in _CHECKOUT_PROPERTIES),
    ),
    key="checkout_id",
    changed_in="checkouts",
    rows=_checkouts,
)

_TYPES = {Kind.MONEY: "decimal(18, 4)", Kind.COUNT: "bigint", Kind.NUMBER: "double"}
_BASE = ("event_id", "fragment_id", "type", "source", "occurred_at", "session_id")
_OF_DERIVED = ("touch_source", "touch_medium", "place", "marketplace")
_NO_ID = "cast(null as bigint)"


def _branch(told: Mapping[str, str], source: str) -> str:
    """A select of all columns of `events_all`: what is told, and null for the rest."""
    types = {field.name: _TYPES.get(field.kind, "varchar") for field in (*PROPERTY_FIELDS, CUSTOM)}
    types |= dict.fromkeys(_OF_DERIVED, "varchar")
    columns = [f"{told[name]} as {name}" for name in _BASE]
    columns += [f"{told.get(name, f'cast(null as {of})')} as {name}" for name, of in types.items()]
    return f"select {', '.join(columns)} from {source}"


_FACT = {field.name: field.name for field in EVENT_FACTS.fields}

_VISITED = {
    "event_id": "session_id",
    "fragment_id": "fragment_id",
    "type": "'visited_site'",
    "source": "'derived'",
    "occurred_at": "first_at",
    "session_id": "session_id",
    "url": "touch_url",
    "referrer": "referrer",
    "campaign": "touch_campaign",
    "touch_source": "touch_source",
    "touch_medium": "touch_medium",
}

_PLACED = {
    "event_id": "order_id",
    "fragment_id": "fragment_id",
    "type": "'order_placed'",
    "source": "source",
    "occurred_at": "placed_at",
    "session_id": _NO_ID,
    "order_id": "order_key",
    "total": "total",
    "quantity": "items_count",
    "currency": "currency",
    "coupon": f"nullif(split_part(promo_codes, chr({ord(LIST_MARK)}), 2), '')",
    "location": "location",
    "place": "place",
    "marketplace": "marketplace",
}

_REFUNDED = {
    "event_id": "refund_id",
    "fragment_id": "fragment_id",
    "type": "'order_refunded'",
    "source": "source",
    "occurred_at": "refunded_at",
    "session_id": _NO_ID,
    "order_id": "order_key",
    "total": "amount",
    "quantity": "items_count",
}

_ABANDONED = {
    "event_id": "checkout_id",
    "fragment_id": "fragment_id",
    "type": "'checkout_abandoned'",
    "source": "'derived'",
    "occurred_at": "abandoned_at",
    "session_id": _NO_ID,
    **{name: name for name in _CHECKOUT_PROPERTIES},
}

EVENTS_ALL = View(
    "events_all",
    " union all ".join(
        (
            _branch(_FACT, "event_facts"),
            _branch(_VISITED, "sessions"),
            # A cancelled order was placed all the same; a test order is nobody's.
            _branch(_PLACED, "orders where placed_at is not null and not test"),
            _branch(_REFUNDED, "refunds"),
            _branch(_ABANDONED, "checkouts where abandoned_at is not null"),
        )
    ),
)
"""Every event of a timeline, derived ones included: the columns of `event_facts` and some of visits and orders."""

MIRRORS = (SESSIONS, ORDERS, ORDER_LINES, REFUNDS, CHECKOUTS)

VIEWS = (EVENTS_ALL,)
