"""Who was said not to be the same: the list, a slip taken back at once, and made one after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from customer360.errors import AlreadyOne, Conflict, InvalidInput
from customer360.identities.apart import ApartRow, count_apart, get_apart, list_apart
from customer360.intake import merging
from customer360.profiles.facts import Facts, gather
from customer360.values import parse_id
from customer360.web.deciding import actor_of, came_from, tabs, titles
from customer360.web.door import Door, Page
from customer360.web.formats import counted
from customer360.web.paging import part_of
from customer360.web.people import Cell, known_by, title_of_person
from customer360.web.visit import Visit

# Each pair is shown with what its merge would do, which takes some milliseconds to find out.
_PAGE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, with what tells them from another of the same name."""

    profile_id: int
    title: str
    known_by: Cell


@dataclass(frozen=True, slots=True)
class Shown:
    """What was said and of whom, and what a merge would make of both."""

    row: ApartRow
    sides: tuple[Side, Side]
    preview: str


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of what was said and holds, newest first."""
    shop_id, before = visit.shop.shop_id, parse_id(visit.query.get("before", ""))
    with visit.app.database.read() as connection:
        found = list_apart(connection, shop_id, before=before, limit=_PAGE_ROWS + 1)
        part = part_of(visit, found, lambda row: row.decision_id, _PAGE_ROWS)
        values: dict[str, object] = {
            "tabs": tabs(connection, visit),
            "said": _shown(connection, visit, part.rows),
            "total": count_apart(connection, shop_id),
            "part": part,
        }
    if part.is_past_the_end:
        return RedirectResponse(part.newest, 303)
    return Page("duplicates/apart.html", values)


def take_back(door: Door, visit: Visit) -> Response:
    """As if it had not been said: for the toast that tells of it, so of what was said just now.

    Raises DecisionNotFound.
    """
    ids = [found for text in visit.fields("decision") if (found := parse_id(text)) is not None]
    if not ids:
        raise InvalidInput("Name at least one decision.", "decision")
    try:
        with visit.app.database.write() as connection:
            merging.take_back(connection, visit.shop.shop_id, ids, visit.now)
    except Conflict as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = (
        "Taken back: the pair is to be decided again."
        if len(ids) == 1
        else f"Taken back: {counted(len(ids), 'pair')} are to be decided again."
    )
    return door.redirect(came_from(visit), text)


def merge(door: Door, visit: Visit) -> Response:
    """Make the two one by hand, which overrules what was said of them; raises DecisionNotFound."""
    decision_id, shop_id = visit.id_of("decision_id"), visit.shop.shop_id
    try:
        with visit.app.database.write() as connection:
            pair = get_apart(connection, shop_id, decision_id).profile_ids
            called = titles(connection, shop_id, pair)
            row = merging.merge(connection, shop_id, pair, actor=actor_of(visit), now=visit.now)
    except AlreadyOne:
        # A second click, or somebody else was faster: what was asked for is so.
        return door.redirect(came_from(visit), "These two are one customer already.")
    except Conflict as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = f"{called[pair[0]]} and {called[pair[1]]} are one customer now."
    return door.redirect(came_from(visit), text, undo=[row.merge_id])


def _shown(connection: Connection, visit: Visit, rows: Sequence[ApartRow]) -> list[Shown]:
    shop_id = visit.shop.shop_id
    ids = sorted({each for row in rows for each in row.profile_ids})
    people = gather(connection, shop_id, ids)
    return [
        Shown(
            row,
            (_side(people[row.profile_ids[0]]), _side(people[row.profile_ids[1]])),
            merging.preview(connection, shop_id, row.profile_ids, visit.now).sentence,
        )
        for row in rows
    ]


def _side(facts: Facts) -> Side:
    return Side(facts.profile_id, title_of_person(facts), known_by(facts))
