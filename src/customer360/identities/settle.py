"""What changes when some components are resolved anew? Pure: what was stored and seen in, the difference out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from customer360.events.model import Identifier, Trust
from customer360.identities.model import (
    Candidate,
    Decision,
    FragmentId,
    Merge,
    MergeKind,
    OwnershipState,
    Resolution,
)
from customer360.identities.stored import (
    ALONE,
    CONTESTED,
    TOGETHER,
    AlertId,
    Member,
    OwnershipKey,
    OwnershipRow,
    Pair,
    ProfileId,
    Stored,
    StoredProfile,
)


class AskedFor(NamedTuple):
    """A merge that somebody asked for, or the shop system: what the log says of it."""

    kept_id: ProfileId
    decision: Decision
    kind: MergeKind
    actor: str


@dataclass(slots=True)
class Settlement:
    """The map as it is now, and all that must be written for it."""

    profile_of: dict[FragmentId, ProfileId] = field(default_factory=dict)
    former: dict[FragmentId, ProfileId] = field(default_factory=dict)
    """Fragments that had another profile before."""
    born: set[ProfileId] = field(default_factory=set)
    profiles: dict[ProfileId, StoredProfile] = field(default_factory=dict)
    """Profile ids that are new or changed."""
    members: dict[FragmentId, Member] = field(default_factory=dict)
    """Stored fragments whose row changed."""
    ownerships: dict[OwnershipKey, OwnershipRow] = field(default_factory=dict)
    gone_ownerships: list[OwnershipKey] = field(default_factory=list)
    merged: dict[ProfileId, Merge | None] = field(default_factory=dict)
    """Profiles that now redirect and did not, with what brought them together, where that can be said."""
    asked_for: dict[ProfileId, AskedFor] = field(default_factory=dict)
    """Of `merged`, those that were just asked for, whatever else would bring them together as well."""
    parted: set[ProfileId] = field(default_factory=set)
    """Profiles that redirected and no longer do."""
    candidates: dict[Pair, Candidate] = field(default_factory=dict)
    founders: set[FragmentId] = field(default_factory=set)
    """Of every profile that was looked at; no other candidate between them is open."""
    ended: list[Pair] = field(default_factory=list)
    """The stored candidates that are none any more."""
    frozen: list[FragmentId] = field(default_factory=list)
    """The founders of profiles that link no further by themselves, and of which no alert tells yet."""
    thawed: list[AlertId] = field(default_factory=list)
    """Alerts that have ended."""

    absorbed: dict[FragmentId, int] = field(default_factory=dict)
    """Components, each by the fragment that names it, that are part of a throng from now on."""

    def include(self, other: Settlement) -> None:
        """Add what was settled elsewhere, of other fragments."""
        self.profile_of |= other.profile_of
        self.born |= other.born
        self.profiles |= other.profiles
        self.ownerships |= other.ownerships
        self.absorbed |= other.absorbed

    @property
    def reshaped(self) -> set[ProfileId]:
        """Profiles that gained or lost fragments."""
        now = {self.profile_of[fragment] for fragment in self.former}
        return now | set(self.former.values())


def settle(
    stored: Stored,
    members: Mapping[FragmentId, Member],
    resolution: Resolution,
    new_id: Callable[[], ProfileId],
) -> Settlement:
    """Give every group its profile id and say what differs from what is stored.

    `members`: the stored fragments and the new ones, as they are now. A profile id belongs to the fragment that
    founded it: where that goes the id goes, and of several ids in one group the oldest is the profile.
    """
    done = Settlement()
    groups: dict[int, list[FragmentId]] = defaultdict(list)
    for (fragment_id, _run), group in resolution.profile_of.items():
        groups[group].append(fragment_id)
    group_of = {fragment: group for group, some in groups.items() for fragment in some}
    ids: dict[int, list[ProfileId]] = defaultdict(list)
    for profile_id, profile in stored.profiles.items():
        ids[group_of[profile.founded_by]].append(profile_id)
    founder_of: dict[int, FragmentId] = {}
    for group, fragments in groups.items():
        known = group in resolution.known
        survivor = (
            min(ids[group]) if ids[group] else _found(done, members, fragments, known, new_id())
        )
        founder_of[group] = (stored.profiles.get(survivor) or done.profiles[survivor]).founded_by
        for profile_id in ids[group]:
            _redirect(stored, done, profile_id, survivor, known)
        for fragment_id in fragments:
            done.profile_of[fragment_id] = survivor
            former = members[fragment_id].profile_id
            if former is not None and former != survivor:
                done.former[fragment_id] = former
    _doubt(stored, done, founder_of, resolution.candidates)
    _explain(stored, done, resolution.merges)
    _own(stored, done, resolution)
    _keep_company(done, members, group_of, stored.decisions, _standing(resolution))
    _alert(stored, done, group_of, founder_of, resolution.frozen)
    return done


def _found(
    done: Settlement,
    members: Mapping[FragmentId, Member],
    fragments: Sequence[FragmentId],
    known: bool,
    profile_id: ProfileId,
) -> ProfileId:
    """Begin a profile with the first of these fragments."""
    founder = min(fragments, key=lambda each: (members[each].first_at, each))
    done.born.add(profile_id)
    done.profiles[profile_id] = StoredProfile(founder, None, known)
    return profile_id


def _doubt(
    stored: Stored,
    done: Settlement,
    founder_of: Mapping[int, FragmentId],
    found: Iterable[Candidate],
) -> None:
    """Name each candidate by the founders of its two groups."""
    done.founders = {profile.founded_by for profile in stored.profiles.values()}
    done.founders |= set(founder_of.values())
    for candidate in found:
        one, other = sorted((founder_of[candidate.older], founder_of[candidate.younger]))
        done.candidates[one, other] = candidate
    done.ended = [pair for pair in stored.candidates if pair not in done.candidates]


def _redirect(
    stored: Stored, done: Settlement, profile_id: ProfileId, survivor: ProfileId, known: bool
) -> None:
    before = stored.profiles[profile_id]
    merged_into = None if profile_id == survivor else survivor
    if (before.merged_into, before.known) != (merged_into, known):
        done.profiles[profile_id] = StoredProfile(before.founded_by, merged_into, known)
    if before.merged_into is None and merged_into is not None:
        done.merged[profile_id] = None
    elif before.merged_into is not None and merged_into is None:
        done.parted.add(profile_id)


def _explain(stored: Stored, done: Settlement, merges: Iterable[Merge]) -> None:
    """Of each profile that merged, the merge that first brought its founder to that of the survivor."""
    waiting = {
        profile_id: (
            stored.profiles[profile_id].founded_by,
            stored.profiles[done.profiles[profile_id].merged_into or profile_id].founded_by,
        )
        for profile_id in done.merged
    }
    if not waiting:
        return
    joined: dict[FragmentId, FragmentId] = {}

    def root(fragment: FragmentId) -> FragmentId:
        while fragment in joined:
            fragment = joined[fragment]
        return fragment

    for fragment_id, member in stored.members.items():
        if member.profile_id in stored.profiles:
            one, other = root(stored.profiles[member.profile_id].founded_by), root(fragment_id)
            if one != other:
                joined[other] = one

    for merge in merges:
        one, other = root(merge.kept[0]), root(merge.gone[0])
        if one != other:
            joined[other] = one
        for profile_id, (founder, survivors) in list(waiting.items()):
            if root(founder) == root(survivors):
                done.merged[profile_id] = merge
                del waiting[profile_id]


def _alert(
    stored: Stored,
    done: Settlement,
    group_of: Mapping[FragmentId, int],
    founder_of: Mapping[int, FragmentId],
    frozen: Iterable[int],
) -> None:
    """One alert for each profile that is frozen, the oldest that any part of it has; all others end."""
    untold = set(frozen)
    for alert_id, fragment_id in sorted(stored.alerts.items()):
        group = group_of[fragment_id]
        if group in untold:
            untold.remove(group)
        else:
            done.thawed.append(alert_id)
    done.frozen = sorted(founder_of[group] for group in untold)


def _own(stored: Stored, done: Settlement, resolution: Resolution) -> None:
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    now: dict[OwnershipKey, OwnershipRow] = {}
    for held in sorted(resolution.ownerships, key=attrgetter("since")):
        name = (held.identifier.type, held.identifier.value)
        now[*name, numbers[name]] = (held.fragment_id, held.since, held.until, held.state)
        numbers[name] += 1
    done.ownerships = {key: row for key, row in now.items() if stored.ownerships.get(key) != row}
    done.gone_ownerships = [key for key in stored.ownerships if key not in now]


def _keep_company(
    done: Settlement,
    members: Mapping[FragmentId, Member],
    group_of: Mapping[FragmentId, int],
    decisions: Iterable[Decision],
    standing: Mapping[Trust, set[Identifier]],
) -> None:
    """Fragments that share an identifier are one component, named by its oldest fragment."""
    for some in _together(members, decisions):
        component = min(some)
        people = {group_of[fragment_id] for fragment_id in some}
        # A later event of one person can change nothing where all that it brings is theirs for good.
        settled = len(people) == 1 and all(
            standing[(member := members[each]).trust].issuperset(member.identifiers)
            for each in some
        )
        company = ALONE if len(some) == 1 else TOGETHER if settled else CONTESTED
        for fragment_id in some:
            member = members[fragment_id]
            was_new = member.profile_id is None
            changed = (member.component, member.company) != (component, company)
            member.component, member.company = component, company
            if not was_new and (changed or fragment_id in done.former):
                done.members[fragment_id] = member


def _together(
    members: Mapping[FragmentId, Member], decisions: Iterable[Decision]
) -> Iterable[list[FragmentId]]:
    joined: dict[FragmentId, FragmentId] = {}

    def root(fragment_id: FragmentId) -> FragmentId:
        while (step := joined.get(fragment_id)) is not None:
            joined[fragment_id] = fragment_id = joined.get(step, step)
        return fragment_id

    def join(one: FragmentId, other: FragmentId) -> None:
        one, other = root(one), root(other)
        if one != other:
            joined[other] = one

    carriers: dict[Identifier, FragmentId] = {}
    for fragment_id, member in members.items():
        for identifier in member.identifiers:
            carrier = carriers.setdefault(identifier, fragment_id)
            if carrier != fragment_id:
                join(carrier, fragment_id)
    for decision in decisions:
        if decision.kind == "merged":
            join(decision.fragment_a, decision.fragment_b)
    together: dict[FragmentId, list[FragmentId]] = defaultdict(list)
    for fragment_id in members:
        together[root(fragment_id)].append(fragment_id)
    return together.values()


def _standing(resolution: Resolution) -> dict[Trust, set[Identifier]]:
    """By trust of who brings it, what has had one owner and no end, and so stays theirs."""
    ended = {held.identifier for held in resolution.ownerships if held.until is not None}
    of_state: dict[OwnershipState, set[Identifier]] = defaultdict(set)
    for held in resolution.ownerships:
        of_state[held.state].add(held.identifier)
    owned = of_state["owned"] - ended
    return {Trust.FULL: owned, Trust.PUBLIC: owned | (of_state["unverified"] - ended)}
