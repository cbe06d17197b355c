"""By arrays comes out what `resolve` says, whatever happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from tests.identities.histories import histories
from tests.identities.observed import moved_apart, observed_of, tell_of
from tests.identities.test_comparison import WAYS, Told, can_be_told
from tests.identities.test_resolve import ANN, TOM, by_hand, not_same, seen, worlds

from customer360.identities.bulk import BulkResolution, resolve_in_bulk
from customer360.identities.model import (
    DEFAULT_RULES,
    Decision,
    Observation,
    Ownership,
    Resolution,
    Rules,
    Run,
)
from customer360.identities.resolve import resolve

Sayings = set[tuple[object, ...]]


def said(resolution: Resolution) -> Sayings:
    """Everything but the log of merges, with each profile told by what it consists of."""
    runs: dict[int, list[Run]] = defaultdict(list)
    for run, number in sorted(resolution.profile_of.items()):
        runs[number].append(run)
    profile = {number: tuple(some) for number, some in runs.items()}
    return {
        *(("profile", some) for some in profile.values()),
        *(("known", profile[number]) for number in resolution.known),
        *(("frozen", profile[number]) for number in resolution.frozen),
        *(("owner", one) for one in resolution.ownerships),
        *(("shared", one) for one in resolution.shared),
        *(("demoted", one) for one in resolution.demoted),
        *(("cut", one) for one in resolution.cuts),
        *(
            ("candidate", profile[one.older], profile[one.younger], one.weak, one.reasons, one.hub)
            for one in resolution.candidates
        ),
    }


def in_bulk(
    observations: Sequence[Observation], decisions: Iterable[Decision], rules: Rules
) -> tuple[Sayings, BulkResolution]:
    """The same of what was resolved by arrays."""
    observed, identifiers = observed_of(observations)
    found = resolve_in_bulk(observed, tell_of(observations), decisions, rules)
    parts = found.components
    told: Sayings = set()
    for resolution in found.replayed.values():
        told |= said(resolution)
    runs = [(one.fragment_id, one.run) for one in observations]
    for component in parts.simple.nonzero()[0].tolist():
        numbers = parts.observations(component).tolist()
        profile = tuple(sorted(runs[number] for number in numbers))
        told.add(("profile", profile))
        if found.known[component]:
            told.add(("known", profile))
    for identifier, founder in zip(identifiers, parts.founder.tolist(), strict=True):
        if parts.simple[parts.of[founder]]:
            one = observations[founder]
            held = Ownership(
                identifier=identifier,
                fragment_id=one.fragment_id,
                run=one.run,
                since=one.first_at,
                until=None,
                state="owned",
            )
            told.add(("owner", held))
    by_number: dict[int, list[Run]] = defaultdict(list)
    for number, run in zip(found.profile.tolist(), runs, strict=True):
        by_number[number].append(run)
    profiles = {one[1] for one in told if one[0] == "profile"}
    assert {tuple(sorted(some)) for some in by_number.values()} == profiles
    return told, found


def test_random_histories_in_bulk_are_what_they_are_one_by_one() -> None:
    """Some hundred worlds at a time, simple ones and such as nobody would wish for."""
    by_rules: dict[str, list[tuple[list[Observation], list[Decision]]]] = defaultdict(list)
    of_rules: dict[str, Rules] = {}
    for history in histories(seed=77, n=4_000):
        told = Told(history)
        if not can_be_told(told, "in runs"):
            continue
        worlds = by_rules[str(told.rules)]
        of_rules[str(told.rules)] = told.rules
        worlds.append(moved_apart(len(worlds), WAYS["in runs"](told), told.decisions))
    simple = replayed = 0
    for key, worlds in by_rules.items():
        for begin in range(0, len(worlds), 200):
            some = worlds[begin : begin + 200]
            observations = [one for world, _ in some for one in world]
            decisions = [one for _, decided in some for one in decided]

            told_in_bulk, found = in_bulk(observations, decisions, of_rules[key])

            assert told_in_bulk == said(resolve(observations, decisions, of_rules[key]))
            simple += int(found.components.simple.sum())
            replayed += len(found.replayed)
    assert simple > 2_000
    assert replayed > 1_000


@settings(max_examples=500)
@given(worlds)
def test_any_small_world_is_the_same_in_bulk(world: list[Observation]) -> None:
    told, _ = in_bulk(world, (), DEFAULT_RULES)

    assert told == said(resolve(world))


YEAR = 365
SIMPLE = {
    "visits, then a login": [seen(1, "cookie:c"), seen(2, "cookie:c email:a")],
    "two devices of one person": [
        seen(1, "cookie:c email:a"),
        seen(2, "cookie:d"),
        seen(3, "cookie:d email:a id:1"),
    ],
    "a browser's e-mail that an order confirms": [
        seen(1, "cookie:c email:a", public=True),
        seen(2, "email:a id:1 phone:+1", ANN),
    ],
    "an e-mail and a phone that an order joins": [
        seen(1, "email:a"),
        seen(2, "phone:+1"),
        seen(3, "email:a phone:+1"),
    ],
    "one name in either order": [
        seen(1, "email:a", "Ann Murphy"),
        seen(2, "email:a id:1", "Murphy Ann"),
    ],
    "a phone in use all year": [
        seen(1, "phone:+1", until=300),
        seen(350, "phone:+1 id:1"),
        seen(500, "phone:+1 email:a"),
    ],
    "a login and a visit at one instant": [
        seen(1, "cookie:c", number=1),
        seen(1, "cookie:c email:a", number=2),
    ],
    "as many addresses as one may have": [seen(n, f"id:1 email:{n}") for n in range(1, 6)],
}
HARD = {
    "two accounts at one e-mail": [seen(1, "id:1 email:a"), seen(2, "id:2 email:a")],
    "one address too many": [seen(n, f"id:1 email:{n}") for n in range(1, 7)],
    "two names": [seen(1, "email:a", ANN), seen(2, "email:a", TOM)],
    "two people at one device": [seen(1, "cookie:c email:a"), seen(2, "cookie:c email:b")],
    "two people at one device, later one": [
        seen(1, "cookie:c email:a"),
        seen(2, "cookie:c email:b"),
        seen(3, "email:a email:b"),
    ],
    "a browser's two claims": [seen(1, "user:u email:a", public=True)],
    "a phone nobody used for a year": [seen(1, "phone:+1 email:a"), seen(1 + YEAR, "phone:+1")],
    "two sources at one instant": [seen(1, "email:a id:1"), seen(1, "email:a", number=2)],
}


@pytest.mark.parametrize("name", SIMPLE)
def test_what_nothing_can_go_wrong_with_is_not_replayed(name: str) -> None:
    told, found = in_bulk(SIMPLE[name], (), DEFAULT_RULES)

    assert not found.replayed
    assert told == said(resolve(SIMPLE[name]))


@pytest.mark.parametrize("name", HARD)
def test_what_may_go_wrong_is_replayed(name: str) -> None:
    told, found = in_bulk(HARD[name], (), DEFAULT_RULES)

    assert len(found.replayed) == 1
    assert told == said(resolve(HARD[name]))


WORLD = [seen(1, "email:a"), seen(2, "email:b"), seen(3, "email:c")]


@pytest.mark.parametrize(
    "decisions", [[by_hand(4, *WORLD[:2])], [not_same(*WORLD[:2])]], ids=["merged", "not_same"]
)
def test_what_somebody_decided_about_is_replayed_together(decisions: list[Decision]) -> None:
    world = WORLD

    told, found = in_bulk(world, decisions, DEFAULT_RULES)

    assert found.components.simple.sum() == len(found.replayed) == 1
    assert told == said(resolve(world, decisions))


def test_what_carries_nothing_is_a_visitor_of_its_own() -> None:
    world = [seen(1, "email:a"), seen(2, ""), seen(3, "", ANN), seen(4, "email:a")]

    told, found = in_bulk(world, (), DEFAULT_RULES)

    assert not found.replayed
    assert told == said(resolve(world))
    assert len([one for one in told if one[0] == "profile"]) == 3


def test_nothing_in_bulk_is_nothing() -> None:
    told, found = in_bulk([], (), DEFAULT_RULES)

    assert (told, found.replayed) == (set(), {})
