"""Two profiles become one because somebody says so, and any merge is taken back: exactly, in any order.

Nothing is rewritten: a decision is added, everything that shares evidence with the two sides is resolved anew, and
the difference is stored. An undo is a decision too: the two sides are "not the same" from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from sqlalchemy import Connection, and_, insert, select, update

from customer360.clock import HOUR, Instant
from customer360.errors import AlreadyOne, CannotUndo, Conflict, ProfileNotFound
from customer360.identities.evidence import between, described
from customer360.identities.linking import Links, resolve_anew
from customer360.identities.merge_log import MergeRow, get_merge
from customer360.identities.model import Decision, FragmentId, MergeKind
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.settle import AskedFor
from customer360.identities.store import name_cause, write
from customer360.identities.stored import Member, ProfileId, Stored
from customer360.identities.tables import (
    candidates,
    decisions,
    fragments,
    merges,
    observations,
    profiles,
)
from customer360.identities.throngs import load_whole
from customer360.storage.database import Writes, next_change
from customer360.values import counted, new_ids

Follow = Callable[[Connection, int, int, Links], None]
"""What hangs on profiles and fragments follows them: called with the shop's id, the change number and what changed."""


def merge(
    connection: Connection,
    shop_id: int,
    profile_ids: tuple[ProfileId, ProfileId],
    *,
    actor: str,
    now: Instant,
    follow: Follow,
    kind: MergeKind = "by_hand",
    acts_at: Instant | None = None,
) -> MergeRow:
    """Make two profiles one, beyond all limits. An id that was merged away stands for its survivor.

    It acts at `acts_at`, else now. Raises ProfileNotFound, AlreadyOne where they are one already, and InThrong.
    """
    # First of all: the shop's lock, so that nothing changes what is read here.
    change = next_change(connection, shop_id)
    pair = _present(connection, shop_id, profile_ids)
    decision = _wish(connection, shop_id, pair, now if acts_at is None else acts_at)
    fragment_ids = (decision.fragment_a, decision.fragment_b)
    stored = load_whole(connection, shop_id, components_of(connection, shop_id, fragment_ids))
    stored.decisions.append(decision)
    links = linked(connection, shop_id, stored)
    survivor, gone = sorted(pair)
    if gone not in links.settled.merged:
        raise Conflict("These two profiles cannot be made one; load them again and retry.")
    _decide(connection, shop_id, fragment_ids, "merged", actor, now)
    links.settled.asked_for[gone] = AskedFor(survivor, decision, kind, actor)
    add_decision(connection, shop_id, decision, actor, now)
    _store(connection, shop_id, change, links, now, follow)
    name_cause(connection, shop_id, change, "merge")
    logged = select(merges.c.merge_id).where(
        merges.c.shop_id == shop_id, merges.c.gone_id == gone, merges.c.state == "standing"
    )
    return get_merge(connection, shop_id, connection.execute(logged).scalar_one())


def merge_later(
    connection: Connection,
    shop_id: int,
    profile_ids: tuple[ProfileId, ProfileId],
    *,
    actor: str,
    now: Instant,
    acts_at: Instant,
) -> None:
    """Keep that two profiles of a throng are one, which holds from when the throng is resolved."""
    pair = _present(connection, shop_id, profile_ids)
    add_decision(connection, shop_id, _wish(connection, shop_id, pair, acts_at), actor, now)


