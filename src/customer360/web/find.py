"""Finding by name: pages, actions, segments and customers, for the command palette and a page without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from customer360.profiles.hydrate import Summary, hydrate, search
from customer360.segments.store import list_segments
from customer360.web.door import Door, Page
from customer360.web.navigation import OVERVIEW, SECTIONS, SETTINGS, Item
from customer360.web.visit import Visit
from customer360.web.words import folded, title_of

# As many as are read at a glance; whoever means another one types on.
_MOST = 8
_LONGEST = 200
# One letter is in nearly every name.
_SHORTEST_NAME = 2

PAGES = tuple(item for section in (OVERVIEW, *SECTIONS, SETTINGS) for item in section.items)
ACTIONS = (
    Item("New segment", "/segments/new", "plus"),
    Item("Import a file", "/imports", "arrow-up-tray"),
    Item("Connect a source", "/sources", "signal"),
    Item("Make a key", "/settings/keys", "key"),
    Item("Add a colleague", "/settings/users", "user-plus"),
    Item("Change the password", "/settings/account", "lock-closed"),
)


class Hit(NamedTuple):
    """One thing that was found, and where it is."""

    label: str
    url: str
    icon: str
    detail: str = ""


class Hits(NamedTuple):
    """What was found of one kind."""

    label: str
    hits: list[Hit]


def show(_door: Door, visit: Visit) -> Page:
    """The search, with all pages and actions."""
    return _page(visit, "")


def find(_door: Door, visit: Visit) -> Page:
    """What the text of the form means; it is posted because it may name a person."""
    return _page(visit, visit.field("q").strip()[:_LONGEST])


def _page(visit: Visit, sought: str) -> Page:
    groups = (
        Hits("Pages", _items(visit, PAGES, sought)),
        Hits("Actions", _items(visit, ACTIONS, sought)),
        Hits("Segments", _segments(visit, sought)),
        Hits("Customers", _customers(visit, sought)),
    )
    found = [group for group in groups if group.hits]
    return Page("find/find.html", {"q": sought, "groups": found})


def _items(visit: Visit, items: Iterable[Item], sought: str) -> list[Hit]:
    return [
        Hit(item.label, visit.root + item.path, item.icon)
        for item in items
        if _is_meant(item.label, sought)
    ]


def _segments(visit: Visit, sought: str) -> list[Hit]:
    with visit.app.database.read() as connection:
        segments = [
            one for one in list_segments(connection, visit.shop.shop_id) if not one.built_in
        ]
    meant = [one for one in segments if _is_meant(one.name, sought)]
    return [
        Hit(one.name, f"{visit.root}/segments/{one.segment_id}", "rectangle-group")
        for one in meant[:_MOST]
    ]


def _customers(visit: Visit, sought: str) -> list[Hit]:
    if len(sought) < _SHORTEST_NAME:
        return []
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        people = hydrate(connection, shop_id, search(connection, shop_id, sought, _MOST))
    return [_customer(visit, person) for person in people]


def _customer(visit: Visit, person: Summary) -> Hit:
    contacts = [contact for contact in (person.email, person.phone) if contact]
    # Whoever is found by a name or an identifier is a customer.
    title = title_of(person.name, contacts, person.profile_id, "customer")
    detail = next((contact for contact in contacts if contact != title), "")
    return Hit(title, f"{visit.root}/customers/{person.profile_id}", "user", detail)


def _is_meant(label: str, sought: str) -> bool:
    """Whether each word that was typed is in the label."""
    return all(word in folded(label) for word in folded(sought).split())
