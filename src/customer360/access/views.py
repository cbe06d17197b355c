"""The saved views of a user of a shop: how they want a list filtered, which columns and in what order."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from customer360.access.tables import saved_views, users
from customer360.errors import Conflict, InvalidName, NotFound

LONGEST_NAME = 80
# More than anybody finds again in a menu.
MOST_VIEWS = 50


class SavedView(NamedTuple):
    """A list as somebody wants to see it again: the query of its address, "" for the list as it is."""

    name: str
    query: str


def views_of(connection: Connection, shop_id: int, user_id: int) -> list[SavedView]:
    """The views of a user in a shop, by name."""
    views = saved_views.c
    query = select(views.name, views.query).where(
        views.shop_id == shop_id, views.user_id == user_id
    )
    found = [SavedView(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda view: (view.name.casefold(), view.name))


def save_view(connection: Connection, shop_id: int, user_id: int, view: SavedView) -> SavedView:
    """Keep a view; one of the same name is another from now on.

    Raises InvalidName, and Conflict where the user has as many views as there may be.
    """
    name = _checked_name(view.name)
    # Of two windows of one person the second waits for the first.
    connection.execute(select(users.c.user_id).where(users.c.user_id == user_id).with_for_update())
    known = {one.name for one in views_of(connection, shop_id, user_id)}
    if name in known:
        mine = _row(shop_id, user_id, name)
        connection.execute(update(saved_views).where(mine).values(query=view.query))
    elif len(known) >= MOST_VIEWS:
        raise Conflict(f"You have {MOST_VIEWS} views already; delete one first.")
    else:
        row = {"shop_id": shop_id, "user_id": user_id, "name": name, "query": view.query}
        connection.execute(insert(saved_views).values(row))
    return SavedView(name, view.query)


def delete_view(connection: Connection, shop_id: int, user_id: int, name: str) -> SavedView:
    """Forget a view; gives what it was. Raises NotFound."""
    found = next((one for one in views_of(connection, shop_id, user_id) if one.name == name), None)
    if found is None:
        raise NotFound("You have no view of this name.")
    connection.execute(delete(saved_views).where(_row(shop_id, user_id, name)))
    return found


def _row(shop_id: int, user_id: int, name: str) -> ColumnElement[bool]:
    views = saved_views.c
    return and_(views.shop_id == shop_id, views.user_id == user_id, views.name == name)


def _checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidName(f"Give the view a name of 1 to {LONGEST_NAME} characters.", "name")
    return name
