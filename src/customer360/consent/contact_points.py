"""On which addresses may a person be reached, and what did they agree to there?

Consent belongs to the address, whoever holds it; a word about the person as a whole counts for each of theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, select

from customer360.clock import Instant
from customer360.consent.store import CHANNELS, Consent, newest, read
from customer360.consent.tables import consents
from customer360.events.model import Channel, ConsentState, Identifier

_CHANNELS_OF: dict[str, tuple[Channel, ...]] = {"email": ("email",), "phone": ("sms",)}
_MAX_VARIABLES = 10_000


class ContactPoint(msgspec.Struct, frozen=True):
    """An address on a channel with its consent, and the text that the person saw."""

    channel: Channel
    address: str
    consent: ConsentState
    consent_at: Instant | None = None
    consent_text: str = ""
    consent_source: str = ""


def contact_points(
    connection: Connection,
    shop_id: int,
    people: Mapping[int, tuple[Sequence[int], Sequence[Identifier]]],
) -> dict[int, tuple[ContactPoint, ...]]:
    """The contact points of each profile, of its fragments and identifiers (newest seen first)."""
    fragments = [fragment for members, _ in people.values() for fragment in members]
    by_fragment: dict[int, list[Consent]] = defaultdict(list)
    by_address: dict[tuple[Channel, str], list[Consent]] = defaultdict(list)
    for row in _rows(connection, shop_id, consents.c.fragment_id, fragments):
        by_fragment[row.fragment_id].append(read(row))
    addresses = {
        one.value for _, held in people.values() for one in held if one.type in _CHANNELS_OF
    }
    addresses |= {told.address for own in by_fragment.values() for told in own if told.address}
    for row in _rows(connection, shop_id, consents.c.address, sorted(addresses)):
        by_address[row.channel, row.address].append(read(row))
    return {
        profile_id: _points_of(
            held,
            [told for fragment in members for told in by_fragment.get(fragment, ())],
            by_address,
        )
        for profile_id, (members, held) in people.items()
    }


def _rows(
    connection: Connection, shop_id: int, column: Column[Any], values: Sequence[Any]
) -> Iterator[Row[Any]]:
    query = select(consents).where(
        # The index of addresses leads with the channel.
        consents.c.shop_id == shop_id,
        consents.c.channel.in_(CHANNELS),
    )
    for start in range(0, len(values), _MAX_VARIABLES):
        part = query.where(column.in_(values[start : start + _MAX_VARIABLES]))
        yield from connection.execute(part)


def _points_of(
    held: Sequence[Identifier],
    own: list[Consent],
    by_address: Mapping[tuple[Channel, str], list[Consent]],
) -> tuple[ContactPoint, ...]:
    own.sort(key=lambda told: (told.order, told.channel, told.address))
    wanted = [(channel, one.value) for one in held for channel in _CHANNELS_OF.get(one.type, ())]
    wanted += [(told.channel, told.address) for told in own if told.address]
    person = [told for told in own if not told.address]
    points = []
    for channel, address in dict.fromkeys(wanted):
        told = [
            *by_address.get((channel, address), ()),
            *(
                msgspec.structs.replace(one, address=address)
                for one in person
                if one.channel == channel
            ),
        ]
        state = newest(told).get((channel, address))
        points.append(
            ContactPoint(channel, address, state.state, state.occurred_at, state.text, state.source)
            if state
            else ContactPoint(channel, address, "never")
        )
    return tuple(points)
