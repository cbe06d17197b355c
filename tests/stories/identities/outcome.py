"""Who is who in a shop, read from its profile store without the ids it gave."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.consent.contact_points import contact_points
from customer360.events.model import Identifier
from customer360.events.tables import events
from customer360.identities.tables import candidates, fragments, ownerships, profiles
from customer360.profiles.card import contact_question, kind_of
from customer360.profiles.facts import gather
from customer360.profiles.tables import orders
from tests.house import House

Marks = frozenset[str]
"""The signals of one profile, by what they are called in the story."""
NOBODY = 0
"""The fragment of what names nobody."""


@dataclass(frozen=True)
class Stood:
    """A profile as it stands: whose signals it has, and what is known of it."""

    signals: Marks
    kind: str
    identifiers: frozenset[tuple[str, str, str]]
    """Type, value and state."""
    consents: frozenset[tuple[str, str, str]]
    """Channel, address and state of every contact point of which something was told."""
    sessions: int


class Doubted(NamedTuple):
    """An open candidate."""

    sides: frozenset[Marks]
    weak: bool
    reasons: frozenset[tuple[Identifier | None, str]]
    """Identifier and word."""
    hub: str


def people(house: House, mark_at: Mapping[Instant, str]) -> list[Stood]:
    """Every profile. A signal without `mark` among its properties is called as the time it happened at says."""
    with house.app.database.read() as connection:
        signals = signals_of(connection, house.shop.shop_id, mark_at)
        signals.pop(NOBODY, None)
        facts = gather(connection, house.shop.shop_id, living(connection, house.shop.shop_id))
        points = contact_points(
            connection,
            house.shop.shop_id,
            {profile_id: contact_question(one) for profile_id, one in facts.items()},
        )
    assert signals.keys() <= facts.keys(), "signals of a profile that is gone"
    return [
        Stood(
            frozenset(signals.get(profile_id, ())),
            kind_of(one),
            frozenset(
                (held.identifier.type, held.identifier.value, held.state)
                for held in one.identifiers
            ),
            frozenset(
                (point.channel, point.address, point.consent)
                for point in points[profile_id]
                if point.consent != "never"
            ),
            one.sessions,
        )
        for profile_id, one in facts.items()
    ]


def nobodys(house: House, mark_at: Mapping[Instant, str]) -> set[str]:
    """The signals that name nobody."""
    with house.app.database.read() as connection:
        return signals_of(connection, house.shop.shop_id, mark_at).get(NOBODY, set())


def doubts(house: House, mark_at: Mapping[Instant, str]) -> list[Doubted]:
    """The open candidates that the evidence made."""
    with house.app.database.read() as connection:
        shop_id = house.shop.shop_id
        signals = signals_of(connection, shop_id, mark_at)
        profile_of = map_of(connection, shop_id)
        query = select(
            candidates.c.fragment_a,
            candidates.c.fragment_b,
            candidates.c.weak,
            candidates.c.reasons,
            candidates.c.hub,
        ).where(
            candidates.c.shop_id == shop_id,
            candidates.c.state == "open",
            candidates.c.origin == "evidence",
        )
        return [
            Doubted(
                frozenset(frozenset(signals.get(profile_of[side], ())) for side in (one, other)),
                bool(weak),
                frozenset(_reasons(reasons)),
                hub,
            )
            for one, other, weak, reasons, hub in connection.execute(query)
        ]


def owners(house: House, mark_at: Mapping[Instant, str]) -> dict[Identifier, tuple[str, Marks]]:
    """State and owner of every identifier that has one."""
    with house.app.database.read() as connection:
        shop_id = house.shop.shop_id
        signals = signals_of(connection, shop_id, mark_at)
        profile_of = map_of(connection, shop_id)
        query = select(ownerships).where(
            ownerships.c.shop_id == shop_id, ownerships.c.until.is_(None)
        )
        found: dict[Identifier, tuple[str, Marks]] = {}
        for row in connection.execute(query):
            identifier = Identifier(row.type, row.value)
            assert identifier not in found, f"{identifier} has two owners"
            found[identifier] = (row.state, frozenset(signals[profile_of[row.fragment_id]]))
        return found


def living(connection: Connection, shop_id: int) -> list[int]:
    """Profiles that redirect nowhere."""
    query = select(profiles.c.profile_id).where(
        profiles.c.shop_id == shop_id, profiles.c.merged_into.is_(None)
    )
    return list(connection.scalars(query))


def map_of(connection: Connection, shop_id: int) -> dict[int, int]:
    """From fragment to profile."""
    query = select(fragments.c.fragment_id, fragments.c.profile_id).where(
        fragments.c.shop_id == shop_id
    )
    return {row.fragment_id: row.profile_id for row in connection.execute(query)}


def signals_of(
    connection: Connection, shop_id: int, mark_at: Mapping[Instant, str]
) -> dict[int, set[str]]:
    """By profile what its signals are called; those of nobody under `NOBODY`."""
    profile_of = {**map_of(connection, shop_id), NOBODY: NOBODY}
    found: dict[int, set[str]] = defaultdict(set)
    told = select(events.c.fragment_id, events.c.occurred_at, events.c.properties).where(
        events.c.shop_id == shop_id
    )
    bought = select(orders.c.fragment_id, orders.c.placed_at, orders.c.properties).where(
        orders.c.shop_id == shop_id
    )
    for query in (told, bought):
        for fragment_id, at, properties in connection.execute(query):
            marked = json.loads(properties).get("mark") if properties else None
            mark = marked or mark_at[at]
            assert mark not in found[profile_of[fragment_id]], f"{mark} is there twice"
            found[profile_of[fragment_id]].add(mark)
    return found


def _reasons(text: str) -> Iterator[tuple[Identifier | None, str]]:
    for one in json.loads(text):
        yield Identifier(one["type"], one["value"]) if one["type"] else None, one["word"]
