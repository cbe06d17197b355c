"""A custom audience of Facebook and Instagram: everything hashed but ids and the person's value."""

from __future__ import annotations

from customer360.exports.model import PLACE, Format, Person
from customer360.exports.normalise import (
    country_code,
    digest,
    digits,
    lowered,
    name,
    place,
    repeated,
    zip_code,
)
from customer360.spreadsheet import safe_cell

_REPEATS = 3
_BEFORE_NAMES = ("madid",)
_AFTER_PLACES = ("dob", "doby", "gen", "age", "uid")
"""What we do not know of people: ids of their devices and at Meta, birthday, gender, age."""


def _row(person: Person) -> list[str]:
    address = person.address
    country = country_code(address.country)
    contacts = (
        *repeated((lowered(one.value) for one in person.emails), _REPEATS),
        *repeated((digits(one.value) for one in person.phones), _REPEATS),
    )
    names = (
        name(person.first_name),
        name(person.last_name),
        zip_code(address.zip, country),
        place(address.city),
        place(address.region),
        country.lower(),
    )
    worth = person.attributes.get("ltv") or person.attributes.get("total_spend") or ""
    return [
        *map(digest, contacts),
        *("" for _ in _BEFORE_NAMES),
        *map(digest, names),
        *("" for _ in _AFTER_PLACES),
        worth,
    ]


FORMAT = Format(
    name="meta",
    title="Meta",
    help="Custom audience of Facebook and Instagram: hashed, up to three e-mails and phones each, and what they spent",
    header=(
        *("email",) * _REPEATS,
        *("phone",) * _REPEATS,
        *_BEFORE_NAMES,
        *("fn", "ln", "zip", "ct", "st", "country"),
        *_AFTER_PLACES,
        "value",
    ),
    row=_row,
    attributes=(*PLACE, "ltv", "total_spend"),
    contacts=("email", "phone"),
    purpose="advertising",
    safe=safe_cell,
)
