"""A few people who shop, and how a list names them."""

import re

from tests.web.conftest import Site

PEOPLE = (
    # user, e-mail, first name, country, orders
    ("u1", "ann@people.example", "Ann", "IE", ("20.00", "39.00")),
    ("u2", "bea@people.example", "Bea", "GB", ("150.00",)),
    ("u3", "cy@people.example", "Cy", "IE", ()),
)


def fill(site: Site) -> None:
    """Three customers, who came a day after each other and bought at once, and a visitor."""
    house = site.house
    for number, (user, email, first_name, country, totals) in enumerate(PEOPLE):
        traits = {"email": email, "firstName": first_name, "lastName": "Lee"}
        traits |= {"address": {"country": country}}  # type: ignore[dict-item]
        at = f"2026-06-1{number}T09:00:00Z"
        house.segment({"type": "identify", "userId": user, "traits": traits, "timestamp": at})
        for order, total in enumerate(totals):
            buy(site, user, f"{user}-{order}", total, at)
    house.segment({"type": "page", "anonymousId": "c9"})
    house.drain()


def buy(site: Site, user: str, order_id: str, total: str, at: str) -> None:
    """An order of one of them, which the worker has not seen yet."""
    properties = {"order_id": order_id, "total": total, "currency": "EUR"}
    site.house.segment(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": user,
            "properties": properties,
            "timestamp": at,
        }
    )


def names_on(page: str) -> list[str]:
    """Whom the lines of a list name, in order."""
    return re.findall(r'class="row-link"[^>]*>([^<]+)</a>', page)
