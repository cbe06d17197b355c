"""Merges and undoes as people and signals ask for them, with all that hangs on a profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter

import msgspec
from sqlalchemy import Connection

from customer360.access.plans import plan
from customer360.access.shops import Shop
from customer360.clock import HOUR, Instant
from customer360.consent.contact_points import ContactPoint, contact_points
from customer360.errors import AlreadyOne, InThrong
from customer360.events.model import Channel, ConsentState, IdentifierType
from customer360.identities import apart, candidates, merges
from customer360.identities.linking import Links
from customer360.identities.merge_log import MergeRow
from customer360.identities.model import MergeKind
from customer360.identities.sides import Parting, partings
from customer360.intake.eras import move_era, split_aggregate
from customer360.profiles import checkouts
from customer360.profiles.card import contact_question
from customer360.profiles.facts import Facts, gather
from customer360.profiles.hydrate import find_by_identifier
from customer360.profiles.members import aggregates_in, write_aggregates
from customer360.profiles.renaming import rename
from customer360.storage.database import Writes
from customer360.values import counted

_CHANNELS: dict[Channel, str] = {
    "email": "e-mail",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "push": "push",
}


class ConsentChange(msgspec.Struct, frozen=True):
    """The consent of a contact point that a merge would change."""

    channel: Channel
    address: str
    before: ConsentState
    after: ConsentState


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What two profiles would be as one."""

    profile_ids: tuple[int, int]
    """The one that stays, and the one that would lead to it."""
    orders: int
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    identifiers: int
    consents: tuple[ConsentChange, ...]

    @property
    def sentence(self) -> str:
        """For example "3 orders, 2 e-mails, consent for SMS becomes withdrawn"."""
        found = (
            (self.orders, "order"),
            (len(self.emails), "e-mail"),
            (len(self.phones), "phone"),
        )
        said = [counted(count, word) for count, word in found if count]
        if not said:
            said = [counted(self.identifiers, "identifier")]
        changed = dict.fromkeys((one.channel, one.after) for one in self.consents)
        said += [f"consent for {_CHANNELS[channel]} becomes {state}" for channel, state in changed]
        return ", ".join(said)


def merge(
    connection: Connection,
    shop_id: int,
    profile_ids: tuple[int, int],
    *,
    actor: str,
    now: Instant,
    kind: MergeKind = "by_hand",
    acts_at: Instant | None = None,
) -> MergeRow:
    """Make two profiles one; raises ProfileNotFound, and AlreadyOne."""
    return merges.merge(
        connection,
        shop_id,
        profile_ids,
        actor=actor,
        now=now,
        follow=follow,
        kind=kind,
        acts_at=acts_at,
    )


def merge_customers(
    connection: Connection,
    shop: Shop,
    kept: str,
    deleted: str,
    *,
    source: str,
    acts_at: Instant,
    now: Instant,
) -> MergeRow | None:
    """Carry out what the shop system has done with two of its customers; None where they are one already.

    An id that nobody has is no customer: its own event must be stored before. In a throng the two become one
    once that is resolved; until then it is None, too.
    """
    found = [
        find_by_identifier(
            connection, shop.shop_id, shop.country, IdentifierType.SHOPIFY_CUSTOMER_ID, customer_id
        )
        for customer_id in (kept, deleted)
    ]
    one, other = found
    if one is None or other is None or one == other:
        return None
    shop_id, pair = shop.shop_id, (one, other)
    try:
        return merge(
            connection, shop_id, pair, actor=source, now=now, kind="shopify", acts_at=acts_at
        )
    except InThrong:
        merges.merge_later(connection, shop_id, pair, actor=source, now=now, acts_at=acts_at)
        return None


def undo(
    connection: Connection,
    shop_id: int,
    merge_id: int,
    *,
    actor: str,
    now: Instant,
    window: Instant,
) -> MergeRow:
    """Take any merge back within the window; raises MergeNotFound, and CannotUndo with the reason."""
    return merges.undo(
        connection, shop_id, merge_id, actor=actor, now=now, window=window, follow=follow
    )


