"""The items of the navigation; an item appears with its page."""

from __future__ import annotations

from typing import NamedTuple

from customer360.reports import REPORTS
from customer360.web.visit import Visit


class Item(NamedTuple):
    """One page of the navigation."""

    label: str
    path: str
    """Below the shop's address."""
    icon: str
    key: str = ""
    """After "g" it leads there; no two items have the same."""


class Section(NamedTuple):
    """Items under one heading."""

    label: str
    items: tuple[Item, ...]


class Link(NamedTuple):
    """An item as a page shows it."""

    label: str
    url: str
    icon: str
    current: bool
    key: str


class Group(NamedTuple):
    """A section as a page shows it."""

    label: str
    links: tuple[Link, ...]


# By name, for a report does not know the navigation.
_REPORT_KEYS = {
    "activity": "a",
    "cohort-retention": "n",
    "purchase-journey": "p",
    "funnel": "f",
    "acquisition": "q",
    "stages": "t",
}

OVERVIEW = Section("", (Item("Overview", "/overview", "home", "o"),))
SECTIONS = (
    Section(
        "Customers",
        (
            Item("All customers", "/customers", "users", "c"),
            Item("Segments", "/segments", "rectangle-group", "s"),
            Item("Duplicates", "/duplicates", "document-duplicate", "d"),
        ),
    ),
    Section(
        "Insights",
        (
            *(
                Item(one.title, f"/reports/{one.name}", one.icon, _REPORT_KEYS.get(one.name, ""))
                for one in REPORTS
                if one.is_listed
            ),
            Item("RFM", "/rfm", "squares-2x2", "r"),
            Item("Re-orders", "/reports/reorders", "arrow-path-rounded-square", "b"),
            Item("Models", "/models", "scale", "m"),
        ),
    ),
    Section(
        "Data",
        (
            Item("Sources", "/sources", "signal", "u"),
            Item("Dead letters", "/dead-letters", "archive-box-x-mark", "l"),
            Item("Imports", "/imports", "arrow-up-tray", "i"),
        ),
    ),
)
SETTINGS = Section("", (Item("Settings", "/settings", "cog-6-tooth", "e"),))


def navigation(visit: Visit) -> tuple[Group, ...]:
    """The navigation of the shop's pages, the Overview first and the settings last; empty outside a shop."""
    if visit.here is None or visit.session is None:
        return ()
    return tuple(
        Group(section.label, tuple(_link(visit, item) for item in section.items))
        for section in (OVERVIEW, *SECTIONS, SETTINGS)
    )


def _link(visit: Visit, item: Item) -> Link:
    url = visit.root + item.path
    current = visit.path == url or visit.path.startswith(url + "/")
    return Link(item.label, url, item.icon, current, item.key)
