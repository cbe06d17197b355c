"""The log of merges: what became one, who or what did it, and until when it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from customer360.clock import Instant
from customer360.errors import MergeNotFound
from customer360.events.model import Identifier
from customer360.identities.model import FragmentId, MergeKind
from customer360.identities.stored import ProfileId
from customer360.identities.tables import merges, profiles

MergeState = Literal["standing", "undone", "dissolved"]
Position = tuple[Instant, int]
"""Where a page ended: when the last merge on it was recorded, and its id."""


class MergeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One merge. The fragments and times name its two sides; `bridges` are the identifiers that showed it."""

    merge_id: int
    kept_id: ProfileId
    gone_id: ProfileId
    kind: MergeKind
    actor: str
    merged_at: Instant
    recorded_at: Instant
    decision_id: int | None
    fragment_a: FragmentId
    at_a: Instant
    fragment_b: FragmentId
    at_b: Instant
    by_fragment: FragmentId | None
    bridges: tuple[Identifier, ...]
    state: MergeState
    ended_at: Instant | None
    ended_by: str

    def undo_until(self, window: Instant) -> Instant | None:
        """Until when it can be undone; None where it stands no more."""
        return self.recorded_at + window if self.state == "standing" else None


def get_merge(connection: Connection, shop_id: int, merge_id: int) -> MergeRow:
    """The merge with this id; raises MergeNotFound."""
    query = select(merges).where(merges.c.shop_id == shop_id, merges.c.merge_id == merge_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise MergeNotFound
    return _read(row)


def list_merges(
    connection: Connection,
    shop_id: int,
    *,
    kinds: Sequence[MergeKind] = (),
    state: MergeState | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> list[MergeRow]:
    """A page of the log, newest first; `after` is the position of the last one of the page before."""
    query = select(merges).where(_wanted(shop_id, kinds, state))
    if after is not None:
        at, merge_id = after
        query = query.where(
            or_(
                merges.c.recorded_at < at,
                and_(merges.c.recorded_at == at, merges.c.merge_id < merge_id),
            )
        )
    query = query.order_by(merges.c.recorded_at.desc(), merges.c.merge_id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(query)]


def count_merges(
    connection: Connection,
    shop_id: int,
    *,
    kinds: Sequence[MergeKind] = (),
    state: MergeState | None = None,
) -> int:
    """How many merges the log has."""
    query = select(func.count()).select_from(merges).where(_wanted(shop_id, kinds, state))
    return int(connection.execute(query).scalar_one())


def merges_of(connection: Connection, shop_id: int, profile_id: ProfileId) -> list[MergeRow]:
    """The merges that a profile, or one that it took in, had a part in, newest first."""
    taken_in = select(profiles.c.profile_id).where(
        profiles.c.shop_id == shop_id, profiles.c.merged_into == profile_id
    )
    ids = [profile_id, *connection.scalars(taken_in)]
    query = (
        select(merges)
        .where(
            merges.c.shop_id == shop_id,
            or_(merges.c.kept_id.in_(ids), merges.c.gone_id.in_(ids)),
        )
        .order_by(merges.c.recorded_at.desc(), merges.c.merge_id.desc())
    )
    return [_read(row) for row in connection.execute(query)]


def _wanted(
    shop_id: int, kinds: Sequence[MergeKind], state: MergeState | None
) -> ColumnElement[bool]:
    conditions = [merges.c.shop_id == shop_id]
    if kinds:
        conditions.append(merges.c.kind.in_(kinds))
    if state is not None:
        conditions.append(merges.c.state == state)
    return and_(*conditions)


def _read(row: Row[Any]) -> MergeRow:
    bridges = json.loads(row.bridges) if row.bridges else []
    return MergeRow(
        merge_id=row.merge_id,
        kept_id=row.kept_id,
        gone_id=row.gone_id,
        kind=row.kind,
        actor=row.actor or "",
        merged_at=row.merged_at,
        recorded_at=row.recorded_at,
        decision_id=row.decision_id,
        fragment_a=row.fragment_a,
        at_a=row.at_a,
        fragment_b=row.fragment_b,
        at_b=row.at_b,
        by_fragment=row.by_fragment,
        bridges=tuple(Identifier(one["type"], one["value"]) for one in bridges),
        state=row.state,
        ended_at=row.ended_at,
        ended_by=row.ended_by or "",
    )
