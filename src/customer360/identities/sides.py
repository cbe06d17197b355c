"""Who was one person before a merge? Answered by resolving what had been seen until then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.identities.model import FragmentId, Merge, Resolution, Rules
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.stored import ProfileId, Stored, load, load_fragments
from customer360.identities.throngs import throngs_among
from customer360.storage.database import rows_in


class Parting(NamedTuple):
    """A merge at a time: the fragments that there were, each with the number of the person that it was of."""

    at: Instant
    sides: Mapping[FragmentId, int]


def partings(
    connection: Connection,
    shop_id: int,
    profile_ids: Sequence[ProfileId],
) -> dict[ProfileId, list[Parting]]:
    """By profile the merges that made it, in the order in which they acted; one that never merged is left out.

    They are those of the whole history, so what was heard of first makes no difference; in a throng, those that the
    profile's own fragments tell.
    """
    if not profile_ids:
        return {}
    rules = rules_of(connection, shop_id)
    found = {}
    for some, stored in _whereabouts(connection, shop_id, profile_ids):
        observations = [member.observation for member in stored.members.values()]
        resolution = resolve(observations, stored.decisions, rules)
        for profile_id in some:
            if merged := _merges_into(profile_id, stored, resolution):
                found[profile_id] = [
                    Parting(merge.at, _before(stored, merge, rules)) for merge in merged
                ]
    return found


def _whereabouts(
    connection: Connection, shop_id: int, profile_ids: Sequence[ProfileId]
) -> Iterator[tuple[list[ProfileId], Stored]]:
    """The profiles of several fragments, with all that hangs together with them; each component is read once.

    All of a throng is too much to be read while somebody waits: there a profile is looked at by itself.
    """
    members: dict[ProfileId, set[FragmentId]] = defaultdict(set)
    components: dict[ProfileId, set[int]] = defaultdict(set)
    rows = rows_in(connection, _MEMBERS, (shop_id,), sorted(profile_ids))
    for profile_id, fragment_id, component in rows:
        members[profile_id].add(fragment_id)
        components[profile_id].add(component)
    several = [profile_id for profile_id, some in members.items() if len(some) > 1]
    throngs = throngs_among(
        connection, shop_id, {one for each in several for one in components[each]}
    )
    together: dict[frozenset[int], list[ProfileId]] = defaultdict(list)
    for profile_id in several:
        if components[profile_id] & throngs:
            yield [profile_id], load_fragments(connection, shop_id, members[profile_id])
        else:
            together[frozenset(components[profile_id])].append(profile_id)
    for wanted, some in together.items():
        yield some, load(connection, shop_id, wanted)


_MEMBERS = "select profile_id, fragment_id, component from fragments where shop_id = {} and profile_id in {}"


def _merges_into(profile_id: ProfileId, stored: Stored, resolution: Resolution) -> list[Merge]:
    groups = {
        resolution.profile_of[member.fragment_id, 0]
        for member in stored.members.values()
        if member.profile_id == profile_id
    }
    return [merge for merge in resolution.merges if resolution.profile_of[merge.kept] in groups]


def _before(stored: Stored, merge: Merge, rules: Rules) -> dict[FragmentId, int]:
    """The persons just before a merge: what came later is left out, and so is the merge."""
    at, by_hand = merge.at, merge.decision_id is not None
    observations = [
        msgspec.structs.replace(one, last_at=min(one.last_at, at))
        for one in (member.observation for member in stored.members.values())
        if one.first_at < at or (by_hand and one.first_at == at)
    ]
    decisions = [
        decision
        for decision in stored.decisions
        if decision.kind != "merged"
        or decision.acts_at < at
        or (by_hand and decision.acts_at == at and decision.decision_id < (merge.decision_id or 0))
    ]
    resolution = resolve(observations, decisions, rules)
    return {fragment_id: group for (fragment_id, _run), group in resolution.profile_of.items()}
