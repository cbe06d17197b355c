"""Which of millions of observations are one person? The same answer as `resolve`, and most of it by arrays. Pure.

Nearly every component is simple: nothing in it can be refused, doubted or taken away, so it is one profile, and each
identifier belongs to whoever carried it first. Only the others are replayed, each by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customer360.events.model import Trust
from customer360.identities.component import FADING
from customer360.identities.model import (
    DEFAULT_RULES,
    Decision,
    Observation,
    Resolution,
    Rules,
)
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.identities.resolve import resolve

Numbers = NDArray[np.signedinteger[Any]]
Flags = NDArray[np.bool_]
Tell = Callable[[Numbers], Sequence[Observation]]
"""The observations of these numbers, whole, in this order."""

KINDS: tuple[str, ...] = tuple(STRENGTH)
"""A type of identifier as a number is its place here."""
_IS_KNOWN = np.array([kind in KNOWN for kind in KINDS])
_FADES = np.array([kind in FADING for kind in KINDS])
# Observations that are told and replayed at once: some ten megabytes of them.
_TOLD_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Observations as columns; observations, and the identifiers that any of them carries, are numbered from 0."""

    fragment_id: Numbers
    first_at: Numbers
    last_at: Numbers
    events: Numbers
    trust: Numbers
    rank: Numbers
    name: Numbers
    """Equal numbers are one name, however its parts are placed; 0 is none."""
    carrier: Numbers
    """Of each pair the observation ..."""
    carried: Numbers
    """... and the identifier that it carries."""
    kind: Numbers
    """The type of each identifier, as its place in KINDS."""


@dataclass(frozen=True, slots=True)
class Components:
    """What hangs together, and how much of it is simple."""

    of: Numbers
    """The component of each observation, numbered from 0."""
    order: Numbers
    """The observations of one component after those of another, each in canonical order but for ties."""
    starts: Numbers
    """Where in `order` each component begins; one more says where the last ends."""
    simple: Flags
    """Of each component."""
    founder: Numbers
    """The first observation that carries each identifier: of a simple component its owner for ever."""

    def observations(self, component: int) -> Numbers:
        """The numbers of its observations."""
        return self.order[self.starts[component] : self.starts[component + 1]]


@dataclass(frozen=True, slots=True)
class BulkResolution:
    """Who is who; of a component that was replayed its `Resolution` says the rest."""

    components: Components
    profile: Numbers
    """The profile of each observation, numbered from 0; that of a simple component has the component's number."""
    known: Flags
    """Whether anything of each component names a person."""
    replayed: dict[int, Resolution]


def resolve_in_bulk(
    observed: Observed,
    tell: Tell,
    decisions: Iterable[Decision] = (),
    rules: Rules = DEFAULT_RULES,
) -> BulkResolution:
    """Everything from nothing, as `resolve` says it."""
    known_decisions = list(decisions)
    parts = components_of(observed, known_decisions, rules)
    profile, replayed = parts.of.copy(), {}
    number = len(parts.simple)
    for component, numbers, resolution in _replay(parts, tell, known_decisions, rules):
        replayed[component] = resolution
        first = number - 1  # Groups are numbered from 1.
        for place, one in numbers:
            profile[place] = first + resolution.profile_of[one.fragment_id, one.run]
        number = first + 1 + len(set(resolution.profile_of.values()))
    return BulkResolution(parts, profile, known_of(observed, parts), replayed)


def known_of(observed: Observed, parts: Components) -> Flags:
    """Whether anything of each component names a person."""
    known = np.zeros(len(parts.simple), dtype=np.bool_)
    known[parts.of[parts.founder[_IS_KNOWN[observed.kind]]]] = True
    return known


def components_of(
    observed: Observed, decisions: Sequence[Decision] = (), rules: Rules = DEFAULT_RULES
) -> Components:
    """What hangs together by identifiers and decisions, and which of it needs no replay."""
    decided = _decided(observed, decisions)
    count, of = _connect(observed, decided)
    moment = _moments(observed)
    order = np.lexsort((moment, of)).astype(np.int32)
    starts = np.searchsorted(of[order], np.arange(count + 1)).astype(np.int32)
    position = np.empty_like(order)
    position[order] = np.arange(len(order), dtype=np.int32)
    first = np.full(len(observed.kind), len(order), dtype=np.int32)
    np.minimum.at(first, observed.carried, position[observed.carrier])
    hard = np.zeros(count, dtype=np.bool_)
    hard[of[decided.ravel()]] = True
    same = (moment[order][1:] == moment[order][:-1]) & (of[order][1:] == of[order][:-1])
    hard[of[order][1:][same]] = True
    founder = order[first]
    hard |= _reaches_a_limit(observed, of[founder], count, rules)
    hard |= _has_names(observed, of, count)
    hard[of[_goes_stale(observed, position, rules)]] = True
    hard |= _has_devices_or_claims(observed, of, founder, count)
    return Components(of, order, starts, ~hard, founder)


def components_alone(observed: Observed) -> int:
    """How many components there are, and nothing more: what any resolver must find first."""
    return _connect(observed, np.zeros((0, 2), dtype=np.int32))[0]


def _decided(observed: Observed, decisions: Sequence[Decision]) -> Numbers:
    """Two observations of each decision, where both are there; all others of the fragments hang together with them."""
    named = np.array(
        [(one.fragment_a, one.fragment_b) for one in decisions], dtype=np.int64
    ).reshape(-1, 2)
    sorter = np.argsort(observed.fragment_id) if len(named) else np.zeros(0, dtype=np.int64)
    if not len(sorter):
        return np.zeros((0, 2), dtype=np.int32)
    place = np.searchsorted(observed.fragment_id, named, sorter=sorter)
    found = sorter[np.minimum(place, len(sorter) - 1)]
    there = (observed.fragment_id[found] == named).all(axis=1)
    return np.unique(found[there], axis=0)


