"""What people should know of a profile: that it links no further by itself. Kept, acknowledged, and ended by itself."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, func, select, update

from customer360.clock import Instant
from customer360.errors import AlertNotFound
from customer360.identities.stored import AlertId, ProfileId
from customer360.identities.tables import alerts, fragments

AlertState = Literal["open", "ended"]


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; `profile_id` is the profile as it is now."""

    alert_id: AlertId
    kind: Literal["frozen"]
    profile_id: ProfileId
    made_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str
    ended_at: Instant | None


def list_alerts(
    connection: Connection,
    shop_id: int,
    *,
    state: AlertState = "open",
    before: AlertId | None = None,
    limit: int = 50,
) -> list[AlertRow]:
    """A page of alerts, newest first, acknowledged or not; `before`: the last one of the page before."""
    query = _query(shop_id).where(_in_state(state))
    if before is not None:
        query = query.where(alerts.c.alert_id < before)
    query = query.order_by(alerts.c.alert_id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(query)]


def count_alerts(
    connection: Connection, shop_id: int, *, state: AlertState = "open", unseen: bool = False
) -> int:
    """How many there are; `unseen`: only those that nobody has acknowledged."""
    query = select(func.count()).where(alerts.c.shop_id == shop_id, _in_state(state))
    if unseen:
        query = query.where(alerts.c.acknowledged_at.is_(None))
    return int(connection.execute(query).scalar_one())


def alert_of(connection: Connection, shop_id: int, profile_id: ProfileId) -> AlertRow | None:
    """The alert of a profile that has not ended, if there is one."""
    query = _query(shop_id).where(fragments.c.profile_id == profile_id, _in_state("open"))
    row = connection.execute(query).first()
    return None if row is None else _read(row)


def acknowledge(
    connection: Connection, shop_id: int, alert_id: AlertId, *, actor: str, now: Instant
) -> AlertRow:
    """Note that somebody has seen it; whoever did so first stays named. Raises AlertNotFound."""
    mine = and_(alerts.c.shop_id == shop_id, alerts.c.alert_id == alert_id)
    connection.execute(
        update(alerts)
        .where(mine, alerts.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=actor)
    )
    row = connection.execute(_query(shop_id).where(alerts.c.alert_id == alert_id)).one_or_none()
    if row is None:
        raise AlertNotFound
    return _read(row)


def _query(shop_id: int) -> Select[Any]:
    same = and_(
        fragments.c.shop_id == alerts.c.shop_id, fragments.c.fragment_id == alerts.c.fragment_id
    )
    query = select(alerts, fragments.c.profile_id).join_from(alerts, fragments, same)
    return query.where(alerts.c.shop_id == shop_id)


def _in_state(state: AlertState) -> Any:
    return alerts.c.ended_at.is_(None) if state == "open" else alerts.c.ended_at.is_not(None)


def _read(row: Any) -> AlertRow:
    return AlertRow(
        alert_id=row.alert_id,
        kind=row.kind,
        profile_id=row.profile_id,
        made_at=row.made_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by or "",
        ended_at=row.ended_at,
    )