def undo(
    connection: Connection,
    shop_id: int,
    merge_id: int,
    *,
    actor: str,
    now: Instant,
    window: Instant,
    follow: Follow,
) -> MergeRow:
    """Take a merge back within `window`; the two sides are "not the same" from then on.

    Raises MergeNotFound, CannotUndo with the reason, and InThrong.
    """
    change = next_change(connection, shop_id)
    row = get_merge(connection, shop_id, merge_id)
    _refuse(row, now, window)
    founders = [founding(connection, shop_id, each)[0] for each in (row.kept_id, row.gone_id)]
    named = (row.fragment_a, row.fragment_b, *founders)
    stored = load_whole(connection, shop_id, components_of(connection, shop_id, named))
    decision = _parting(stored, row, now)
    stored.decisions.append(decision)
    sides = ((decision.fragment_a, decision.fragment_b), (founders[0], founders[1]))
    _refuse_if_held(connection, shop_id, stored, sides)
    links = linked(connection, shop_id, stored)
    connection.execute(
        update(merges)
        .where(merges.c.shop_id == shop_id, merges.c.merge_id == merge_id)
        .values(state="undone", ended_at=now, ended_by=actor)
    )
    _decide(connection, shop_id, sorted(founders), "dismissed", actor, now)
    add_decision(connection, shop_id, decision, actor, now)
    _store(connection, shop_id, change, links, now, follow)
    name_cause(connection, shop_id, change, "undo")
    return get_merge(connection, shop_id, merge_id)


def _present(
    connection: Connection, shop_id: int, profile_ids: tuple[ProfileId, ProfileId]
) -> tuple[ProfileId, ProfileId]:
    """What two ids stand for now; raises ProfileNotFound, and AlreadyOne."""
    one, other = (present_id(connection, shop_id, profile_id) for profile_id in profile_ids)
    if one == other:
        raise AlreadyOne
    return one, other


def _wish(
    connection: Connection, shop_id: int, pair: tuple[ProfileId, ProfileId], acts_at: Instant
) -> Decision:
    """The decision that two profiles are one, which names their founders."""
    sides = sorted(founding(connection, shop_id, profile_id) for profile_id in pair)
    (fragment_a, at_a), (fragment_b, at_b) = sides
    return Decision(
        decision_id=new_ids.next(),
        kind="merged",
        fragment_a=fragment_a,
        at_a=at_a,
        fragment_b=fragment_b,
        at_b=at_b,
        acts_at=acts_at,
    )


def _parting(stored: Stored, row: MergeRow, now: Instant) -> Decision:
    """The decision that takes a merge back, which names the eras that its sides are in now."""
    one = _side(stored, row.fragment_a, row.at_a)
    other = _side(stored, row.fragment_b, row.at_b)
    return Decision(
        decision_id=new_ids.next(),
        kind="undone",
        fragment_a=one.fragment_id,
        at_a=one.first_at,
        fragment_b=other.fragment_id,
        at_b=other.first_at,
        acts_at=now,
    )


def _decide(
    connection: Connection,
    shop_id: int,
    fragment_ids: Sequence[FragmentId],
    state: Literal["merged", "dismissed"],
    actor: str,
    now: Instant,
) -> None:
    """Say what became of the candidates of two founders: none of those that ended was merged."""
    fragment_a, fragment_b = fragment_ids
    pair = (candidates.c.fragment_a == fragment_a) & (candidates.c.fragment_b == fragment_b)
    query = update(candidates).where(candidates.c.shop_id == shop_id, pair)
    if state == "merged":
        query = query.where(candidates.c.state == "open")
    connection.execute(query.values(state=state, decided_at=now, decided_by=actor))


