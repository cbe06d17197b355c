"""Segments as they are made, changed, duplicated and deleted; who is in them is found by the worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, case, insert, select, update

from customer360.clock import Instant
from customer360.errors import (
    InvalidName,
    SegmentBuiltIn,
    SegmentInUse,
    SegmentLimit,
    SegmentNotFound,
    SegmentOvertaken,
)
from customer360.segments.ast import ALL_CUSTOMERS_ID, Rule, check_cycle, check_known, segments_in
from customer360.segments.model import LONGEST_NAME, Cause, Segment, all_customers
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.tables import segments
from customer360.storage.database import next_change
from customer360.storage.metadata import shop_clock
from customer360.values import counted, new_ids

DELETED = "deleted"
"""State of a segment that nobody sees any more, until the worker has forgotten its members."""

_EDITED = {
    "version": segments.c.version + 1,
    "due": case((segments.c.due == Cause.CREATED, Cause.CREATED), else_=Cause.EDITED),
    "state": "waiting",
    "progress": 0,
    "failure": None,
    "attempts": 0,
    "retry_at": 0,
}
"""Of a segment whose members are to be found by another rule."""

_NUMBERED = re.compile(r" \((\d+)\)$")


def list_segments(connection: Connection, shop_id: int, customers: int = 0) -> list[Segment]:
    """A shop's segments, All customers first, then by last activity.

    customers: how many All customers has, which only the warehouse knows.
    """
    own = sorted(stored_segments(connection, shop_id), key=lambda one: one.segment_id)
    return [all_customers(customers), *sorted(own, key=lambda one: one.active_at, reverse=True)]


def stored_segments(connection: Connection, shop_id: int) -> list[Segment]:
    """The segments that a shop made, in no order."""
    query = select(segments).where(segments.c.shop_id == shop_id, segments.c.state != DELETED)
    return [_segment(row) for row in connection.execute(query)]


def get_segment(connection: Connection, shop_id: int, segment_id: int) -> Segment:
    """The segment with this id; raises SegmentNotFound."""
    if segment_id == ALL_CUSTOMERS_ID:
        return all_customers()
    query = select(segments).where(
        segments.c.shop_id == shop_id,
        segments.c.segment_id == segment_id,
        segments.c.state != DELETED,
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise SegmentNotFound
    return _segment(row)


def used_by(connection: Connection, shop_id: int, segment_id: int) -> list[Segment]:
    """The segments whose rule asks for this one, by name."""
    return _asking(stored_segments(connection, shop_id), segment_id)


def create_segment(
    connection: Connection, shop_id: int, name: str, rule: Rule, now: Instant, *, limit: int | None
) -> Segment:
    """Make a segment; the worker finds its members.

    limit: how many the shop's plan allows; None is no limit. Raises InvalidName, InvalidRule, SegmentLimit.
    """
    # First of all: the shop's lock, so that names and rules hold beside those that others write.
    change = next_change(connection, shop_id)
    others = stored_segments(connection, shop_id)
    if limit is not None and len(others) >= limit:
        raise SegmentLimit(
            f"The shop's plan allows {counted(limit, 'segment')} of its own, and there are {len(others)};"
            " delete one first, or change the plan."
        )
    segment_id = new_ids.next()
    row = {
        "shop_id": shop_id,
        "segment_id": segment_id,
        "name": _free_name(name, others),
        "rule": _rule_json(segment_id, rule, others),
        "version": 1,
        "state": "waiting",
        "progress": 0,
        "members": 0,
        "due": Cause.CREATED,
        "calendar": "",
        "attempts": 0,
        "retry_at": 0,
        "created_at": now,
        "edited_at": now,
    }
    connection.execute(insert(segments).values(row))
    if not others:
        # What changed before is part of finding the members as a whole.
        _follow(connection, shop_id, change)
    return get_segment(connection, shop_id, segment_id)


def change_segment(
    connection: Connection,
    shop_id: int,
    segment_id: int,
    now: Instant,
    *,
    name: str | None = None,
    rule: Rule | None = None,
    edited_at: Instant | None = None,
) -> Segment:
    """Change what is given; by another rule the worker finds the members anew.

    edited_at: of the segment that the caller saw; raises SegmentOvertaken where it was changed since. Raises
    SegmentNotFound, SegmentBuiltIn, InvalidName, InvalidRule too.
    """
    before = _own(connection, shop_id, segment_id)
    if edited_at is not None and edited_at != before.edited_at:
        raise SegmentOvertaken
    others = [one for one in stored_segments(connection, shop_id) if one.segment_id != segment_id]
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _free_name(name, others)
    if rule is not None:
        written = _rule_json(segment_id, rule, others)
        if rule != before.rule:
            changes |= {"rule": written, **_EDITED}
            # What others mean by this one becomes another too.
            for asking in _all_asking(others, segment_id):
                _update(connection, shop_id, asking, **_EDITED)
    if changes:
        _update(connection, shop_id, segment_id, edited_at=now, **changes)
    return get_segment(connection, shop_id, segment_id)


def duplicate_segment(
    connection: Connection, shop_id: int, segment_id: int, now: Instant, *, limit: int | None
) -> Segment:
    """Another one with the same rule and a name with a number; raises SegmentNotFound, SegmentLimit."""
    segment = get_segment(connection, shop_id, segment_id)
    taken = {_folded(one.name) for one in list_segments(connection, shop_id)}
    name, base = segment.name, _NUMBERED.sub("", segment.name)
    number = 1
    while _folded(name) in taken:
        number += 1
        mark = f" ({number})"
        name = base[: LONGEST_NAME - len(mark)].rstrip() + mark
    return create_segment(connection, shop_id, name, segment.rule, now, limit=limit)


def delete_segment(connection: Connection, shop_id: int, segment_id: int) -> None:
    """Nobody sees it from now on; the worker forgets its members.

    Raises SegmentNotFound, SegmentBuiltIn, and SegmentInUse where others ask for it.
    """
    _own(connection, shop_id, segment_id)
    left = [one for one in stored_segments(connection, shop_id) if one.segment_id != segment_id]
    asking = _asking(left, segment_id)
    if asking:
        names = ", ".join(one.name for one in asking)
        raise SegmentInUse(f"{names} asks for this segment; change or delete that first.")
    _update(connection, shop_id, segment_id, state=DELETED, due=DELETED, retry_at=0)
    if not left:
        _follow(connection, shop_id, None)


def retry_segment(connection: Connection, shop_id: int, segment_id: int) -> Segment:
    """Have the worker try a failed one again at once; raises SegmentNotFound, SegmentBuiltIn."""
    if _own(connection, shop_id, segment_id).state == "failed":
        _update(connection, shop_id, segment_id, state="waiting", failure=None, retry_at=0)
    return get_segment(connection, shop_id, segment_id)


def _own(connection: Connection, shop_id: int, segment_id: int) -> Segment:
    """A segment that may be changed, under the shop's lock."""
    if segment_id == ALL_CUSTOMERS_ID:
        raise SegmentBuiltIn
    next_change(connection, shop_id)
    return get_segment(connection, shop_id, segment_id)


