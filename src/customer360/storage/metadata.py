"""The one catalogue of tables, and the words every column says about personal data."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def personal(treatment: Literal["keep", "null", "delete"]) -> dict[str, str]:
    """What an erasure does with this column: keep it, set it to null, or delete its whole row."""
    return {"personal": treatment}


KEEP = personal("keep")
NULL = personal("null")
DELETE = personal("delete")


def shop_id() -> Column[int]:
    """The first column of every primary key."""
    return Column("shop_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP)


def number(name: str, *, primary_key: bool = False, nullable: bool = True) -> Column[int]:
    """A column of 64-bit whole numbers that tell nothing about a person: ids, instants, amounts, counts."""
    return Column(
        name,
        BigInteger,
        autoincrement=False,
        info=KEEP,
        primary_key=primary_key,
        nullable=nullable and not primary_key,
    )


shop_clock = Table(
    "shop_clock",
    metadata,
    shop_id(),
    Column("change", BigInteger, nullable=False, default=0, info=KEEP),
    Column("moves", BigInteger, nullable=False, default=0, info=KEEP),
    Column("synced", BigInteger, nullable=False, default=0, info=KEEP),
    Column("forgotten", BigInteger, nullable=False, default=0, info=KEEP),
    Column("refreshed", BigInteger, nullable=True, info=KEEP),
    Column("lease_epoch", BigInteger, nullable=False, default=0, info=KEEP),
    Column("lease_owner", BigInteger, nullable=True, info=KEEP),
    Column("lease_until", BigInteger, nullable=False, default=0, info=KEEP),
)
"""One row per shop: its last change number, how many changes only moved members of segments (so that whoever else
computes from what it read need not begin again), the last one known to be in the warehouse, the last one whose
tombstones are no longer kept, the last one that the members of its segments follow (null: it has no segments), and
the worker's lease."""

tombstones = Table(
    "tombstones",
    metadata,
    shop_id(),
    Column("change", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("mirror", Integer, primary_key=True, autoincrement=False, info=KEEP),
    Column("row_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    sqlite_with_rowid=False,
)
"""Rows that have left a mirrored table, so that the warehouse forgets them too; gone once it has."""

profile_changes = Table(
    "profile_changes",
    metadata,
    shop_id(),
    Column("change", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("profile_id", BigInteger, primary_key=True, autoincrement=False, info=KEEP),
    Column("cause", Text, nullable=True, info=KEEP),
    sqlite_with_rowid=False,
)
"""Profiles of which something changed, until the warehouse has them and the shop's segments follow. `cause` is null
where an event changed them, else `merge`, `undo` or `rebuild`. Appended instead of noted on the profile itself: that
would write two pages anywhere in the store for each of them."""
