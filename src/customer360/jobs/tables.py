"""The log of jobs."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from customer360.storage.metadata import KEEP, metadata, number, shop_id

job_runs = Table(
    "job_runs",
    metadata,
    shop_id(),
    number("run_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    number("night", nullable=True),
    Column("state", Text, nullable=False, info=KEEP),
    number("began_at", nullable=False),
    number("moved_at", nullable=False),
    number("ended_at", nullable=True),
    number("change", nullable=True),
    Column("stage", Text, nullable=False, default="", info=KEEP),
    Column("done", Integer, nullable=False, default=0, info=KEEP),
    Column("total", Integer, nullable=False, default=0, info=KEEP),
    Column("report", Text, nullable=True, info=KEEP),
    Column("reason", Text, nullable=False, default="", info=KEEP),
    Index("ix_job_runs_night", "shop_id", "kind", "night", unique=True),
    Index("ix_job_runs_state", "state", "kind"),
    sqlite_with_rowid=False,
)
"""Runs of jobs. `night`: when the night began whose run it was, null for one that somebody began. State: asked (for,
and not begun yet), running, done, or failed for the `reason`. `moved_at`: when it last said that it goes on, which it
does every minute while it runs; `stage`, `done` and `total` say how far it was. `change`: up to which of the shop's
changes it has seen all. `report`: JSON of what came of it; nothing in it is about one person."""
