"""A customer list of Google Ads: contacts and names hashed, country and ZIP as they are."""

from __future__ import annotations

from customer360.exports.model import PLACE, Format, Person
from customer360.exports.normalise import country_code, digest, google_email, lowered, repeated
from customer360.spreadsheet import safe_cell

_REPEATS = 3


def _row(person: Person) -> list[str]:
    address = person.address
    hashed = (
        *repeated((google_email(one.value) for one in person.emails), _REPEATS),
        *repeated((one.value for one in person.phones), _REPEATS),
        lowered(person.first_name),
        lowered(person.last_name),
    )
    return [*map(digest, hashed), country_code(address.country), address.zip.strip()]


FORMAT = Format(
    name="google",
    title="Google Ads",
    help="Customer list of Google Ads: up to three e-mails and phones each, hashed with the name; country and ZIP not",
    header=(
        *("Email",) * _REPEATS,
        *("Phone",) * _REPEATS,
        *("First Name", "Last Name", "Country", "Zip"),
    ),
    row=_row,
    attributes=PLACE,
    contacts=("email", "phone"),
    purpose="advertising",
    safe=safe_cell,
)
