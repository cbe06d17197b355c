"""Organisations, shops, keys and the people who work there.

The people here are the shop's own staff, never its customers: erasing a customer leaves them alone,
so every column says "keep". They go when their user or shop is deleted.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from customer360.storage.metadata import KEEP, metadata, number, shop_id

organisations = Table(
    "organisations",
    metadata,
    number("organisation_id", primary_key=True),
    Column("name", Text, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    sqlite_with_rowid=False,
)
"""Who owns one or more shops; an agency has many."""

shops = Table(
    "shops",
    metadata,
    shop_id(),
    number("organisation_id", nullable=False),
    Column("name", Text, nullable=False, info=KEEP),
    Column("currency", Text, nullable=False, info=KEEP),
    Column("timezone", Text, nullable=False, info=KEEP),
    Column("country", Text, nullable=False, info=KEEP),
    Column("plan", Text, nullable=False, default="open", info=KEEP),
    Column("state", Text, nullable=False, default="active", info=KEEP),
    number("uninstalled_at", nullable=True),
    Column("digest_key", LargeBinary, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    Column("settings", Text, nullable=False, default="{}", info=KEEP),
    Index("ix_shops_organisation", "organisation_id"),
    sqlite_with_rowid=False,
)
"""`state`: active, or uninstalled since `uninstalled_at`. `digest_key` keys the digests of this
shop's identifiers."""

setting_changes = Table(
    "setting_changes",
    metadata,
    shop_id(),
    number("change_id", primary_key=True),
    Column("part", Text, nullable=False, info=KEEP),
    Column("name", Text, nullable=False, info=KEEP),
    Column("before", Text, nullable=False, info=KEEP),
    Column("after", Text, nullable=False, info=KEEP),
    Column("actor", Text, nullable=False, info=KEEP),
    number("made_at", nullable=False),
    sqlite_with_rowid=False,
)
"""Who set what otherwise in a part of a shop's settings; values as JSON."""

api_keys = Table(
    "api_keys",
    metadata,
    shop_id(),
    number("key_id", primary_key=True),
    Column("kind", Text, nullable=False, info=KEEP),
    Column("digest", LargeBinary, nullable=False, info=KEEP),
    Column("readable", Text, nullable=True, info=KEEP),
    Column("ending", Text, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    number("revoked_at", nullable=True),
    Index("ix_api_keys_digest", "digest", unique=True),
    sqlite_with_rowid=False,
)
"""Keys as digests; only the pixel key, which every page of the shop shows, is also kept readable.
`kind`: pixel, write, api or webhook. `ending`: its last four characters, to tell keys apart."""

shopify_links = Table(
    "shopify_links",
    metadata,
    shop_id(),
    Column("domain", Text, primary_key=True, info=KEEP),
    Column("secret", LargeBinary, nullable=False, info=KEEP),
    Column("previous_secret", LargeBinary, nullable=True, info=KEEP),
    number("rotated_at", nullable=True),
    number("linked_at", nullable=False),
    Index("ix_shopify_links_domain", "domain", unique=True),
    sqlite_with_rowid=False,
)
"""Which Shopify shop is which of ours, with the app's secret, sealed with the installation's key.
The previous secret still signs for an hour after `rotated_at`."""

users = Table(
    "users",
    metadata,
    number("user_id", primary_key=True),
    Column("email", Text, nullable=False, info=KEEP),
    Column("password_hash", Text, nullable=True, info=KEEP),
    number("created_at", nullable=False),
    Index("ix_users_email", "email", unique=True),
    sqlite_with_rowid=False,
)
"""People who sign in. Without a password they do so by one-time links alone."""

organisation_members = Table(
    "organisation_members",
    metadata,
    number("organisation_id", primary_key=True),
    number("user_id", primary_key=True),
    Column("role", Text, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    Index("ix_organisation_members_user", "user_id"),
    sqlite_with_rowid=False,
)
"""Who works for every shop of an organisation, those still to come included."""

memberships = Table(
    "memberships",
    metadata,
    shop_id(),
    number("user_id", primary_key=True),
    Column("role", Text, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    Index("ix_memberships_user", "user_id"),
    sqlite_with_rowid=False,
)
"""Who works for one shop."""

saved_views = Table(
    "saved_views",
    metadata,
    shop_id(),
    number("user_id", primary_key=True),
    Column("name", Text, primary_key=True, info=KEEP),
    Column("query", Text, nullable=False, info=KEEP),
    sqlite_with_rowid=False,
)
"""How a user wants to see the shop's customers again: filters, columns and order, as the address has them, never a
search, which would hold a customer's name."""

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True, info=KEEP),
    number("user_id", nullable=False),
    number("expires_at", nullable=False),
    Index("ix_sign_in_links_user", "user_id"),
    sqlite_with_rowid=False,
)
"""One-time links that wait to be opened; opening deletes the row."""

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True, info=KEEP),
    number("user_id", nullable=False),
    Column("csrf_token", Text, nullable=False, info=KEEP),
    number("created_at", nullable=False),
    number("expires_at", nullable=False),
    Index("ix_web_sessions_user", "user_id"),
    sqlite_with_rowid=False,
)
"""Browsers that are signed in: a digest of the cookie; signing out deletes the row."""

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("subject", LargeBinary, primary_key=True, info=KEEP),
    number("since", nullable=False),
    Column("n", Integer, nullable=False, info=KEEP),
    sqlite_with_rowid=False,
)
"""Failed sign-ins since a time, by digest of the e-mail address or of the network address."""
