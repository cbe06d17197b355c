"""What does an entry of the timeline tell? Events as they came; what is derived as it stands now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.events.vocabulary import label_of
from customer360.profiles.order_views import OrderLineView, lines_of
from customer360.profiles.tables import checkouts, orders, refunds, sessions
from customer360.values import money_text, round_amount


class TimelineEntry(msgspec.Struct, frozen=True):
    """One thing that happened; `properties` is what the entry shows when it is opened."""

    event_id: int
    type: str
    label: str
    occurred_at: Instant
    source: str
    session_id: int | None
    properties: dict[str, Any]


class Row(NamedTuple):
    """What stands at a place on the line: a type, and for events the columns that make the entry."""

    at: Instant
    row_id: int
    type: str
    source: str = ""
    session_id: int | None = None
    properties: str | None = None


class _Told(NamedTuple):
    """What an entry tells beside when and what."""

    source: str
    session_id: int | None
    properties: dict[str, Any]


def entries(
    connection: Connection, shop_id: int, page: Sequence[Row], currency: str
) -> Iterator[TimelineEntry]:
    """The entries of these rows; amounts without a currency are in the shop's."""
    told: dict[int, _Told] = {}
    for name, tell in _TELLERS.items():
        ids = [row.row_id for row in page if row.type == name]
        if ids:
            told |= tell(connection, shop_id, ids, currency)
    for row in page:
        one = told.get(row.row_id) or _Told(row.source, row.session_id, _read(row.properties))
        yield TimelineEntry(row.row_id, row.type, label_of(row.type), row.at, *one)


_TOUCH = ("touch_source", "touch_medium", "touch_campaign", "url", "referrer")


def _tell_visits(
    connection: Connection, shop_id: int, ids: Sequence[int], _currency: str
) -> dict[int, _Told]:
    query = select(
        sessions.c.session_id,
        sessions.c.touch_source,
        sessions.c.touch_medium,
        sessions.c.touch_campaign,
        sessions.c.touch_url,
        sessions.c.referrer,
    ).where(sessions.c.shop_id == shop_id, sessions.c.session_id.in_(ids))
    return {
        session_id: _Told(
            "derived",
            session_id,
            {name: value for name, value in zip(_TOUCH, touch, strict=True) if value},
        )
        for session_id, *touch in connection.execute(query).all()
    }


def _tell_orders(
    connection: Connection, shop_id: int, ids: Sequence[int], currency: str
) -> dict[int, _Told]:
    lines = lines_of(connection, shop_id, ids)
    query = select(orders).where(orders.c.shop_id == shop_id, orders.c.order_id.in_(ids))
    told = {}
    for row in connection.execute(query).all():
        own = row.currency or currency
        figures = {
            "order_id": row.order_key,
            "number": row.number,
            "total": money_text(row.total, own),
            "currency": row.currency,
            "discount": money_text(row.discount, own),
            "quantity": row.items_count,
            "items": [
                _item(line, own) for line in lines.get(row.order_id, ()) if line.quantity > 0
            ],
        }
        told[row.order_id] = _Told(row.source, None, _read(row.properties) | figures)
    return told


def _item(line: OrderLineView, currency: str) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "variant_id": line.variant,
        "title": line.title,
        "quantity": line.quantity,
        "price": str(round_amount(line.unit_price, currency)),
    }


def _tell_refunds(
    connection: Connection, shop_id: int, ids: Sequence[int], currency: str
) -> dict[int, _Told]:
    query = select(refunds).where(refunds.c.shop_id == shop_id, refunds.c.refund_id.in_(ids))
    told = {}
    for row in connection.execute(query).all():
        figures = {
            "order_id": row.order_key,
            "total": money_text(row.amount, currency),
            "quantity": row.items_count,
        }
        told[row.refund_id] = _Told(row.source, None, _read(row.properties) | figures)
    return told


def _tell_checkouts(
    connection: Connection, shop_id: int, ids: Sequence[int], _currency: str
) -> dict[int, _Told]:
    query = select(checkouts.c.checkout_id, checkouts.c.properties).where(
        checkouts.c.shop_id == shop_id, checkouts.c.checkout_id.in_(ids)
    )
    return {
        checkout_id: _Told("derived", None, _read(text))
        for checkout_id, text in connection.execute(query).all()
    }


_TELLERS = {
    "visited_site": _tell_visits,
    "order_placed": _tell_orders,
    "order_refunded": _tell_refunds,
    "checkout_abandoned": _tell_checkouts,
}


def _read(text: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = json.loads(text) if text else {}
    return properties
