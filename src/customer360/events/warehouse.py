"""Events in the warehouse: `event_facts`, one row per event, with a column per property that the vocabulary lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec
from sqlalchemy import Connection

from customer360.errors import InvalidMoney
from customer360.storage.mirror import Field, Kind, Mirror, Rows, fetch
from customer360.values import Amount, parse_amount

PROPERTY_FIELDS = (
    Field("product_id", Kind.CODE),
    Field("variant_id", Kind.CODE),
    Field("title", Kind.TITLE),
    Field("sku", Kind.CODE),
    Field("vendor", Kind.TITLE),
    Field("category", Kind.TITLE),
    Field("brand", Kind.TITLE),
    Field("price", Kind.MONEY),
    Field("quantity", Kind.COUNT),
    Field("currency", Kind.CODE),
    Field("url", Kind.PATH),
    Field("referrer", Kind.HOST),
    Field("page_title", Kind.TEXT),
    Field("collection_id", Kind.CODE),
    Field("collection_title", Kind.TITLE),
    Field("search_term", Kind.TEXT),
    Field("total", Kind.MONEY),
    Field("order_id", Kind.CODE),
    Field("coupon", Kind.TEXT),
    Field("campaign", Kind.TITLE),
    Field("campaign_id", Kind.CODE),
    Field("journey", Kind.TITLE),
    Field("subject", Kind.TEXT),
    Field("link", Kind.PATH),
    Field("rating", Kind.NUMBER),
    Field("ticket_id", Kind.CODE),
    Field("reason", Kind.TEXT),
    Field("location", Kind.TITLE),
)
"""The canonical properties by their own names; tokens are people's, and item lists live in order lines."""

CUSTOM = Field("properties", Kind.PROPERTIES)

NEVER = frozenset(("cart_token", "checkout_token", "items"))
"""Canonical properties that have no place in the warehouse."""

_MONEY = [place for place, field in enumerate(PROPERTY_FIELDS) if field.kind is Kind.MONEY]
_NUMBERS = [
    place for place, field in enumerate(PROPERTY_FIELDS) if field.kind in (Kind.COUNT, Kind.NUMBER)
]
_SCALARS = (str, int, float)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def spread(texts: Sequence[str | None]) -> list[list[Any]]:
    """Properties in JSON as columns: one per field of `PROPERTY_FIELDS`, and last the custom ones as mappings."""
    columns: list[list[Any]] = [[None] * len(texts) for _ in PROPERTY_FIELDS]
    customs: list[dict[str, Any] | None] = [None] * len(texts)
    column_of = {field.name: column for field, column in zip(PROPERTY_FIELDS, columns, strict=True)}
    for row, text in enumerate(texts):
        if text is None:
            continue
        for name, value in _decode(text).items():
            column = column_of.get(name)
            if column is not None:
                column[row] = value
            elif name not in NEVER:
                custom = customs[row]
                if custom is None:
                    customs[row] = {name: value}
                else:
                    custom[name] = value
    for place in _MONEY:
        _convert(columns[place], _amount)
    for place in _NUMBERS:
        _convert(columns[place], _number)
    return [*columns, customs]


def _convert(column: list[Any], to: Any) -> None:
    if column.count(None) < len(column):
        column[:] = [None if value is None else to(value) for value in column]


def _amount(value: Any) -> Amount | None:
    return _amount_of(value) if isinstance(value, _SCALARS) else None


@lru_cache(1 << 14, typed=True)
def _amount_of(value: str | int | float) -> Amount | None:
    try:
        return parse_amount(value)
    except InvalidMoney:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, _SCALARS):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _rows(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    for rows in fetch(
        connection,
        "select event_id, fragment_id, type, source, occurred_at, session_id, properties from events"
        " where shop_id = {} and change > {} and change <= {} order by change",
        (shop_id, after, upto),
    ):
        *columns, properties = zip(*rows, strict=True)
        yield Rows(columns[0], [*columns, *spread(properties)])


EVENTS_MIRROR = 7
"""Number of the events mirror in tombstones."""

EVENT_FACTS = Mirror(
    table="event_facts",
    number=EVENTS_MIRROR,
    fields=(
        Field("event_id", Kind.ID),
        Field("fragment_id", Kind.ID),
        Field("type", Kind.TEXT),
        Field("source", Kind.WORD),
        Field("occurred_at", Kind.TIME),
        Field("session_id", Kind.ID),
        *PROPERTY_FIELDS,
        CUSTOM,
    ),
    key="event_id",
    changed_in="events",
    rows=_rows,
)

MIRRORS = (EVENT_FACTS,)