def present_id(connection: Connection, shop_id: int, profile_id: ProfileId) -> ProfileId:
    """The profile that this id stands for now; raises ProfileNotFound."""
    query = select(profiles.c.merged_into).where(
        profiles.c.shop_id == shop_id, profiles.c.profile_id == profile_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ProfileNotFound
    return profile_id if row.merged_into is None else int(row.merged_into)


def founding(
    connection: Connection, shop_id: int, profile_id: ProfileId
) -> tuple[FragmentId, Instant]:
    """The fragment that founded a profile, and the time of its first event; raises ProfileNotFound."""
    query = (
        select(profiles.c.founded_by, observations.c.first_at)
        .join_from(
            profiles,
            observations,
            and_(
                observations.c.shop_id == profiles.c.shop_id,
                observations.c.fragment_id == profiles.c.founded_by,
            ),
        )
        .where(profiles.c.shop_id == shop_id, profiles.c.profile_id == profile_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ProfileNotFound
    return int(row.founded_by), int(row.first_at)


def components_of(
    connection: Connection, shop_id: int, fragment_ids: Iterable[FragmentId]
) -> set[int]:
    """The components that these fragments are in."""
    query = select(fragments.c.component).where(
        fragments.c.shop_id == shop_id, fragments.c.fragment_id.in_(set(fragment_ids))
    )
    return set(connection.scalars(query))


def add_decision(
    connection: Connection, shop_id: int, decision: Decision, actor: str, now: Instant
) -> None:
    """Keep what somebody decided."""
    connection.execute(
        insert(decisions).values(
            shop_id=shop_id,
            decision_id=decision.decision_id,
            kind=decision.kind,
            fragment_a=decision.fragment_a,
            at_a=decision.at_a,
            fragment_b=decision.fragment_b,
            at_b=decision.at_b,
            acts_at=decision.acts_at,
            actor=actor,
            made_at=now,
        )
    )


def resolve_again(
    connection: Connection,
    shop_id: int,
    change: int,
    fragment_ids: Iterable[FragmentId],
    *,
    now: Instant,
    follow: Follow,
) -> None:
    """Resolve what hangs together with these fragments by the decisions that there are now; store what differs.

    Raises InThrong.
    """
    stored = load_whole(connection, shop_id, components_of(connection, shop_id, fragment_ids))
    links = linked(connection, shop_id, stored)
    _store(connection, shop_id, change, links, now, follow)
    name_cause(connection, shop_id, change, "merge")


def linked(connection: Connection, shop_id: int, stored: Stored) -> Links:
    """The components resolved anew; where a device now changes hands within a fragment, that is cut."""
    links = Links(stored=stored)
    rules = rules_of(connection, shop_id)
    links.settled = resolve_anew(connection, shop_id, links, dict(stored.members), rules)
    return links


def _store(
    connection: Connection, shop_id: int, change: int, links: Links, now: Instant, follow: Follow
) -> None:
    writes = Writes()
    write(writes, shop_id, change, links, now)
    writes.run(connection)
    follow(connection, shop_id, change, links)


def _side(stored: Stored, fragment_id: FragmentId, at: Instant) -> Member:
    """The fragment that a merge named, or the era of it that holds that time since it was cut."""
    named = stored.members[fragment_id]
    eras = [
        each
        for each in stored.members.values()
        if each.evidence == named.evidence and each.begins_at <= at
    ]
    return max(eras, key=lambda each: each.begins_at, default=named)


def _refuse(row: MergeRow, now: Instant, window: Instant) -> None:
    if row.state == "undone":
        raise CannotUndo("This merge was undone already; both profiles are there again.")
    if row.state == "dissolved":
        raise CannotUndo(
            "There is nothing to undo: later evidence or new rules have taken these profiles apart already."
        )
    if now - row.recorded_at > window:
        raise CannotUndo(f"A merge can be undone for {_in_words(window)}, and that time is over.")


def _refuse_if_held(
    connection: Connection,
    shop_id: int,
    stored: Stored,
    sides: Iterable[tuple[FragmentId, FragmentId]],
) -> None:
    """Where two that belong to different sides stay one even so, say by what."""
    observations = [member.observation for member in stored.members.values()]
    resolution = resolve(observations, stored.decisions, rules_of(connection, shop_id))
    for one, other in sides:
        if resolution.profile_of[one, 0] == resolution.profile_of[other, 0]:
            links = described(connection, shop_id, between(stored, resolution, one, other))
            held = (
                "; ".join(link.sentence for link in links[:5]) or "they began with the same event"
            )
            raise CannotUndo(f"Other evidence makes these two profiles one as well: {held}.")


def _in_words(window: Instant) -> str:
    hours = window // HOUR
    return counted(hours, "hour") if hours < 48 else counted(hours // 24, "day")
