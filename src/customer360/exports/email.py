"""Whom to write to: name, phone and e-mail of those who agreed."""

from __future__ import annotations

from customer360.exports.model import Format, Person
from customer360.spreadsheet import safe_cell


def _row(person: Person) -> list[str]:
    return [person.name, person.phone, person.email]


FORMAT = Format(
    name="email",
    title="E-mail",
    help="Name, phone and e-mail, for a program that sends messages",
    header=("Name", "Phone", "E-mail"),
    row=_row,
    contacts=("email", "phone"),
    purpose="messages",
    safe=safe_cell,
)
