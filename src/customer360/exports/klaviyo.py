"""A list for Klaviyo's import, with what each contact agreed to."""

from __future__ import annotations

from customer360.exports.model import PLACE, Contact, Format, Person
from customer360.spreadsheet import safe_cell

_WORDS = {"granted": "Subscribed", "withdrawn": "Unsubscribed"}
"""Klaviyo's words; of whoever never agreed, or was asked and has not answered, nothing is said."""


def _consent(contacts: tuple[Contact, ...]) -> str:
    return _WORDS.get(contacts[0].consent, "") if contacts else ""


def _row(person: Person) -> list[str]:
    address = person.address
    return [
        person.email,
        person.phone,
        person.first_name,
        person.last_name,
        address.street,
        address.street2,
        address.city,
        address.region,
        address.zip,
        address.country,
        _consent(person.emails),
        _consent(person.phones),
    ]


FORMAT = Format(
    name="klaviyo",
    title="Klaviyo",
    help="Klaviyo's list import with the consents of e-mail and phone; Klaviyo takes files under 50 MB",
    header=(
        *("Email", "Phone Number", "First Name", "Last Name"),
        *("Address", "Address 2", "City", "State / Region", "Zip Code", "Country"),
        *("Email Marketing Consent", "SMS Marketing Consent"),
    ),
    row=_row,
    attributes=PLACE,
    contacts=("email", "phone"),
    purpose="messages",
    safe=safe_cell,
)
