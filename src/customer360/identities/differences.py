"""Is what is stored what resolving everybody anew would give? Only reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from customer360.identities.bulk import Components, Flags, components_of, known_of
from customer360.identities.census import Census, take_census
from customer360.identities.model import FragmentId, Resolution, Rules
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.settle import Settlement, settle
from customer360.identities.stored import ALONE, TOGETHER, Stored, load_fragments
from customer360.identities.throngs import LARGEST_COMPONENT

# Components that are read and replayed together.
_AT_ONCE = 200


Part = tuple[FragmentId, ...]
"""What must be resolved together."""


@dataclass(frozen=True, slots=True)
class Findings:
    """How much there is, and what differs."""

    observations: int
    components: int
    replayed: int
    """Components that are not simple."""
    too_large: int
    """Components that are not resolved anew: what is new in them goes to the present owners."""
    differing: tuple[Part, ...]


def find_differences(connection: Connection, shop_id: int) -> Findings:
    """Resolve everybody of a shop in bulk and compare with what is stored."""
    rules = rules_of(connection, shop_id)
    census = take_census(connection, shop_id, rules)
    parts = components_of(census.observed, census.decisions, rules)
    sizes = np.diff(parts.starts)
    large = sizes > LARGEST_COMPONENT
    differs = _simple_that_differ(census, parts) & parts.simple
    hard = np.flatnonzero(~parts.simple & ~large)
    for component in _replayed_that_differ(
        connection, shop_id, census, parts, hard.tolist(), rules
    ):
        differs[component] = True
    differs &= ~large
    return Findings(
        observations=len(census.observed.first_at),
        components=len(sizes),
        replayed=len(hard),
        too_large=int(large.sum()),
        differing=tuple(
            _fragments(census, parts, component) for component in np.flatnonzero(differs).tolist()
        ),
    )


def _fragments(census: Census, parts: Components, component: int) -> Part:
    return tuple(census.observed.fragment_id[parts.observations(component)].tolist())


def _simple_that_differ(census: Census, parts: Components) -> Flags:
    """Components of which anything is stored that a simple one has not; for the others it says nothing."""
    observed, of = census.observed, parts.of
    count = len(parts.simple)
    differs = np.zeros(count, dtype=np.bool_)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, of, observed.fragment_id)
    company = np.where(np.diff(parts.starts) == 1, ALONE, TOGETHER)
    differs[of[(census.component != first[of]) | (census.company != company[of])]] = True
    profile = census.profile[parts.order[parts.starts[:-1]]]
    differs[of[census.profile != profile[of]]] = True
    founder = parts.founder
    since = census.owned_since == observed.first_at[founder]
    owned = since & (census.owner == observed.fragment_id[founder])
    differs[of[founder[~owned]]] = True
    founded_by, known = census.profiles
    group = of[census.places(founded_by)]
    differs[group[(known == 1) != known_of(observed, parts)[group]]] = True
    doubted = np.array(list(census.doubts), dtype=np.int64)
    differs[of[census.places(doubted)]] = True
    # Nobody in a simple component can have too many identifiers, and nobody at all owns a placeholder.
    differs[of[census.places(census.alerted)]] = True
    differs[of[census.places(census.misowned)]] = True
    return differs


def _replayed_that_differ(
    connection: Connection,
    shop_id: int,
    census: Census,
    parts: Components,
    hard: list[int],
    rules: Rules,
) -> Iterator[int]:
    """Of these components those for which `resolve` says something else than what is stored."""
    for begin in range(0, len(hard), _AT_ONCE):
        of = {
            fragment_id: component
            for component in hard[begin : begin + _AT_ONCE]
            for fragment_id in _fragments(census, parts, component)
        }
        for component, one in _apart(load_fragments(connection, shop_id, of), of):
            observations = [member.observation for member in one.members.values()]
            resolution = resolve(observations, one.decisions, rules)
            if resolution.cuts or _differs(one, resolution, census):
                yield component


def _apart(stored: Stored, of: Mapping[FragmentId, int]) -> Iterable[tuple[int, Stored]]:
    """What was loaded together, by the number of the component that each fragment is of."""
    parts: dict[int, Stored] = defaultdict(Stored)
    for fragment_id, member in stored.members.items():
        parts[of[fragment_id]].members[fragment_id] = member
    for decision in stored.decisions:
        sides = (decision.fragment_a, decision.fragment_b)
        for number in {of[fragment_id] for fragment_id in sides if fragment_id in of}:
            parts[number].decisions.append(decision)
    for profile_id, profile in stored.profiles.items():
        parts[of[profile.founded_by]].profiles[profile_id] = profile
    for key, row in stored.ownerships.items():
        parts[of[row[0]]].ownerships[key] = row
    for alert_id, fragment_id in stored.alerts.items():
        parts[of[fragment_id]].alerts[alert_id] = fragment_id
    return parts.items()


def _differs(stored: Stored, resolution: Resolution, census: Census) -> bool:
    settled = settle(stored, stored.members, resolution, lambda: 0)
    return bool(
        settled.profiles
        or settled.members
        or settled.ownerships
        or settled.gone_ownerships
        or settled.frozen
        or settled.thawed
        or _has_other_candidates(settled, census)
    )


def _has_other_candidates(settled: Settlement, census: Census) -> bool:
    doubted = {pair for founder in settled.founders for pair in census.doubts.get(founder, ())}
    if not doubted <= settled.candidates.keys():
        return True
    for pair, candidate in settled.candidates.items():
        state, weak = census.candidates.get(pair, ("", False))
        if state != "dismissed" and (state, weak) != ("open", candidate.weak):
            return True
    return False
