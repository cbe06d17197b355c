"""The people behind ids: names, addresses and contacts from the profile store, attributes as they were handed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from customer360.consent.contact_points import ContactPoint, contact_points
from customer360.events.model import Identifier
from customer360.exports.model import Contact, Person
from customer360.profiles.addressees import addressees


def people(
    connection: Connection, shop_id: int, attributes: Mapping[int, Mapping[str, Any]]
) -> list[Person]:
    """The people with these ids, in their order; whoever was merged away or erased meanwhile is left out."""
    found = addressees(connection, shop_id, list(attributes))
    points = contact_points(
        connection, shop_id, {one.profile_id: (one.fragments, one.identifiers) for one in found}
    )
    return [
        Person(
            one.profile_id,
            one.first_name,
            one.last_name,
            one.addresses,
            _contacts(one.identifiers, points[one.profile_id], "email", "email"),
            _contacts(one.identifiers, points[one.profile_id], "phone", "sms"),
            attributes[one.profile_id],
        )
        for one in found
    ]


def _contacts(
    identifiers: Sequence[Identifier], points: Iterable[ContactPoint], kind: str, channel: str
) -> tuple[Contact, ...]:
    """What the person owns now of this kind; an address that only an old consent names may be somebody else's."""
    states = {point.address: point.consent for point in points if point.channel == channel}
    owned = [
        Contact(one.value, states.get(one.value, "never"))
        for one in identifiers
        if one.type == kind
    ]
    return tuple(sorted(owned, key=lambda contact: contact.consent != "granted"))
