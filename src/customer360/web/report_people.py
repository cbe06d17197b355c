"""The people behind a number of a report, a page at a time: the warehouse says which, the profile store who."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from customer360.profiles.hydrate import Summary, hydrate
from customer360.values import parse_id
from customer360.web.visit import Visit
from customer360.web.words import title_of

PAGE_ROWS = 25
_MOST_PAGES = 400_000


class Person(NamedTuple):
    """One of the people."""

    profile_id: int
    title: str
    contact: str


def page_asked(visit: Visit) -> int:
    """The number of the page in the address."""
    return min(parse_id(visit.query.get("page", "")) or 1, _MOST_PAGES)


def people_values(
    visit: Visit,
    connection: Connection,
    profile_ids: Sequence[int],
    total: int,
    page: int,
    address: str,
) -> dict[str, object]:
    """What the page of people shows; `address` is its own without the number of the page."""
    people = hydrate(connection, visit.shop.shop_id, list(profile_ids))
    return {
        "people": [_person(one) for one in people],
        "total": total,
        "page": page,
        "last_page": max(1, -(-total // PAGE_ROWS)),
        "page_address": lambda number: f"{address}&page={number}",
    }


def _person(person: Summary) -> Person:
    contacts = [contact for contact in (person.email, person.phone) if contact]
    title = title_of(person.name, contacts, person.profile_id, "customer")
    contact = next((contact for contact in contacts if contact != title), "")
    return Person(person.profile_id, title, contact)
