"""A profile store to write on directly, and its warehouse: what sync has to make of one the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, update

from customer360.clock import FixedClock
from customer360.events import warehouse as events_warehouse
from customer360.events.tables import events
from customer360.identities import warehouse as identities_warehouse
from customer360.identities.tables import fragment_identifiers, fragments, observations
from customer360.profiles import warehouse as profiles_warehouse
from customer360.profiles.tables import (
    checkouts,
    order_lines,
    orders,
    refunds,
    sessions,
)
from customer360.storage.database import Database, next_change
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.storage.metadata import shop_clock, tombstones
from customer360.storage.mirror import Schema
from customer360.values import new_ids
from customer360.warehouse.schema import prepare
from customer360.warehouse.sync import SyncResult, rebuild, sync

AT = FixedClock("2026-06-15T12:00:00Z").now()

SCHEMA = Schema(
    mirrors=(
        *events_warehouse.MIRRORS,
        *identities_warehouse.MIRRORS,
        *profiles_warehouse.MIRRORS,
    ),
    views=profiles_warehouse.VIEWS,
)


def open_engine(folder: Path, schema: Schema = SCHEMA) -> DuckDBEngine:
    """An engine whose files have the tables of a schema."""
    return DuckDBEngine(folder, partial(prepare, schema))


class Store:
    """One shop's rows. Each writing method is one transaction with a change number of its own."""

    def __init__(self, database: Database, shop_id: int = 1) -> None:
        self.database = database
        self.shop_id = shop_id
        with database.write() as connection:
            connection.execute(insert(shop_clock).values(shop_id=shop_id))

    @contextmanager
    def changing(self) -> Iterator[tuple[Connection, int]]:
        """A transaction and its change number."""
        with self.database.write() as connection:
            yield connection, next_change(connection, self.shop_id)

    def add_events(self, count: int = 1, **values: Any) -> list[int]:
        """Some events of one kind."""
        ids = new_ids.take(count)
        properties = values.pop("properties", None)
        base = {
            "shop_id": self.shop_id,
            "fragment_id": 0,
            "type": "page_viewed",
            "source": "segment",
            "rank": 1,
            "occurred_at": AT,
            "session_id": None,
            "properties": None if properties is None else json.dumps(properties),
            **values,
        }
        with self.changing() as (connection, change):
            rows = [{**base, "event_id": one, "change": change} for one in ids]
            connection.execute(insert(events), rows)
        return ids

    def move_events(self, event_ids: Sequence[int], fragment_id: int) -> None:
        """Relabel events, as a late hand-over does."""
        with self.changing() as (connection, change):
            mine = (events.c.shop_id == self.shop_id) & events.c.event_id.in_(event_ids)
            connection.execute(
                update(events).where(mine).values(fragment_id=fragment_id, change=change)
            )

    def put(self, table: Table, **values: Any) -> None:
        """Insert or replace one mirrored row."""
        with self.changing() as (connection, change):
            self._replace(connection, table, {"change": change, **values})

    def put_order(self, order_id: int, lines: Sequence[dict[str, Any]] = (), **values: Any) -> None:
        """An order with these lines and no others."""
        with self.changing() as (connection, change):
            self._replace(connection, orders, {**order_row(order_id), "change": change, **values})
            mine = (order_lines.c.shop_id == self.shop_id) & (order_lines.c.order_id == order_id)
            connection.execute(delete(order_lines).where(mine))
            for place, line in enumerate(lines):
                row = {**line_row(order_id, str(place)), "shop_id": self.shop_id, **line}
                connection.execute(insert(order_lines).values(row))

    def bury(self, table: Table, mirror: int, row_id: int) -> None:
        """Remove a row and leave a tombstone."""
        with self.changing() as (connection, change):
            # Events are clustered by fragment and time; a grave names the last part of a key.
            *_, key = table.primary_key
            connection.execute(delete(table).where(table.c.shop_id == self.shop_id, key == row_id))
            grave = {"shop_id": self.shop_id, "change": change, "mirror": mirror, "row_id": row_id}
            connection.execute(insert(tombstones).values(grave))

    def name_fragment(
        self, fragment_id: int, identifiers: dict[str, str], first: str = "", last: str = ""
    ) -> None:
        """Say whose fragment it is."""
        with self.changing() as (connection, change):
            row = fragment_row(fragment_id, profile_id=fragment_id)
            self._replace(connection, fragments, {**row, "change": change})
            for kind, value in identifiers.items():
                row = {"type": kind, "value": value, "fragment_id": fragment_id}
                connection.execute(insert(fragment_identifiers).values(shop_id=self.shop_id, **row))
            names = {"1": [AT, "key", first, last, "segment", 1]} if first or last else {}
            blob = json.dumps({"names": names}).encode()
            seen = {"first_at": AT, "last_at": AT, "rank": 0, "n": 1, "aggregate": blob}
            row = {"shop_id": self.shop_id, "fragment_id": fragment_id, **seen}
            connection.execute(insert(observations).values(row))

    def _replace(self, connection: Connection, table: Table, values: dict[str, Any]) -> None:
        values = {"shop_id": self.shop_id, **values}
        key = [column == values[column.name] for column in table.primary_key]
        connection.execute(delete(table).where(*key))
        connection.execute(insert(table).values(values))


