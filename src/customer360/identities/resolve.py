"""Which observations are one person? Pure: observations and decisions in, groups, owners and candidates out.

`resolve` replays everything from nothing in canonical order, so the order in which it was heard of does not
matter. The rules are in `replay`, and what forbids a merge in `groups`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.identities.component import Component, gather
from customer360.identities.groups import Group, said_not_the_same
from customer360.identities.ledger import WEAK, Suspicion
from customer360.identities.model import (
    DEFAULT_RULES,
    Candidate,
    Decision,
    Demotion,
    FragmentId,
    Observation,
    Ownership,
    Reason,
    Resolution,
    Rules,
    Run,
)
from customer360.identities.replay import Replay


def resolve(
    observations: Iterable[Observation],
    decisions: Iterable[Decision] = (),
    rules: Rules = DEFAULT_RULES,
) -> Resolution:
    """Everything from nothing; the same for every order of the observations and decisions."""
    component = gather(observations, decisions)
    carriers = _carriers(component, rules)
    shared: frozenset[int] = frozenset()
    cuts = set(component.cuts)
    made: dict[tuple[int, int, int, str], Suspicion] = {}
    while True:
        replay = Replay(component, rules, shared)
        replay.run()
        # Who shares what depends on every pass, so does where to cut.
        cuts |= replay.cuts
        made.update(replay.suspicions)
        hubs = _hubs(replay, carriers, rules)
        if hubs <= shared:
            of_hubs = [one for one in made.values() if one.identifier in shared]
            return _resolution(replay, of_hubs, cuts)
        shared |= hubs


def _carriers(component: Component, rules: Rules) -> dict[int, list[int]]:
    """The observations of each identifier that has enough of them to be a hub."""
    every = ((*seen.known, *seen.anonymous) for seen in component.seen)
    counts = Counter(chain.from_iterable(every))
    least = min(rules.hub_customer_ids, rules.hub_profiles)
    carriers: dict[int, list[int]] = {i: [] for i, count in counts.items() if count > least}
    if carriers:
        for number, seen in enumerate(component.seen):
            for identifier in (*seen.known, *seen.anonymous):
                if identifier in carriers:
                    carriers[identifier].append(number)
    return carriers


def _hubs(replay: Replay, carriers: dict[int, list[int]], rules: Rules) -> set[int]:
    """The identifiers of more people than one can be shared by, as the profiles stand in the end."""
    hubs = set()
    roots = [None if group is None else group.root() for group in replay.group_of]
    for identifier, numbers in carriers.items():
        people = {root for number in numbers if (root := roots[number]) is not None}
        if _is_hub(people, rules):
            hubs.add(identifier)
    return hubs


def _resolution(
    replay: Replay, of_hubs: list[Suspicion], cuts: set[tuple[FragmentId, Instant]]
) -> Resolution:
    groups = [group for group in replay.groups if group.into is None]
    numbers = {group: number for number, group in enumerate(groups, start=1)}
    profile_of: dict[Run, int] = {}
    for place, group in enumerate(replay.group_of):
        if group is not None:
            profile_of[replay.named(place)] = numbers[group.root()]
    return Resolution(
        profile_of=profile_of,
        ownerships=_ownerships(replay),
        shared=frozenset(replay.identifier(number) for number in replay.shared),
        candidates=_candidates(replay, numbers, of_hubs),
        merges=tuple(replay.merges),
        known=frozenset(number for group, number in numbers.items() if group.known),
        frozen=frozenset(
            number
            for group, number in numbers.items()
            if group.refused_more or group.is_frozen(replay.rules)
        ),
        demoted=tuple(
            Demotion(
                fragment_id=replay.named(number)[0],
                run=replay.named(number)[1],
                identifier=replay.identifier(identifier),
                word=word,
            )
            for (number, identifier), word in replay.demoted.items()
        ),
        cuts=tuple(sorted(cuts)),
    )


def _ownerships(replay: Replay) -> tuple[Ownership, ...]:
    found = []
    for held in replay.history:
        fragment, run = replay.named(held.observation)
        found.append(
            Ownership(
                identifier=replay.identifier(held.identifier),
                fragment_id=fragment,
                run=run,
                since=held.since,
                until=held.until,
                state="shared" if held.identifier in replay.shared else held.state,
            )
        )
    return tuple(found)


def _candidates(
    replay: Replay, numbers: dict[Group, int], of_hubs: list[Suspicion]
) -> tuple[Candidate, ...]:
    """One for each pair that is still two profiles and nobody said is two people."""
    by_pair: dict[tuple[int, int], dict[tuple[int, str], Suspicion]] = defaultdict(dict)
    for suspicion in (*replay.suspicions.values(), *_before_shared(replay, of_hubs)):
        one, other = replay.root_of(suspicion.observation), replay.root_of(suspicion.other)
        if one is other or said_not_the_same(one, other):
            continue
        if suspicion.word in WEAK and one.customer_ids and other.customer_ids:
            continue
        older, younger = sorted((numbers[one], numbers[other]))
        by_pair[older, younger].setdefault((suspicion.identifier, suspicion.word), suspicion)
    return tuple(
        Candidate(
            older=older,
            younger=younger,
            weak=all(suspicion.word in WEAK for suspicion in found.values()),
            reasons=tuple(_reason(replay, suspicion) for suspicion in found.values()),
            hub=_hub_of(replay, found.values()),
        )
        for (older, younger), found in sorted(by_pair.items())
    )


def _before_shared(replay: Replay, of_hubs: list[Suspicion]) -> Iterator[Suspicion]:
    """The candidates that a hub had made by the time it had become one; it makes no new ones."""
    sides: dict[int, set[Group]] = defaultdict(set)
    full: set[int] = set()
    for suspicion in sorted(of_hubs, key=lambda one: (one.observation, one.other, one.word)):
        if suspicion.identifier in full:
            continue
        seen = sides[suspicion.identifier]
        seen.update((replay.root_of(suspicion.observation), replay.root_of(suspicion.other)))
        if _is_hub(seen, replay.rules):
            full.add(suspicion.identifier)
        else:
            yield suspicion


def _is_hub(people: set[Group], rules: Rules) -> bool:
    accounts = sum(1 for group in people if group.customer_ids)
    return accounts > rules.hub_customer_ids or (
        sum(group.known for group in people) > rules.hub_profiles
    )


def _reason(replay: Replay, suspicion: Suspicion) -> Reason:
    fragment, run = replay.named(suspicion.observation)
    return Reason(
        identifier=replay.identifier(suspicion.identifier),
        fragment_id=fragment,
        run=run,
        at=suspicion.at,
        word=suspicion.word,
    )


def _hub_of(replay: Replay, suspicions: Iterable[Suspicion]) -> Identifier | None:
    """The shared identifier that alone made a candidate."""
    found = {suspicion.identifier for suspicion in suspicions}
    return replay.identifier(*found) if len(found) == 1 and found <= replay.shared else None
