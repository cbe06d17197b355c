"""The fast resolver gives what the slow one gives, on histories in which everything goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec
import pytest
from tests.identities import reference as slow
from tests.identities.histories import History, histories
from tests.identities.runs import Evidence, Occurrence, cut_runs

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.identities.ledger import WEAK
from customer360.identities.model import Decision, Observation, Resolution, Rules
from customer360.identities.resolve import resolve

Profile = frozenset[str]
Answer = tuple[object, ...]


class Told:
    """A history in the words of the fast resolver: fragments, their events, and decisions about them."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.events = sorted(history.events, key=slow.canonical)
        numbers: dict[object, int] = {}
        self.fragment = {
            event.key: numbers.setdefault(slow.evidence(event), len(numbers) + 1)
            for event in self.events
        }
        self.evidence: Mapping[int, Evidence] = {
            self.fragment[event.key]: Evidence(
                identifiers=event.identifiers,
                name=(min(event.name), max(event.name)),
                trust=event.trust,
            )
            for event in self.events
        }
        self.rules = Rules(
            limits=history.rules.limits,
            known_identifiers=history.rules.known_identifiers,
            hub_customer_ids=history.rules.hub_customer_ids,
            hub_profiles=history.rules.hub_profiles,
        )
        at = {event.key: event.at for event in self.events}
        self.decisions = [
            Decision(
                decision_id=one.key,
                kind=one.kind,  # type: ignore[arg-type]
                fragment_a=self.fragment[one.a],
                at_a=at[one.a],
                fragment_b=self.fragment[one.b],
                at_b=at[one.b],
                acts_at=one.acts_at,
            )
            for one in history.decisions
        ]

    def occurrences(self) -> list[Occurrence]:
        return [
            Occurrence(
                fragment_id=self.fragment[event.key], at=event.at, rank=event.rank, key=event.key
            )
            for event in self.events
        ]

    def resolve(self, observations: Iterable[Observation]) -> Resolution:
        return resolve(observations, self.decisions, self.rules)

    def run_of_event(self, observations: Iterable[Observation]) -> dict[str, int]:
        """The run of its fragment that each event is in: runs follow each other, each with so many events."""
        runs: dict[int, list[int]] = {}
        for one in sorted(observations, key=lambda one: one.run):
            runs.setdefault(one.fragment_id, []).extend([one.run] * one.events)
        return {event.key: runs[self.fragment[event.key]].pop(0) for event in self.events}

    def profiles(
        self, observations: Iterable[Observation], outcome: Resolution
    ) -> dict[int, Profile]:
        """The events of each group."""
        groups: dict[int, set[str]] = {}
        for key, run in self.run_of_event(observations).items():
            groups.setdefault(outcome.profile_of[self.fragment[key], run], set()).add(key)
        return {number: frozenset(keys) for number, keys in groups.items()}


def answer(told: Told, observations: list[Observation], outcome: Resolution) -> Answer:
    profiles = told.profiles(observations, outcome)
    owners: dict[Identifier, tuple[str, Profile]] = {}
    end = max(event.at for event in told.events)
    for one in outcome.ownerships:
        if one.until is None and end - last_seen(told, one.identifier) < told.rules.stale_after:
            group = outcome.profile_of[one.fragment_id, one.run]
            owners[one.identifier] = (one.state, profiles[group])
    plain: dict[frozenset[Profile], bool] = {}
    of_hubs: dict[frozenset[Profile], bool] = {}
    for candidate in outcome.candidates:
        pair = frozenset((profiles[candidate.older], profiles[candidate.younger]))
        for reason in candidate.reasons:
            kind = of_hubs if reason.identifier in outcome.shared else plain
            kind[pair] = kind.get(pair, True) and reason.word in WEAK
    return frozenset(profiles.values()), owners, plain, of_hubs


def last_seen(told: Told, identifier: Identifier) -> Instant:
    if identifier.type not in ("phone", "cookie"):
        return max(event.at for event in told.events)
    return max(event.at for event in told.events if identifier in event.identifiers)


