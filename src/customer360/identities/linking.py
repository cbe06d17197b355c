"""Where does every event of a batch belong? Reads what its evidence touches and resolves that anew where it matters.

An event of evidence that was seen before mostly changes nothing but times. Evidence seen for the first time, an
event earlier than all before it, and whatever touches a device that several people use, are resolved together with
everything that shares an identifier with them: the result is that of `resolve` on the whole history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import SourceRank
from customer360.events.placed import PlacedEvent
from customer360.events.tables import events, order_events
from customer360.events.vocabulary import OUR_DOING
from customer360.identities.component import FADING
from customer360.identities.eras import Cut, eras_of
from customer360.identities.model import FragmentId, Rules
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.settle import Settlement, settle
from customer360.identities.sightings import Digest, Sighting
from customer360.identities.stored import (
    ALONE,
    ALWAYS,
    CONTESTED,
    FOREVER,
    MEMBER_COLUMNS,
    Member,
    ProfileId,
    Stored,
    components_carrying,
    load,
    member_of,
)
from customer360.identities.throngs import join_throngs, throngs_among
from customer360.storage.database import rows_in
from customer360.values import new_ids


@dataclass(slots=True)
class Links:
    """Where the events of a batch belong, and what that changes."""

    members: dict[FragmentId, Member] = field(default_factory=dict)
    """The fragments of the batch, as they are now."""
    new: set[FragmentId] = field(default_factory=set)
    evidence: Mapping[Digest, Sequence[PlacedEvent]] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    """Fragments of which a part became an era of its own; whatever hangs on that part moves."""
    shifted: list[Member] = field(default_factory=list)
    """Eras that begin at another time than they did, since an earlier one was found."""
    settled: Settlement = field(default_factory=Settlement)
    stored: Stored = field(default_factory=Stored)
    """What was known before of all that was resolved."""

    def profile_of(self, fragment_id: FragmentId) -> ProfileId:
        """The profile that a fragment of this batch, or of a component that it touched, now belongs to."""
        settled = self.settled.profile_of.get(fragment_id)
        if settled is not None:
            return settled
        profile_id = self.members[fragment_id].profile_id
        assert profile_id is not None, "a fragment without profile was not settled"
        return profile_id

    def events_of(self, fragment_id: FragmentId, digest: Digest) -> list[PlacedEvent]:
        """The events of the batch that belong to a fragment."""
        return [one for one in self.evidence.get(digest, ()) if one.fragment_id == fragment_id]

    @property
    def earlier_alone(self) -> list[Member]:
        """Fragments that begin earlier than they did and share nothing: whatever they own, they own since then."""
        return [
            member
            for fragment_id, member in self.members.items()
            if member.company == ALONE
            and member.began is not None
            and member.first_at != member.began[0]
            and fragment_id not in self.settled.profile_of
        ]

    @property
    def profiles(self) -> set[ProfileId]:
        """Every profile that an event of this batch belongs to."""
        return {self.profile_of(fragment_id) for fragment_id in self.members}


def link(
    connection: Connection,
    shop_id: int,
    sightings: Mapping[Digest, Sighting],
    evidence: Mapping[Digest, Sequence[PlacedEvent]],
) -> Links:
    """Give each event its fragment, and each fragment its profile. Only reads."""
    rules = rules_of(connection, shop_id)
    links, again = Links(evidence=evidence), set[int]()
    known = _known(connection, shop_id, sightings)
    began = {each.fragment_id: each.begins_at for eras in known.values() for each in eras}
    for digest, seen in sightings.items():
        for member, is_new in _place(seen, digest, known.get(digest, ()), evidence[digest], rules):
            links.members[member.fragment_id] = member
            if is_new:
                links.new.add(member.fragment_id)
            elif member.company == CONTESTED or (
                member.company != ALONE and member.beginning != member.began
            ):
                again.add(member.component)
    links.shifted = [
        each
        for eras in known.values()
        for each in eras
        if each.begins_at != began[each.fragment_id]
    ]
    _connect(connection, shop_id, links, again, rules)
    return links


def _known(
    connection: Connection, shop_id: int, sightings: Mapping[Digest, Sighting]
) -> dict[Digest, list[Member]]:
    found: dict[Digest, list[Member]] = defaultdict(list)
    for row in rows_in(connection, _KNOWN, (shop_id,), list(sightings)):
        digest = bytes(row[1])
        found[digest].append(member_of(row, sightings[digest].identifiers))
    for eras in found.values():
        eras.sort(key=lambda member: member.begins_at)
    return found


_KNOWN = f"select {MEMBER_COLUMNS} where f.shop_id = {{}} and f.evidence in {{}}"


def _place(
    seen: Sighting,
    digest: Digest,
    eras: Sequence[Member],
    events: Sequence[PlacedEvent],
    rules: Rules,
) -> Iterable[tuple[Member, bool]]:
    """Give the events their era; yields the eras that have events of the batch, and whether each is new."""
    fades = any(identifier.type in FADING for identifier in seen.identifiers)
    if len(eras) == 1 and not (fades and _leaves_a_silence(eras[0], seen, rules)):
        (member,) = eras
        member.see(seen.first_at, seen.last_at, seen.rank, seen.events)
        for one in events:
            one.fragment_id = member.fragment_id
        return ((member, False),)
    if not eras and not (fades and seen.last_at - seen.first_at >= rules.stale_after):
        member = _new_member(seen, digest)
        for one in events:
            one.fragment_id = member.fragment_id
        return ((member, True),)
    return eras_of(seen, digest, eras, events, rules if fades else None)


def _leaves_a_silence(member: Member, seen: Sighting, rules: Rules) -> bool:
    return (
        seen.first_at - member.last_at >= rules.stale_after
        or member.first_at - seen.last_at >= rules.stale_after
        or seen.last_at - seen.first_at >= rules.stale_after
    )


def _new_member(seen: Sighting, digest: Digest) -> Member:
    fragment_id = new_ids.next()
    return Member(
        fragment_id=fragment_id,
        evidence=digest,
        identifiers=seen.identifiers,
        name=seen.name,
        trust=seen.trust,
        rank=seen.rank,
        first_at=seen.first_at,
        last_at=seen.last_at,
        events=seen.events,
        component=fragment_id,
    )


def _connect(
    connection: Connection, shop_id: int, links: Links, again: set[int], rules: Rules
) -> None:
    """Resolve what the new fragments and the components to be looked at again hang together with."""
    new = [links.members[fragment_id] for fragment_id in links.new]
    if not new and not again:
        return
    carried = {identifier for member in new for identifier in member.identifiers}
    component_of = components_carrying(connection, shop_id, carried)
    touched = again | set(component_of.values())
    throngs = throngs_among(connection, shop_id, touched)
    if throngs:
        join_throngs(connection, shop_id, new, component_of, throngs, links.settled)
    links.stored = load(connection, shop_id, touched - throngs)
    for each in links.shifted:
        if each.fragment_id in links.stored.members:
            links.stored.members[each.fragment_id].begins_at = each.begins_at
    members = dict(links.stored.members)
    members |= {
        fragment_id: member
        for fragment_id, member in links.members.items()
        if fragment_id in members
        or (fragment_id in links.new and fragment_id not in links.settled.profile_of)
    }
    if not members:
        return
    joined = links.settled
    links.settled = resolve_anew(connection, shop_id, links, members, rules)
    links.settled.include(joined)


def resolve_anew(
    connection: Connection,
    shop_id: int,
    links: Links,
    members: dict[FragmentId, Member],
    rules: Rules,
) -> Settlement:
    """Settle these fragments by all that is known of them, cutting those in which an identifier changed hands."""
    while True:
        observations = [member.observation for member in members.values()]
        resolution = resolve(observations, links.stored.decisions, rules)
        if not resolution.cuts:
            return settle(links.stored, members, resolution, new_ids.next)
        _cut(connection, shop_id, links, members, resolution.cuts)


def _cut(
    connection: Connection,
    shop_id: int,
    links: Links,
    members: dict[FragmentId, Member],
    cuts: Iterable[tuple[FragmentId, Instant]],
) -> None:
    """Cut fragments before the given times: stored events by their rows, those of the batch by what they are."""
    for fragment_id, at in sorted(cuts, reverse=True):
        before = members[fragment_id]
        kin = [each for each in members.values() if each.evidence == before.evidence]
        after = msgspec.structs.replace(
            before,
            fragment_id=new_ids.next(),
            begins_at=at,
            era=1 + max(each.era for each in kin),
            profile_id=None,
            began=None,
        )
        batch = links.events_of(fragment_id, before.evidence)
        parent = next((cut for cut in links.cuts if cut.into == fragment_id), None)
        stored_as = parent.fragment_id if parent else fragment_id
        starts, ends = (parent.at, parent.until) if parent else (ALWAYS, FOREVER)
        happened = _happened(connection, shop_id, stored_as)
        told = [(when, -rank) for when, rank in happened if starts <= when < ends]
        told += [(one.event.occurred_at, -one.rank) for one in batch if _counts(one.event.type)]
        _share(before, after, told)
        for one in batch:
            if one.event.occurred_at >= at:
                one.fragment_id = after.fragment_id
        members[after.fragment_id] = after
        links.members[before.fragment_id], links.members[after.fragment_id] = before, after
        links.new.add(after.fragment_id)
        if stored_as in links.stored.members:
            _note_cut(links, stored_as, after.fragment_id, at, parent)


def _share(before: Member, after: Member, told: Iterable[tuple[Instant, int]]) -> None:
    """Give each part of a fragment that was cut its times, of when what happened and minus the rank of who told it.

    Rows do not last for ever, but the ends of the whole are known.
    """
    at = after.begins_at
    early = [one for one in told if one[0] < at] or [(before.first_at, -before.rank)]
    late = [one for one in told if one[0] >= at] or [(before.last_at, -before.rank)]
    after.first_at, least = min(late)
    after.rank, after.events = SourceRank(-least), len(late)
    before.last_at, before.events = max(early)[0], len(early)


def _note_cut(
    links: Links, fragment_id: FragmentId, into: FragmentId, at: Instant, parent: Cut | None
) -> None:
    """Keep the parts of a stored fragment, the latest first; a part that is cut again ends earlier."""
    if parent is not None:
        links.cuts.remove(parent)
        links.cuts += [parent._replace(until=at), Cut(fragment_id, into, at, parent.until)]
    else:
        later = [cut.at for cut in links.cuts if cut.fragment_id == fragment_id and cut.at > at]
        links.cuts.append(Cut(fragment_id, into, at, min(later, default=FOREVER)))
    links.cuts.sort(key=lambda cut: cut.at, reverse=True)


def _happened(
    connection: Connection, shop_id: int, fragment_id: FragmentId
) -> list[tuple[Instant, int]]:
    """When something happened that shows somebody to be there, and the rank of who told it."""
    return [
        (at, rank)
        for table in (events, order_events)
        for kind, at, rank in rows_in(
            connection, _HAPPENED.format(table.name), (shop_id,), [fragment_id]
        )
        if _counts(kind)
    ]


_HAPPENED = "select type, occurred_at, rank from {} where shop_id = {{}} and fragment_id in {{}}"


def _counts(kind: str) -> bool:
    return kind not in OUR_DOING
