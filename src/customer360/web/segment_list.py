"""The list of segments: how large each is, how current, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from customer360.access.plans import plan
from customer360.errors import Conflict, InvalidInput
from customer360.segments.ast import Rule, segments_in
from customer360.segments.detail import count_customers
from customer360.segments.model import Segment
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.store import (
    create_segment,
    delete_segment,
    duplicate_segment,
    get_segment,
    list_segments,
    retry_segment,
)
from customer360.segments.templates import TEMPLATES
from customer360.web.access import local_path
from customer360.web.cookies import LONGEST_KEPT
from customer360.web.door import Door, Page
from customer360.web.visit import Visit
from customer360.web.words import folded

_SUGGESTED = 3


class Sort(NamedTuple):
    """A heading that sorts, and its link."""

    name: str
    label: str
    query: str
    direction: str


class Row(NamedTuple):
    """A segment as the list shows it; `used_by` names the segments that ask for it."""

    segment: Segment
    share: float | None
    used_by: Sequence[str]


_SORTS = (("name", "Segment"), ("members", "Size"), ("active", "Last activity"))


def show(_door: Door, visit: Visit) -> Page:
    """Every segment of the shop, searched and sorted by the URL."""
    with visit.app.database.read() as connection:
        customers = count_customers(visit.app.warehouse, visit.shop.shop_id)
        segments = list_segments(connection, visit.shop.shop_id, customers)
    sort, descending = _sort(visit)
    sought = visit.query.get("q", "").strip()
    rows = _rows(segments, customers, sort, descending, folded(sought))
    limit, own = plan(visit.shop.plan).custom_segments, len(segments) - 1
    is_full = limit is not None and own >= limit
    return Page(
        "segments/list.html",
        {
            "rows": rows,
            "q": sought,
            "own": own,
            "sorts": {name: _heading(name, label, sort, descending, sought) for name, label in _SORTS},
            "sort": visit.query.get("sort", ""),
            "moving": any(one.state in ("waiting", "syncing") for one in segments),
            "limit": limit,
            "is_full": is_full,
            "spare": _spare(segments) if is_full else (),
            "templates": () if own else TEMPLATES,
        },
    )  # fmt: skip


def duplicate(door: Door, visit: Visit) -> Response:
    """Another segment with the same rule."""
    limit = plan(visit.shop.plan).custom_segments
    try:
        with visit.app.database.write() as connection:
            made = duplicate_segment(
                connection,
                visit.shop.shop_id,
                visit.id_of("segment_id"),
                visit.now,
                limit=limit,
            )
    except Conflict as error:
        return door.redirect(_back(visit), str(error), bad=True)
    return door.redirect(f"{visit.root}/segments/{made.segment_id}", f"{made.name} is made.")


def delete(door: Door, visit: Visit) -> Response:
    """Deletes a segment that no other asks for; the toast takes it back."""
    shop_id, segment_id = visit.shop.shop_id, visit.id_of("segment_id")
    try:
        with visit.app.database.write() as connection:
            gone = get_segment(connection, shop_id, segment_id)
            delete_segment(connection, shop_id, segment_id)
    except Conflict as error:
        return door.redirect(_back(visit), str(error), bad=True)
    kept = json.dumps({"name": gone.name, "rule": write_rule(gone.rule)})
    return door.redirect(
        f"{visit.root}/segments",
        f"{gone.name} is deleted.",
        kept=kept if len(kept) <= LONGEST_KEPT else "",
    )


def restore(door: Door, visit: Visit) -> Response:
    """Makes a segment again that was just deleted."""
    name, rule = _kept(visit.field("kept"))
    limit = plan(visit.shop.plan).custom_segments
    try:
        with visit.app.database.write() as connection:
            made = create_segment(
                connection, visit.shop.shop_id, name, rule, visit.now, limit=limit
            )
    except (Conflict, InvalidInput) as error:
        return door.redirect(f"{visit.root}/segments", str(error), bad=True)
    return door.redirect(f"{visit.root}/segments", f"{made.name} is there again.")


def retry(door: Door, visit: Visit) -> Response:
    """Has the worker try a segment that failed again."""
    try:
        with visit.app.database.write() as connection:
            retry_segment(connection, visit.shop.shop_id, visit.id_of("segment_id"))
    except Conflict as error:
        return door.redirect(_back(visit), str(error), bad=True)
    return door.redirect(_back(visit), "It is tried again.")


def _kept(text: str) -> tuple[str, Rule]:
    """What a toast kept of a segment; raises InvalidInput."""
    try:
        told = json.loads(text)
        return str(told["name"]), read_rule(told["rule"])
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput("This is no segment that could be made again.", "kept") from error


def _back(visit: Visit) -> str:
    said = local_path(visit.field("next"))
    return said if said.startswith(visit.root + "/segments") else f"{visit.root}/segments"


def _sort(visit: Visit) -> tuple[str, bool]:
    said = visit.query.get("sort", "-active")
    name = said.removeprefix("-")
    known = any(name == one for one, _ in _SORTS)
    return (name, said.startswith("-")) if known else ("active", True)


def _heading(name: str, label: str, sort: str, descending: bool, sought: str) -> Sort:
    """Names go up first, all else down; the second click turns it round."""
    is_sorted = name == sort
    down = not descending if is_sorted else name != "name"
    query = urlencode({"sort": f"-{name}" if down else name} | ({"q": sought} if sought else {}))
    direction = ("descending" if descending else "ascending") if is_sorted else ""
    return Sort(name, label, f"?{query}", direction)


def _rows(
    segments: Sequence[Segment], customers: int, sort: str, descending: bool, sought: str
) -> list[Row]:
    """Those that are sought, All customers first however they are sorted."""
    built_in, *own = segments
    keys = {
        "name": lambda one: folded(one.name),
        "members": lambda one: one.members,
        "active": lambda one: one.active_at,
    }
    ordered = [built_in, *sorted(own, key=keys[sort], reverse=descending)]
    users: dict[int, list[str]] = {}
    for one in own:
        for asked in segments_in(one.rule):
            users.setdefault(asked, []).append(one.name)
    return [
        Row(
            one,
            one.members / customers if customers else None,
            users.get(one.segment_id, []),
        )
        for one in ordered
        if sought in folded(one.name)
    ]


def _spare(segments: Sequence[Segment]) -> list[Segment]:
    """Which could be deleted: those that nobody asks for, the smallest and least active first."""
    needed = {asked for one in segments for asked in segments_in(one.rule)}
    free = [one for one in segments if not one.built_in and one.segment_id not in needed]
    return sorted(free, key=lambda one: (one.members, one.active_at))[:_SUGGESTED]
