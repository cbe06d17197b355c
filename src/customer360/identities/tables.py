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
    number("founded_by", nullable=False),
    Column("known", Boolean, nullable=False, info=KEEP),
    Column("name", Text, nullable=False, default="", info=NULL),
    Column("search_text", Text, nullable=False, default="", info=NULL),
    number("created_at", nullable=False),
    Index(
        "ix_profiles_merged_into",
        "shop_id",
        "merged_into",
        sqlite_where=text("merged_into is not null"),
        postgresql_where=text("merged_into is not null"),
    ),
    sqlite_with_rowid=False,
)
"""`founded_by`: the fragment whose profile this id is, wherever it goes: merged away or back. `search_text`: names,
folded."""

fragments = Table(
    "fragments",
    metadata,
    shop_id(),
    number("fragment_id", primary_key=True),
    Column("era", Integer, nullable=False, default=0, info=KEEP),
    Column("evidence", LargeBinary, nullable=False, info=NULL),
    Column("trust", Integer, nullable=False, info=KEEP),
    Column("name", Text, nullable=False, default="", info=NULL),
    number("begins_at", nullable=False),
    number("component", nullable=False),
    Column("company", Integer, nullable=False, info=KEEP),
    number("profile_id", nullable=False),
    number("change", nullable=False),
    Index("ix_fragments_evidence", "shop_id", "evidence", "era", unique=True),
    Index("ix_fragments_profile", "shop_id", "profile_id"),
    Index("ix_fragments_component", "shop_id", "component"),
    Index("ix_fragments_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""`evidence`: a keyed digest of the normalised identifiers, the folded name (`name`: its parts) and the trust.
An era of it holds the events from `begins_at` to the next era. Fragments that share identifiers, placeholders
apart, directly or by others, have the same `component` and are resolved together; `company` says whether there are
any: 0 alone, 1 with others of one person who owns all that they bring, 2 with others where a known event may change
who is who, 3 joined to a throng and not resolved since."""

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
    number("first_at", nullable=False),
    number("last_at", nullable=False),
    Column("rank", Integer, nullable=False, info=KEEP),
    number("n", nullable=False),
    Column("aggregate", LargeBinary, nullable=True, info=NULL),
    sqlite_with_rowid=False,
)
"""When a fragment was seen and how often, kept longer than the events themselves, and what these add up to: a
`profiles.fold.Aggregate` as JSON, here because each event changes both."""

decisions = Table(
    "decisions",
    metadata,
    shop_id(),
    number("decision_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    number("fragment_a", nullable=False),
    number("at_a", nullable=False),
    number("fragment_b", nullable=False),
    number("at_b", nullable=False),
    number("acts_at", nullable=False),
    Column("actor", Text, nullable=False, info=NULL),
    number("made_at", nullable=False),
    Index("ix_decisions_a", "shop_id", "fragment_a"),
    Index("ix_decisions_b", "shop_id", "fragment_b"),
    sqlite_with_rowid=False,
)
"""What people decided about two fragments, each at a time: merged (acts at its time), not_same and undone (outside
time)."""

identity_rules = Table(
    "identity_rules",
    metadata,
    shop_id(),
    Column("version", Integer, primary_key=True, autoincrement=False, info=KEEP),
    Column("rules", Text, nullable=False, info=KEEP),
    Column("actor", Text, nullable=False, info=NULL),
    number("made_at", nullable=False),
    Column("done", Integer, nullable=False, default=0, info=KEEP),
    Column("total", Integer, nullable=False, default=0, info=KEEP),
    number("resolved_at", nullable=True),
    sqlite_with_rowid=False,
)
"""What a shop chose about identity, as JSON: the newest version holds, and the earlier ones say what it was before.
Of its components that differ by a new version `done` of `total` are written; `resolved_at`: all of them."""

merges = Table(
    "merges",
    metadata,
    shop_id(),
    number("merge_id", primary_key=True),
    number("kept_id", nullable=False),
    number("gone_id", nullable=False),
    Column("kind", Text, nullable=False, info=KEEP),
    Column("actor", Text, nullable=False, info=NULL),
    number("merged_at", nullable=False),
    number("recorded_at", nullable=False),
    number("decision_id", nullable=True),
    number("fragment_a", nullable=False),
    number("at_a", nullable=False),
    number("fragment_b", nullable=False),
    number("at_b", nullable=False),
    number("by_fragment", nullable=True),
    Column("bridges", Text, nullable=False, info=NULL),
    Column("state", Text, nullable=False, info=KEEP),
    number("ended_at", nullable=True),
    Column("ended_by", Text, nullable=True, info=NULL),
    Index("ix_merges_kept", "shop_id", "kept_id"),
    Index("ix_merges_gone", "shop_id", "gone_id"),
    sqlite_with_rowid=False,
)
"""The log: kind is automatic, by_hand or shopify; state is standing, undone (a person took it back) or dissolved (later
evidence did). The fragments and times are what an undo names; `bridges` is JSON of the identifiers that showed it."""

candidates = Table(
    "candidates",
    metadata,
    shop_id(),
    number("candidate_id", primary_key=True),
    number("fragment_a", nullable=False),
    number("fragment_b", nullable=False),
    Column("origin", Text, nullable=False, info=KEEP),
    Column("weak", Boolean, nullable=False, info=KEEP),
    Column("score", Integer, nullable=True, info=KEEP),
    Column("reasons", Text, nullable=False, info=NULL),
    Column("hub", Text, nullable=False, default="", info=NULL),
    Column("state", Text, nullable=False, info=KEEP),
    number("made_at", nullable=False),
    number("decided_at", nullable=True),
    Column("decided_by", Text, nullable=True, info=NULL),
    Index("ix_candidates_pair", "shop_id", "fragment_a", "fragment_b", "origin", unique=True),
    Index("ix_candidates_b", "shop_id", "fragment_b"),
    Index("ix_candidates_state", "shop_id", "state", "made_at"),
    sqlite_with_rowid=False,
)
"""Pairs that may be one person, named by the fragments that founded the two profiles. `origin`: evidence (a conflict
that linking left) or similarity (names and addresses; `score` in thousandths). `reasons`: JSON. State: open,
dismissed, merged, or ended (later evidence ended it)."""

alerts = Table(
    "alerts",
    metadata,
    shop_id(),
    number("alert_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    number("fragment_id", nullable=False),
    number("made_at", nullable=False),
    number("acknowledged_at", nullable=True),
    Column("acknowledged_by", Text, nullable=True, info=NULL),
    number("ended_at", nullable=True),
    Index(
        "ix_alerts_open",
        "shop_id",
        "fragment_id",
        unique=True,
        sqlite_where=text("ended_at is null"),
        postgresql_where=text("ended_at is null"),
    ),
    sqlite_with_rowid=False,
)
"""What people should know of a profile, named by a fragment of it; kind is frozen: it links no further by itself."""
