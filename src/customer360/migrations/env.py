"""What Alembic runs around each migration: our connection, our tables, our transaction."""

from __future__ import annotations

from alembic import context

from customer360.migrations.catalogue import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it, which Alembic calls a batch; new tables need none.
    render_as_batch=context.config.attributes.get("alters", False),
)
# The caller has begun the transaction and commits it; Alembic joins.
with context.begin_transaction():
    context.run_migrations()
