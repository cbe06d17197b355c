"""The log of runs: when, how far, what came of them or why they failed; and whether one is due tonight."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from customer360.clock import HOUR, MINUTE, Instant, from_datetime, to_datetime, zone
from customer360.errors import RunUnderWay, ShopNotFound
from customer360.jobs.tables import job_runs
from customer360.storage.metadata import shop_clock
from customer360.values import new_ids

Report = TypeVar("Report")

_NIGHT: Instant = 4 * HOUR
"""A night that somebody slept through, because no worker ran, is over: by day the machine is for others."""
STILL: Instant = 10 * MINUTE
"""A run that has not said for so long that it goes on was interrupted, on whichever machine it ran."""
_INTERRUPTED = "It was interrupted."


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a job for a shop; `done` of `total` in its `stage`, where it says so."""

    run_id: int
    state: Literal["asked", "running", "done", "failed"]
    night: Instant | None
    began_at: Instant
    ended_at: Instant | None
    stage: str
    done: int
    total: int
    report: str | None
    reason: str

    def reported(self, kind: type[Report]) -> Report | None:
        """What came of it; None where it is not done."""
        return None if self.report is None else msgspec.json.decode(self.report, type=kind)


def due_night(
    connection: Connection,
    shop_id: int,
    kind: str,
    hour: int,
    timezone: str,
    now: Instant,
    *,
    changed: bool = True,
) -> Instant | None:
    """The shop's night, by when it began, whose run is due: none was begun in it.

    changed: and the shop changed since the last one.
    """
    night = _night(now, timezone, hour)
    if now >= night + _NIGHT:
        return None
    last = last_run(connection, shop_id, kind)
    if last is not None and last.began_at >= night:
        return None
    seen = select(job_runs.c.change).where(_of(shop_id, kind), job_runs.c.state == "done")
    seen = seen.order_by(job_runs.c.run_id.desc()).limit(1)
    unseen = _change(connection, shop_id) != (connection.scalar(seen) or 0)
    return night if unseen or not changed else None


def last_run(
    connection: Connection, shop_id: int, kind: str, *, state: str | None = None
) -> Run | None:
    """The run that was begun last, of those in a state where one is given, if there was any."""
    query = select(*(job_runs.c[name] for name in Run.__struct_fields__))
    query = query.where(_of(shop_id, kind)).order_by(job_runs.c.run_id.desc()).limit(1)
    if state is not None:
        query = query.where(job_runs.c.state == state)
    row = connection.execute(query).one_or_none()
    return None if row is None else Run(**row._mapping)


def ask_for_run(connection: Connection, shop_id: int, kind: str, now: Instant) -> Run:
    """Note that somebody wants a run, which a worker then begins; the one asked for or under way is it already."""
    last = last_run(connection, shop_id, kind)
    if last is None or last.state not in ("asked", "running"):
        _insert(connection, shop_id, kind, None, "asked", now)
        last = last_run(connection, shop_id, kind)
    assert last is not None
    return last


def shops_that_ask(connection: Connection, kind: str) -> list[int]:
    """The shops for which somebody wants a run."""
    query = select(job_runs.c.shop_id).where(job_runs.c.state == "asked", job_runs.c.kind == kind)
    return list(connection.scalars(query))


def begin_run(
    connection: Connection, shop_id: int, kind: str, now: Instant, night: Instant | None = None
) -> tuple[int, int]:
    """Note that a run begins, so that none is asked for any more; returns its id and the shop's change number.

    Raises ShopNotFound, and RunUnderWay where another machine has begun that of this night.
    """
    # Locked, so that of two machines one is first.
    change = _change(connection, shop_id, lock=True)
    if change is None:
        raise ShopNotFound
    taken = select(job_runs.c.run_id).where(_of(shop_id, kind), job_runs.c.night == night)
    if night is not None and connection.execute(taken).first() is not None:
        raise RunUnderWay
    fail_interrupted(connection, now)
    asked = delete(job_runs).where(_of(shop_id, kind), job_runs.c.state == "asked")
    connection.execute(asked)
    return _insert(connection, shop_id, kind, night, "running", now), change


