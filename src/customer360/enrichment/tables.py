"""What enrichment knows of each person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.types import TypeEngine

from customer360.enrichment.columns import KEPT
from customer360.storage.metadata import DELETE, metadata, number, shop_id
from customer360.storage.mirror import Kind

_TYPES: dict[Kind, type[TypeEngine[Any]]] = {
    Kind.COUNT: Integer,
    Kind.NUMBER: Double,
    Kind.MONEY: BigInteger,
    Kind.TIME: BigInteger,
    Kind.PACKED: LargeBinary,
}

scores = Table(
    "scores",
    metadata,
    shop_id(),
    number("profile_id", primary_key=True),
    *(Column(one.name, _TYPES.get(one.kind, Text), nullable=True, info=DELETE) for one in KEPT),
    number("change", nullable=False),
    Index("ix_scores_change", "shop_id", "change"),
    sqlite_with_rowid=False,
)
"""The scores of the last run, for whoever has any; `products_due` is a JSON list of titles, `details` the
numbers of `columns.DETAILS`. A row of a profile that was
merged away stays until the next run: its id may come back."""
