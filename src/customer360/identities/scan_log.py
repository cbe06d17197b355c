"""The log of scans for duplicates: when, what they found, how, or why they failed; and whether one is due tonight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select, update

from customer360.access.shops import Shop
from customer360.clock import HOUR, MINUTE, Instant, from_datetime, to_datetime, zone
from customer360.errors import ScanUnderWay, ShopNotFound
from customer360.identities.tables import scans
from customer360.storage.metadata import shop_clock
from customer360.values import new_ids

_NIGHT: Instant = 4 * HOUR
"""A night that somebody slept through, because no worker ran, is over: by day the machine is for others."""
STILL: Instant = 10 * MINUTE
"""A scan that has not said for so long that it goes on was interrupted, on whichever machine it ran."""
_INTERRUPTED = "It was interrupted."


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found: candidates that are open now, those of them that are new, and those that ended."""

    people: int
    candidates: int
    new: int
    ended: int
    learned: bool
    """The weights were learned from the shop's own people."""


class ScanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One scan of a shop."""

    scan_id: int
    state: Literal["running", "done", "failed"]
    night: Instant | None
    began_at: Instant
    ended_at: Instant | None
    found: Found | None
    """Of one that is done."""
    reason: str


def due_night(connection: Connection, shop: Shop, hour: int, now: Instant) -> Instant | None:
    """The night, by when it began, whose scan is due: none was begun in it, and the shop changed since the last."""
    night = _night(now, shop.timezone, hour)
    if now >= night + _NIGHT or shop.state != "active":
        return None
    last = last_scan(connection, shop.shop_id)
    if last is not None and last.began_at >= night:
        return None
    seen = select(scans.c.change).where(scans.c.shop_id == shop.shop_id, scans.c.state == "done")
    seen = seen.order_by(scans.c.scan_id.desc()).limit(1)
    change = select(shop_clock.c.change).where(shop_clock.c.shop_id == shop.shop_id)
    unseen = connection.scalar(change) != (connection.scalar(seen) or 0)
    return night if unseen else None


def last_scan(connection: Connection, shop_id: int) -> ScanRow | None:
    """The scan that was begun last, if there was any."""
    query = select(scans).where(scans.c.shop_id == shop_id).order_by(scans.c.scan_id.desc())
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _read(row)


def begin_scan(
    connection: Connection, shop_id: int, now: Instant, night: Instant | None = None
) -> tuple[int, int]:
    """Note that a scan begins; returns its id and the shop's change number.

    Raises ShopNotFound, and ScanUnderWay where another machine has begun that of this night.
    """
    taken = select(scans.c.scan_id).where(scans.c.shop_id == shop_id, scans.c.night == night)
    # Locked, so that of two machines one is first.
    clock = select(shop_clock.c.change).where(shop_clock.c.shop_id == shop_id).with_for_update()
    change = connection.execute(clock).scalar_one_or_none()
    if change is None:
        raise ShopNotFound
    if night is not None and connection.execute(taken).first() is not None:
        raise ScanUnderWay
    fail_interrupted(connection, now)
    scan_id = new_ids.next()
    connection.execute(
        insert(scans).values(
            shop_id=shop_id,
            scan_id=scan_id,
            night=night,
            state="running",
            began_at=now,
            moved_at=now,
        )
    )
    return scan_id, change


def note_moved(connection: Connection, shop_id: int, scan_id: int, now: Instant) -> None:
    """Note that a scan goes on."""
    mine = (scans.c.shop_id == shop_id) & (scans.c.scan_id == scan_id)
    connection.execute(update(scans).where(mine).values(moved_at=now))


def any_interrupted(connection: Connection, now: Instant) -> bool:
    """Whether a scan of any shop is said to run and does not."""
    return connection.execute(select(scans.c.scan_id).where(_stands_still(now))).first() is not None


def fail_interrupted(connection: Connection, now: Instant) -> None:
    """Note of all such scans that they run no more."""
    ended = {"state": "failed", "ended_at": now, "reason": _INTERRUPTED}
    connection.execute(update(scans).where(_stands_still(now)).values(ended))


def _stands_still(now: Instant) -> ColumnElement[bool]:
    return (scans.c.state == "running") & (scans.c.moved_at < now - STILL)


def end_scan(
    connection: Connection, shop_id: int, scan_id: int, found: Found, change: int, now: Instant
) -> None:
    """Note what it found, and that it has seen all of the shop's changes up to `change`."""
    values = {"state": "done", "ended_at": now, "change": change, "reason": ""}
    connection.execute(
        update(scans)
        .where(scans.c.shop_id == shop_id, scans.c.scan_id == scan_id)
        .values(values | msgspec.structs.asdict(found))
    )


def fail_running(
    connection: Connection,
    shop_id: int,
    reason: str,
    now: Instant,
    *,
    night: Instant | None = None,
    scan_id: int | None = None,
) -> None:
    """Note why the scan of this shop that runs has failed: the one of this night, or the one with this id."""
    mine = scans.c.scan_id == scan_id if night is None else scans.c.night == night
    running = update(scans).where(scans.c.shop_id == shop_id, scans.c.state == "running", mine)
    connection.execute(running.values(state="failed", ended_at=now, reason=reason))


def _night(now: Instant, timezone: str, hour: int) -> Instant:
    """When the hour last struck in the zone."""
    local = to_datetime(now).astimezone(zone(timezone))
    night = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if night > local:
        night -= timedelta(days=1)
    return from_datetime(night)


def _read(row: Any) -> ScanRow:
    done = row.state == "done"
    return ScanRow(
        scan_id=row.scan_id,
        state=row.state,
        night=row.night,
        began_at=row.began_at,
        ended_at=row.ended_at,
        found=Found(
            people=row.people,
            candidates=row.candidates,
            new=row.new,
            ended=row.ended,
            learned=bool(row.learned),
        )
        if done
        else None,
        reason=row.reason,
    )