def expected(told: Told) -> Answer:
    history = told.history
    outcome = slow.reference(history.events, history.decisions, history.rules)
    owners = {
        identifier: (state, owner)
        for identifier, (state, owner) in outcome.owners.items()
        if owner is not None
    }
    return outcome.profiles, owners, dict(outcome.candidates), dict(outcome.hub_candidates)


def event_by_event(told: Told) -> list[Observation]:
    """Every event an observation of its own."""
    counted: Counter[int] = Counter()
    observations = []
    for event in told.occurrences():
        (one,) = cut_runs([event], told.evidence, told.rules)
        observations.append(msgspec.structs.replace(one, run=counted[event.fragment_id]))
        counted[event.fragment_id] += 1
    return observations


def in_runs(told: Told) -> list[Observation]:
    """Every fragment in its runs."""
    return _cut_where_asked(told, set(told.evidence))


def whole(told: Told) -> list[Observation]:
    """Fragments whole, but for a year's silence of their own."""
    return _cut_where_asked(told, set())


def _cut_where_asked(told: Told, in_runs: set[int]) -> list[Observation]:
    cuts: set[tuple[int, Instant]] = set()
    while True:
        observations = _cut_at(told, in_runs, cuts)
        asked = set(told.resolve(observations).cuts)
        if asked <= cuts:
            return observations
        cuts |= asked


def _cut_at(told: Told, in_runs: set[int], cuts: set[tuple[int, Instant]]) -> list[Observation]:
    runs = told.run_of_event(cut_runs(told.occurrences(), told.evidence, told.rules))
    pieces: dict[tuple[int, int, int], list[Occurrence]] = {}
    for event in told.occurrences():
        fragment = event.fragment_id
        run = runs[event.key] if fragment in in_runs else 0
        part = sum(1 for cut, at in cuts if cut == fragment and at <= event.at)
        pieces.setdefault((fragment, run, part), []).append(event)
    observations: list[Observation] = []
    for (fragment, _, _), piece in sorted(pieces.items()):
        observations += cut_runs(piece, {fragment: told.evidence[fragment]}, told.rules)
    counted: Counter[int] = Counter()
    ordered = []
    for one in observations:
        ordered.append(msgspec.structs.replace(one, run=counted[one.fragment_id]))
        counted[one.fragment_id] += 1
    return ordered


WAYS = {"event by event": event_by_event, "in runs": in_runs, "whole": whole}


def two_sources_at_once(told: Told) -> set[int]:
    """Fragments seen by two sources at one instant: no time tells their events apart."""
    ranks: dict[tuple[int, Instant], set[int]] = {}
    for event in told.events:
        ranks.setdefault((told.fragment[event.key], event.at), set()).add(event.rank)
    return {fragment for (fragment, _), different in ranks.items() if len(different) > 1}


def can_be_told(told: Told, way: str) -> bool:
    """Whether a time is enough to name what is decided and to cut what changed hands."""
    unclear = two_sources_at_once(told)
    named = {one for told_of in told.decisions for one in (told_of.fragment_a, told_of.fragment_b)}
    return not unclear & named if way == "event by event" else not unclear


@pytest.mark.parametrize("seed", range(8))
def test_both_resolvers_agree(seed: int) -> None:
    for history in histories(seed, 2_500):
        told = Told(history)
        wanted = expected(told)
        for way, given in WAYS.items():
            if not can_be_told(told, way):
                continue

            observations = given(told)
            found = answer(told, observations, told.resolve(observations))

            assert found == wanted, f"history {seed}/{history.number}, {way}"


def test_a_merge_that_is_undone_is_one_that_was_refused() -> None:
    undone = 0
    for history in histories(9, 1_500):
        told = Told(replace(history, decisions=()))
        observations = event_by_event(told)
        if two_sources_at_once(told):
            continue
        for merge in told.resolve(observations).merges:
            if merge.bridges is None:
                continue
            one, other = (
                next(
                    event.key
                    for event in told.events
                    if (told.fragment[event.key], event.at) == (bridge.fragment_id, bridge.at)
                )
                for bridge in merge.bridges
            )
            back = Told(replace(history, decisions=(slow.Decision(1, "undone", one, other),)))

            assert answer(back, observations, back.resolve(observations)) == expected(back)
            undone += 1
    assert undone > 100
