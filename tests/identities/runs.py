"""From when to when was a fragment seen without interruption? Pure: events in, observations out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from customer360.clock import Instant
from customer360.events.model import Identifier, IdentifierType, SourceRank, Trust
from customer360.identities.model import (
    DEFAULT_RULES,
    NO_NAME,
    FragmentId,
    Name,
    Observation,
    Rules,
)
from customer360.identities.normalise import ANONYMOUS

CHANGES_HANDS = ANONYMOUS | {IdentifierType.PHONE.value}
"""What two people can have one after the other."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What all events of a fragment carry."""

    identifiers: tuple[Identifier, ...]
    name: Name = NO_NAME
    trust: Trust
    digest: bytes = b""


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as far as identity is concerned; `key` is its dedupe key."""

    fragment_id: FragmentId
    at: Instant
    rank: SourceRank
    key: str = ""


def cut_runs(
    events: Iterable[Occurrence],
    evidence: Mapping[FragmentId, Evidence],
    rules: Rules = DEFAULT_RULES,
) -> list[Observation]:
    """The runs of every fragment, in canonical order.

    A run ends where an event of another fragment on a shared cookie, token or phone lies between, and at a
    silence of 12 months. Runs of a fragment are numbered from 0.
    """

    def canonical(event: Occurrence) -> tuple[object, ...]:
        told = evidence[event.fragment_id]
        return (
            event.at,
            all(identifier.type in ANONYMOUS for identifier in told.identifiers),
            -event.rank,
            told.identifiers,
            told.name,
            told.trust,
            told.digest,
            event.fragment_id,
            event.key,
        )

    runs: list[list[Occurrence]] = []
    current: dict[FragmentId, int] = {}
    last_on: dict[Identifier, FragmentId] = {}
    for event in sorted(events, key=canonical):
        fragment = event.fragment_id
        shared = [one for one in evidence[fragment].identifiers if one.type in CHANGES_HANDS]
        place = current.get(fragment)
        goes_on = (
            place is not None
            and all(last_on[identifier] == fragment for identifier in shared)
            and event.at - runs[place][-1].at < rules.stale_after
        )
        if place is None or not goes_on:
            current[fragment] = place = len(runs)
            runs.append([])
        runs[place].append(event)
        last_on.update(dict.fromkeys(shared, fragment))
    return _observations(runs, evidence)


def _observations(
    runs: Iterable[list[Occurrence]], evidence: Mapping[FragmentId, Evidence]
) -> list[Observation]:
    counted: dict[FragmentId, int] = {}
    observations = []
    for events in runs:
        fragment = events[0].fragment_id
        told = evidence[fragment]
        run = counted[fragment] = counted.get(fragment, -1) + 1
        observations.append(
            Observation(
                fragment_id=fragment,
                run=run,
                identifiers=told.identifiers,
                name=told.name,
                trust=told.trust,
                rank=events[0].rank,
                first_at=events[0].at,
                last_at=events[-1].at,
                events=len(events),
                evidence=told.digest,
            )
        )
    return observations
