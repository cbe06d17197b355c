"""Everything that is known: all contacts with their consents, the address, and every attribute by its name."""

from __future__ import annotations

from customer360.exports.model import Contact, Format, Person
from customer360.exports.texts import text_of
from customer360.profiles.attributes import ATTRIBUTES
from customer360.spreadsheet import safe_text

_NAMES = tuple(attribute.name for attribute in ATTRIBUTES)


def _both(contacts: tuple[Contact, ...]) -> tuple[str, str]:
    """All values in one cell, and their consents in another."""
    values, consents = (
        ", ".join(one.value for one in contacts),
        ", ".join(one.consent for one in contacts),
    )
    return values, consents


def _row(person: Person) -> list[str]:
    address = person.address
    return [
        str(person.profile_id),
        person.first_name,
        person.last_name,
        *_both(person.emails),
        *_both(person.phones),
        address.company,
        address.street,
        address.street2,
        address.zip,
        address.city,
        address.region,
        address.country,
        *(text_of(person.attributes.get(name)) for name in _NAMES),
    ]


FORMAT = Format(
    name="extended",
    title="Extended",
    help="Everything, for a spreadsheet: all contacts and their consents, the address, every attribute by its name",
    header=(
        *("profile_id", "first_name", "last_name"),
        *("emails", "email_consents", "phones", "sms_consents"),
        *("address_company", "address_street", "address_street2", "address_zip", "address_city"),
        *("address_region", "address_country"),
        *_NAMES,
    ),
    row=_row,
    attributes=_NAMES,
    mark=True,
    safe=safe_text,
)
