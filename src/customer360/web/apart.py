"""Who was said not to be the same: the list, a slip taken back at once, and made one after all."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from customer360.errors import CannotUndo, DecisionNotFound, InvalidInput
from customer360.identities.apart import ApartRow, count_apart, get_apart, list_apart
from customer360.intake import merging
from customer360.values import parse_id
from customer360.web import formats
from customer360.web.deciding import actor_of, came_from, tabs, titles
from customer360.web.door import Door, Page
from customer360.web.visit import Visit

_PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """What was said, with what both are called."""

    row: ApartRow
    titles: tuple[str, str]


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of what was said and holds, newest first."""
    shop_id, before = visit.shop.shop_id, parse_id(visit.query.get("before", ""))
    with visit.app.database.read() as connection:
        found = list_apart(connection, shop_id, before=before, limit=_PAGE_ROWS + 1)
        page = found[:_PAGE_ROWS]
        called = titles(connection, shop_id, (each for row in page for each in row.profile_ids))
        values: dict[str, object] = {
            "tabs": tabs(connection, visit),
            "total": count_apart(connection, shop_id),
        }
    shown = [Shown(row, (called[row.profile_ids[0]], called[row.profile_ids[1]])) for row in page]
    older = page[-1].decision_id if len(found) > _PAGE_ROWS else None
    return Page(
        "duplicates/apart.html",
        values | {"said": shown, "older": older, "is_first": before is None},
    )


def take_back(door: Door, visit: Visit) -> Response:
    """As if it had not been said: for the toast that tells of it, so of what was said just now."""
    ids = [found for text in visit.fields("decision") if (found := parse_id(text)) is not None]
    if not ids:
        raise InvalidInput("Name at least one decision.", "decision")
    try:
        with visit.app.database.write() as connection:
            merging.take_back(connection, visit.shop.shop_id, ids, visit.now)
    except (CannotUndo, DecisionNotFound) as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = (
        "Taken back: the pair is to be decided again."
        if len(ids) == 1
        else f"Taken back: {formats.number(len(ids))} pairs are to be decided again."
    )
    return door.redirect(came_from(visit), text)


def merge(door: Door, visit: Visit) -> Response:
    """Make the two one by hand, which overrules what was said of them; raises DecisionNotFound."""
    decision_id, shop_id = visit.id_of("decision_id"), visit.shop.shop_id
    with visit.app.database.write() as connection:
        pair = get_apart(connection, shop_id, decision_id).profile_ids
        called = titles(connection, shop_id, pair)
        row = merging.merge(connection, shop_id, pair, actor=actor_of(visit), now=visit.now)
    text = f"{called[pair[0]]} and {called[pair[1]]} are one customer now."
    return door.redirect(came_from(visit), text, undo=[row.merge_id])
