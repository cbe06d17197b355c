"""Moves people into segments and out of them: the profile store decides who was not there before, each move once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.segments.model import Cause
from customer360.segments.tables import segment_moves
from customer360.segments.warehouse import MEMBERS_MIRROR
from customer360.storage.database import bulk, bulk_update
from customer360.storage.metadata import tombstones
from customer360.values import new_ids

MOST_MOVES = 2000
"""Of one transaction: entries take some 30 ms, exits from anywhere in a large shop some 100."""


class Wish(NamedTuple):
    """A move that the warehouse suggests."""

    segment_id: int
    profile_id: int
    entered: bool
    cause: Cause


_ENTER = {
    "sqlite": (
        "insert into segment_members (shop_id, segment_id, profile_id, member_id, entered_at, change)"
        " select ?, value ->> 0, value ->> 1, value ->> 2, ?, ? from json_each(?) where true"
        " on conflict do nothing returning segment_id, profile_id"
    ),
    "postgresql": (
        "insert into segment_members (shop_id, segment_id, profile_id, member_id, entered_at, change)"
        " select %s, segment_id, profile_id, member_id, %s, %s"
        " from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as given (segment_id, profile_id, member_id)"
        " on conflict do nothing returning segment_id, profile_id"
    ),
}
_LEAVE = {
    "sqlite": (
        "delete from segment_members where shop_id = ? and (segment_id, profile_id) in"
        " (select value ->> 0, value ->> 1 from json_each(?)) returning segment_id, profile_id, member_id"
    ),
    "postgresql": (
        "delete from segment_members m using unnest(%s::bigint[], %s::bigint[]) as given (segment_id, profile_id)"
        " where m.shop_id = %s and m.segment_id = given.segment_id and m.profile_id = given.profile_id"
        " returning m.segment_id, m.profile_id, m.member_id"
    ),
}


def move(
    connection: Connection, shop_id: int, change: int, now: Instant, wishes: Sequence[Wish]
) -> int:
    """Move whoever is not where a wish wants them; returns how many moved."""
    enter = [(one.segment_id, one.profile_id) for one in wishes if one.entered]
    leave = [(one.segment_id, one.profile_id) for one in wishes if not one.entered]
    entered = _enter(connection, shop_id, change, now, enter) if enter else []
    left = _leave(connection, shop_id, leave) if leave else []
    bury_members(connection, shop_id, change, [member_id for *_, member_id in left])
    cause_of = {(one.segment_id, one.profile_id): one.cause for one in wishes}
    moved = [(segment_id, profile_id, True) for segment_id, profile_id in entered]
    moved += [(segment_id, profile_id, False) for segment_id, profile_id, _ in left]
    bulk(
        connection,
        segment_moves,
        ("shop_id", "change", "segment_id", "profile_id", "entered", "cause", "occurred_at"),
        [
            (shop_id, change, segment_id, profile_id, came, cause_of[segment_id, profile_id], now)
            for segment_id, profile_id, came in moved
        ],
    )
    _count(connection, shop_id, now, moved)
    return len(moved)


def bury_members(
    connection: Connection, shop_id: int, change: int, member_ids: Sequence[int]
) -> None:
    """Have the warehouse forget memberships."""
    bulk(
        connection,
        tombstones,
        ("shop_id", "change", "mirror", "row_id"),
        [(shop_id, change, MEMBERS_MIRROR, member_id) for member_id in member_ids],
    )


def _enter(
    connection: Connection,
    shop_id: int,
    change: int,
    now: Instant,
    pairs: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Those of (segment, profile) that were no members."""
    rows = [
        (*pair, member_id) for pair, member_id in zip(pairs, new_ids.take(len(pairs)), strict=True)
    ]
    dialect = connection.dialect.name
    given = _given(dialect, rows)
    found = connection.exec_driver_sql(_ENTER[dialect], (shop_id, now, change, *given))
    return [(segment_id, profile_id) for segment_id, profile_id in found]


def _leave(
    connection: Connection, shop_id: int, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """Those of (segment, profile) that were members, with the id of their membership."""
    dialect = connection.dialect.name
    given = _given(dialect, pairs)
    values = (shop_id, *given) if dialect == "sqlite" else (*given, shop_id)
    found = connection.exec_driver_sql(_LEAVE[dialect], values)
    return [(segment_id, profile_id, member_id) for segment_id, profile_id, member_id in found]


def _given(dialect: str, rows: Sequence[tuple[int, ...]]) -> tuple[Any, ...]:
    """Rows as one bound value, or a value for each of their columns."""
    if dialect == "sqlite":
        return (json.dumps(rows),)
    return tuple(list(column) for column in zip(*rows, strict=True))


def _count(
    connection: Connection, shop_id: int, now: Instant, moved: Sequence[tuple[int, int, bool]]
) -> None:
    grown: Counter[int] = Counter()
    for segment_id, _, came in moved:
        grown[segment_id] += 1 if came else -1
    bulk_update(
        connection,
        "update segments set members = members + {}, refreshed_at = {} where shop_id = {} and segment_id = {}",
        [(growth, now, shop_id, segment_id) for segment_id, growth in sorted(grown.items())],
    )