def _connect(observed: Observed, decided: Numbers) -> tuple[int, Numbers]:
    """How many components there are, and that of each observation."""
    # A fifth of the time in which a worker starts, and it seldom resolves in bulk.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(observed.first_at)
    rows = np.concatenate((observed.carrier, decided[:, 0])).astype(np.int32)
    columns = np.concatenate((observed.carried + count, decided[:, 1])).astype(np.int32)
    size = count + len(observed.kind)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    found, labels = connected_components(graph, directed=False)
    return int(found), labels[:count]


def _moments(observed: Observed) -> Numbers:
    """The place of each observation in canonical order, but for what settles ties."""
    login = np.zeros(len(observed.first_at), dtype=np.bool_)
    login[observed.carrier[_IS_KNOWN[observed.kind[observed.carried]]]] = True
    return observed.first_at * 8 + ~login * 4 + (3 - observed.rank)


def _reaches_a_limit(observed: Observed, of: Numbers, count: int, rules: Rules) -> Flags:
    """Components with so many identifiers of a type, or in all, that one might be refused; `of` each identifier."""
    reaches = np.bincount(of[_IS_KNOWN[observed.kind]], minlength=count) > rules.known_identifiers
    for kind, limit in rules.limits.items():
        carried = of[observed.kind == KINDS.index(kind)]
        reaches |= np.bincount(carried, minlength=count) > limit
    return reaches


def _has_names(observed: Observed, of: Numbers, count: int) -> Flags:
    """Components in which more than one name was told, so that two might conflict."""
    named = observed.name > 0
    least = np.full(count, np.iinfo(np.int32).max, dtype=np.int32)
    most = np.zeros(count, dtype=np.int32)
    np.minimum.at(least, of[named], observed.name[named])
    np.maximum.at(most, of[named], observed.name[named])
    return least < most


def _goes_stale(observed: Observed, position: Numbers, rules: Rules) -> Numbers:
    """Observations that carry a phone or cookie of which nothing was heard for a year before."""
    fades = _FADES[observed.kind[observed.carried]] & (observed.events[observed.carrier] > 0)
    carrier, carried = observed.carrier[fades], observed.carried[fades]
    least = np.full(len(observed.kind), np.iinfo(np.int64).max)
    most = np.full(len(observed.kind), np.iinfo(np.int64).min)
    np.minimum.at(least, carried, observed.first_at[carrier])
    np.maximum.at(most, carried, observed.last_at[carrier])
    long = least[carried] <= most[carried] - rules.stale_after
    carrier, carried = carrier[long], carried[long]
    order = np.lexsort((position[carrier], carried))
    carrier, carried = carrier[order], carried[order]
    silence = observed.first_at[carrier[1:]] - observed.last_at[carrier[:-1]]
    stale: Numbers = carrier[1:][(carried[1:] == carried[:-1]) & (silence >= rules.stale_after)]
    return stale


def _has_devices_or_claims(observed: Observed, of: Numbers, founder: Numbers, count: int) -> Flags:
    """Components in which a device may meet two known people, or a browser's claim stay unverified.

    Where everybody who is named brings something that named the same person before, there is one known person at
    any time. Of a browser's claims a single one is believed as it begins a profile or means its owner.
    """
    known = _IS_KNOWN[observed.kind[observed.carried]]
    carrier, carried = observed.carrier[known], observed.carried[known]
    size = len(observed.first_at)
    brought = np.bincount(carrier, minlength=size)
    new = np.bincount(carrier[founder[carried] == carrier], minlength=size)
    begins = np.bincount(of[(brought > 0) & (new == brought)], minlength=count)
    hard = begins > 1
    device = np.zeros(count, dtype=np.bool_)
    device[of[observed.carrier[~known]]] = True
    hard &= device
    hard[of[(brought > 1) & (observed.trust == Trust.PUBLIC)]] = True
    return hard


def _replay(
    parts: Components, tell: Tell, decisions: Sequence[Decision], rules: Rules
) -> Iterator[tuple[int, list[tuple[int, Observation]], Resolution]]:
    """Each component that is not simple: its observations with their numbers, and what `resolve` says."""
    of_fragment: dict[int, list[Decision]] = {}
    for decision in decisions:
        for fragment in {decision.fragment_a, decision.fragment_b}:
            of_fragment.setdefault(fragment, []).append(decision)
    for some in _chunks(parts):
        numbers = np.concatenate([parts.observations(component) for component in some])
        told = iter(zip(numbers.tolist(), tell(numbers), strict=True))
        for component in some:
            members = [next(told) for _ in parts.observations(component)]
            observations = [one for _, one in members]
            decided = (
                {
                    decision.decision_id: decision
                    for one in observations
                    for decision in of_fragment.get(one.fragment_id, ())
                }
                if of_fragment
                else {}
            )
            yield component, members, resolve(observations, decided.values(), rules)


def _chunks(parts: Components) -> Iterator[list[int]]:
    """The components that are not simple, some at a time."""
    some: list[int] = []
    size = 0
    for component in np.flatnonzero(~parts.simple).tolist():
        some.append(component)
        size += len(parts.observations(component))
        if size >= _TOLD_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some
