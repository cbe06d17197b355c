"""Reads what a batch of evidence touches, lets `resolve.attach` decide, and says what to write."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.resolve import (
    FragmentId,
    Observation,
    Ownership,
    Person,
    ProfileId,
    State,
    attach,
)
from customer360.identities.tables import (
    fragment_identifiers,
    fragments,
    observations,
    ownerships,
    profiles,
)
from customer360.storage.database import Writes, rows_in
from customer360.values import new_ids

Digest = bytes


class Sighting(msgspec.Struct):
    """All events of a batch that carry the same evidence."""

    identifiers: tuple[Identifier, ...]
    trust: Trust
    rank: SourceRank
    first_at: Instant
    last_at: Instant
    events: int = 1

    @property
    def canonical_order(self) -> tuple[Instant, int, tuple[Identifier, ...]]:
        """As `resolve` has it; the digest is the shop's own and settles only what is otherwise the same."""
        return (self.first_at, -self.rank, self.identifiers)

    def add(self, at: Instant, rank: SourceRank) -> None:
        self.events += 1
        if at < self.first_at:
            self.first_at = at
        if at > self.last_at:
            self.last_at = at
        if rank > self.rank:
            self.rank = rank


@dataclass(slots=True)
class Links:
    """Where each evidence belongs, and the rows that say so."""

    fragment_of: dict[Digest, FragmentId] = field(default_factory=dict)
    state: State = field(default_factory=State)
    new_fragments: dict[Digest, FragmentId] = field(default_factory=dict)

    def profile_of(self, fragment_id: FragmentId) -> ProfileId:
        """The profile that a fragment of this batch now belongs to."""
        return self.state.survivor(self.state.profile_of[fragment_id])

    @property
    def profiles(self) -> set[ProfileId]:
        """Every profile that an event of this batch belongs to."""
        return {self.profile_of(fragment_id) for fragment_id in self.fragment_of.values()}


def evidence_digest(
    digest_key: bytes, identifiers: Sequence[Identifier], name: str, trust: Trust
) -> Digest:
    """The key under which a fragment is found again: the same evidence always gives the same one."""
    text = "\x1e".join(f"{identifier.type}\x1f{identifier.value}" for identifier in identifiers)
    return blake2b(
        f"{text}\x1d{name}\x1d{int(trust)}".encode(), key=digest_key, digest_size=16
    ).digest()


def link(connection: Connection, shop_id: int, sightings: Mapping[Digest, Sighting]) -> Links:
    """Find the fragment of each evidence; make and attach those seen for the first time. Only reads."""
    links = Links()
    for digest, fragment_id, profile_id in _known_fragments(connection, shop_id, list(sightings)):
        links.fragment_of[digest] = fragment_id
        links.state.profile_of[fragment_id] = profile_id
    new = sorted(
        (digest for digest in sightings if digest not in links.fragment_of),
        key=lambda digest: (*sightings[digest].canonical_order, digest),
    )
    if not new:
        return links
    wanted = {identifier for digest in new for identifier in sightings[digest].identifiers}
    _load_owners(connection, shop_id, wanted, links.state)
    profile_ids = _ids_as_needed()
    for digest, fragment_id in zip(new, new_ids.take(len(new)), strict=True):
        seen = sightings[digest]
        links.fragment_of[digest] = links.new_fragments[digest] = fragment_id
        attach(
            links.state,
            Observation(
                fragment_id=fragment_id,
                identifiers=seen.identifiers,
                trust=seen.trust,
                rank=seen.rank,
                first_at=seen.first_at,
                last_at=seen.last_at,
                events=seen.events,
                evidence=digest,
            ),
            profile_ids,
        )
    return links


def owners_of(
    connection: Connection, shop_id: int, identifiers: Iterable[Identifier]
) -> set[FragmentId]:
    """The fragments that own these identifiers."""
    found: set[FragmentId] = set()
    by_type: dict[str, list[str]] = defaultdict(list)
    for identifier in identifiers:
        by_type[identifier.type].append(identifier.value)
    for kind, values in by_type.items():
        rows = rows_in(
            connection,
            "select fragment_id from ownerships"
            " where shop_id = {} and type = {} and until is null and value in {}",
            (shop_id, kind),
            values,
        )
        found.update(fragment_id for (fragment_id,) in rows)
    return found


def write(
    writes: Writes,
    shop_id: int,
    change: int,
    sightings: Mapping[Digest, Sighting],
    links: Links,
    now: Instant,
) -> None:
    """Store new fragments, ownerships, observations and merges; every profile touched takes the change number."""
    state = links.state
    writes.insert(
        observations,
        ("shop_id", "fragment_id", "run", "first_at", "last_at", "rank", "n"),
        [
            (
                shop_id,
                links.fragment_of[digest],
                0,
                seen.first_at,
                seen.last_at,
                int(seen.rank),
                seen.events,
            )
            for digest, seen in sightings.items()
        ],
        on_conflict=_WIDEN_OBSERVATION,
    )
    if links.new_fragments:
        _write_fragments(writes, shop_id, change, sightings, links)
        _write_ownerships(writes, shop_id, state)
    born = [profile for profile in state.born if profile not in state.redirects]
    writes.insert(
        profiles,
        (
            "shop_id",
            "profile_id",
            "known",
            "account_ids",
            "name",
            "search_text",
            "created_at",
            "change",
        ),
        [
            (
                shop_id,
                profile,
                state.people[profile].known,
                _account_ids(state.people[profile]),
                "",
                "",
                now,
                change,
            )
            for profile in born
        ],
    )
    _write_merges(writes, shop_id, change, state)
    _touch(writes, shop_id, change, links)


