"""One step of the worker: take signals from the inbox, make them profiles, in one short transaction.

Everything is read and computed outside; the transaction begins with the shop's change number as it was read, so a
worker whose data became old (or whose lease was lost) writes nothing and computes again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from customer360.access.shops import Shop
from customer360.clock import Clock, Instant
from customer360.consent import store as consent_store
from customer360.errors import LeaseLost
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust, Unusable
from customer360.events.placed import PlacedEvent
from customer360.events.tables import events
from customer360.identities import store as identity_store
from customer360.identities.normalise import KNOWN, fold_name, normalise
from customer360.identities.store import Digest, Links, Sighting, evidence_digest
from customer360.identities.tables import fragments
from customer360.intake.bounds import bounded
from customer360.intake.notices import act_on
from customer360.intake.tables import accepted_signals
from customer360.intake.waiting import Failed, Waiting, leave, take
from customer360.profiles import checkouts, orders, sessions
from customer360.profiles.fold import Aggregate, combine, decode, encode, fold, names_of
from customer360.profiles.tables import aggregates
from customer360.storage.database import Database, bulk, bulk_update, rows_in
from customer360.storage.metadata import shop_clock
from customer360.values import new_ids

logger = logging.getLogger(__name__)

Translators = Mapping[str, Callable[[Signal, ShopContext], Sequence[Event]]]


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


@dataclass(slots=True)
class _Work:
    """All that one step computes before it writes."""

    seen_change: int
    rows: list[Waiting]
    failed: list[Failed] = field(default_factory=list)
    duplicates: list[Waiting] = field(default_factory=list)
    stored: list[Waiting] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    placed: list[PlacedEvent] = field(default_factory=list)
    evidence: dict[Digest, list[PlacedEvent]] = field(default_factory=dict)
    sightings: dict[Digest, Sighting] = field(default_factory=dict)
    links: Links = field(default_factory=Links)
    ledger: orders.Ledger = field(default_factory=orders.Ledger)
    visits: list[sessions.Visit] = field(default_factory=list)
    checkouts: list[checkouts.Checkout] = field(default_factory=list)
    aggregates: dict[int, Aggregate] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    other_profiles: set[int] = field(default_factory=set)


def process(
    database: Database, shop: Shop, lease: Lease, translators: Translators, clock: Clock, limit: int
) -> BatchResult:
    """Work off up to `limit` waiting signals of a shop; an empty result means that nothing waited.

    Raises LeaseLost when another worker took the shop, and OperationalError when the database cannot be used now:
    nothing was written then, and the signals still wait.
    """
    while True:
        try:
            return _attempt(database, shop, lease, translators, clock, limit)
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
    database: Database, shop: Shop, lease: Lease, translators: Translators, clock: Clock, limit: int
) -> BatchResult:
    with database.read() as connection:
        work = _Work(_change(connection, shop.shop_id), take(connection, shop.shop_id, limit))
        if not work.rows:
            return BatchResult()
        _compute(connection, shop, translators, work)
    with database.write() as connection:
        _write(connection, shop, lease, work, clock.now())
    return BatchResult(len(work.rows), len(work.stored), len(work.duplicates), len(work.failed))


def _compute(connection: Connection, shop: Shop, translators: Translators, work: _Work) -> None:
    understood = _understand(shop, translators, work)
    _keep_new(connection, shop, understood, work)
    _gather_evidence(shop, work)
    work.links = identity_store.link(connection, shop.shop_id, work.sightings)
    for digest, members in work.evidence.items():
        fragment_id = work.links.fragment_of[digest]
        for member in members:
            member.fragment_id = fragment_id
    work.visits = sessions.assign(connection, shop.shop_id, shop.digest_key, work.placed)
    work.ledger = orders.account(connection, shop.shop_id, shop.currency, work.placed)
    work.checkouts = checkouts.track(connection, shop.shop_id, work.placed)
    _fold(connection, shop.shop_id, work)
    _name(connection, shop.shop_id, work)
    work.other_profiles = _profiles_of(connection, shop, work)


def _understand(
    shop: Shop, translators: Translators, work: _Work
) -> list[tuple[Waiting, Signal, Sequence[Event]]]:
    context = ShopContext(currency=shop.currency, timezone=shop.timezone, country=shop.country)
    understood = []
    # The events of one request share their envelope.
    told: bytes | None = None
    envelope: dict[str, Any] = {}
    for row in work.rows:
        try:
            if row.envelope != told:
                envelope = msgspec.json.decode(_without_nul(row.envelope)) if row.envelope else {}
                told = row.envelope
            signal = Signal(
                source=row.source,
                trust=_TRUST[row.trust],
                rank=_RANK[row.rank],
                received_at=row.received_at,
                body=_without_nul(row.body),
                envelope=envelope,
            )
            understood.append((row, signal, translators[row.source](signal, context)))
        except Unusable as error:
            work.failed.append(Failed(row, error.reason, str(error)))
        except Exception as error:  # A translator's mistake must cost its own signal only.
            logger.exception("translator of %s failed", row.source)
            work.failed.append(Failed(row, "internal_error", type(error).__name__))
    return understood


_TRUST = {int(trust): trust for trust in Trust}
_RANK = {int(rank): rank for rank in SourceRank}


def _without_nul(body: bytes) -> bytes:
    """PostgreSQL keeps no NUL in text, and no honest signal has one."""
    return body.replace(b"\\u0000", b"\\ufffd") if b"\\u0000" in body else body


def _keep_new(
    connection: Connection,
    shop: Shop,
    understood: list[tuple[Waiting, Signal, Sequence[Event]]],
    work: _Work,
) -> None:
    keyed = [
        (
            blake2b(
                (told[0].dedupe_key if told else _own_key(row, signal)).encode(),
                key=shop.digest_key,
                digest_size=16,
            ).digest(),
            row,
            signal,
            told,
        )
        for row, signal, told in understood
    ]
    found = rows_in(
        connection,
        "select digest from accepted_signals where shop_id = {} and digest in {}",
        (shop.shop_id,),
        [entry[0] for entry in keyed],
    )
    known = {bytes(digest) for (digest,) in found}
    fresh_ids = iter(new_ids.take(sum(len(told) for *_, told in keyed)))
    for digest, row, signal, told in keyed:
        if digest in known:
            work.duplicates.append(row)
            continue
        known.add(digest)
        work.digests.append(digest)
        work.stored.append(row)
        for event in told:
            work.placed.append(
                PlacedEvent(
                    bounded(event, row.received_at),
                    next(fresh_ids),
                    row.source,
                    signal.trust,
                    signal.rank,
                    row.received_at,
                    (),
                )
            )


def _own_key(row: Waiting, signal: Signal) -> str:
    """What a signal without events is known by: its row of a file, else nothing repeats it."""
    row_key = signal.envelope.get("row_key")
    return f"row:{row_key}" if row_key else f"{row.source}{row.inbox_id}"


def _gather_evidence(shop: Shop, work: _Work) -> None:
    by_evidence: dict[Digest, list[PlacedEvent]] = defaultdict(list)
    for one in work.placed:
        event = one.event
        one.identifiers = normalise(
            event.identifiers, country=shop.country, trust=one.trust, till=event.till
        )
        if not one.identifiers:
            continue
        traits = event.traits
        name = (
            fold_name(traits.first_name, traits.last_name) if traits and traits.first_name else ""
        )
        digest = evidence_digest(shop.digest_key, one.identifiers, name, one.trust)
        seen = work.sightings.get(digest)
        if seen is None:
            at = event.occurred_at
            work.sightings[digest] = Sighting(one.identifiers, one.trust, one.rank, at, at)
        else:
            seen.add(event.occurred_at, one.rank)
            one.identifiers = seen.identifiers
        by_evidence[digest].append(one)
    work.evidence = by_evidence


def _fold(connection: Connection, shop_id: int, work: _Work) -> None:
    naming = {
        work.links.fragment_of[digest]
        for digest, seen in work.sightings.items()
        if any(identifier.type in KNOWN for identifier in seen.identifiers)
    }
    touched = {one.fragment_id for one in work.placed} - {0}
    old = touched - set(work.links.new_fragments.values())
    stored = rows_in(
        connection,
        "select fragment_id, aggregate from aggregates where shop_id = {} and fragment_id in {}",
        (shop_id,),
        sorted(old),
    )
    for fragment_id, blob in stored:
        work.aggregates[fragment_id] = decode(blob)
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


def _name(connection: Connection, shop_id: int, work: _Work) -> None:
    """Names of the profiles that were told one, that merged, or that a trusted source now vouches for."""
    links = work.links
    renamed = {
        links.state.profile_of[one.fragment_id]
        for one in work.placed
        if one.fragment_id
        and (told := one.event.traits)
        and (told.first_name or told.last_name or told.name)
    }
    renamed |= set(links.state.redirects) | set(links.state.redirects.values())
    newly_vouched = {
        links.state.profile_of[fragment_id]
        for digest, fragment_id in links.new_fragments.items()
        if work.sightings[digest].trust is Trust.FULL
    }
    renamed |= newly_vouched - links.state.born
    if not renamed:
        return
    renamed |= {
        profile for profile in links.state.people if links.state.survivor(profile) in renamed
    }
    parts: dict[int, list[Aggregate]] = defaultdict(list)
    query = (
        select(fragments.c.fragment_id, fragments.c.profile_id, aggregates.c.aggregate)
        .join_from(
            fragments,
            aggregates,
            and_(
                aggregates.c.shop_id == fragments.c.shop_id,
                aggregates.c.fragment_id == fragments.c.fragment_id,
            ),
        )
        .where(fragments.c.shop_id == shop_id, fragments.c.profile_id.in_(renamed))
    )
    for fragment_id, profile_id, blob in connection.execute(query):
        if fragment_id not in work.aggregates:
            parts[links.state.survivor(profile_id)].append(decode(blob))
    for fragment_id, aggregate in work.aggregates.items():
        parts[links.profile_of(fragment_id)].append(aggregate)
    for profile_id in {links.state.survivor(profile) for profile in renamed}:
        names = names_of(combine(parts[profile_id]))
        work.names[profile_id] = names.full if names else ""


def _profiles_of(connection: Connection, shop: Shop, work: _Work) -> set[int]:
    """Profiles that no event of the batch belongs to, but whose orders, visits or consents it changed."""
    visited = {fragment for visit in work.visits for fragment in visit.former_fragments}
    visited |= {visit.fragment_id for visit in work.visits}
    addresses = consent_store.addresses_of(shop.country, work.placed)
    visited |= consent_store.fragments_that_told_of(connection, shop.shop_id, addresses)
    visited |= identity_store.owners_of(
        connection, shop.shop_id, consent_store.as_identifiers(addresses)
    )
    moved = (work.ledger.fragments | visited) - set(work.links.fragment_of.values()) - {0}
    if not moved:
        return set()
    query = select(fragments.c.profile_id).where(
        fragments.c.shop_id == shop.shop_id, fragments.c.fragment_id.in_(moved)
    )
    return {work.links.state.survivor(profile_id) for (profile_id,) in connection.execute(query)}


_EVENT_COLUMNS = (
    "shop_id", "fragment_id", "occurred_at", "event_id", "type", "source", "session_id", "properties", "change",
)  # fmt: skip
_encode = msgspec.json.Encoder().encode


def _write(connection: Connection, shop: Shop, lease: Lease, work: _Work, now: Instant) -> None:
    shop_id = shop.shop_id
    change = _begin(connection, lease, work.seen_change, now)
    bulk(
        connection,
        accepted_signals,
        ("shop_id", "digest"),
        [(shop_id, digest) for digest in sorted(work.digests)],
    )
    identity_store.write(connection, shop_id, change, work.sightings, work.links, now)
    rows = [
        (
            shop_id,
            one.fragment_id,
            one.event.occurred_at,
            one.event_id,
            one.event.type,
            one.source,
            one.session_id,
            _properties(one.event),
            change,
        )
        for one in work.placed
        if orders.has_own_row(one)
    ]
    rows.sort(key=lambda row: (row[1], row[2]))
    bulk(connection, events, _EVENT_COLUMNS, rows)
    bulk(
        connection,
        aggregates,
        ("shop_id", "fragment_id", "aggregate"),
        [
            (shop_id, fragment_id, encode(aggregate))
            for fragment_id, aggregate in sorted(work.aggregates.items())
        ],
        replace_on=("shop_id", "fragment_id"),
    )
    sessions.write(connection, shop_id, change, work.visits)
    orders.write(connection, shop_id, change, work.ledger)
    checkouts.write(connection, shop_id, change, work.checkouts)
    checkouts.look_again(connection, shop_id, _may_end_checkouts(work), work.ledger.moved_away)
    consent_store.write(
        connection, consent_store.rows_of(shop_id, shop.country, change, work.placed)
    )
    _write_names(connection, shop_id, work)
    bulk_update(
        connection,
        "update profiles set change = {} where shop_id = {} and profile_id = {}",
        [(change, shop_id, profile_id) for profile_id in sorted(work.other_profiles)],
    )
    for one in work.placed:
        if one.event.notice is not None:
            act_on(connection, shop, one, now)
    leave(
        connection,
        shop_id,
        stored=work.stored,
        duplicates=work.duplicates,
        failed=work.failed,
        now=now,
    )


def _begin(connection: Connection, lease: Lease, seen_change: int, now: Instant) -> int:
    statement = (
        update(shop_clock)
        .where(
            shop_clock.c.shop_id == lease.shop_id,
            shop_clock.c.change == seen_change,
            shop_clock.c.lease_epoch == lease.epoch,
        )
        .values(change=seen_change + 1, lease_until=now + lease.seconds * 1_000_000)
    )
    if connection.execute(statement).rowcount != 1:
        raise LeaseLost
    return seen_change + 1


def _may_end_checkouts(work: _Work) -> set[int]:
    if not work.ledger.orders and not work.links.state.redirects:
        return set()
    merged = {
        fragment_id
        for fragment_id, profile_id in work.links.state.profile_of.items()
        if work.links.state.survivor(profile_id) in set(work.links.state.redirects.values())
    }
    return {
        order.fragment_id for order in work.ledger.orders.values() if order.fragment_id
    } | merged


def _write_names(connection: Connection, shop_id: int, work: _Work) -> None:
    bulk_update(
        connection,
        "update profiles set name = {}, search_text = {} where shop_id = {} and profile_id = {}",
        [
            (name, name.casefold(), shop_id, profile_id)
            for profile_id, name in sorted(work.names.items())
        ],
    )


def _properties(event: Event) -> str | None:
    page = event.page
    if page is None:
        return _encode(event.properties).decode() if event.properties else None
    told = {"url": page.url, "referrer": page.referrer, "page_title": page.title}
    return _encode(
        {**{name: text for name, text in told.items() if text}, **event.properties}
    ).decode()


def _change(connection: Connection, shop_id: int) -> int:
    query = select(shop_clock.c.change).where(shop_clock.c.shop_id == shop_id)
    return int(connection.execute(query).scalar_one())


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
        work = _Work(_change(connection, shop.shop_id), take(connection, shop.shop_id, 1))
    work.failed = [Failed(row, "internal_error", type(error).__name__) for row in work.rows]
    with database.write() as connection:
        _begin(connection, lease, work.seen_change, clock.now())
        leave(
            connection, shop.shop_id, stored=(), duplicates=(), failed=work.failed, now=clock.now()
        )
    return BatchResult(len(work.rows), 0, 0, len(work.failed))