def undo_window(shop: Shop) -> Instant:
    """How long a shop of this plan can undo a merge."""
    return plan(shop.plan).undo_hours * HOUR


def merge_candidates(
    connection: Connection, shop_id: int, candidate_ids: Sequence[int], *, actor: str, now: Instant
) -> list[MergeRow]:
    """Make the two profiles of each candidate one, all or none of them."""
    return candidates.merge_candidates(
        connection, shop_id, candidate_ids, actor=actor, now=now, follow=follow
    )


def take_back(
    connection: Connection, shop_id: int, decision_ids: Sequence[int], now: Instant
) -> None:
    """As if nobody had said "not the same"; raises DecisionNotFound, and CannotUndo when it is too late."""
    apart.take_back(connection, shop_id, decision_ids, now=now, follow=follow)


def preview(
    connection: Connection, shop_id: int, profile_ids: tuple[int, int], now: Instant
) -> Preview:
    """What would come together, and which consents would change; nothing is written.

    Raises ProfileNotFound, and AlreadyOne.
    """
    kept, gone = sorted(merges.present_id(connection, shop_id, each) for each in profile_ids)
    if kept == gone:
        raise AlreadyOne
    found = gather(connection, shop_id, [kept, gone])
    people = [found[kept], found[gone]]
    held = [fact.identifier for facts in people for fact in facts.identifiers]
    return Preview(
        profile_ids=(kept, gone),
        orders=sum(order.counts for facts in people for order in facts.orders),
        emails=tuple(sorted({one.value for one in held if one.type == "email"})),
        phones=tuple(sorted({one.value for one in held if one.type == "phone"})),
        identifiers=len(set(held)),
        consents=tuple(_changes(connection, shop_id, people, now)),
    )


def _changes(
    connection: Connection, shop_id: int, people: Sequence[Facts], now: Instant
) -> Iterator[ConsentChange]:
    questions = {facts.profile_id: contact_question(facts) for facts in people}
    before = contact_points(connection, shop_id, questions)
    known: dict[tuple[Channel, str], ContactPoint] = {}
    for facts in people:
        for point in before[facts.profile_id]:
            known.setdefault((point.channel, point.address), point)
    kept = people[0].profile_id
    together = (
        [fragment for members, _ in questions.values() for fragment in members],
        [identifier for _, held in questions.values() for identifier in held],
    )
    sides = {
        fragment: number
        for number, (members, _) in enumerate(questions.values())
        for fragment in members
    }

    def made_of() -> list[Parting]:
        former = partings(connection, shop_id, list(questions)).values()
        return [*sorted(chain.from_iterable(former), key=attrgetter("at")), Parting(now, sides)]

    after = contact_points(connection, shop_id, {kept: together}, merging={kept: made_of})
    for point in after[kept]:
        told = known[point.channel, point.address].consent
        if point.consent != told:
            yield ConsentChange(point.channel, point.address, told, point.consent)


def follow(connection: Connection, shop_id: int, change: int, links: Links) -> None:
    """What hangs on fragments and profiles follows them: events of an era that was cut, names, and checkouts.

    A checkout may have been ended by an order that came, or by one that went.
    """
    settled, writes = links.settled, Writes()
    _move_eras(connection, writes, shop_id, change, links)
    writes.run(connection)
    writes = Writes()
    reshaped = settled.reshaped | set(settled.merged) | settled.parted
    rename(connection, writes, shop_id, reshaped)
    members = {
        profile_id: fragment_id
        for fragment_id, profile_id in settled.profile_of.items()
        if profile_id in reshaped
    }
    checkouts.look_again(writes, shop_id, set(members.values()), set(members.values()))
    writes.run(connection)


def _move_eras(
    connection: Connection, writes: Writes, shop_id: int, change: int, links: Links
) -> None:
    if not links.cuts:
        return
    split = aggregates_in(connection, shop_id, {cut.fragment_id for cut in links.cuts})
    for cut in links.cuts:
        split_aggregate(connection, shop_id, cut, split)
    write_aggregates(writes, shop_id, split)
    for cut in links.cuts:
        move_era(writes, shop_id, change, cut)
