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


class Group(NamedTuple):
    """A section as a page shows it."""

    label: str
    links: tuple[Link, ...]


OVERVIEW = Section("", (Item("Overview", "/overview", "home"),))
SECTIONS = (
    Section(
        "Customers",
        (
            Item("All customers", "/customers", "users"),
            Item("Segments", "/segments", "rectangle-group"),
            Item("Duplicates", "/duplicates", "document-duplicate"),
        ),
    ),
    Section(
        "Insights",
        (
            *(Item(one.title, f"/reports/{one.name}", one.icon) for one in REPORTS),
            Item("Stages", "/reports/stages", "arrows-right-left"),
            Item("RFM", "/rfm", "squares-2x2"),
            Item("Re-orders", "/reports/reorders", "arrow-path-rounded-square"),
            Item("Models", "/models", "scale"),
        ),
    ),
    Section(
        "Data",
        (
            Item("Sources", "/sources", "signal"),
            Item("Dead letters", "/dead-letters", "archive-box-x-mark"),
            Item("Imports", "/imports", "arrow-up-tray"),
        ),
    ),
)
SETTINGS = Section("", (Item("Settings", "/settings", "cog-6-tooth"),))


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
    return Link(item.label, url, item.icon, visit.path == url or visit.path.startswith(url + "/"))
