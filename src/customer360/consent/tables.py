"""Consent is an append-only record per contact point; its newest entry is the state."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from customer360.storage.metadata import DELETE, KEEP, metadata, shop_id

consents = Table(
    "consents",
    metadata,
    shop_id(),
    Column("consent_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("fragment_id", BigInteger, nullable=False, info=DELETE),
    Column("channel", Text, nullable=False, info=DELETE),
    Column("address", Text, nullable=False, info=DELETE),
    Column("state", Text, nullable=False, info=DELETE),
    Column("text", Text, nullable=False, info=DELETE),
    Column("source", Text, nullable=False, info=DELETE),
    Column("evidence", Text, nullable=False, info=DELETE),
    Column("occurred_at", BigInteger, nullable=False, info=DELETE),
    Column("dedupe_key", Text, nullable=False, info=DELETE),
    Column("change", BigInteger, nullable=False, info=KEEP),
    Index(
        "ix_consents_told",
        "shop_id",
        "channel",
        "address",
        "fragment_id",
        "state",
        "occurred_at",
        unique=True,
    ),
    Index("ix_consents_fragment", "shop_id", "fragment_id"),
    sqlite_with_rowid=False,
)
"""`address` is normalised; an empty one stands for every address of the fragment's person on that channel.
The same word told again (a shop system repeats it with every change of a customer) is one row."""
