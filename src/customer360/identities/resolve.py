"""Which fragments are one person? Pure: observations and decisions in, ownerships and the map out.

`resolve` replays everything from nothing, in canonical order; the worker's fast path calls the same `attach` on
the part of the state that a batch touches, so both follow one set of rules (product.md of the design, Identity).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from customer360.clock import Instant
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.normalise import KNOWN, SINGLE_PER_PROFILE, STRENGTH

FragmentId = int
ProfileId = int
OwnershipState = Literal["owned", "unverified", "shared"]


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One run of events of one fragment: its evidence, and when it was seen how often."""

    fragment_id: FragmentId
    identifiers: tuple[Identifier, ...]
    trust: Trust
    rank: SourceRank
    first_at: Instant
    last_at: Instant
    events: int = 1
    evidence: bytes = b""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decided about two fragments; a merge acts at `acts_at`."""

    decision_id: int
    kind: Literal["merged"]
    fragment_a: FragmentId
    fragment_b: FragmentId
    acts_at: Instant


@dataclass(slots=True)
class Ownership:
    """To which fragment an identifier belongs, and since when; the profile follows by the map."""

    fragment_id: FragmentId
    since: Instant
    state: OwnershipState = "owned"


@dataclass(slots=True)
class Person:
    """What linking must know of a profile: whether somebody named it, and the ids it may hold only once."""

    known: bool = False
    account_ids: dict[str, set[str]] = field(default_factory=dict)

    @property
    def held(self) -> list[tuple[str, list[str]]]:
        """The account ids in an order of their own."""
        return sorted((kind, sorted(values)) for kind, values in self.account_ids.items())

    def refuses(self, identifier: Identifier) -> bool:
        """Whether the profile already has another id of this type."""
        held = self.account_ids.get(identifier.type)
        return (
            bool(held)
            and identifier.type in SINGLE_PER_PROFILE
            and identifier.value not in (held or ())
        )

    def conflicts_with(self, other: Person) -> bool:
        """Whether one profile would then have two different ids of one type."""
        return any(
            values and other.account_ids.get(kind) and not values & other.account_ids[kind]
            for kind, values in self.account_ids.items()
        )


@dataclass(slots=True)
class State:
    """Ownerships, the map from fragment to profile, and the profiles, as far as somebody loaded them.

    `born`, `claimed` and `losers` collect what a caller has to write: new profiles, ownerships that changed, and
    profiles that lost an identifier to another. `redirects` says into which profile another one merged.
    """

    owners: dict[Identifier, Ownership] = field(default_factory=dict)
    profile_of: dict[FragmentId, ProfileId] = field(default_factory=dict)
    people: dict[ProfileId, Person] = field(default_factory=dict)
    redirects: dict[ProfileId, ProfileId] = field(default_factory=dict)
    born: set[ProfileId] = field(default_factory=set)
    claimed: set[Identifier] = field(default_factory=set)
    losers: set[ProfileId] = field(default_factory=set)

    def survivor(self, profile: ProfileId) -> ProfileId:
        """The profile that this one is now part of."""
        while profile in self.redirects:
            profile = self.redirects[profile]
        return profile

    def owner_of(self, identifier: Identifier) -> ProfileId | None:
        """The profile that an identifier belongs to, if any."""
        ownership = self.owners.get(identifier)
        return None if ownership is None else self.survivor(self.profile_of[ownership.fragment_id])

    def merge(self, one: ProfileId, other: ProfileId) -> ProfileId:
        """Make two profiles one; the older id (the smaller number) survives."""
        if one == other:
            return one
        kept, gone = min(one, other), max(one, other)
        keeper, leaver = self.people[kept], self.people[gone]
        keeper.known = keeper.known or leaver.known
        for kind, values in leaver.account_ids.items():
            keeper.account_ids.setdefault(kind, set()).update(values)
        self.redirects[gone] = kept
        return kept


@dataclass(frozen=True, slots=True)
class Resolution:
    """The outcome: who owns each identifier, and the profile of each fragment."""

    ownerships: Mapping[Identifier, Ownership]
    profile_of: Mapping[FragmentId, ProfileId]


def resolve(observations: Iterable[Observation], decisions: Iterable[Decision] = ()) -> Resolution:
    """Everything from nothing: fragments to profiles, numbered from 1 in the order in which they began."""
    state = State()
    numbers = _count_from_one()
    history: list[Observation | Decision] = [*observations, *decisions]
    for item in sorted(history, key=_canonical_order):
        if isinstance(item, Decision):
            apply(state, item)
        elif item.fragment_id not in state.profile_of:
            attach(state, item, numbers)
    profile_of = {
        fragment: state.survivor(profile) for fragment, profile in state.profile_of.items()
    }
    return Resolution(state.owners, profile_of)


def attach(state: State, seen: Observation, new_profile_ids: Iterator[ProfileId]) -> ProfileId:
    """Find or make the profile of a fragment that is seen for the first time, and link what it brings together."""
    known = [identifier for identifier in seen.identifiers if identifier.type in KNOWN]
    anonymous = [identifier for identifier in seen.identifiers if identifier.type not in KNOWN]
    profile = _owner_to_join(state, known, anonymous)
    if profile is None:
        profile = next(new_profile_ids)
        state.people[profile] = Person()
        state.born.add(profile)
    state.profile_of[seen.fragment_id] = profile
    for identifier in _by_strength(state, known):
        profile = _link_known(state, seen, profile, identifier, alone=len(known) == 1)
    for identifier in anonymous:
        profile = _link_anonymous(state, seen, profile, identifier)
    if known:
        state.people[profile].known = True
    return profile


def apply(state: State, decision: Decision) -> None:
    """Carry out a merge by hand, beyond limits; fragments that nobody has seen yet are left alone."""
    sides = [state.profile_of.get(decision.fragment_a), state.profile_of.get(decision.fragment_b)]
    if sides[0] is not None and sides[1] is not None:
        state.merge(state.survivor(sides[0]), state.survivor(sides[1]))


def _owner_to_join(
    state: State, known: Sequence[Identifier], anonymous: Sequence[Identifier]
) -> ProfileId | None:
    if known:
        return state.owner_of(_by_strength(state, known)[0])
    owners = [
        owner for identifier in anonymous if (owner := state.owner_of(identifier)) is not None
    ]
    return next(
        (owner for owner in owners if state.people[owner].known), owners[0] if owners else None
    )


def _link_known(
    state: State, seen: Observation, profile: ProfileId, identifier: Identifier, *, alone: bool
) -> ProfileId:
    """`alone`: nothing else that is known stands beside it, so it cannot confirm what a browser claimed."""
    person, ownership = state.people[profile], state.owners.get(identifier)
    if ownership is None:
        if not person.refuses(identifier):
            _claim(state, seen, profile, identifier)
        return profile
    owner = state.survivor(state.profile_of[ownership.fragment_id])
    if owner == profile:
        confirmed = ownership.state == "unverified" and seen.trust is Trust.FULL and not alone
        if confirmed or seen.first_at < ownership.since:
            ownership.since = min(ownership.since, seen.first_at)
            ownership.state = "owned" if confirmed else ownership.state
            state.claimed.add(identifier)
        return profile
    if ownership.state == "unverified" and seen.trust is Trust.FULL:
        # What a browser only claimed gives way to what a trusted source says.
        _take_over(state, seen, profile, identifier)
        return profile
    if seen.trust is Trust.PUBLIC:
        return profile
    if person.conflicts_with(state.people[owner]):
        # Two accounts name it: it is the one's that had it first, whichever was heard of first.
        ours = (seen.first_at, person.held)
        if ours < (ownership.since, state.people[owner].held):
            _take_over(state, seen, profile, identifier)
        return profile
    return state.merge(profile, owner)


def _take_over(state: State, seen: Observation, profile: ProfileId, identifier: Identifier) -> None:
    owner = state.survivor(state.profile_of[state.owners[identifier].fragment_id])
    state.losers.add(owner)
    state.people[owner].account_ids.get(identifier.type, set()).discard(identifier.value)
    _claim(state, seen, profile, identifier)


def _link_anonymous(
    state: State, seen: Observation, profile: ProfileId, identifier: Identifier
) -> ProfileId:
    owner = state.owner_of(identifier)
    if owner is None:
        _claim(state, seen, profile, identifier)
        return profile
    if owner == profile:
        state.owners[identifier].since = min(state.owners[identifier].since, seen.first_at)
        return profile
    # A device that another known person uses proves nothing; an anonymous visitor becomes who logs in.
    return profile if state.people[owner].known else state.merge(profile, owner)


def _claim(state: State, seen: Observation, profile: ProfileId, identifier: Identifier) -> None:
    person = state.people[profile]
    is_known = identifier.type in KNOWN
    unverified = is_known and seen.trust is Trust.PUBLIC and person.known
    state.owners[identifier] = Ownership(
        seen.fragment_id, seen.first_at, "unverified" if unverified else "owned"
    )
    state.claimed.add(identifier)
    if is_known:
        person.known = True
        if identifier.type in SINGLE_PER_PROFILE:
            person.account_ids.setdefault(identifier.type, set()).add(identifier.value)


def _by_strength(state: State, known: Sequence[Identifier]) -> list[Identifier]:
    """Strongest first; of equals the owned before the unowned, then the earliest owner."""

    def order(identifier: Identifier) -> tuple[int, bool, int, str]:
        owner = state.owner_of(identifier)
        return (STRENGTH[identifier.type], owner is None, owner or 0, identifier.value)

    return sorted(known, key=order)


def _canonical_order(
    item: Observation | Decision,
) -> tuple[Instant, int, int, tuple[Identifier, ...], bytes, int]:
    """By time, then the more authoritative source, then the evidence; decisions after what they speak of."""
    if isinstance(item, Decision):
        return (item.acts_at, 1, 0, (), b"", item.decision_id)
    return (item.first_at, 0, -item.rank, item.identifiers, item.evidence, item.fragment_id)


def _count_from_one() -> Iterator[ProfileId]:
    number = 0
    while True:
        number += 1
        yield number
