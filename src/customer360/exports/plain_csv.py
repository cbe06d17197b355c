"""The columns of a segment's list of members, as they are: for a program."""

from __future__ import annotations

from customer360.exports.model import PLACE, Format, Person
from customer360.exports.texts import text_of

_ATTRIBUTES = {
    "Orders": "orders_count",
    "Total spent": "total_spend",
    "Average order": "average_order_value",
    "Last order": "last_order_at",
    "Days since last order": "days_since_last_order",
    "Discount received": "discount_received",
    "Promo codes used": "promo_codes_count",
    "Negative feedback": "negative_feedback_count",
    "Returned items": "returned_items_count",
    "Last touch source": "last_touch_source",
    "Last touch medium": "last_touch_medium",
    "Last touch URL": "last_touch_url",
}
"""By heading."""


def _row(person: Person) -> list[str]:
    address = person.address
    return [
        str(person.profile_id),
        person.name,
        person.email,
        person.emails[0].consent if person.emails else "",
        person.phone,
        person.phones[0].consent if person.phones else "",
        ", ".join(filter(None, (address.street, address.street2))),
        address.city,
        address.zip,
        address.country,
        *(text_of(person.attributes.get(name)) for name in _ATTRIBUTES.values()),
    ]


FORMAT = Format(
    name="csv",
    title="CSV",
    help="The columns of the list of members, for a program: no value is made safe for a spreadsheet",
    header=(
        *("Profile id", "Name", "E-mail", "E-mail consent", "Phone", "SMS consent"),
        *("Address", "City", "ZIP", "Country"),
        *_ATTRIBUTES,
    ),
    row=_row,
    attributes=(*PLACE, *_ATTRIBUTES.values()),
)
