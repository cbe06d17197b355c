"""The worker's way through a history, batch by batch, ends where the pure function ends."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from customer360.access.shops import create_shop
from customer360.clock import FixedClock
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.linking import link
from customer360.identities.model import NO_NAME, Observation
from customer360.identities.resolve import resolve
from customer360.identities.sightings import Digest, Sighting, evidence_digest
from customer360.identities.store import write
from customer360.identities.tables import fragments
from customer360.storage.database import Database, Writes, next_change

NOW = FixedClock().now()
KEY = b"k" * 32

# Persons known by one e-mail, with devices and tokens of their own: the histories that have no conflict.
steps = st.lists(
    st.tuples(st.integers(0, 3), st.sets(st.integers(0, 4), min_size=1, max_size=3)),
    min_size=1,
    max_size=20,
)
KINDS = ("cookie:first", "cookie:second", "email:mail", "cart_token:t", "checkout_token:t")


def identifiers_of(person: int, kinds: set[int]) -> tuple[Identifier, ...]:
    named = (f"{KINDS[kind]}-{person}@x.com".split(":", 1) for kind in kinds)
    return tuple(sorted(Identifier(kind, value) for kind, value in named))


def together(profile_of: dict[Digest, int]) -> set[frozenset[Digest]]:
    groups: dict[int, set[Digest]] = defaultdict(set)
    for digest, profile in profile_of.items():
        groups[profile].add(digest)
    return {frozenset(group) for group in groups.values()}


def batch(
    connection: Connection, shop_id: int, part: list[tuple[int, tuple[Identifier, ...]]]
) -> None:
    sightings: dict[Digest, Sighting] = {}
    for number, identifiers in part:
        digest = evidence_digest(KEY, identifiers, NO_NAME, Trust.FULL)
        if digest in sightings:
            sightings[digest].add(number, SourceRank.SERVER, counts=True)
        else:
            sightings[digest] = Sighting(identifiers, Trust.FULL, SourceRank.SERVER, number, number)
    links = link(connection, shop_id, sightings, dict.fromkeys(sightings, ()))
    writes = Writes()
    write(writes, shop_id, next_change(connection, shop_id), links, NOW)
    writes.run(connection)


@pytest.mark.parametrize("size", [1, 3, 20])
@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(history=steps)
def test_batches_of_any_size_end_where_resolve_ends(
    size: int, history: list[tuple[int, set[int]]], database_url: str, tmp_path: Path
) -> None:
    told = [(number, identifiers_of(*step)) for number, step in enumerate(history, start=1)]
    database = Database(database_url)
    with database.write() as connection:
        shop = create_shop(
            connection, name="S", currency="EUR", timezone="Europe/Dublin", country="IE", now=NOW
        ).shop
    for start in range(0, len(told), size):
        with database.write() as connection:
            batch(connection, shop.shop_id, told[start : start + size])
    with database.read() as connection:
        query = select(fragments.c.evidence, fragments.c.profile_id).where(
            fragments.c.shop_id == shop.shop_id
        )
        stored = {bytes(digest): profile for digest, profile in connection.execute(query)}
    database.close()

    evidence = {
        number: evidence_digest(KEY, identifiers, NO_NAME, Trust.FULL)
        for number, identifiers in told
    }
    outcome = resolve(
        Observation(
            fragment_id=number,
            identifiers=identifiers,
            trust=Trust.FULL,
            rank=SourceRank.SERVER,
            first_at=number,
            last_at=number,
            evidence=evidence[number],
        )
        for number, identifiers in told
    )
    expected = {evidence[number]: profile for (number, _run), profile in outcome.profile_of.items()}

    assert together(stored) == together(expected)
