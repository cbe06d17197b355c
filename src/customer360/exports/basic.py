"""Whom letters go to: name and postal address, for a spreadsheet."""

from __future__ import annotations

from customer360.exports.model import PLACE, Format, Person
from customer360.spreadsheet import safe_text


def _row(person: Person) -> list[str]:
    address = person.address
    return [
        person.name,
        address.company,
        address.street,
        address.street2,
        address.zip,
        address.city,
        address.region,
        address.country,
    ]


FORMAT = Format(
    name="basic",
    title="Basic",
    help="Name and postal address, for a spreadsheet",
    header=("Name", "Company", "Address", "Address 2", "ZIP", "City", "Region", "Country"),
    row=_row,
    attributes=PLACE,
    mark=True,
    safe=safe_text,
)
