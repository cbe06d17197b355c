"""The log of merges: what became one, why, who did it, and until when it can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from customer360.access.shops import Shop
from customer360.clock import Instant
from customer360.errors import Conflict, InvalidInput, MergeNotFound
from customer360.identities.merge_log import (
    MergeRow,
    Position,
    count_merges,
    get_merge,
    list_merges,
)
from customer360.identities.model import MergeKind
from customer360.identities.naming import named_as
from customer360.intake import merging
from customer360.values import parse_id
from customer360.web import formats
from customer360.web.deciding import actor_of, came_from, tabs, titles
from customer360.web.door import Door, Page
from customer360.web.paging import part_of
from customer360.web.visit import Visit

_PAGE_ROWS = 25
_KINDS: dict[MergeKind, str] = {
    "automatic": "By evidence",
    "by_hand": "By hand",
    "shopify": "In Shopify",
}


@dataclass(frozen=True, slots=True)
class Logged:
    """A merge as pages show it; `undo_until` is None where it is too late or nothing to undo."""

    row: MergeRow
    kept: str
    gone: str
    why: str
    who: str
    undo_until: Instant | None


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of the log, newest first."""
    shop_id = visit.shop.shop_id
    kinds = tuple(kind for kind in _KINDS if kind == visit.query.get("kind"))
    with visit.app.database.read() as connection:
        after = _position(connection, visit)
        found = list_merges(connection, shop_id, kinds=kinds, after=after, limit=_PAGE_ROWS + 1)
        total = count_merges(connection, shop_id, kinds=kinds)
        chosen = {"kind": kinds[0]} if kinds else {}
        part = part_of(visit, found, lambda row: row.merge_id, _PAGE_ROWS, chosen)
        merges = logged(connection, visit.shop, part.rows, visit.now)
        around = tabs(connection, visit)
    if part.is_past_the_end:
        return RedirectResponse(part.newest, 303)
    return Page(
        "duplicates/merges.html",
        {
            "tabs": around,
            "merges": merges,
            "total": total,
            "kinds": _KINDS,
            "kind": kinds[0] if kinds else "",
            "part": part,
        },
    )


def undo_one(door: Door, visit: Visit) -> Response:
    """Take one merge of the log back."""
    return _undo(door, visit, [visit.id_of("merge_id")])


def undo_last(door: Door, visit: Visit) -> Response:
    """Take back what was just merged; all of it or, where one cannot be, none."""
    ids = [found for text in visit.fields("merge") if (found := parse_id(text)) is not None]
    if not ids:
        raise InvalidInput("Name at least one merge.", "merge")
    return _undo(door, visit, ids)


def logged(
    connection: Connection, shop: Shop, rows: Sequence[MergeRow], now: Instant
) -> list[Logged]:
    """The merges with the names of both sides, and until when each can be undone."""
    names = titles(connection, shop.shop_id, {each for row in rows for each in _both(row)})
    window = merging.undo_window(shop)
    return [
        Logged(
            row=row,
            kept=names[row.kept_id],
            gone=names[row.gone_id],
            why=_why(row),
            who=_who(row),
            undo_until=_open_until(row, window, now),
        )
        for row in rows
    ]


def _undo(door: Door, visit: Visit, merge_ids: list[int]) -> Response:
    shop = visit.shop
    try:
        with visit.app.database.write() as connection:
            # The last one first, as it was done.
            for merge_id in reversed(merge_ids):
                merging.undo(
                    connection,
                    shop.shop_id,
                    merge_id,
                    actor=actor_of(visit),
                    now=visit.now,
                    window=merging.undo_window(shop),
                )
    except Conflict as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = (
        "Undone: both profiles are there again and count as not the same."
        if len(merge_ids) == 1
        else f"{formats.number(len(merge_ids))} merges undone: all profiles are there again and count as not the same."
    )
    return door.redirect(came_from(visit), text)


def _position(connection: Connection, visit: Visit) -> Position | None:
    merge_id = parse_id(visit.query.get("before", ""))
    if merge_id is None:
        return None
    try:
        row = get_merge(connection, visit.shop.shop_id, merge_id)
    except MergeNotFound:
        return None
    return row.recorded_at, row.merge_id


def _open_until(row: MergeRow, window: Instant, now: Instant) -> Instant | None:
    until = row.undo_until(window)
    return until if until is not None and until >= now else None


def _both(row: MergeRow) -> tuple[int, int]:
    return row.kept_id, row.gone_id


def _who(row: MergeRow) -> str:
    """For example "By hand: ann@shop.example"."""
    said = row.actor if row.kind == "by_hand" else ""
    return f"{_KINDS[row.kind]}: {said}" if said else _KINDS[row.kind]


def _why(row: MergeRow) -> str:
    """The evidence in words."""
    if row.kind == "by_hand":
        return "Somebody said so"
    if row.kind == "shopify":
        return "The shop merged two customers"
    named = [named_as(each) for each in dict.fromkeys(row.bridges)]
    if not named:
        return "An event told late shows that both began as one"
    said = f"{' and '.join(named)} in one event" if len(named) > 1 else f"{named[0]} on both sides"
    return formats.upper_first(said)
