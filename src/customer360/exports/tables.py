"""Who took which people out, when, in which format, and how many were left out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from customer360.storage.metadata import KEEP, metadata, number, shop_id

exports = Table(
    "exports",
    metadata,
    shop_id(),
    number("export_id", primary_key=True),
    number("segment_id", nullable=False),
    Column("segment_name", Text, nullable=False, info=KEEP),
    Column("format", Text, nullable=False, info=KEEP),
    Column("actor", Text, nullable=False, info=KEEP),
    Column("everybody", Boolean, nullable=False, info=KEEP),
    number("started_at", nullable=False),
    number("ended_at", nullable=True),
    Column("complete", Boolean, nullable=False, info=KEEP),
    number("written", nullable=False),
    number("without_consent", nullable=False),
    number("without_contact", nullable=False),
    Index("ix_exports_segment", "shop_id", "segment_id"),
    sqlite_with_rowid=False,
)
"""`everybody`: consents were not asked for. `actor`: a user's e-mail address, `api` or `command line`, as staff are no
customers it stays. `complete` is false while the file is written and for one that was cut off; the numbers are what
was written until then."""
