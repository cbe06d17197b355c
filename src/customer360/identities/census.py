"""Everybody of a shop as columns: what was seen, and what is stored of whom it belongs to."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.identities.bulk import KINDS, Numbers, Observed
from customer360.identities.model import Decision, FragmentId, Rules
from customer360.identities.normalise import identifies
from customer360.identities.stored import DECISION, OwnershipRow, decision_of
from customer360.storage.mirror import fetch

Pair = tuple[FragmentId, FragmentId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """All fragments of a shop, by their ids; of each the stored component, company and profile."""

    observed: Observed
    component: Numbers
    company: Numbers
    profile: Numbers
    owner: Numbers
    """The fragment that alone has owned each identifier since `owned_since`; 0 where anything else is stored."""
    owned_since: Numbers
    profiles: Numbers
    """Columns: of each id the fragment that founded it, and whether it is known."""
    candidates: dict[Pair, tuple[str, bool]]
    """State and weakness of those that evidence made, by the fragments that founded the two profiles."""
    doubts: dict[FragmentId, list[Pair]]
    """The open ones of each of these fragments."""
    alerted: Numbers
    """The fragments that name the profiles of the alerts that have not ended."""
    misowned: Numbers
    """The fragments that are stored as owners of a placeholder."""
    decisions: tuple[Decision, ...]

    def places(self, fragments: Numbers) -> Numbers:
        """The numbers of the observations of these fragments."""
        return np.searchsorted(self.observed.fragment_id, fragments)


def take_census(connection: Connection, shop_id: int, rules: Rules) -> Census:
    """Read all of a shop in one snapshot, table by table; rows become numbers at once."""
    names: dict[str, int] = {"": 0}
    seen = _table(connection, _SEEN, 10, shop_id, names)
    carriers, carried, kinds, owner, since, misowned = _identifiers(connection, shop_id, rules)
    fragment_id, first_at, last_at, events, trust, rank, component, company, profile, name = seen
    observed = Observed(
        fragment_id=fragment_id,
        first_at=first_at,
        last_at=last_at,
        events=events,
        trust=trust.astype(np.int8),
        rank=rank.astype(np.int8),
        name=name.astype(np.int32),
        carrier=np.searchsorted(fragment_id, carriers).astype(np.int32),
        carried=carried,
        kind=kinds,
    )
    candidates: dict[Pair, tuple[str, bool]] = {
        (one, other): (state, bool(weak))
        for one, other, state, weak in _rows(connection, _CANDIDATES, shop_id)
    }
    doubts: dict[FragmentId, list[Pair]] = defaultdict(list)
    for pair, (state, _) in candidates.items():
        for fragment in pair if state == "open" else ():
            doubts[fragment].append(pair)
    return Census(
        observed=observed,
        component=component,
        company=company.astype(np.int8),
        profile=profile,
        owner=owner,
        owned_since=since,
        profiles=_table(connection, _PROFILES, 2, shop_id),
        candidates=candidates,
        doubts=doubts,
        alerted=_table(connection, _ALERTED, 1, shop_id)[0],
        misowned=misowned,
        decisions=tuple(map(decision_of, _rows(connection, _DECISIONS, shop_id))),
    )


def _table(
    connection: Connection,
    statement: str,
    width: int,
    shop_id: int,
    names: dict[str, int] | None = None,
) -> Numbers:
    """The so many columns of a query; with `names` the last is text, and equal texts get one number there."""
    parts = []
    for rows in fetch(connection, statement, (shop_id,)):
        if names is not None:
            rows = [(*row[:-1], names.setdefault(row[-1], len(names))) for row in rows]
        parts.append(np.array(rows, dtype=np.int64).T)
    if not parts:
        return np.zeros((width, 0), dtype=np.int64)
    return np.concatenate(parts, axis=1)


def _identifiers(
    connection: Connection, shop_id: int, rules: Rules
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Who carries what (fragments and numbers of identifiers), kinds, owners, since when; who owns a placeholder.

    Both tables are read in the order of their keys, so nothing is looked up.
    """
    carriers, numbers = array("q"), array("q")
    kinds, misowned = bytearray(), array("q")
    owners: list[tuple[FragmentId, Instant]] = []
    owned = _owned(connection, shop_id)
    next_owned = next(owned, None)
    for identifier, fragments in _carriers(connection, shop_id):
        held: list[OwnershipRow] = []
        if next_owned is not None and next_owned[0] == identifier:
            held = next_owned[1]
            next_owned = next(owned, None)
        if not identifies(identifier, rules.placeholders):
            misowned.extend(owner[0] for owner in held)
            continue
        carriers.extend(fragments)
        numbers.append(len(fragments))
        kinds.append(_KIND_NUMBERS[identifier.type])
        owners.append(_only(held))
    owner, since = np.array(owners, dtype=np.int64).reshape(-1, 2).T
    return (
        np.array(carriers, dtype=np.int64),
        np.repeat(np.arange(len(numbers), dtype=np.int32), numbers),
        np.frombuffer(bytes(kinds), dtype=np.int8),
        owner,
        since,
        np.array(misowned, dtype=np.int64),
    )


_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


def _rows(connection: Connection, statement: str, shop_id: int) -> Iterator[Sequence[Any]]:
    for rows in fetch(connection, statement, (shop_id,)):
        yield from rows


def _carriers(
    connection: Connection, shop_id: int
) -> Iterator[tuple[Identifier, list[FragmentId]]]:
    """Every identifier with the fragments that carry it."""
    for (kind, value), rows in groupby(_rows(connection, _CARRIERS, shop_id), itemgetter(0, 1)):
        yield Identifier(kind, value), [row[2] for row in rows]


def _owned(connection: Connection, shop_id: int) -> Iterator[tuple[Identifier, list[OwnershipRow]]]:
    """Every identifier that is or was owned, with its owners one after the other."""
    for (kind, value), rows in groupby(_rows(connection, _OWNERSHIPS, shop_id), itemgetter(0, 1)):
        yield Identifier(kind, value), [(row[2], row[3], row[4], row[5]) for row in rows]


def _only(owners: Sequence[OwnershipRow]) -> tuple[FragmentId, Instant]:
    """Who has owned an identifier alone and for good, and since when."""
    if len(owners) == 1:
        [(fragment_id, since, until, state)] = owners
        if until is None and state == "owned":
            return fragment_id, since
    return 0, 0


_SEEN = (
    "select f.fragment_id, o.first_at, o.last_at, o.n, f.trust, o.rank, f.component, f.company, f.profile_id, f.name"
    " from fragments f join observations o on o.shop_id = f.shop_id and o.fragment_id = f.fragment_id"
    " where f.shop_id = {} order by f.fragment_id"
)
_CARRIERS = "select type, value, fragment_id from fragment_identifiers where shop_id = {} order by type, value"
_OWNERSHIPS = (
    "select type, value, fragment_id, since, until, state from ownerships where shop_id = {}"
    " order by type, value, era"
)
_PROFILES = "select founded_by, case when known then 1 else 0 end from profiles where shop_id = {}"
_CANDIDATES = "select fragment_a, fragment_b, state, weak from candidates where shop_id = {} and origin = 'evidence'"
_ALERTED = "select fragment_id from alerts where shop_id = {} and ended_at is null"
_DECISIONS = f"{DECISION} where shop_id = {{}}"