class Copied:
    """The warehouse of a store."""

    def __init__(self, store: Store, engine: DuckDBEngine) -> None:
        self.store = store
        self.engine = engine

    def sync(self, **options: Any) -> SyncResult:
        """Copy what changed."""
        return sync(self.store.database, self.engine, self.store.shop_id, SCHEMA, **options)

    def rebuild(self, **options: Any) -> SyncResult:
        """Make it anew."""
        return rebuild(self.store.database, self.engine, self.store.shop_id, SCHEMA, **options)

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """The answer to a question."""
        found: list[dict[str, Any]] = self.engine.query(self.store.shop_id, sql, params).to_pylist()
        return found

    def column(self, sql: str, *params: Any) -> list[Any]:
        """The only column of an answer."""
        return [next(iter(row.values())) for row in self.rows(sql, *params)]

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables, in an order that does not depend on when they came."""
        return {
            mirror.table: sorted(
                (tuple(row.values()) for row in self.rows(f"from {mirror.table}")), key=repr
            )
            for mirror in SCHEMA.mirrors
        }


def order_row(order_id: int) -> dict[str, Any]:
    """An order of nobody that was placed at noon."""
    return {
        "order_id": order_id,
        "order_key": f"key-{order_id}",
        "fragment_id": 0,
        "source": "shopify",
        "source_rank": 3,
        "updated_at": AT,
        "dedupe_key": f"shopify:{order_id}",
        "owner_rank": 3,
        "owner_at": AT,
        "owner_key": "",
        "placed_at": AT,
        "cancelled_at": None,
        "test": False,
        "currency": "EUR",
        "foreign_currency": False,
        "given_total": None,
        "total": 590000,
        "discount": 0,
        "items_count": 1,
        "promo_codes": "[]",
        "place": "online",
        "marketplace": "",
        "location": "",
        "number": "#1001",
        "status": "paid",
        "properties": None,
    }


def line_row(order_id: int, key: str) -> dict[str, Any]:
    """A line of an order."""
    return {
        "order_id": order_id,
        "line_key": key,
        "product_id": f"p{key}",
        "variant": "",
        "title": "Shirt",
        "vendor": "",
        "sku": "",
        "quantity": 1,
        "unit_price": 590000,
        "discount": 0,
        "told_at": AT,
        "fragment_id": 0,
    }


def refund_row(refund_id: int, order_key: str = "key-1") -> dict[str, Any]:
    """A refund of half an order."""
    return {
        "refund_id": refund_id,
        "refund_key": f"refund-{refund_id}",
        "order_key": order_key,
        "fragment_id": 0,
        "own_fragment_id": 0,
        "source": "shopify",
        "source_rank": 3,
        "updated_at": AT,
        "dedupe_key": f"shopify:r{refund_id}",
        "refunded_at": AT,
        "amount": 295000,
        "foreign_currency": False,
        "items_count": 1,
        "properties": None,
    }


def session_row(session_id: int) -> dict[str, Any]:
    """A visit that an advertisement brought."""
    return {
        "session_id": session_id,
        "visitor": session_id.to_bytes(16, "big"),
        "fragment_id": 0,
        "first_at": AT,
        "last_at": AT + 60_000_000,
        "first_key": "m1",
        "events": 2,
        "touched_at": AT,
        "touch_source": "google",
        "touch_medium": "cpc",
        "touch_campaign": "summer",
        "touch_url": "https://shop.example/sale?utm_source=google&email=ann@x.com",
        "referrer": "https://www.google.com/search?q=shirt",
    }


def checkout_row(checkout_id: int) -> dict[str, Any]:
    """A checkout that was left."""
    return {
        "checkout_id": checkout_id,
        "token": f"token-{checkout_id}",
        "fragment_id": 0,
        "started_at": AT,
        "ordered_at": None,
        "due": False,
        "abandoned_at": AT + 3_600_000_000,
        "properties": json.dumps(
            {"total": "59.00", "quantity": 2, "checkout_token": "secret-token"}
        ),
    }


def fragment_row(fragment_id: int, profile_id: int) -> dict[str, Any]:
    """A fragment of a profile."""
    return {
        "fragment_id": fragment_id,
        "era": 0,
        "evidence": fragment_id.to_bytes(16, "big"),
        "trust": 1,
        "begins_at": 0,
        "component": fragment_id,
        "company": 0,
        "profile_id": profile_id,
    }


ROW_MAKERS = {
    checkouts: checkout_row,
    refunds: refund_row,
    sessions: session_row,
}
"""How to make a row of a table from its id."""
