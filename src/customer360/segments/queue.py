"""What waits for the members of segments: people who changed, and segments that are due as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from customer360.clock import HOUR, MINUTE, Instant
from customer360.segments.calendar import asks_for_scores
from customer360.segments.model import Cause, Segment, SegmentState
from customer360.segments.store import DELETED, stored_segments
from customer360.segments.tables import segment_members, segments
from customer360.storage.metadata import profile_changes, shop_clock

_MOST_PEOPLE = 10_000
"""Looked at together: their rows are copied once, so more cost less each, and fewer are done sooner."""
_FIRST_RETRY: Instant = MINUTE
_LONGEST_RETRY: Instant = HOUR


class Overtaken(Exception):
    """Somebody else changed meanwhile what this was computed from; compute again."""


class Changed(NamedTuple):
    """People who changed in (after, upto], with the cause of each."""

    after: int
    upto: int
    causes: dict[int, Cause]


@dataclass(frozen=True, slots=True)
class Standing:
    """How well a shop's members follow their rules."""

    states: dict[str, int]
    """How many segments there are of each state."""
    failures: tuple[str, ...]
    """Of each that failed, its name and why."""
    people: int
    """Whose changes members do not follow yet."""


def standing(connection: Connection, shop_id: int) -> Standing:
    """What is up to date in a shop, and what is not."""
    states: dict[str, int] = dict.fromkeys(get_args(SegmentState), 0)
    failures = []
    query = select(segments.c.state, segments.c.name, segments.c.failure).where(
        segments.c.shop_id == shop_id, segments.c.state != DELETED
    )
    for state, name, failure in connection.execute(query.order_by(segments.c.name)):
        states[state] += 1
        if state == "failed":
            failures.append(f"{name}: {failure}")
    waiting = select(func.count(profile_changes.c.profile_id.distinct())).where(
        profile_changes.c.shop_id == shop_id
    )
    people = connection.execute(waiting).scalar_one() if sum(states.values()) else 0
    return Standing(states, tuple(failures), people)


def shops_to_refresh(connection: Connection, now: Instant) -> dict[int, bool]:
    """The shops that have segments, or have had, and whether anything but time waits there."""
    clock, notes = shop_clock.c, profile_changes.c
    changed = exists().where(notes.shop_id == clock.shop_id, notes.change <= clock.synced)
    due = exists().where(
        segments.c.due.is_not(None),
        segments.c.retry_at <= now,
        segments.c.shop_id == clock.shop_id,
    )
    followed = clock.refreshed.is_not(None)
    query = select(clock.shop_id, or_(and_(followed, changed), due)).where(or_(followed, due))
    return {shop_id: bool(waits) for shop_id, waits in connection.execute(query)}


def refreshed(connection: Connection, shop_id: int) -> int | None:
    """Up to which change a shop's members follow; None where it has no segments."""
    query = select(shop_clock.c.refreshed).where(shop_clock.c.shop_id == shop_id)
    return connection.execute(query).scalar_one_or_none()


def changed_people(connection: Connection, shop_id: int) -> Changed | None:
    """Whom the warehouse knows as they are now and membership as they were, some of the first."""
    clock, notes = shop_clock.c, profile_changes.c
    row = connection.execute(
        select(clock.refreshed, clock.synced).where(clock.shop_id == shop_id)
    ).one_or_none()
    if row is None or row.refreshed is None:
        return None
    waiting = (notes.shop_id == shop_id) & (notes.change <= row.synced)
    # The people of one change stay together.
    last = select(notes.change).where(waiting).order_by(notes.change).offset(_MOST_PEOPLE).limit(1)
    upto = connection.execute(last).scalar_one_or_none() or row.synced
    found = connection.execute(
        select(notes.profile_id, notes.cause).where(waiting, notes.change <= upto)
    )
    causes: dict[int, Cause] = {}
    for profile_id, cause in found:
        # Who also changed by a person's hand moves by it: that starts no journey.
        if cause is not None or profile_id not in causes:
            causes[profile_id] = Cause(cause or Cause.EVENT)
    return Changed(row.refreshed, upto, causes) if causes else None


def claim(connection: Connection, shop_id: int, after: int | None, upto: int | None) -> None:
    """Say that members follow up to a change now; raises Overtaken where it was not `after` before."""
    statement = (
        update(shop_clock)
        .where(shop_clock.c.shop_id == shop_id, shop_clock.c.refreshed == after)
        .values(refreshed=upto)
    )
    if connection.execute(statement).rowcount != 1:
        raise Overtaken


