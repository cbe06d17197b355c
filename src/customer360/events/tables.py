"""Events: immutable rows; the key finds those of a fragment by time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from customer360.storage.metadata import KEEP, NULL, metadata, shop_id

events = Table(
    "events",
    metadata,
    shop_id(),
    Column("fragment_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("occurred_at", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("type", Text, nullable=False, info=KEEP),
    Column("source", Text, nullable=False, info=KEEP),
    Column("rank", Integer, nullable=False, info=KEEP),
    Column("session_id", BigInteger, nullable=True, info=KEEP),
    Column("properties", Text, nullable=True, info=NULL),
    Column("told", Text, nullable=True, info=NULL),
    Column("change", BigInteger, nullable=False, info=KEEP),
    Index("ix_events_change", "shop_id", "change"),
)
"""Fragment 0 holds the events that name nobody. `told`: names, addresses and the like, see `told.Told`. What is derived
has tables of its own."""

order_events = Table(
    "order_events",
    metadata,
    shop_id(),
    Column("fragment_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("occurred_at", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("event_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("type", Text, nullable=False, info=KEEP),
    Column("source", Text, nullable=False, info=KEEP),
    Column("rank", Integer, nullable=False, info=KEEP),
    Column("told", Text, nullable=True, info=NULL),
    Column("change", BigInteger, nullable=False, info=KEEP),
    sqlite_with_rowid=False,
)
"""Purchases and refunds as they were told: a person's journey shows the order instead, but each was evidence."""