_WIDEN_OBSERVATION = (
    "(shop_id, fragment_id, run) do update set"
    " first_at = case when excluded.first_at < observations.first_at"
    " then excluded.first_at else observations.first_at end,"
    " last_at = case when excluded.last_at > observations.last_at then excluded.last_at else observations.last_at end,"
    " rank = case when excluded.rank > observations.rank then excluded.rank else observations.rank end,"
    " n = observations.n + excluded.n"
)


def _known_fragments(
    connection: Connection, shop_id: int, digests: list[Digest]
) -> Iterator[tuple[Digest, FragmentId, ProfileId]]:
    found = rows_in(
        connection,
        "select evidence, fragment_id, profile_id from fragments where shop_id = {} and era = 0 and evidence in {}",
        (shop_id,),
        digests,
        index="ix_fragments_evidence",
    )
    for digest, fragment_id, profile_id in found:
        yield bytes(digest), fragment_id, profile_id


_OWNERS = (
    "select ownerships.value, ownerships.fragment_id, ownerships.since, ownerships.state, fragments.profile_id"
    " from ownerships join fragments"
    " on fragments.shop_id = ownerships.shop_id and fragments.fragment_id = ownerships.fragment_id"
    " where ownerships.shop_id = {} and ownerships.type = {} and ownerships.until is null and ownerships.value in {}"
)


def _load_owners(
    connection: Connection, shop_id: int, wanted: set[Identifier], state: State
) -> None:
    by_type: dict[str, list[str]] = defaultdict(list)
    for identifier in wanted:
        by_type[identifier.type].append(identifier.value)
    people: set[ProfileId] = set()
    for kind, values in by_type.items():
        for value, fragment_id, since, ownership_state, profile_id in rows_in(
            connection, _OWNERS, (shop_id, kind), values
        ):
            state.owners[Identifier(kind, value)] = Ownership(fragment_id, since, ownership_state)
            state.profile_of[fragment_id] = profile_id
            people.add(profile_id)
    found = rows_in(
        connection,
        "select profile_id, known, account_ids from profiles where shop_id = {} and profile_id in {}",
        (shop_id,),
        sorted(people),
    )
    for profile_id, known, account_ids in found:
        held = (
            {kind: set(values) for kind, values in json.loads(account_ids).items()}
            if account_ids != "{}"
            else {}
        )
        state.people[profile_id] = Person(bool(known), held)


def _write_fragments(
    writes: Writes,
    shop_id: int,
    change: int,
    sightings: Mapping[Digest, Sighting],
    links: Links,
) -> None:
    writes.insert(
        fragments,
        ("shop_id", "fragment_id", "era", "evidence", "trust", "profile_id", "change"),
        [
            (
                shop_id,
                fragment_id,
                0,
                digest,
                int(sightings[digest].trust),
                links.profile_of(fragment_id),
                change,
            )
            for digest, fragment_id in links.new_fragments.items()
        ],
    )
    writes.insert(
        fragment_identifiers,
        ("shop_id", "type", "value", "fragment_id"),
        [
            (shop_id, identifier.type, identifier.value, fragment_id)
            for digest, fragment_id in links.new_fragments.items()
            for identifier in sightings[digest].identifiers
        ],
    )


def _write_ownerships(writes: Writes, shop_id: int, state: State) -> None:
    rows = []
    for identifier in state.claimed:
        owned = state.owners[identifier]
        rows.append(
            (
                shop_id,
                identifier.type,
                identifier.value,
                0,
                owned.fragment_id,
                owned.since,
                owned.state,
            )
        )
    writes.insert(
        ownerships,
        ("shop_id", "type", "value", "era", "fragment_id", "since", "state"),
        rows,
        replace_on=("shop_id", "type", "value", "era"),
    )


def _write_merges(writes: Writes, shop_id: int, change: int, state: State) -> None:
    gone = [profile for profile in state.redirects if profile not in state.born]
    rows = [(state.survivor(profile), change, shop_id, profile) for profile in gone]
    for statement in (
        "update fragments set profile_id = {}, change = {} where shop_id = {} and profile_id = {}",
        "update profiles set merged_into = {}, change = {} where shop_id = {} and profile_id = {}",
        "update profiles set merged_into = {}, change = {} where shop_id = {} and merged_into = {}",
    ):
        writes.each(statement, rows)


def _touch(writes: Writes, shop_id: int, change: int, links: Links) -> None:
    state = links.state
    touched = links.profiles | {
        state.survivor(profile) for profile in (*state.redirects.values(), *state.losers)
    }
    renewed = [profile for profile in touched - state.born if profile in state.people]
    writes.each(
        "update profiles set known = {}, account_ids = {}, change = {} where shop_id = {} and profile_id = {}",
        [
            (
                state.people[profile].known,
                _account_ids(state.people[profile]),
                change,
                shop_id,
                profile,
            )
            for profile in renewed
        ],
    )
    writes.each(
        "update profiles set change = {} where shop_id = {} and profile_id = {}",
        [
            (change, shop_id, profile)
            for profile in touched - state.born
            if profile not in state.people
        ],
    )


def _account_ids(person: Person) -> str:
    held = {kind: sorted(values) for kind, values in person.account_ids.items() if values}
    return json.dumps(held, sort_keys=True) if held else "{}"


def _ids_as_needed() -> Iterator[int]:
    while True:
        yield new_ids.next()
