"""All that is known about some profiles, read with a fixed number of queries, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.profiles.attributes import SENT
from customer360.profiles.fold import Aggregate, combine
from customer360.profiles.identifiers import IdentifierFact, identifiers_of
from customer360.profiles.members import aggregates_in, members_of
from customer360.profiles.touches import Touch, touch_of
from customer360.storage.database import rows_in
from customer360.values import Amount


@dataclass(frozen=True, slots=True)
class OrderFact:
    """What an order adds to the figures of its person."""

    counts: bool
    sums: bool
    placed_at: Instant
    total: Amount
    discount: Amount
    items: int
    promo_codes: str
    place: str
    location: str


@dataclass(slots=True)
class Facts:
    """One profile's facts, combined over its fragments."""

    profile_id: int
    known: bool
    name: str
    fragments: list[int] = field(default_factory=list)
    first_sources: dict[int, str] = field(default_factory=dict)
    """By fragment: the source that told of it first."""
    messaged_at: dict[int, Instant] = field(default_factory=dict)
    """By fragment that was sent a message: when the last one went out."""
    aggregate: Aggregate = field(default_factory=Aggregate)
    orders: list[OrderFact] = field(default_factory=list)
    refunded: Amount = 0
    returned_items: int = 0
    refunds: int = 0
    sessions: int = 0
    first_touch: tuple[Instant, Touch] | None = None
    last_touch: tuple[Instant, Touch] | None = None
    identifiers: list[IdentifierFact] = field(default_factory=list)

    @property
    def acted_at(self) -> Instant | None:
        """When the person last did something; orders count, also those that only their payment told of."""
        return max([self.aggregate.acted_at, *(one.placed_at for one in self.orders)]) or None

    @property
    def opted_in_at(self) -> Instant | None:
        """When they first agreed to be written to."""
        return self.aggregate.opted_in_at or None

    @property
    def product_views(self) -> int:
        """How often they viewed a product."""
        views = self.aggregate.types.get("product_viewed")
        return views.n if views else 0


def gather(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of these profiles; merged and unknown ids are left out."""
    people = {
        profile_id: Facts(profile_id, bool(known), name or "")
        for profile_id, known, name in rows_in(connection, _PROFILES, (shop_id,), profile_ids)
    }
    owner = _add_aggregates(connection, shop_id, people)
    members = list(owner)
    _add_orders(connection, shop_id, members, owner)
    _add_sessions(connection, shop_id, members, owner)
    for facts in people.values():
        _add_landings(facts)
    held = identifiers_of(
        connection,
        shop_id,
        {fragment_id: facts.profile_id for fragment_id, facts in owner.items()},
        {fragment_id: facts.first_sources[fragment_id] for fragment_id, facts in owner.items()},
    )
    for profile_id, identifiers in held.items():
        people[profile_id].identifiers = identifiers
    return people


_PROFILES = (
    "select profile_id, known, name from profiles"
    " where shop_id = {} and merged_into is null and profile_id in {}"
)


def _add_aggregates(
    connection: Connection, shop_id: int, people: dict[int, Facts]
) -> dict[int, Facts]:
    owner: dict[int, Facts] = {}
    parts: dict[int, list[Aggregate]] = defaultdict(list)
    members = members_of(connection, shop_id, people)
    for fragment_id, part_of_it in sorted(aggregates_in(connection, shop_id, members).items()):
        profile_id = members[fragment_id]
        facts = people[profile_id]
        owner[fragment_id] = facts
        facts.fragments.append(fragment_id)
        facts.first_sources[fragment_id] = _first_source(part_of_it)
        sent = [part_of_it.types[name].last_at for name in SENT if name in part_of_it.types]
        if sent:
            facts.messaged_at[fragment_id] = max(sent)
        parts[profile_id].append(part_of_it)
    for profile_id, told in parts.items():
        people[profile_id].aggregate = told[0] if len(told) == 1 else combine(told)
    return owner


def _add_orders(
    connection: Connection, shop_id: int, members: list[int], owner: dict[int, Facts]
) -> None:
    for fragment_id, cancelled_at, test, foreign, *told in rows_in(
        connection, _ORDERS, (shop_id,), members
    ):
        counts = cancelled_at is None and not test
        owner[fragment_id].orders.append(OrderFact(counts, counts and not foreign, *told))
    for fragment_id, amount, items, foreign in rows_in(connection, _REFUNDS, (shop_id,), members):
        facts = owner[fragment_id]
        facts.refunds += 1
        facts.returned_items += items
        facts.refunded += 0 if foreign else amount


_ORDERS = (
    "select fragment_id, cancelled_at, test, foreign_currency, placed_at, total, discount, items_count,"
    " promo_codes, place, location from orders"
    " where shop_id = {} and placed_at is not null and fragment_id in {}"
)
_REFUNDS = (
    "select fragment_id, amount, items_count, foreign_currency from refunds"
    " where shop_id = {} and fragment_id in {}"
)


def _add_sessions(
    connection: Connection, shop_id: int, members: list[int], owner: dict[int, Facts]
) -> None:
    touches: dict[int, list[tuple[Instant, int]]] = defaultdict(list)
    for fragment_id, session_id, touched_at in rows_in(connection, _SESSIONS, (shop_id,), members):
        facts = owner[fragment_id]
        facts.sessions += 1
        if touched_at is not None:
            touches[facts.profile_id].append((touched_at, session_id))
    ends = [
        session_id
        for told in touches.values()
        for end in {min(told)[0], max(told)[0]}
        for at, session_id in told
        if at == end
    ]
    found = rows_in(connection, _TOUCHES, (shop_id,), ends)
    for fragment_id, at, _key, *touch in sorted(found, key=lambda row: (row[1], row[2])):
        facts, seen = owner[fragment_id], (at, Touch(*touch))
        if facts.first_touch is None:
            facts.first_touch = seen
        facts.last_touch = seen


_SESSIONS = "select fragment_id, session_id, touched_at from sessions where shop_id = {} and fragment_id in {}"
_TOUCHES = (
    "select fragment_id, touched_at, first_key, touch_source, touch_medium, touch_campaign, touch_url,"
    " referrer from sessions where shop_id = {} and session_id in {}"
)


def _add_landings(facts: Facts) -> None:
    """What brought the visits that only an order tells of."""
    for landing in (facts.aggregate.first_landing, facts.aggregate.last_landing):
        if landing is None or (touch := touch_of(landing.url, landing.referrer)) is None:
            continue
        if facts.first_touch is None or landing.at < facts.first_touch[0]:
            facts.first_touch = (landing.at, touch)
        if facts.last_touch is None or landing.at > facts.last_touch[0]:
            facts.last_touch = (landing.at, touch)


def _first_source(part: Aggregate) -> str:
    sources = part.sources
    return min(sources, key=lambda name: (sources[name].first_at, name)) if sources else ""
