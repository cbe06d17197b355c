"""One step of the worker: take signals from the inbox, make them profiles, in one short transaction.

Everything is read and computed outside; the transaction begins with the shop's change number as it was read, so a
worker whose data became old (or whose lease was lost) writes nothing and computes again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from customer360.access.shops import Shop
from customer360.clock import Clock, Instant
from customer360.consent import store as consent_store
from customer360.errors import LeaseLost
from customer360.events.model import (
    Trust,
)
from customer360.identities import store as identity_store
from customer360.identities.linking import link
from customer360.identities.normalise import KNOWN
from customer360.identities.rules import rules_of
from customer360.identities.stored import Member
from customer360.identities.tables import fragments
from customer360.intake.accepted import AcceptedSignals
from customer360.intake.eras import split_aggregate
from customer360.intake.notices import act_on
from customer360.intake.understanding import (
    Translators,
    gather_evidence,
    keep_new,
    understand,
)
from customer360.intake.waiting import Failed, leave, take
from customer360.intake.work import Work
from customer360.intake.writing import writes_of
from customer360.profiles import checkouts, orders, sessions
from customer360.profiles.fold import Aggregate, Naming, fold, name_of
from customer360.profiles.members import aggregates_in, members_of, namings_in
from customer360.profiles.renaming import named_among
from customer360.storage.database import Database, Writes
from customer360.storage.metadata import shop_clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to a shop, for as long as the epoch is still its own."""

    shop_id: int
    owner: int
    epoch: int
    seconds: int


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of the signals of one step."""

    taken: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0


class _NumberTaken(Exception):
    """Members of segments were moved meanwhile, under the change number that this step was put together with."""


def process(
    database: Database,
    shop: Shop,
    lease: Lease,
    translators: Translators,
    accepted: AcceptedSignals,
    clock: Clock,
    limit: int,
) -> BatchResult:
    """Work off up to `limit` waiting signals of a shop; an empty result means that nothing waited.

    Raises LeaseLost when another worker took the shop, and OperationalError when the database cannot be used now:
    nothing was written then, and the signals still wait.
    """
    while True:
        try:
            return _attempt(database, shop, lease, translators, accepted, clock, limit)
        except OperationalError as error:
            if not _is_of_a_row(error):
                raise
            limit = _smaller(limit)
            if not limit:
                return _set_aside(database, shop, lease, clock, error)
        except LeaseLost:
            with database.read() as connection:
                if not _holds(connection, lease):
                    raise
        except (
            DBAPIError,
            OverflowError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            limit = _smaller(limit)
            if not limit:
                return _set_aside(database, shop, lease, clock, error)


def _smaller(limit: int) -> int:
    """One of these signals cannot be stored as it is: where to look for it without holding up its neighbours."""
    return limit // 16 if limit > 16 else int(limit > 1)


def _is_of_a_row(error: OperationalError) -> bool:
    """Whether PostgreSQL refused what was to be written (class 54, a limit exceeded) instead of being unable to."""
    return str(getattr(error.orig, "sqlstate", "") or "").startswith("54")


def _attempt(
    database: Database,
    shop: Shop,
    lease: Lease,
    translators: Translators,
    accepted: AcceptedSignals,
    clock: Clock,
    limit: int,
) -> BatchResult:
    with database.read() as connection:
        change, moves = _clock(connection, shop.shop_id)
        work = Work(change, take(connection, shop.shop_id, limit))
        if not work.rows:
            return BatchResult()
        _compute(connection, shop, translators, accepted, work)
    while True:
        try:
            _write(database, shop, lease, work, change - moves, clock.now())
        except _NumberTaken:
            continue
        return BatchResult(len(work.rows), len(work.stored), len(work.duplicates), len(work.failed))


def _write(
    database: Database, shop: Shop, lease: Lease, work: Work, read: int, now: Instant
) -> None:
    """Write what was computed; raises _NumberTaken where that is still right and has to be numbered anew."""
    writes = writes_of(shop, work, now)
    with database.write() as connection:
        change = _begin(connection, lease, read, now)
        if change != work.seen_change + 1:
            work.seen_change = change - 1
            raise _NumberTaken
        writes.run(connection)
        consent_store.spread_stops(connection, shop.shop_id, work.seen_change + 1, work.placed)
        for one in work.placed:
            if one.event.notice is not None:
                act_on(connection, shop, one, now)


def _compute(
    connection: Connection,
    shop: Shop,
    translators: Translators,
    accepted: AcceptedSignals,
    work: Work,
) -> None:
    understood = understand(shop, translators, work)
    keep_new(connection, shop, accepted, understood, work)
    gather_evidence(shop, work, rules_of(connection, shop.shop_id).placeholders)
    work.links = link(connection, shop.shop_id, work.sightings, work.evidence)
    work.visits = sessions.assign(connection, shop.shop_id, shop.digest_key, work.placed)
    work.ledger = orders.account(connection, shop.shop_id, shop.currency, work.placed)
    work.checkouts = checkouts.track(connection, shop.shop_id, work.placed)
    _fold(connection, shop.shop_id, work)
    _name(connection, shop.shop_id, work)
    work.other_profiles = _profiles_of(connection, shop, work)


def _fold(connection: Connection, shop_id: int, work: Work) -> None:
    links = work.links
    naming = {each for each, member in links.members.items() if _names_somebody(member)}
    touched = {one.fragment_id for one in work.placed} - {0}
    old = (touched - links.new) | {cut.fragment_id for cut in links.cuts}
    work.aggregates = aggregates_in(connection, shop_id, old)
    for cut in links.cuts:
        split_aggregate(connection, shop_id, cut, work.aggregates)
    for one in work.placed:
        if not one.fragment_id:
            continue
        aggregate = work.aggregates.get(one.fragment_id)
        if aggregate is None:
            aggregate = work.aggregates[one.fragment_id] = Aggregate()
        fold(
            aggregate,
            one.event,
            source=one.source,
            trust=one.trust,
            kept=orders.has_own_row(one),
            known=one.fragment_id in naming,
        )


def _name(connection: Connection, shop_id: int, work: Work) -> None:
    """Names of the profiles that were told one, that merged, or that a trusted source now vouches for."""
    links = work.links
    renamed = _renamed(connection, shop_id, work)
    if not renamed:
        return
    parts: dict[int, list[Naming]] = defaultdict(list)
    moved = links.settled.profile_of
    present = members_of(connection, shop_id, renamed)
    elsewhere = {
        fragment_id: moved.get(fragment_id, profile_id)
        for fragment_id, profile_id in {**present, **moved}.items()
        if fragment_id not in work.aggregates and moved.get(fragment_id, profile_id) in renamed
    }
    for fragment_id, naming in namings_in(connection, shop_id, elsewhere).items():
        parts[elsewhere[fragment_id]].append(naming)
    for fragment_id, aggregate in work.aggregates.items():
        parts[links.profile_of(fragment_id)].append(aggregate)
    work.names = {profile_id: name_of(parts[profile_id]) for profile_id in renamed}


def _renamed(connection: Connection, shop_id: int, work: Work) -> set[int]:
    """The profiles whose name may be another now."""
    links = work.links
    renamed = {
        links.profile_of(one.fragment_id)
        for one in work.placed
        if one.fragment_id
        and (told := one.event.traits)
        and (told.first_name or told.last_name or told.name)
    }
    renamed |= links.settled.reshaped
    newly_vouched = {
        links.profile_of(fragment_id)
        for fragment_id in links.new
        if (member := links.members[fragment_id]).trust is Trust.FULL and _names_somebody(member)
    }
    newly_vouched -= renamed | links.settled.born
    # To vouch takes the name away that a browser gave, and gives none.
    return renamed | named_among(connection, shop_id, newly_vouched)


def _names_somebody(member: Member) -> bool:
    return any(identifier.type in KNOWN for identifier in member.identifiers)


def _profiles_of(connection: Connection, shop: Shop, work: Work) -> set[int]:
    """Profiles that no event of the batch belongs to, but whose orders, visits or consents it changed."""
    visited = {fragment for visit in work.visits for fragment in visit.former_fragments}
    visited |= {visit.fragment_id for visit in work.visits}
    addresses = consent_store.addresses_of(shop.country, work.placed)
    visited |= consent_store.fragments_that_told_of(connection, shop.shop_id, addresses)
    visited |= identity_store.owners_of(
        connection, shop.shop_id, consent_store.as_identifiers(addresses)
    )
    moved = (work.ledger.fragments | visited) - set(work.links.members) - {0}
    if not moved:
        return set()
    query = select(fragments.c.profile_id).where(
        fragments.c.shop_id == shop.shop_id, fragments.c.fragment_id.in_(moved)
    )
    now = {
        work.links.settled.profile_of[each]
        for each in moved
        if each in work.links.settled.profile_of
    }
    return now | {profile_id for (profile_id,) in connection.execute(query)}


def _begin(connection: Connection, lease: Lease, read: int, now: Instant) -> int:
    """Take the next change number, if the shop is still as it was read and the lease still held.

    read: the changes until then, without those that only moved members of segments: nothing of them is read here.
    """
    clock = shop_clock.c
    statement = (
        update(shop_clock)
        .where(
            clock.shop_id == lease.shop_id,
            clock.change - clock.moves == read,
            clock.lease_epoch == lease.epoch,
        )
        .values(change=clock.change + 1, lease_until=now + lease.seconds * 1_000_000)
        .returning(clock.change)
    )
    change = connection.execute(statement).scalar_one_or_none()
    if change is None:
        raise LeaseLost
    return int(change)


def _clock(connection: Connection, shop_id: int) -> tuple[int, int]:
    """The newest change number, and how many changes only moved members of segments."""
    query = select(shop_clock.c.change, shop_clock.c.moves).where(shop_clock.c.shop_id == shop_id)
    change, moves = connection.execute(query).one()
    return change, moves


def _holds(connection: Connection, lease: Lease) -> bool:
    epoch = connection.execute(
        select(shop_clock.c.lease_epoch).where(shop_clock.c.shop_id == lease.shop_id)
    ).scalar_one_or_none()
    return epoch == lease.epoch


def _set_aside(
    database: Database, shop: Shop, lease: Lease, clock: Clock, error: Exception
) -> BatchResult:
    """Make the first waiting signal a dead letter: it cannot be stored, and nobody foresaw why."""
    logger.error("a signal could not be stored: %s", type(error).__name__)
    with database.read() as connection:
        change, moves = _clock(connection, shop.shop_id)
        work = Work(change, take(connection, shop.shop_id, 1))
    work.failed = [Failed(row, "internal_error", type(error).__name__) for row in work.rows]
    writes, now = Writes(), clock.now()
    leave(writes, shop.shop_id, stored=(), duplicates=(), failed=work.failed, now=now)
    with database.write() as connection:
        _begin(connection, lease, change - moves, now)
        writes.run(connection)
    return BatchResult(len(work.rows), 0, 0, len(work.failed))
