"""Segments, who is in them, and who came and went."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from customer360.storage.metadata import KEEP, metadata, number, shop_id

segments = Table(
    "segments",
    metadata,
    shop_id(),
    number("segment_id", primary_key=True),
    Column("name", Text, nullable=False, info=KEEP),
    Column("rule", Text, nullable=False, info=KEEP),
    Column("version", Integer, nullable=False, info=KEEP),
    Column("state", Text, nullable=False, info=KEEP),
    Column("progress", Integer, nullable=False, info=KEEP),
    Column("failure", Text, nullable=True, info=KEEP),
    Column("members", Integer, nullable=False, info=KEEP),
    Column("due", Text, nullable=True, info=KEEP),
    Column("calendar", Text, nullable=False, info=KEEP),
    Column("attempts", Integer, nullable=False, info=KEEP),
    number("retry_at", nullable=False),
    number("created_at", nullable=False),
    number("edited_at", nullable=False),
    number("refreshed_at", nullable=True),
    Index("ix_segments_due", "due", "retry_at"),
    sqlite_with_rowid=False,
)
"""Named rules, as JSON; `version` counts what they meant. `due` says why its members have to be found as a whole
(`deleted`: to be forgotten), not before `retry_at`; `attempts` counts failures since it last went well. `calendar` is
the one its members were last found by as a whole: empty where the rule asks for no day, a time zone where it names
days, a zone and a day where it counts them from today."""

segment_members = Table(
    "segment_members",
    metadata,
    shop_id(),
    number("segment_id", primary_key=True),
    number("profile_id", primary_key=True),
    number("member_id", nullable=False),
    number("entered_at", nullable=False),
    number("change", nullable=False),
    Index("ix_segment_members_profile", "shop_id", "profile_id"),
    Index("ix_segment_members_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""Who is in a segment now. `member_id` is new each time somebody comes in: the warehouse forgets its row by it."""

segment_moves = Table(
    "segment_moves",
    metadata,
    shop_id(),
    number("change", primary_key=True),
    number("segment_id", primary_key=True),
    number("profile_id", primary_key=True),
    Column("entered", Boolean, nullable=False, info=KEEP),
    Column("cause", Text, nullable=False, info=KEEP),
    number("occurred_at", nullable=False),
    Index("ix_segment_moves_segment", "shop_id", "segment_id", "change", "profile_id"),
    sqlite_with_rowid=False,
)
"""Who came into a segment or left it, in the order of change numbers: a transaction moves nobody twice."""
