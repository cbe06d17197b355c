"""The inbox and its bookkeeping: received = stored + duplicate + rejected + waiting, at all times."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text

from customer360.storage.metadata import DELETE, KEEP, NULL, metadata, number, shop_id

inbox = Table(
    "inbox",
    metadata,
    shop_id(),
    number("inbox_id", primary_key=True),
    Column("source", Text, nullable=False, info=KEEP),
    Column("trust", Integer, nullable=False, info=KEEP),
    Column("rank", Integer, nullable=False, info=KEEP),
    number("received_at", nullable=False),
    Column("body", LargeBinary, nullable=False, info=DELETE),
    Column("envelope", LargeBinary, nullable=True, info=DELETE),
    number("import_id", nullable=True),
    Index(
        "ix_inbox_import",
        "shop_id",
        "import_id",
        sqlite_where=text("import_id is not null"),
        postgresql_where=text("import_id is not null"),
    ),
    sqlite_with_rowid=False,
)
"""Acknowledged signals that wait for the worker, one row each; a row leaves in the transaction that stores it."""

dead_letters = Table(
    "dead_letters",
    metadata,
    shop_id(),
    number("dead_letter_id", primary_key=True),
    Column("source", Text, nullable=False, info=KEEP),
    Column("trust", Integer, nullable=False, info=KEEP),
    Column("rank", Integer, nullable=False, info=KEEP),
    number("received_at", nullable=False),
    Column("body", LargeBinary, nullable=False, info=DELETE),
    Column("envelope", LargeBinary, nullable=True, info=DELETE),
    number("import_id", nullable=True),
    number("failed_at", nullable=False),
    Column("reason", Text, nullable=False, info=KEEP),
    Column("detail", Text, nullable=False, info=DELETE),
    Column("attempts", Integer, nullable=False, info=KEEP),
    number("retry_at", nullable=True),
    Index("ix_dead_letters_retry", "shop_id", "retry_at"),
    sqlite_with_rowid=False,
)
"""Signals that could not be used, whole, with the reason. `retry_at`: failed for a passing cause, replays itself."""

signal_counts = Table(
    "signal_counts",
    metadata,
    shop_id(),
    Column("source", Text, primary_key=True, info=KEEP),
    Column("outcome", Text, primary_key=True, info=KEEP),
    Column("reason", Text, primary_key=True, info=KEEP),
    number("n", nullable=False),
    number("last_at", nullable=False),
    sqlite_with_rowid=False,
)
"""outcome: received (counted where it is acknowledged), stored, duplicate, rejected (with its reason)."""

accepted_signals = Table(
    "accepted_signals",
    metadata,
    shop_id(),
    Column("digest", LargeBinary, primary_key=True, info=KEEP),
    sqlite_with_rowid=False,
)
"""Keyed digests of the signals already stored, so that a second delivery is a duplicate."""

accepted_batches = Table(
    "accepted_batches",
    metadata,
    shop_id(),
    number("change", primary_key=True),
    Column("digests", LargeBinary, nullable=False, info=KEEP),
)
"""The same of the latest batches, one after the other, until `intake.accepted` moves them there."""

imports = Table(
    "imports",
    metadata,
    shop_id(),
    number("import_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    Column("format", Text, nullable=False, info=KEEP),
    Column("file_name", Text, nullable=False, info=NULL),
    Column("file_digest", Text, nullable=False, info=KEEP),
    Column("mapping", Text, nullable=False, info=KEEP),
    Column("state", Text, nullable=False, info=KEEP),
    number("rows_read", nullable=False),
    number("bytes_read", nullable=False),
    number("bytes_total", nullable=False),
    number("stored", nullable=False),
    number("duplicate", nullable=False),
    number("rejected", nullable=False),
    Column("error", Text, nullable=False, info=NULL),
    number("started_at", nullable=False),
    number("finished_at", nullable=True),
    sqlite_with_rowid=False,
)
"""Files taken in: state is reading, processing, done or failed; the counts are of rows."""

privacy_requests = Table(
    "privacy_requests",
    metadata,
    shop_id(),
    number("request_id", primary_key=True),
    Column("topic", Text, nullable=False, info=KEEP),
    Column("details", Text, nullable=False, info=DELETE),
    number("received_at", nullable=False),
    number("due_at", nullable=False),
    Column("state", Text, nullable=False, info=KEEP),
    sqlite_with_rowid=False,
)
"""Requests of people about their data, to be carried out within 30 days."""
