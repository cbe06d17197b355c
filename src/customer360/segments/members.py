"""Who is in which segment, and who came and went. All customers has no rows here: ask the warehouse who they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from customer360.profiles.browse import Wanted
from customer360.segments.model import Cause, Membership, Move, Segment
from customer360.segments.store import DELETED
from customer360.segments.tables import segment_members, segment_moves, segments


def among(segment: Segment, wanted: Wanted) -> Wanted:
    """Of the wanted profiles those in a segment, as the warehouse has its members."""
    if not segment.built_in:
        return replace(wanted, segment_id=segment.segment_id)
    if wanted.kind == "visitor":
        return replace(wanted, profile_ids=())
    return replace(wanted, kind="customer")


def member_ids(
    connection: Connection, shop_id: int, segment_id: int, *, after: int = 0, limit: int
) -> list[int]:
    """The next so many profile ids of a segment's members after this one, rising."""
    members = segment_members.c
    query = (
        select(members.profile_id)
        .where(
            members.shop_id == shop_id,
            members.segment_id == segment_id,
            members.profile_id > after,
        )
        .order_by(members.profile_id)
        .limit(limit)
    )
    return list(connection.scalars(query))


def segments_of(connection: Connection, shop_id: int, profile_id: int) -> list[Membership]:
    """The segments that a profile is in, the latest first."""
    members = segment_members.c
    query = (
        select(members.segment_id, members.entered_at)
        .join(
            segments,
            (segments.c.shop_id == members.shop_id) & (segments.c.segment_id == members.segment_id),
        )
        .where(
            members.shop_id == shop_id,
            members.profile_id == profile_id,
            segments.c.state != DELETED,
        )
        .order_by(members.entered_at.desc(), members.segment_id)
    )
    return [Membership(*row) for row in connection.execute(query)]


def changes_since(connection: Connection, shop_id: int, after: int, limit: int) -> list[Move]:
    """Who came and went after a change number, in the order of change numbers.

    At least `limit` moves where there are so many: those of one change stay together, so the last one's change is
    where to go on from.
    """
    moves = segment_moves.c
    later = (moves.shop_id == shop_id) & (moves.change > after)
    last = select(moves.change).where(later).order_by(moves.change).offset(limit - 1).limit(1)
    query = select(*_MOVE).where(later)
    upto = connection.execute(last).scalar_one_or_none()
    if upto is not None:
        query = query.where(moves.change <= upto)
    ordered = query.order_by(moves.change, moves.segment_id, moves.profile_id)
    return _read(connection, ordered)


def moves_of(
    connection: Connection, shop_id: int, segment_id: int, after: tuple[int, int], limit: int
) -> list[Move]:
    """The next so many moves of one segment behind one (its change number and profile), oldest first."""
    moves = segment_moves.c
    query = (
        select(*_MOVE)
        .where(
            moves.shop_id == shop_id,
            moves.segment_id == segment_id,
            tuple_(moves.change, moves.profile_id) > after,
        )
        .order_by(moves.change, moves.profile_id)
        .limit(limit)
    )
    return _read(connection, query)


def count_moves(connection: Connection, shop_id: int, segment_id: int, after: int = 0) -> int:
    """How often somebody came into a segment or left it after a change number."""
    moves = segment_moves.c
    query = select(func.count()).where(
        moves.shop_id == shop_id, moves.segment_id == segment_id, moves.change > after
    )
    return connection.scalar(query) or 0


def latest_moves(connection: Connection, shop_id: int, segment_id: int, limit: int) -> list[Move]:
    """Who came into a segment and left it last, the newest first."""
    moves = segment_moves.c
    query = (
        select(*_MOVE)
        .where(moves.shop_id == shop_id, moves.segment_id == segment_id)
        .order_by(moves.change.desc(), moves.profile_id.desc())
        .limit(limit)
    )
    return _read(connection, query)


_MOVE = tuple(segment_moves.c[name] for name in Move._fields)


def _read(connection: Connection, query: Select[Any]) -> list[Move]:
    return [Move(*row)._replace(cause=Cause(row.cause)) for row in connection.execute(query)]
