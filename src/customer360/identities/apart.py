"""Who are "not the same"? What people said of pairs; and it taken back at once by whoever slipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, delete, func, select, update

from customer360.clock import HOUR, Instant
from customer360.errors import AlreadyOne, CannotUndo, DecisionNotFound
from customer360.identities.merges import Follow, resolve_again
from customer360.identities.model import FragmentId
from customer360.identities.stored import ProfileId
from customer360.identities.tables import candidates, decisions, fragments
from customer360.storage.database import next_change

SLIP: Instant = HOUR
"""A slip is noticed while the page still shows what was done; what was decided longer ago was meant."""


class ApartRow(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody said of two profiles that they are not the same, or undid their merge."""

    decision_id: int
    kind: Literal["not_same", "undone"]
    profile_ids: tuple[ProfileId, ProfileId]
    """As they are now."""
    fragment_a: FragmentId
    fragment_b: FragmentId
    actor: str
    made_at: Instant


def list_apart(
    connection: Connection, shop_id: int, *, before: int | None = None, limit: int = 50
) -> list[ApartRow]:
    """A page of what was said and holds, newest first; `before`: the last decision of the page before."""
    query = _holding(shop_id)
    if before is not None:
        query = query.where(decisions.c.decision_id < before)
    query = query.order_by(decisions.c.decision_id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(query)]


def count_apart(connection: Connection, shop_id: int) -> int:
    """How many there are on all pages."""
    query = select(func.count()).select_from(_holding(shop_id).subquery())
    return int(connection.execute(query).scalar_one())


def get_apart(connection: Connection, shop_id: int, decision_id: int) -> ApartRow:
    """This one, while it holds; raises DecisionNotFound, and AlreadyOne where a merge by hand overruled it."""
    query = _query(shop_id).where(decisions.c.decision_id == decision_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise DecisionNotFound
    if row.profile_a == row.profile_b:
        raise AlreadyOne
    return _read(row)


def take_back(
    connection: Connection,
    shop_id: int,
    decision_ids: Sequence[int],
    *,
    now: Instant,
    follow: Follow,
) -> None:
    """As if nobody had said "not the same": each pair is open again, or one by what came meanwhile; all or none.

    Raises DecisionNotFound, AlreadyOne, and CannotUndo later than an hour after, and for what an undone merge said.
    """
    change = next_change(connection, shop_id)
    for decision_id in dict.fromkeys(decision_ids):
        row = get_apart(connection, shop_id, decision_id)
        if row.kind == "undone":
            raise CannotUndo("This was said by undoing a merge; merge the two again instead.")
        if now - row.made_at > SLIP:
            raise CannotUndo("The time to take this back is over; merge the two to overrule it.")
        connection.execute(
            delete(decisions).where(
                decisions.c.shop_id == shop_id, decisions.c.decision_id == decision_id
            )
        )
        connection.execute(
            update(candidates)
            .where(
                candidates.c.shop_id == shop_id,
                candidates.c.fragment_a == row.fragment_a,
                candidates.c.fragment_b == row.fragment_b,
                candidates.c.state == "dismissed",
            )
            .values(state="open", decided_at=None, decided_by=None)
        )
        pair = (row.fragment_a, row.fragment_b)
        resolve_again(connection, shop_id, change, pair, now=now, follow=follow)


_one, _other = fragments.alias("one"), fragments.alias("other")


def _holding(shop_id: int) -> Select[Any]:
    return _query(shop_id).where(_one.c.profile_id != _other.c.profile_id)


def _query(shop_id: int) -> Select[Any]:
    query = select(
        *(decisions.c[name] for name in ("decision_id", "kind", "fragment_a", "fragment_b")),
        *(decisions.c[name] for name in ("actor", "made_at")),
        _one.c.profile_id.label("profile_a"),
        _other.c.profile_id.label("profile_b"),
    )
    for side, fragment in ((_one, decisions.c.fragment_a), (_other, decisions.c.fragment_b)):
        query = query.join(
            side, and_(side.c.shop_id == decisions.c.shop_id, side.c.fragment_id == fragment)
        )
    return query.where(
        decisions.c.shop_id == shop_id,
        decisions.c.kind.in_(("not_same", "undone")),
    )


def _read(row: Any) -> ApartRow:
    older, younger = sorted((row.profile_a, row.profile_b))
    return ApartRow(
        decision_id=row.decision_id,
        kind=row.kind,
        profile_ids=(older, younger),
        fragment_a=row.fragment_a,
        fragment_b=row.fragment_b,
        actor=row.actor or "",
        made_at=row.made_at,
    )
