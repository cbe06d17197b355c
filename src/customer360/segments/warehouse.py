"""Membership in the warehouse: who is in a segment now."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from customer360.storage.mirror import Field, Kind, Mirror, Rows, fetch

MEMBERS_MIRROR = 8
"""Number of the members of segments in tombstones."""


def _rows(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    for rows in fetch(
        connection,
        "select member_id, segment_id, profile_id, entered_at from segment_members"
        " where shop_id = {} and change > {} and change <= {} order by change",
        (shop_id, after, upto),
    ):
        columns = list(zip(*rows, strict=True))
        yield Rows(columns[0], columns)


SEGMENT_MEMBERS = Mirror(
    table="segment_members",
    number=MEMBERS_MIRROR,
    fields=(
        Field("member_id", Kind.ID),
        Field("segment_id", Kind.ID),
        Field("profile_id", Kind.ID),
        Field("entered_at", Kind.TIME),
    ),
    key="member_id",
    changed_in="segment_members",
    rows=_rows,
    owner=None,
)

MIRRORS = (SEGMENT_MEMBERS,)