def forget_changes(connection: Connection, shop_id: int, upto: int) -> None:
    """Members follow these people's changes now."""
    notes = profile_changes.c
    connection.execute(
        delete(profile_changes).where(notes.shop_id == shop_id, notes.change <= upto)
    )


def versions(connection: Connection, shop_id: int) -> dict[int, int]:
    """What the rules of a shop's segments are now."""
    query = select(segments.c.segment_id, segments.c.version).where(
        segments.c.shop_id == shop_id, segments.c.state != DELETED
    )
    return {row.segment_id: row.version for row in connection.execute(query)}


def due_causes(connection: Connection, shop_id: int) -> dict[int, str]:
    """The segments that are due as a whole and why, also those that are not to be tried again yet."""
    query = select(segments.c.segment_id, segments.c.due).where(
        segments.c.shop_id == shop_id, segments.c.due.is_not(None)
    )
    return {row.segment_id: row.due for row in connection.execute(query)}


def next_due(connection: Connection, shop_id: int, now: Instant) -> tuple[int, str] | None:
    """The segment to be looked at as a whole next and why: those that somebody waits for before those of midnight."""
    query = (
        select(segments.c.segment_id, segments.c.due)
        .where(
            segments.c.shop_id == shop_id, segments.c.due.is_not(None), segments.c.retry_at <= now
        )
        .order_by(segments.c.due == Cause.TIME, segments.c.edited_at, segments.c.segment_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.segment_id, row.due)


def calendars(connection: Connection, shop_id: int) -> dict[int, str]:
    """By which calendar the members were found of each segment that is not due."""
    query = select(segments.c.segment_id, segments.c.calendar).where(
        segments.c.shop_id == shop_id, segments.c.due.is_(None)
    )
    return {row.segment_id: row.calendar for row in connection.execute(query)}


def time_has_come(connection: Connection, shop_id: int, segment_ids: Sequence[int]) -> None:
    """Make these due, as their calendar is another now."""
    statement = update(segments).where(
        segments.c.shop_id == shop_id,
        segments.c.segment_id.in_(segment_ids),
        segments.c.due.is_(None),
    )
    connection.execute(statement.values(due=Cause.TIME, retry_at=0, attempts=0))


def scores_changed(connection: Connection, shop_id: int) -> None:
    """Make due whatever asks for scores, as they are others now; also what is just being found by those before."""
    rules = {one.segment_id: one.rule for one in stored_segments(connection, shop_id)}
    asking = [one for one, rule in rules.items() if asks_for_scores(rule, rules)]
    if not asking:
        return
    mine = (segments.c.shop_id == shop_id) & segments.c.segment_id.in_(asking)
    # As if its rule were another, so that nobody goes on with what was found by scores that are no more.
    connection.execute(update(segments).where(mine).values(version=segments.c.version + 1))
    time_has_come(connection, shop_id, asking)


def note(connection: Connection, shop_id: int, segment: Segment, **values: Any) -> None:
    """Say how far a segment is; raises Overtaken where its rule became another."""
    statement = update(segments).where(
        segments.c.shop_id == shop_id,
        segments.c.segment_id == segment.segment_id,
        segments.c.version == segment.version,
        segments.c.state != DELETED,
    )
    if connection.execute(statement.values(values)).rowcount != 1:
        raise Overtaken


def note_failure(
    connection: Connection, shop_id: int, segment: Segment, reason: str, now: Instant
) -> None:
    """Its members stay as they were and are tried to be found again, ever less often."""
    query = select(segments.c.attempts, segments.c.due).where(
        segments.c.shop_id == shop_id, segments.c.segment_id == segment.segment_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Overtaken
    note(
        connection,
        shop_id,
        segment,
        state="failed",
        progress=0,
        failure=reason,
        due=row.due or Cause.REBUILD,
        attempts=row.attempts + 1,
        retry_at=now + min(_FIRST_RETRY * 2**row.attempts, _LONGEST_RETRY),
    )


def deleted_members(connection: Connection, shop_id: int, segment_id: int, most: int) -> list[int]:
    """Delete some members of a deleted segment, and the segment with the last: the ids of the memberships."""
    members = segment_members.c
    mine = (members.shop_id == shop_id) & (members.segment_id == segment_id)
    some = select(members.profile_id).where(mine).limit(most)
    gone = list(
        connection.scalars(
            delete(segment_members)
            .where(mine, members.profile_id.in_(some))
            .returning(members.member_id)
        )
    )
    if len(gone) < most:
        connection.execute(
            delete(segments).where(
                segments.c.shop_id == shop_id,
                segments.c.segment_id == segment_id,
                segments.c.state == DELETED,
            )
        )
    return gone
