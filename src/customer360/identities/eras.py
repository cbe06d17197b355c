"""When an identifier changed hands within a fragment, its events before and after are two eras of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from customer360.clock import Instant
from customer360.events.placed import PlacedEvent
from customer360.events.vocabulary import OUR_DOING
from customer360.identities.model import FragmentId, Rules
from customer360.identities.sightings import Digest, Sighting
from customer360.identities.stored import ALWAYS, Member
from customer360.values import new_ids


class Cut(NamedTuple):
    """What of the fragment happened at or after `at`, and before `until`, belongs to the era `into` from now on."""

    fragment_id: FragmentId
    into: FragmentId
    at: Instant
    until: Instant


def eras_of(
    seen: Sighting,
    digest: Digest,
    eras: Sequence[Member],
    events: Sequence[PlacedEvent],
    rules: Rules | None,
) -> Iterable[tuple[Member, bool]]:
    """Place events among the eras of their evidence; with `rules`, a silence of a year begins a new one.

    Yields the eras that got events, and whether each is new. An era may begin between two others.
    """
    all_eras, new = list(eras), set[FragmentId]()
    touched: dict[FragmentId, Member] = {}
    for one in sorted(events, key=lambda each: each.event.occurred_at):
        at = one.event.occurred_at
        member = _era_at(all_eras, at)
        if member is None or (rules is not None and _is_silent(member, at, rules.stale_after)):
            member = _begin_era(seen, digest, all_eras, member, at)
            new.add(member.fragment_id)
        member.see(at, at, one.rank, int(one.event.type not in OUR_DOING))
        touched[member.fragment_id] = member
        one.fragment_id = member.fragment_id
    return [(member, fragment_id in new) for fragment_id, member in touched.items()]


def _era_at(eras: Sequence[Member], at: Instant) -> Member | None:
    found = None
    for member in eras:
        if member.begins_at <= at:
            found = member
    return found


def _is_silent(member: Member, at: Instant, stale_after: Instant) -> bool:
    return at - member.last_at >= stale_after or member.first_at - at >= stale_after


def _begin_era(
    seen: Sighting, digest: Digest, eras: list[Member], near: Member | None, at: Instant
) -> Member:
    begins_at = at if near is not None and at > near.last_at else ALWAYS
    if near is not None and at < near.first_at:
        begins_at, near.begins_at = near.begins_at, near.first_at
    member = Member(
        fragment_id=new_ids.next(),
        evidence=digest,
        identifiers=seen.identifiers,
        name=seen.name,
        trust=seen.trust,
        rank=seen.rank,
        first_at=at,
        last_at=at,
        events=0,
        begins_at=begins_at,
        era=1 + max((each.era for each in eras), default=-1),
    )
    member.component = member.fragment_id
    eras.append(member)
    eras.sort(key=lambda each: each.begins_at)
    return member
