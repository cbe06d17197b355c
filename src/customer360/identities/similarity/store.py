"""Writes suggestions as candidates of origin "similarity"; nothing is ever merged by them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.identities.model import FragmentId
from customer360.identities.similarity.model import Suggestion
from customer360.identities.stored import ProfileId
from customer360.identities.tables import candidates
from customer360.storage.database import Writes, next_change, rows_in
from customer360.values import new_ids

Pair = tuple[FragmentId, FragmentId]


@dataclass(slots=True)
class Kept:
    """The pairs that are candidates now; `new` are those that were not before."""

    pairs: set[Pair] = field(default_factory=set)
    new: int = 0


# A probability is never certain, however many nines it has.
_HIGHEST_SCORE = 999


def keep(
    connection: Connection, shop_id: int, suggestions: Sequence[Suggestion], now: Instant
) -> Kept:
    """Make candidates of these suggestions, whose person ids are the founding fragments of two profiles.

    Left out are pairs that meanwhile are one profile or belong to others, and those of which somebody said that
    they are "not the same". A candidate that was dismissed stays so.
    """
    next_change(connection, shop_id)
    profile_of = _still_founders(connection, shop_id, suggestions)
    apart = _said_apart(connection, shop_id, set(profile_of.values()))
    found = {
        (each.person_a, each.person_b): each
        for each in suggestions
        if each.person_a in profile_of
        and each.person_b in profile_of
        and frozenset((profile_of[each.person_a], profile_of[each.person_b])) not in apart
    }
    states = _states(connection, shop_id, found)
    kept = [pair for pair in sorted(found) if states.get(pair) != "dismissed"]
    writes = Writes()
    writes.insert(
        candidates,
        (
            "shop_id", "candidate_id", "fragment_a", "fragment_b", "origin", "weak", "score", "reasons", "hub",
            "state", "made_at",
        ),
        [
            (
                shop_id, new_ids.next(), *pair, "similarity", False, _score(found[pair]),
                reasons_json(found[pair]), "", "open", now,
            )
            for pair in kept
        ],
        on_conflict=_OPEN_AGAIN,
    )  # fmt: skip
    writes.run(connection)
    return Kept(set(kept), sum(states.get(pair) != "open" for pair in kept))


def end_others(connection: Connection, shop_id: int, pairs: Collection[Pair], now: Instant) -> int:
    """End the open candidates of this origin that no longer are suggested; returns how many."""
    next_change(connection, shop_id)
    query = select(
        candidates.c.candidate_id, candidates.c.fragment_a, candidates.c.fragment_b
    ).where(
        candidates.c.shop_id == shop_id,
        candidates.c.state == "open",
        candidates.c.origin == "similarity",
    )
    ended = [
        candidate_id
        for candidate_id, one, other in connection.execute(query).all()
        if (one, other) not in pairs
    ]
    writes = Writes()
    writes.each(
        f"update {candidates.name} set state = 'ended', decided_at = {{}}"
        " where shop_id = {} and candidate_id = {}",
        [(now, shop_id, candidate_id) for candidate_id in ended],
    )
    writes.run(connection)
    return len(ended)


def reasons_json(suggestion: Suggestion) -> str:
    """What agrees, then what differs; the words themselves are on the profiles."""
    ordered = sorted(suggestion.findings, key=lambda finding: not finding.agrees)
    return json.dumps(
        [
            {
                "word": finding.word,
                "about": finding.about,
                "agrees": finding.agrees,
                "text": finding.sentence,
            }
            for finding in ordered
        ],
        ensure_ascii=False,
    )


def _score(suggestion: Suggestion) -> int:
    return min(round(1000 * suggestion.probability), _HIGHEST_SCORE)


_OPEN_AGAIN = (
    "(shop_id, fragment_a, fragment_b, origin) do update set score = excluded.score, reasons = excluded.reasons,"
    " made_at = case when candidates.state = 'open' then candidates.made_at else excluded.made_at end,"
    " state = 'open', decided_at = null, decided_by = null"
    " where candidates.state <> 'dismissed'"
)


def _still_founders(
    connection: Connection, shop_id: int, suggestions: Sequence[Suggestion]
) -> dict[FragmentId, ProfileId]:
    """The profiles of those fragments that still have the profile they founded."""
    ids = {id for each in suggestions for id in (each.person_a, each.person_b)}
    rows = rows_in(
        connection,
        "select f.fragment_id, p.profile_id from fragments f"
        " join profiles p on p.shop_id = f.shop_id and p.profile_id = f.profile_id"
        " and p.founded_by = f.fragment_id and p.merged_into is null"
        " where f.shop_id = {} and f.fragment_id in {}",
        (shop_id,),
        sorted(ids),
    )
    return dict(rows)


def _said_apart(
    connection: Connection, shop_id: int, profile_ids: Collection[ProfileId]
) -> set[frozenset[ProfileId]]:
    """The pairs of profiles of which somebody said, by undoing a merge for example, that they are not the same."""
    owner: dict[FragmentId, ProfileId] = dict(
        rows_in(
            connection,
            "select fragment_id, profile_id from fragments where shop_id = {} and profile_id in {}",
            (shop_id,),
            sorted(profile_ids),
        )
    )
    rows = rows_in(
        connection,
        "select fragment_a, fragment_b from decisions"
        " where shop_id = {} and kind in ('not_same', 'undone') and fragment_a in {}",
        (shop_id,),
        sorted(owner),
    )
    return {frozenset((owner[one], owner[other])) for one, other in rows if other in owner}


def _states(connection: Connection, shop_id: int, pairs: Collection[Pair]) -> dict[Pair, str]:
    rows = rows_in(
        connection,
        "select fragment_a, fragment_b, state from candidates"
        " where shop_id = {} and origin = 'similarity' and fragment_a in {}",
        (shop_id,),
        sorted({one for one, _ in pairs}),
    )
    return {(one, other): state for one, other, state in rows}
