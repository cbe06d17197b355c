"""On which addresses may a person be reached, and what did they agree to there?

Consent belongs to the address, whoever holds it; a word about the person as a whole counts for each of theirs. Where
two persons turned out to be one, the most restrictive of what held before counts for each address, and what is told
after that counts on top of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, select

from customer360.clock import Instant
from customer360.consent.store import CHANNELS, Consent, read, state_after
from customer360.consent.tables import consents
from customer360.events.model import Channel, ConsentState, Identifier
from customer360.identities.sides import Parting, partings
from customer360.storage.database import rows_in

_CHANNELS_OF: dict[str, tuple[Channel, ...]] = {"email": ("email",), "phone": ("sms",)}
_MAX_VARIABLES = 10_000
_STRICTEST_FIRST: tuple[ConsentState, ...] = ("withdrawn", "pending", "granted", "never")

Address = tuple[Channel, str]
People = Mapping[int, tuple[Sequence[int], Sequence[Identifier]]]


class ContactPoint(msgspec.Struct, frozen=True):
    """An address on a channel with its consent, and the text that the person saw."""

    channel: Channel
    address: str
    consent: ConsentState
    consent_at: Instant | None = None
    consent_text: str = ""
    consent_source: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """All that was told of one profile's addresses."""

    by_address: Mapping[Address, Sequence[Consent]]
    of_person: Sequence[tuple[int, Consent]]
    """By a fragment, of the person as a whole."""
    partings: Sequence[Parting]
    carriers: Mapping[Address, Collection[int]]
    """The fragments that name an address; read only where there are partings."""


def contact_points(
    connection: Connection,
    shop_id: int,
    people: People,
    merging: Mapping[int, Callable[[], Sequence[Parting]]] | None = None,
) -> dict[int, tuple[ContactPoint, ...]]:
    """The contact points of each profile, of its fragments and identifiers (newest seen first).

    `merging`: of profiles that are only thought of, how to find the merges that they would be made of, the latest last.
    """
    fragments = [fragment for members, _ in people.values() for fragment in members]
    by_fragment: dict[int, list[Consent]] = defaultdict(list)
    by_address: dict[Address, list[Consent]] = defaultdict(list)
    for row in _rows(connection, shop_id, consents.c.fragment_id, fragments):
        by_fragment[row.fragment_id].append(read(row))
    addresses = {
        one.value for _, held in people.values() for one in held if one.type in _CHANNELS_OF
    }
    addresses |= {told.address for own in by_fragment.values() for told in own if told.address}
    for row in _rows(connection, shop_id, consents.c.address, sorted(addresses)):
        by_address[row.channel, row.address].append(read(row))
    parted = _partings(connection, shop_id, people, by_fragment, merging or {})
    carriers = _carriers(connection, shop_id, people, by_fragment, parted)
    points = {}
    for profile_id, (members, held) in people.items():
        own = [(each, told) for each in members for told in by_fragment.get(each, ())]
        told = _Told(
            by_address,
            [(fragment, one) for fragment, one in own if not one.address],
            parted.get(profile_id, ()),
            carriers,
        )
        points[profile_id] = _points_of(members, held, own, told)
    return points


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


def _partings(
    connection: Connection,
    shop_id: int,
    people: People,
    by_fragment: Mapping[int, Sequence[Consent]],
    merging: Mapping[int, Callable[[], Sequence[Parting]]],
) -> dict[int, Sequence[Parting]]:
    """The merges that matter: an address has one state for all, so only words about persons can differ."""
    concerned = [
        profile_id
        for profile_id, (members, _) in people.items()
        if len(members) > 1
        and any(not told.address for each in members for told in by_fragment.get(each, ()))
    ]
    found = partings(connection, shop_id, [each for each in concerned if each not in merging])
    return {**found, **{each: merging[each]() for each in concerned if each in merging}}


def _carriers(
    connection: Connection,
    shop_id: int,
    people: People,
    by_fragment: Mapping[int, Sequence[Consent]],
    parted: Mapping[int, Sequence[Parting]],
) -> dict[Address, set[int]]:
    members = [fragment for profile_id in parted for fragment in people[profile_id][0]]
    found: dict[Address, set[int]] = defaultdict(set)
    for fragment, kind, value in rows_in(connection, _NAMED, (shop_id,), members):
        for channel in _CHANNELS_OF.get(kind, ()):
            found[channel, value].add(fragment)
    for fragment in members:
        for told in by_fragment.get(fragment, ()):
            if told.address:
                found[told.channel, told.address].add(fragment)
    return found


_NAMED = "select fragment_id, type, value from fragment_identifiers where shop_id = {} and fragment_id in {}"


def _points_of(
    members: Sequence[int],
    held: Sequence[Identifier],
    own: list[tuple[int, Consent]],
    told: _Told,
) -> tuple[ContactPoint, ...]:
    own.sort(key=lambda pair: (pair[1].order, pair[1].channel, pair[1].address))
    wanted = [(channel, one.value) for one in held for channel in _CHANNELS_OF.get(one.type, ())]
    wanted += [(one.channel, one.address) for _, one in own if one.address]
    points = []
    for channel, address in dict.fromkeys(wanted):
        state = _state(told, (channel, address), frozenset(members), len(told.partings))
        points.append(
            ContactPoint(channel, address, state.state, state.occurred_at, state.text, state.source)
            if state
            else ContactPoint(channel, address, "never")
        )
    return tuple(points)


def _state(
    told: _Told,
    address: Address,
    members: frozenset[int],
    merges: int,
    until: Instant | None = None,
) -> Consent | None:
    """What these fragments' person had agreed to until then, of the first so many merges."""
    base, since = None, None
    while merges:
        merges -= 1
        parting = told.partings[merges]
        sides = _sides(parting, members)
        if sides:
            since = parting.at
            base = _strictest(_state(told, address, side, merges, since) for side in sides)
            break
    words = [
        one for fragment, one in told.of_person if fragment in members and one.channel == address[0]
    ]
    # A side that never had the address says of it no more than of the person.
    if until is None or not members.isdisjoint(told.carriers.get(address, ())):
        words += told.by_address.get(address, ())
    later = [
        one
        for one in words
        if (since is None or one.occurred_at > since)
        and (until is None or one.occurred_at <= until)
    ]
    return state_after(base, later)


def _sides(parting: Parting, members: frozenset[int]) -> list[frozenset[int]]:
    """The persons that these fragments were of, none where they were one.

    Fragments that came later are a side of their own: what they tell of earlier times must not take a STOP away.
    """
    groups: dict[int, set[int]] = defaultdict(set)
    later = set()
    for fragment in members:
        if fragment in parting.sides:
            groups[parting.sides[fragment]].add(fragment)
        else:
            later.add(fragment)
    if len(groups) < 2:
        return []
    sides = [frozenset(group) for _, group in sorted(groups.items())]
    return [*sides, frozenset(later)] if later else sides


def _strictest(states: Iterable[Consent | None]) -> Consent | None:
    """The most restrictive; of equals the latest."""
    return max(
        (one for one in states if one is not None),
        key=lambda one: (-_STRICTEST_FIRST.index(one.state), one.order),
        default=None,
    )
