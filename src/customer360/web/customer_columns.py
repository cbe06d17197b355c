"""The columns of All customers: those that always stand there, and those that may be chosen."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column by its attribute; `sort` is what orders by it, "" where nothing does."""

    name: str
    label: str
    sort: str = ""
    is_number: bool = False
    optional: bool = True


COLUMNS: tuple[Column, ...] = (
    Column("tier", "Tier", "tier", optional=False),
    Column("lifecycle_stage", "Stage"),
    Column("country", "Country"),
    Column("shopping_place", "Shops"),
    Column("orders_count", "Orders", "orders_count", is_number=True, optional=False),
    Column("total_spend", "Total spent", "total_spend", is_number=True, optional=False),
    Column("average_order_value", "Average order", "average_order_value", is_number=True),
    Column("ltv", "Lifetime value", "ltv", is_number=True),
    # By the index, of which bands are parts: their names have no order.
    Column("churn_band", "Churn", "churn_index"),
    Column("last_order_at", "Last order", "last_order_at"),
    Column("last_seen_at", "Last seen", "last_seen_at", optional=False),
)
OPTIONAL: dict[str, str] = {one.name: one.label for one in COLUMNS if one.optional}
USUAL: tuple[str, ...] = ("lifecycle_stage", "country", "last_order_at")
"""With those that always stand there, as many as a laptop shows without scrolling sideways."""
MOST_FITTING = 8
"""So many fit, the customer's name among them; a table of more scrolls sideways."""


def columns(chosen: tuple[str, ...]) -> list[Column]:
    """The columns in their order, of the optional ones those that were chosen."""
    return [one for one in COLUMNS if not one.optional or one.name in chosen]
