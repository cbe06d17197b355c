"""All that is known about some profiles, read with a fixed number of queries, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, func, select

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.identities.tables import (
    fragment_identifiers,
    fragments,
    observations,
    ownerships,
    profiles,
)
from customer360.profiles.fold import Aggregate, combine, decode
from customer360.profiles.tables import aggregates, orders, refunds, sessions
from customer360.profiles.touches import Touch
from customer360.values import Amount

# SQLite takes 32,766 bound values in a statement.
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class OrderFact:
    """What an order adds to the figures of its person."""

    placed_at: Instant
    total: Amount
    discount: Amount
    items: int
    promo_codes: str
    place: str
    location: str
    counts: bool
    sums: bool


@dataclass(frozen=True, slots=True)
class IdentifierFact:
    """An identifier of the profile with its state and when it was seen."""

    identifier: Identifier
    source: str
    state: str
    first_seen_at: Instant
    last_seen_at: Instant


@dataclass(slots=True)
class Facts:
    """One profile's facts, combined over its fragments."""

    profile_id: int
    known: bool
    name: str
    change: int
    fragments: list[int] = field(default_factory=list)
    first_sources: dict[int, str] = field(default_factory=dict)
    """By fragment: the source that told of it first."""
    aggregate: Aggregate = field(default_factory=Aggregate)
    orders: list[OrderFact] = field(default_factory=list)
    refunded: Amount = 0
    returned_items: int = 0
    refunds: int = 0
    sessions: int = 0
    first_touch: tuple[Instant, Touch] | None = None
    last_touch: tuple[Instant, Touch] | None = None
    identifiers: list[IdentifierFact] = field(default_factory=list)


