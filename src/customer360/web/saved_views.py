"""Saved views of All customers: a filter, columns and an order under a name, for one user of one shop."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.responses import Response

from customer360.access.views import LONGEST_NAME, SavedView, delete_view, save_view, views_of
from customer360.errors import Conflict, InvalidInput, NotFound
from customer360.web import filters
from customer360.web.cookies import LONGEST_KEPT
from customer360.web.door import Door
from customer360.web.filters import CustomerFilter
from customer360.web.visit import Visit


class ViewLink(NamedTuple):
    """A view as the list offers it; the current one is what the list shows."""

    name: str
    query: str
    is_current: bool


class Views(NamedTuple):
    """The views of whoever looks; `query` is what would be saved, `current` the name that it has already, if any."""

    links: list[ViewLink]
    query: str
    current: str
    longest_name: int = LONGEST_NAME


def views_values(visit: Visit, chosen: CustomerFilter) -> Views:
    """The views that the list offers."""
    with visit.app.database.read() as connection:
        found = views_of(connection, visit.shop.shop_id, visit.user_id)
    query = _kept_of(chosen)
    links = [ViewLink(*view, is_current=view.query == query) for view in found]
    return Views(links, query, next((one.name for one in links if one.is_current), ""))


def save(door: Door, visit: Visit) -> Response:
    """Keeps what the list shows under a name."""
    view = SavedView(visit.field("name"), _kept_of(_read(visit.field("query"))))
    return _save(door, visit, view, "saved")


def delete(door: Door, visit: Visit) -> Response:
    """Forgets a view and stays at the list; the toast takes it back."""
    here = _address(visit, filters.write(_read(visit.field("query"))))
    try:
        with visit.app.database.write() as connection:
            gone = delete_view(connection, visit.shop.shop_id, visit.user_id, visit.field("name"))
    except NotFound as error:
        return door.redirect(here, str(error), bad=True)
    kept = json.dumps(gone._asdict())
    return door.redirect(
        here,
        f"The view {gone.name} is deleted.",
        kept=kept if len(kept) <= LONGEST_KEPT else "",
        keeps="view",
    )


def restore(door: Door, visit: Visit) -> Response:
    """Keeps a view again that was just deleted."""
    try:
        told = json.loads(visit.field("kept"))
        name, query = str(told["name"]), str(told["query"])
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput("This is no view that could be saved again.", "kept") from error
    return _save(door, visit, SavedView(name, _kept_of(_read(query))), "there again")


def _save(door: Door, visit: Visit, view: SavedView, now: str) -> Response:
    try:
        with visit.app.database.write() as connection:
            saved = save_view(connection, visit.shop.shop_id, visit.user_id, view)
    except (Conflict, InvalidInput) as error:
        return door.redirect(_address(visit, view.query), str(error), bad=True)
    return door.redirect(_address(visit, saved.query), f"The view {saved.name} is {now}.")


def _read(query: str) -> CustomerFilter:
    return filters.read(QueryParams(query.removeprefix("?")))


def _kept_of(chosen: CustomerFilter) -> str:
    """The query of a view: of the filter without page, and without a search, which is a customer's name or address."""
    return filters.write(replace(chosen, search="", page=1))


def _address(visit: Visit, query: str) -> str:
    return f"{visit.root}/customers{query}"
