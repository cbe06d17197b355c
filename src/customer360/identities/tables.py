"""Fragments never move; ownerships and the map from fragment to profile are derived from observations."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, text

from customer360.storage.metadata import DELETE, KEEP, NULL, metadata, number, shop_id

profiles = Table(
    "profiles",
    metadata,
    shop_id(),
    number("profile_id", primary_key=True),
    number("merged_into", nullable=True),
    Column("known", Boolean, nullable=False, info=KEEP),
    Column("account_ids", Text, nullable=False, info=NULL),
    Column("name", Text, nullable=False, default="", info=NULL),
    Column("search_text", Text, nullable=False, default="", info=NULL),
    number("created_at", nullable=False),
    number("change", nullable=False),
    Index("ix_profiles_change", "shop_id", "change"),
    Index(
        "ix_profiles_merged_into",
        "shop_id",
        "merged_into",
        sqlite_where=text("merged_into is not null"),
        postgresql_where=text("merged_into is not null"),
    ),
    sqlite_with_rowid=False,
)
"""`account_ids`: JSON of the ids of which a profile may have only one, by type. `search_text`: names, folded."""

fragments = Table(
    "fragments",
    metadata,
    shop_id(),
    number("fragment_id", primary_key=True),
    Column("era", Integer, nullable=False, default=0, info=KEEP),
    Column("evidence", LargeBinary, nullable=False, info=NULL),
    Column("trust", Integer, nullable=False, info=KEEP),
    number("profile_id", nullable=False),
    number("change", nullable=False),
    Index("ix_fragments_evidence", "shop_id", "evidence", "era", unique=True),
    Index("ix_fragments_profile", "shop_id", "profile_id"),
    Index("ix_fragments_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""`evidence`: a keyed digest of the normalised identifiers, the folded name and the trust."""

fragment_identifiers = Table(
    "fragment_identifiers",
    metadata,
    shop_id(),
    Column("type", Text, primary_key=True, info=DELETE),
    Column("value", Text, primary_key=True, info=DELETE),
    number("fragment_id", primary_key=True),
    Index("ix_fragment_identifiers_fragment", "shop_id", "fragment_id"),
    sqlite_with_rowid=False,
)

ownerships = Table(
    "ownerships",
    metadata,
    shop_id(),
    Column("type", Text, primary_key=True, info=DELETE),
    Column("value", Text, primary_key=True, info=DELETE),
    Column("era", Integer, primary_key=True, autoincrement=False, default=0, info=KEEP),
    number("fragment_id", nullable=False),
    number("since", nullable=False),
    number("until", nullable=True),
    Column("state", Text, nullable=False, info=KEEP),
    Index("ix_ownerships_fragment", "shop_id", "fragment_id"),
    sqlite_with_rowid=False,
)
"""Which fragment an identifier belongs to (its profile follows by the map); state: owned, unverified, shared."""

observations = Table(
    "observations",
    metadata,
    shop_id(),
    number("fragment_id", primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False, info=KEEP),
    number("first_at", nullable=False),
    number("last_at", nullable=False),
    Column("rank", Integer, nullable=False, info=KEEP),
    number("n", nullable=False),
    sqlite_with_rowid=False,
)
"""When a fragment was seen, and how often; kept longer than the events themselves."""

decisions = Table(
    "decisions",
    metadata,
    shop_id(),
    number("decision_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    number("fragment_a", nullable=False),
    number("fragment_b", nullable=False),
    number("acts_at", nullable=False),
    Column("actor", Text, nullable=False, info=KEEP),
    number("made_at", nullable=False),
    sqlite_with_rowid=False,
)
"""What people decided about two fragments: merged (acts at its time), not_same and undone (outside time)."""
