"""Spine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accepted_batches",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "change", name=op.f("pk_accepted_batches")),
    )
    op.create_table(
        "accepted_signals",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "digest", name=op.f("pk_accepted_signals")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alert_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "alert_id", name=op.f("pk_alerts")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_alerts_open",
        "alerts",
        ["shop_id", "fragment_id"],
        unique=True,
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "api_keys",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("readable", sa.Text(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "key_id", name=op.f("pk_api_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_api_keys_digest", "api_keys", ["digest"], unique=True)
    op.create_table(
        "candidates",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("candidate_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "candidate_id", name=op.f("pk_candidates")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_candidates_b", "candidates", ["shop_id", "fragment_b"], unique=False)
    op.create_index(
        "ix_candidates_pair",
        "candidates",
        ["shop_id", "fragment_a", "fragment_b", "origin"],
        unique=True,
    )
    op.create_index(
        "ix_candidates_state", "candidates", ["shop_id", "state", "made_at"], unique=False
    )
    op.create_table(
        "checkouts",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checkout_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ordered_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("abandoned_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "checkout_id", name=op.f("pk_checkouts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_checkouts_change", "checkouts", ["shop_id", "change"], unique=False)
    op.create_index("ix_checkouts_due", "checkouts", ["shop_id", "due", "started_at"], unique=False)
    op.create_index("ix_checkouts_fragment", "checkouts", ["shop_id", "fragment_id"], unique=False)
    op.create_index("ix_checkouts_token", "checkouts", ["shop_id", "token"], unique=True)
    op.create_table(
        "consents",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("consent_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "consent_id", name=op.f("pk_consents")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_consents_fragment", "consents", ["shop_id", "fragment_id"], unique=False)
    op.create_index(
        "ix_consents_told",
        "consents",
        ["shop_id", "channel", "address", "fragment_id", "state", "occurred_at"],
        unique=True,
    )
    op.create_table(
        "dead_letters",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dead_letter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trust", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("failed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "dead_letter_id", name=op.f("pk_dead_letters")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dead_letters_retry", "dead_letters", ["shop_id", "retry_at"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fragment_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("acts_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "decision_id", name=op.f("pk_decisions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_decisions_a", "decisions", ["shop_id", "fragment_a"], unique=False)
    op.create_index("ix_decisions_b", "decisions", ["shop_id", "fragment_b"], unique=False)
    op.create_table(
        "events",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "fragment_id", "occurred_at", "event_id", name=op.f("pk_events")
        ),
    )
    op.create_index("ix_events_change", "events", ["shop_id", "change"], unique=False)
    op.create_table(
        "exports",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("export_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("written", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("without_consent", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("without_contact", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "export_id", name=op.f("pk_exports")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_exports_segment", "exports", ["shop_id", "segment_id"], unique=False)
    op.create_table(
        "fragment_identifiers",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "type", "value", "fragment_id", name=op.f("pk_fragment_identifiers")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_fragment_identifiers_fragment",
        "fragment_identifiers",
        ["shop_id", "fragment_id"],
        unique=False,
    )
    op.create_table(
        "fragments",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("era", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("trust", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("component", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "fragment_id", name=op.f("pk_fragments")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fragments_change", "fragments", ["shop_id", "change"], unique=False)
    op.create_index("ix_fragments_component", "fragments", ["shop_id", "component"], unique=False)
    op.create_index(
        "ix_fragments_evidence", "fragments", ["shop_id", "evidence", "era"], unique=True
    )
    op.create_index("ix_fragments_profile", "fragments", ["shop_id", "profile_id"], unique=False)
    op.create_table(
        "identity_rules",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "version", name=op.f("pk_identity_rules")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imports",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_digest", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stored", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("duplicate", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rejected", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finished_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "import_id", name=op.f("pk_imports")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbox",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("inbox_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trust", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "inbox_id", name=op.f("pk_inbox")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_inbox_import",
        "inbox",
        ["shop_id", "import_id"],
        unique=False,
        sqlite_where=sa.text("import_id is not null"),
        postgresql_where=sa.text("import_id is not null"),
    )
    op.create_table(
        "job_runs",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("night", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("moved_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "run_id", name=op.f("pk_job_runs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_runs_night", "job_runs", ["shop_id", "kind", "night"], unique=True)
    op.create_index("ix_job_runs_state", "job_runs", ["state", "kind"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "user_id", name=op.f("pk_memberships")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_user", "memberships", ["user_id"], unique=False)
    op.create_table(
        "merges",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("merge_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kept_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gone_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("merged_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("fragment_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by_fragment", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("bridges", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "merge_id", name=op.f("pk_merges")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_merges_gone", "merges", ["shop_id", "gone_id"], unique=False)
    op.create_index("ix_merges_kept", "merges", ["shop_id", "kept_id"], unique=False)
    op.create_table(
        "observations",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("aggregate", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "fragment_id", name=op.f("pk_observations")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_events",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "fragment_id", "occurred_at", "event_id", name=op.f("pk_order_events")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_lines",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_price", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discount", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("told_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "order_id", "line_key", name=op.f("pk_order_lines")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_rank", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("owner_rank", sa.Integer(), nullable=False),
        sa.Column("owner_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_key", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("foreign_currency", sa.Boolean(), nullable=False),
        sa.Column("given_total", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("total", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("discount", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("items_count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("promo_codes", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "order_id", name=op.f("pk_orders")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_orders_change", "orders", ["shop_id", "change"], unique=False)
    op.create_index("ix_orders_fragment", "orders", ["shop_id", "fragment_id"], unique=False)
    op.create_index("ix_orders_key", "orders", ["shop_id", "order_key"], unique=True)
    op.create_table(
        "organisation_members",
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "user_id", name=op.f("pk_organisation_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_organisation_members_user", "organisation_members", ["user_id"], unique=False
    )
    op.create_table(
        "organisations",
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisations")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ownerships",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("era", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "type", "value", "era", name=op.f("pk_ownerships")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_ownerships_fragment", "ownerships", ["shop_id", "fragment_id"], unique=False
    )
    op.create_table(
        "privacy_requests",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "request_id", name=op.f("pk_privacy_requests")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profile_changes",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "change", "profile_id", name=op.f("pk_profile_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profiles",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("merged_into", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("founded_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "profile_id", name=op.f("pk_profiles")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_profiles_merged_into",
        "profiles",
        ["shop_id", "merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into is not null"),
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_table(
        "refunds",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("refund_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("refund_key", sa.Text(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("own_fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_rank", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("refunded_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("foreign_currency", sa.Boolean(), nullable=False),
        sa.Column("items_count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "refund_id", name=op.f("pk_refunds")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refunds_change", "refunds", ["shop_id", "change"], unique=False)
    op.create_index("ix_refunds_fragment", "refunds", ["shop_id", "fragment_id"], unique=False)
    op.create_index("ix_refunds_key", "refunds", ["shop_id", "refund_key"], unique=True)
    op.create_index("ix_refunds_order", "refunds", ["shop_id", "order_key"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "user_id", "name", name=op.f("pk_saved_views")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scores",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("rfm_r", sa.Integer(), nullable=True),
        sa.Column("rfm_f", sa.Integer(), nullable=True),
        sa.Column("rfm_m", sa.Integer(), nullable=True),
        sa.Column("rfm_group", sa.Text(), nullable=True),
        sa.Column("churn_index", sa.Double(), nullable=True),
        sa.Column("churn_band", sa.Text(), nullable=True),
        sa.Column("churn_risk", sa.Double(), nullable=True),
        sa.Column("predicted_orders_90d", sa.Double(), nullable=True),
        sa.Column("predicted_spend_30d", sa.BigInteger(), nullable=True),
        sa.Column("predicted_spend_90d", sa.BigInteger(), nullable=True),
        sa.Column("ltv", sa.BigInteger(), nullable=True),
        sa.Column("ltv_percentile", sa.Double(), nullable=True),
        sa.Column("predicted_next_order_at", sa.BigInteger(), nullable=True),
        sa.Column("products_due", sa.Text(), nullable=True),
        sa.Column("engagement_score", sa.Double(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "profile_id", name=op.f("pk_scores")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scores_change", "scores", ["shop_id", "change"], unique=False)
    op.create_table(
        "segment_members",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entered_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "segment_id", "profile_id", name=op.f("pk_segment_members")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_segment_members_change", "segment_members", ["shop_id", "change"], unique=False
    )
    op.create_index(
        "ix_segment_members_profile", "segment_members", ["shop_id", "profile_id"], unique=False
    )
    op.create_table(
        "segment_moves",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entered", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "change", "segment_id", "profile_id", name=op.f("pk_segment_moves")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_segment_moves_segment",
        "segment_moves",
        ["shop_id", "segment_id", "change", "profile_id"],
        unique=False,
    )
    op.create_table(
        "segments",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("due", sa.Text(), nullable=True),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edited_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("refreshed_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "segment_id", name=op.f("pk_segments")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segments_due", "segments", ["due", "retry_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visitor", sa.LargeBinary(), nullable=False),
        sa.Column("fragment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_key", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("touched_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("touch_source", sa.Text(), nullable=True),
        sa.Column("touch_medium", sa.Text(), nullable=True),
        sa.Column("touch_campaign", sa.Text(), nullable=True),
        sa.Column("touch_url", sa.Text(), nullable=True),
        sa.Column("referrer", sa.Text(), nullable=True),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "session_id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_change", "sessions", ["shop_id", "change"], unique=False)
    op.create_index(
        "ix_sessions_fragment", "sessions", ["shop_id", "fragment_id", "first_at"], unique=False
    )
    op.create_index(
        "ix_sessions_visitor", "sessions", ["shop_id", "visitor", "last_at"], unique=False
    )
    op.create_table(
        "setting_changes",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "change_id", name=op.f("pk_setting_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shop_clock",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.Column("synced", sa.BigInteger(), nullable=False),
        sa.Column("forgotten", sa.BigInteger(), nullable=False),
        sa.Column("refreshed", sa.BigInteger(), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_shop_clock")),
    )
    op.create_table(
        "shopify_links",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("linked_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "domain", name=op.f("pk_shopify_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shopify_links_domain", "shopify_links", ["domain"], unique=True)
    op.create_table(
        "shops",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("uninstalled_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("digest_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_shops")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shops_organisation", "shops", ["organisation_id"], unique=False)
    op.create_table(
        "sign_in_attempts",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sign_in_links_user", "sign_in_links", ["user_id"], unique=False)
    op.create_table(
        "signal_counts",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "source", "outcome", "reason", name=op.f("pk_signal_counts")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("shop_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mirror", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "shop_id", "change", "mirror", "row_id", name=op.f("pk_tombstones")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_users_email", "users", ["email"], unique=True)
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_web_sessions_user", "web_sessions", ["user_id"], unique=False)
