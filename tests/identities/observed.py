"""Observations as the columns that the bulk resolver reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from customer360.events.model import Identifier
from customer360.identities.bulk import KINDS, Numbers, Observed
from customer360.identities.model import NO_NAME, Decision, Name, Observation

APART = 1_000
"""Fragments and decisions of one world lie so far from those of the next."""


def observed_of(
    observations: Sequence[Observation],
) -> tuple[Observed, list[Identifier]]:
    """The columns, and the identifiers in the order of their numbers."""
    identifiers: dict[Identifier, int] = {}
    names: dict[Name, int] = {NO_NAME: 0}
    pairs = [
        (place, identifiers.setdefault(identifier, len(identifiers)))
        for place, one in enumerate(observations)
        for identifier in one.identifiers
    ]
    rows = [
        (
            *(one.fragment_id, one.first_at, one.last_at, one.events, one.trust, one.rank),
            names.setdefault((min(one.name), max(one.name)), len(names)),
        )
        for one in observations
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    carrier, carried = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    kind = np.array([KINDS.index(identifier.type) for identifier in identifiers], dtype=np.int8)
    columns = dict(
        zip(
            ("fragment_id", "first_at", "last_at", "events", "trust", "rank", "name"),
            table,
            strict=True,
        )
    )
    return Observed(**columns, carrier=carrier, carried=carried, kind=kind), list(identifiers)


def tell_of(observations: Sequence[Observation]):
    def tell(numbers: Numbers) -> list[Observation]:
        return [observations[number] for number in numbers.tolist()]

    return tell


def moved_apart(
    number: int, observations: Iterable[Observation], decisions: Iterable[Decision]
) -> tuple[list[Observation], list[Decision]]:
    """The same world again, of which nothing is known by anybody in another one."""
    by = number * APART
    away = [
        msgspec.structs.replace(
            one,
            fragment_id=one.fragment_id + by,
            identifiers=tuple(
                Identifier(each.type, f"{each.value}/{number}") for each in one.identifiers
            ),
        )
        for one in observations
    ]
    decided = [
        msgspec.structs.replace(
            one,
            decision_id=one.decision_id + by,
            fragment_a=one.fragment_a + by,
            fragment_b=one.fragment_b + by,
        )
        for one in decisions
    ]
    return away, decided
