"""A customer list of Pinterest: e-mail addresses, hashed."""

from __future__ import annotations

from customer360.exports.model import Format, Person
from customer360.exports.normalise import digest, lowered
from customer360.spreadsheet import safe_cell


def _row(person: Person) -> list[str]:
    return [digest(lowered(person.email))]


FORMAT = Format(
    name="pinterest",
    title="Pinterest",
    help="Customer list of Pinterest: one e-mail, hashed with SHA-256",
    header=("EMAIL",),
    row=_row,
    contacts=("email",),
    purpose="advertising",
    safe=safe_cell,
)
