"""Identities in the warehouse: only which fragment belongs to which profile; no identifier ever enters."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from customer360.storage.mirror import Field, Kind, Mirror, Rows, fetch


def _rows(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    for rows in fetch(
        connection,
        "select fragment_id, profile_id from fragments"
        " where shop_id = {} and change > {} and change <= {} order by change",
        (shop_id, after, upto),
    ):
        columns = list(zip(*rows, strict=True))
        yield Rows(columns[0], columns)


FRAGMENTS_MIRROR = 3
"""Number of the map from fragment to profile in tombstones."""

FRAGMENT_PROFILES = Mirror(
    table="fragment_profiles",
    number=FRAGMENTS_MIRROR,
    fields=(Field("fragment_id", Kind.ID), Field("profile_id", Kind.ID)),
    key="fragment_id",
    changed_in="fragments",
    rows=_rows,
)

MIRRORS = (FRAGMENT_PROFILES,)