def _update(connection: Connection, shop_id: int, segment_id: int, **values: Any) -> None:
    mine = (segments.c.shop_id == shop_id) & (segments.c.segment_id == segment_id)
    connection.execute(update(segments).where(mine).values(values))


def _follow(connection: Connection, shop_id: int, change: int | None) -> None:
    """Say up to which change the members of all segments follow; None where there is nothing to follow."""
    mine = shop_clock.c.shop_id == shop_id
    connection.execute(update(shop_clock).where(mine).values(refreshed=change))


def _asking(among: Iterable[Segment], segment_id: int) -> list[Segment]:
    asking = [one for one in among if segment_id in segments_in(one.rule)]
    return sorted(asking, key=lambda one: _folded(one.name))


def _all_asking(among: Sequence[Segment], segment_id: int) -> set[int]:
    """The segments that ask for this one, directly or by others."""
    found: set[int] = set()
    waiting = [segment_id]
    while waiting:
        new = {one.segment_id for one in _asking(among, waiting.pop())} - found
        found |= new
        waiting += new
    return found


def _free_name(text: str, others: Iterable[Segment]) -> str:
    """The name in one line; raises InvalidName where it is none, or another's."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidName(f"A segment needs a name of at most {LONGEST_NAME} characters.", "name")
    if any(_folded(name) == _folded(one.name) for one in (all_customers(), *others)):
        raise InvalidName(f"There is a segment {name!r} already; choose another name.", "name")
    return name


def _folded(name: str) -> str:
    return name.casefold()


def _rule_json(segment_id: int, rule: Rule, others: Iterable[Segment]) -> str:
    """The rule as it is stored; raises InvalidRule where it asks for itself or for what is not there."""
    rules = {one.segment_id: one.rule for one in others}
    check_cycle(segment_id, rule, rules)
    check_known(rule, {ALL_CUSTOMERS_ID, *rules})
    return json.dumps(write_rule(rule))


@lru_cache(maxsize=4096)
def _rule(text: str) -> Rule:
    """The worker reads the same rules again and again."""
    return read_rule(json.loads(text))


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        segment_id=row.segment_id,
        name=row.name,
        rule=_rule(row.rule),
        state=row.state,
        progress=row.progress,
        failure=row.failure,
        members=row.members,
        created_at=row.created_at,
        edited_at=row.edited_at,
        refreshed_at=row.refreshed_at,
        version=row.version,
    )
