"""What is known about a person beside the bare events; everything hangs on a fragment, never on a profile id."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text

from customer360.storage.metadata import KEEP, NULL, metadata, number, shop_id

orders = Table(
    "orders",
    metadata,
    shop_id(),
    number("order_id", primary_key=True),
    Column("order_key", Text, nullable=False, info=KEEP),
    number("fragment_id", nullable=False),
    Column("source", Text, nullable=False, info=KEEP),
    Column("source_rank", Integer, nullable=False, info=KEEP),
    number("updated_at", nullable=False),
    Column("dedupe_key", Text, nullable=False, info=KEEP),
    Column("owner_rank", Integer, nullable=False, info=KEEP),
    number("owner_at", nullable=False),
    Column("owner_key", Text, nullable=False, info=KEEP),
    number("placed_at", nullable=True),
    number("cancelled_at", nullable=True),
    Column("test", Boolean, nullable=False, info=KEEP),
    Column("currency", Text, nullable=False, info=KEEP),
    Column("foreign_currency", Boolean, nullable=False, info=KEEP),
    number("given_total", nullable=True),
    number("total", nullable=False),
    number("discount", nullable=False),
    number("items_count", nullable=False),
    Column("promo_codes", Text, nullable=False, info=KEEP),
    Column("place", Text, nullable=False, info=KEEP),
    Column("marketplace", Text, nullable=False, info=KEEP),
    Column("location", Text, nullable=False, info=KEEP),
    Column("number", Text, nullable=False, info=NULL),
    Column("status", Text, nullable=False, info=KEEP),
    Column("properties", Text, nullable=True, info=NULL),
    number("change", nullable=False),
    Index("ix_orders_key", "shop_id", "order_key", unique=True),
    Index("ix_orders_fragment", "shop_id", "fragment_id"),
    Index("ix_orders_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""The present state of each order, told by its most authoritative source. It is not placed while `placed_at` is
null; fragment 0 is nobody. Amounts are ten-thousandths. `owner_rank`, `owner_at` and `owner_key` say which report
named the person; `given_total` is the total that a file tells beside the order's lines."""

order_lines = Table(
    "order_lines",
    metadata,
    shop_id(),
    number("order_id", primary_key=True),
    Column("line_key", Text, primary_key=True, info=KEEP),
    Column("product_id", Text, nullable=False, info=KEEP),
    Column("variant", Text, nullable=False, info=KEEP),
    Column("title", Text, nullable=False, info=KEEP),
    Column("vendor", Text, nullable=False, info=KEEP),
    Column("sku", Text, nullable=False, info=KEEP),
    number("quantity", nullable=False),
    number("unit_price", nullable=False),
    number("discount", nullable=False),
    number("told_at", nullable=False),
    number("fragment_id", nullable=False),
    sqlite_with_rowid=False,
)
"""`told_at` and `fragment_id`: time and fragment of the line itself, for orders that a file tells line by line."""

refunds = Table(
    "refunds",
    metadata,
    shop_id(),
    number("refund_id", primary_key=True),
    Column("refund_key", Text, nullable=False, info=KEEP),
    Column("order_key", Text, nullable=False, info=KEEP),
    number("fragment_id", nullable=False),
    number("own_fragment_id", nullable=False),
    Column("source", Text, nullable=False, info=KEEP),
    Column("source_rank", Integer, nullable=False, info=KEEP),
    number("updated_at", nullable=False),
    Column("dedupe_key", Text, nullable=False, info=KEEP),
    number("refunded_at", nullable=False),
    number("amount", nullable=False),
    Column("foreign_currency", Boolean, nullable=False, info=KEEP),
    number("items_count", nullable=False),
    Column("properties", Text, nullable=True, info=NULL),
    number("change", nullable=False),
    Index("ix_refunds_key", "shop_id", "refund_key", unique=True),
    Index("ix_refunds_order", "shop_id", "order_key"),
    Index("ix_refunds_fragment", "shop_id", "fragment_id"),
    Index("ix_refunds_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""A refund counts for the person of its order; `own_fragment_id` is whom the refund itself named, if anybody."""

sessions = Table(
    "sessions",
    metadata,
    shop_id(),
    number("session_id", primary_key=True),
    Column("visitor", LargeBinary, nullable=False, info=NULL),
    number("fragment_id", nullable=False),
    number("first_at", nullable=False),
    number("last_at", nullable=False),
    Column("first_key", Text, nullable=False, info=KEEP),
    number("events", nullable=False),
    number("touched_at", nullable=True),
    Column("touch_source", Text, nullable=True, info=KEEP),
    Column("touch_medium", Text, nullable=True, info=KEEP),
    Column("touch_campaign", Text, nullable=True, info=KEEP),
    Column("touch_url", Text, nullable=True, info=NULL),
    Column("referrer", Text, nullable=True, info=NULL),
    number("change", nullable=False),
    Index("ix_sessions_visitor", "shop_id", "visitor", "last_at"),
    Index("ix_sessions_fragment", "shop_id", "fragment_id", "first_at"),
    Index("ix_sessions_change", "shop_id", "change"),
)
"""Visits: `visitor` is a keyed digest of the cookie (or strongest identifier) and the source's session id, if any.
The session counts for `fragment_id`, the fragment of its first event (`first_key` breaks ties)."""

checkouts = Table(
    "checkouts",
    metadata,
    shop_id(),
    number("checkout_id", primary_key=True),
    Column("token", Text, nullable=False, info=NULL),
    number("fragment_id", nullable=False),
    number("started_at", nullable=True),
    number("ordered_at", nullable=True),
    Column("due", Boolean, nullable=False, info=KEEP),
    number("abandoned_at", nullable=True),
    Column("properties", Text, nullable=True, info=NULL),
    number("change", nullable=False),
    Index("ix_checkouts_token", "shop_id", "token", unique=True),
    Index("ix_checkouts_fragment", "shop_id", "fragment_id"),
    Index("ix_checkouts_due", "shop_id", "due", "started_at"),
    Index("ix_checkouts_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""Checkouts that were started, and the order that ended each; `due` ones wait to be called abandoned."""
