"""Where do people live, as the columns of Shopify and Klaviyo say it?"""

from __future__ import annotations

from customer360.connectors.sources.files import cells
from customer360.events.model import Address, Traits

Columns = dict[str, str]
"""The cells of a row that are not empty, by column."""


def address(row: Columns, prefix: str) -> Address | None:
    """The address whose columns begin with this, such as "Billing "; None where it says nothing of a place."""

    def cell(*names: str) -> str:
        return next(
            (cells.text(row[prefix + name]) for name in names if row.get(prefix + name)), ""
        )

    made = Address(
        street=cell("Address1", "Street", "Address"),
        street2=cell("Address2", "Address 2"),
        city=cell("City"),
        region=cell(
            "Province", "Province Code", "State / Region", "State/Region", "Region", "State"
        ),
        zip=cells.zip_code(cell("Zip", "Zip Code", "ZIP Code", "Postal Code")),
        country=cells.country(cell("Country", "Country Code")),
        company=cell("Company", "Organization"),
        name=cell("Name") if prefix else "",
        phone=cell("Phone"),
    )
    return made if made.street or made.city or made.region or made.zip or made.country else None


def traits_of_buyer(order: Columns) -> Traits | None:
    """What an order of Shopify's export tells of its buyer: the name that paid, and where it lives.

    An address under another name is somebody else's: a gift.
    """
    billing, shipping = address(order, "Billing "), address(order, "Shipping ")
    name = " ".join((order.get("Billing Name") or order.get("Shipping Name") or "").split())
    own = [
        place
        for place in (billing, shipping)
        if place and (not place.name or place.name.casefold().split() == name.casefold().split())
    ]
    first_name, last_name = split_name(name)
    return traits(first_name, last_name, name if not last_name else "", own)


def traits(
    first_name: str,
    last_name: str,
    name: str,
    places: list[Address],
    *,
    tags: tuple[str, ...] | None = None,
    timezone: str = "",
    custom: dict[str, str | int | float | bool] | None = None,
) -> Traits | None:
    """The traits of a person who lives at the first of the places; None where nothing is told."""
    home = places[0] if places else Address()
    made = Traits(
        first_name=first_name,
        last_name=last_name,
        name=name,
        timezone=timezone,
        country=home.country,
        region=home.region,
        city=home.city,
        zip=home.zip,
        addresses=tuple(dict.fromkeys(places)),
        tags=tags,
        custom=custom or {},
    )
    return None if made == Traits() else made


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a whole one, cut at its first space; a single word may be either, so it is neither."""
    first, _, last = cells.text(name).partition(" ")
    return (first, last.strip()) if last.strip() else ("", "")
