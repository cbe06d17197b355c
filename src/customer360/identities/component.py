"""Observations and decisions, sorted and numbered, as a replay reads them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter

import msgspec

from customer360.clock import Instant
from customer360.events.model import Identifier, IdentifierType, Trust
from customer360.identities.groups import Moment
from customer360.identities.model import NO_NAME, Decision, FragmentId, Name, Observation
from customer360.identities.normalise import KNOWN, STRENGTH

REACHABLE = frozenset({IdentifierType.EMAIL.value, IdentifierType.PHONE.value})
"""What a conflict of names keeps from linking: a family shares an address and a number, never an account."""
FADING = frozenset({IdentifierType.PHONE.value, IdentifierType.COOKIE.value})
"""What becomes somebody else's after a year of silence."""


class Seen(msgspec.Struct, eq=False):
    """An observation with its identifiers as numbers, strongest first, and its place in canonical order."""

    observation: Observation
    name: Name
    moment: Moment
    known: tuple[int, ...]
    anonymous: tuple[int, ...]
    fading: tuple[int, ...]
    named: bool
    """Whether it tells a full name."""
    trusted: bool


@dataclass(slots=True)
class HandMerge:
    """A merge by hand: the numbers of the two observations that it named."""

    decision_id: int
    acts_at: Instant
    sides: tuple[int, int]


@dataclass(slots=True)
class Component:
    """Everything there is to replay."""

    seen: list[Seen] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    marks: dict[int, list[int]] = field(default_factory=dict)
    """The ends of "not the same" that an observation carries."""
    decided: dict[int, int] = field(default_factory=dict)
    """The decision that each "not the same" came from."""
    merges: list[HandMerge] = field(default_factory=list)
    has_claims: bool = False
    """Whether a browser was heard, so that an ownership may be unverified."""
    cuts: set[tuple[FragmentId, Instant]] = field(default_factory=set)
    """Where an observation must begin since a "not the same" names that time, and speaks of no earlier event."""


def gather(observations: Iterable[Observation], decisions: Iterable[Decision]) -> Component:
    """Sort into canonical order and number everything; what carries no identifier hangs together with nothing."""
    component = Component()
    shaped = [(canonical(one, shape := _shape_of(one)), shape, one) for one in observations]
    shaped.sort(key=itemgetter(0))
    numbers: dict[Identifier, int] = {}
    for moment, shape, observation in shaped:
        own = []
        for identifier in observation.identifiers:
            number = numbers.get(identifier)
            if number is None:
                number = numbers[identifier] = len(numbers)
                component.identifiers.append(identifier)
            own.append(number)
        component.seen.append(
            Seen(
                observation,
                _in_order(observation.name),
                moment,
                tuple([own[place] for place in shape.known]),
                tuple([own[place] for place in shape.anonymous]),
                tuple([own[place] for place in shape.fading]) if observation.events else (),
                observation.name != NO_NAME,
                observation.trust is Trust.FULL,
            )
        )
    component.has_claims = any(one.trust is Trust.PUBLIC for _, _, one in shaped)
    decided = sorted(decisions, key=lambda decision: decision.decision_id)
    if decided:
        _take_decisions(component, decided)
    return component


def canonical(one: Observation, shape: _Shape) -> Moment:
    """By time, then logins, then the more authoritative source, then the evidence.

    Logins are first because an anonymous event belongs to the latest one "at or before it".
    """
    return one.first_at, (
        0,
        not shape.known,
        -one.rank,
        one.identifiers,
        _in_order(one.name),
        one.trust,
        one.evidence,
        one.fragment_id,
        one.run,
    )


def _in_order(name: Name) -> Name:
    """Swapped parts are one name."""
    return name if name[0] <= name[1] else (name[1], name[0])


@dataclass(frozen=True, slots=True)
class _Shape:
    """Which places among the identifiers of an observation are what, strongest first."""

    known: tuple[int, ...]
    anonymous: tuple[int, ...]
    fading: tuple[int, ...]


def _shape_of(observation: Observation) -> _Shape:
    return _shape(tuple([identifier.type for identifier in observation.identifiers]))


# People bring few combinations, over and over.
@lru_cache(maxsize=1 << 10)
def _shape(types: tuple[str, ...]) -> _Shape:
    # Stable: identifiers of one strength stay in the order of the evidence.
    places = sorted(range(len(types)), key=lambda place: STRENGTH[types[place]])
    return _Shape(
        known=tuple(place for place in places if types[place] in KNOWN),
        anonymous=tuple(place for place in places if types[place] not in KNOWN),
        fading=tuple(place for place in range(len(types)) if types[place] in FADING),
    )


def _take_decisions(component: Component, decisions: list[Decision]) -> None:
    runs: dict[FragmentId, list[tuple[Instant, int]]] = defaultdict(list)
    for number, seen in enumerate(component.seen):
        runs[seen.observation.fragment_id].append((seen.observation.first_at, number))

    def named(fragment: FragmentId, at: Instant) -> list[int]:
        """The runs that hold that time, else the one before it, else the fragment's first."""
        of_fragment = runs.get(fragment)
        if not of_fragment:
            return []
        place = max(0, bisect_right(of_fragment, at, key=lambda run: run[0]) - 1)
        first = place
        while first and component.seen[of_fragment[first - 1][1]].observation.last_at >= at:
            first -= 1
        return [number for _, number in of_fragment[first : place + 1]]

    for decision in decisions:
        one = named(decision.fragment_a, decision.at_a)
        other = named(decision.fragment_b, decision.at_b)
        if not one or not other or one == other:
            continue
        if decision.kind == "merged":
            component.merges.append(
                HandMerge(decision.decision_id, decision.acts_at, (one[-1], other[-1]))
            )
            continue
        mark = 2 * len(component.decided)
        component.decided[mark >> 1] = decision.decision_id
        _mark(component, one, decision.at_a, mark)
        _mark(component, other, decision.at_b, mark + 1)


def _mark(component: Component, numbers: list[int], at: Instant, mark: int) -> None:
    for number in numbers:
        component.marks.setdefault(number, []).append(mark)
        observation = component.seen[number].observation
        if observation.first_at < at <= observation.last_at:
            component.cuts.add((observation.fragment_id, at))