def gather(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of these profiles; merged and unknown ids are left out."""
    people: dict[int, Facts] = {}
    for part in _chunks(profile_ids):
        query = select(
            profiles.c.profile_id, profiles.c.known, profiles.c.name, profiles.c.change
        ).where(
            profiles.c.shop_id == shop_id,
            profiles.c.profile_id.in_(part),
            profiles.c.merged_into.is_(None),
        )
        for profile_id, known, name, change in connection.execute(query).all():
            people[profile_id] = Facts(profile_id, bool(known), name or "", change)
    owner = _add_aggregates(connection, shop_id, people)
    for part in _chunks(list(owner)):
        _add_orders(connection, shop_id, part, owner)
        _add_sessions(connection, shop_id, part, owner)
    _add_identifiers(connection, shop_id, owner)
    return people


def _add_aggregates(
    connection: Connection, shop_id: int, people: dict[int, Facts]
) -> dict[int, Facts]:
    owner: dict[int, Facts] = {}
    parts: dict[int, list[Aggregate]] = defaultdict(list)
    for part in _chunks(list(people)):
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
            .where(fragments.c.shop_id == shop_id, fragments.c.profile_id.in_(part))
            .order_by(fragments.c.fragment_id)
        )
        for fragment_id, profile_id, blob in connection.execute(query).all():
            owner[fragment_id] = people[profile_id]
            people[profile_id].fragments.append(fragment_id)
            part_of_it = decode(blob)
            people[profile_id].first_sources[fragment_id] = _first_source(part_of_it)
            parts[profile_id].append(part_of_it)
    for profile_id, members in parts.items():
        people[profile_id].aggregate = members[0] if len(members) == 1 else combine(members)
    return owner


def _add_orders(
    connection: Connection, shop_id: int, part: list[int], owner: dict[int, Facts]
) -> None:
    query = select(
        orders.c.fragment_id,
        orders.c.placed_at,
        orders.c.total,
        orders.c.discount,
        orders.c.items_count,
        orders.c.promo_codes,
        orders.c.place,
        orders.c.location,
        orders.c.cancelled_at,
        orders.c.test,
        orders.c.foreign_currency,
    ).where(
        orders.c.shop_id == shop_id, orders.c.fragment_id.in_(part), orders.c.placed_at.is_not(None)
    )
    for row in connection.execute(query).all():
        counts = row.cancelled_at is None and not row.test
        owner[row.fragment_id].orders.append(
            OrderFact(
                row.placed_at,
                row.total,
                row.discount,
                row.items_count,
                row.promo_codes,
                row.place,
                row.location,
                counts,
                counts and not row.foreign_currency,
            )
        )
    refund_query = select(
        refunds.c.fragment_id, refunds.c.amount, refunds.c.items_count, refunds.c.foreign_currency
    ).where(refunds.c.shop_id == shop_id, refunds.c.fragment_id.in_(part))
    for fragment_id, amount, items, foreign in connection.execute(refund_query).all():
        facts = owner[fragment_id]
        facts.refunds += 1
        facts.returned_items += items
        facts.refunded += 0 if foreign else amount


def _add_sessions(
    connection: Connection, shop_id: int, part: list[int], owner: dict[int, Facts]
) -> None:
    counted = (
        select(
            sessions.c.fragment_id,
            func.count().label("n"),
            func.min(sessions.c.touched_at).label("first_at"),
            func.max(sessions.c.touched_at).label("last_at"),
        )
        .where(sessions.c.shop_id == shop_id, sessions.c.fragment_id.in_(part))
        .group_by(sessions.c.fragment_id)
        .cte("counted")
    )
    for fragment_id, n in connection.execute(select(counted.c.fragment_id, counted.c.n)).all():
        owner[fragment_id].sessions += n
    touched = (
        select(
            sessions.c.fragment_id,
            sessions.c.touched_at,
            sessions.c.touch_source,
            sessions.c.touch_medium,
            sessions.c.touch_campaign,
            sessions.c.touch_url,
            sessions.c.referrer,
        )
        .join(counted, counted.c.fragment_id == sessions.c.fragment_id)
        .where(
            sessions.c.shop_id == shop_id,
            (sessions.c.touched_at == counted.c.first_at)
            | (sessions.c.touched_at == counted.c.last_at),
        )
        .order_by(sessions.c.touched_at, sessions.c.first_key)
    )
    for fragment_id, at, *touch in connection.execute(touched).all():
        facts, seen = owner[fragment_id], (at, Touch(*touch))
        if facts.first_touch is None or at < facts.first_touch[0]:
            facts.first_touch = seen
        if facts.last_touch is None or at >= facts.last_touch[0]:
            facts.last_touch = seen


def _add_identifiers(connection: Connection, shop_id: int, owner: dict[int, Facts]) -> None:
    seen: dict[tuple[int, Identifier], tuple[Instant, str, Instant]] = {}
    states: dict[tuple[int, Identifier], str] = {}
    for part in _chunks(list(owner)):
        query = (
            select(
                fragment_identifiers.c.fragment_id,
                fragment_identifiers.c.type,
                fragment_identifiers.c.value,
                observations.c.first_at,
                observations.c.last_at,
            )
            .join_from(
                fragment_identifiers,
                observations,
                and_(
                    observations.c.shop_id == fragment_identifiers.c.shop_id,
                    observations.c.fragment_id == fragment_identifiers.c.fragment_id,
                ),
            )
            .where(
                fragment_identifiers.c.shop_id == shop_id,
                fragment_identifiers.c.fragment_id.in_(part),
            )
        )
        for fragment_id, kind, value, first_at, last_at in connection.execute(query).all():
            facts = owner[fragment_id]
            key = (facts.profile_id, Identifier(kind, value))
            source = facts.first_sources[fragment_id]
            known = seen.get(key, (first_at, source, last_at))
            seen[key] = (*min((first_at, source), known[:2]), max(last_at, known[2]))
        owned = select(
            ownerships.c.fragment_id, ownerships.c.type, ownerships.c.value, ownerships.c.state
        ).where(
            ownerships.c.shop_id == shop_id,
            ownerships.c.fragment_id.in_(part),
            ownerships.c.until.is_(None),
        )
        for fragment_id, kind, value, state in connection.execute(owned).all():
            states[owner[fragment_id].profile_id, Identifier(kind, value)] = state
    by_profile = {facts.profile_id: facts for facts in owner.values()}
    for (profile_id, identifier), (first_at, source, last_at) in sorted(seen.items()):
        state = states.get((profile_id, identifier))
        if state is None:
            # The event named it, but it belongs to somebody else.
            continue
        by_profile[profile_id].identifiers.append(
            IdentifierFact(identifier, source, state, first_at, last_at)
        )


def _first_source(part: Aggregate) -> str:
    sources = part.sources
    return min(sources, key=lambda name: (sources[name].first_at, name)) if sources else ""


def _chunks(values: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(values), _CHUNK):
        yield list(values[start : start + _CHUNK])