def note_moved(connection: Connection, shop_id: int, run_id: int, now: Instant) -> None:
    """Note that a run goes on."""
    connection.execute(update(job_runs).where(_is(shop_id, run_id)).values(moved_at=now))


def note_progress(
    connection: Connection, shop_id: int, run_id: int, now: Instant, progress: tuple[str, int, int]
) -> None:
    """Note how far a run is: its stage, and how much of how much is done."""
    stage, done, total = progress
    values = {"moved_at": now, "stage": stage, "done": done, "total": total}
    connection.execute(update(job_runs).where(_is(shop_id, run_id)).values(values))


def any_interrupted(connection: Connection, now: Instant) -> bool:
    """Whether a run of any shop is said to go on and does not."""
    return (
        connection.execute(select(job_runs.c.run_id).where(_stands_still(now))).first() is not None
    )


def fail_interrupted(connection: Connection, now: Instant) -> None:
    """Note of all such runs that they go on no more."""
    ended = {"state": "failed", "ended_at": now, "reason": _INTERRUPTED}
    connection.execute(update(job_runs).where(_stands_still(now)).values(ended))


def end_run(
    connection: Connection,
    shop_id: int,
    run_id: int,
    report: msgspec.Struct,
    change: int,
    now: Instant,
) -> None:
    """Note what came of it, and that it has seen all of the shop's changes up to `change`."""
    values = {"state": "done", "ended_at": now, "change": change, "reason": ""}
    told = {"report": msgspec.json.encode(report).decode(), "stage": "", "done": 0, "total": 0}
    connection.execute(update(job_runs).where(_is(shop_id, run_id)).values(values | told))


def fail_running(
    connection: Connection,
    shop_id: int,
    kind: str,
    reason: str,
    now: Instant,
    *,
    night: Instant | None = None,
    run_id: int | None = None,
) -> None:
    """Note why the run of this shop that is under way has failed: the one with this id, else the one of this night.

    Without either, those that somebody began or asked for.
    """
    mine = job_runs.c.night == night if run_id is None else job_runs.c.run_id == run_id
    open_ = job_runs.c.state.in_(("asked", "running"))
    failed = {"state": "failed", "ended_at": now, "reason": reason}
    connection.execute(update(job_runs).where(_of(shop_id, kind), open_, mine).values(failed))


def _insert(
    connection: Connection, shop_id: int, kind: str, night: Instant | None, state: str, now: Instant
) -> int:
    run_id = new_ids.next()
    values = {"shop_id": shop_id, "run_id": run_id, "kind": kind, "night": night, "state": state}
    connection.execute(insert(job_runs).values(values | {"began_at": now, "moved_at": now}))
    return run_id


def is_deleted(connection: Connection, shop_id: int) -> bool:
    """Whether the shop is gone: its rows and files go while a run reads them, so anything may fail then."""
    return _change(connection, shop_id) is None


def _change(connection: Connection, shop_id: int, *, lock: bool = False) -> int | None:
    query = select(shop_clock.c.change).where(shop_clock.c.shop_id == shop_id)
    return connection.scalar(query.with_for_update() if lock else query)


def _of(shop_id: int, kind: str) -> ColumnElement[bool]:
    return (job_runs.c.shop_id == shop_id) & (job_runs.c.kind == kind)


def _is(shop_id: int, run_id: int) -> ColumnElement[bool]:
    return (job_runs.c.shop_id == shop_id) & (job_runs.c.run_id == run_id)


def _stands_still(now: Instant) -> ColumnElement[bool]:
    return (job_runs.c.state == "running") & (job_runs.c.moved_at < now - STILL)


def _night(now: Instant, timezone: str, hour: int) -> Instant:
    """When the hour last struck in the zone."""
    local = to_datetime(now).astimezone(zone(timezone))
    night = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if night > local:
        night -= timedelta(days=1)
    return from_datetime(night)
