"""A customer file of TikTok: e-mail address and phone number, hashed."""

from __future__ import annotations

from customer360.exports.model import Format, Person
from customer360.exports.normalise import digest, digits, lowered
from customer360.spreadsheet import safe_cell


def _row(person: Person) -> list[str]:
    return [digest(lowered(person.email)), digest(digits(person.phone))]


FORMAT = Format(
    name="tiktok",
    title="TikTok",
    help="Custom audience of TikTok: one e-mail and one phone, hashed",
    header=("Email_SHA256", "Phone_SHA256"),
    row=_row,
    contacts=("email", "phone"),
    purpose="advertising",
    safe=safe_cell,
)
