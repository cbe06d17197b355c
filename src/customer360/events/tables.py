"""Events: immutable rows in the order in which they came; the key finds those of a fragment by time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

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
    Column("session_id", BigInteger, nullable=True, info=KEEP),
    Column("properties", Text, nullable=True, info=NULL),
    Column("change", BigInteger, nullable=False, info=KEEP),
    Index("ix_events_change", "shop_id", "change"),
)
"""Fragment 0 holds the events that name nobody. Derived events and orders have tables of their own."""
