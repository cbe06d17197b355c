"""Which fragments make up a profile, what does each add up to, and what is derived from them beside?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, and_, bindparam, select

from customer360.identities.tables import fragments, observations
from customer360.profiles.fold import (
    Addressing,
    Aggregate,
    Naming,
    decode,
    decode_addressing,
    decode_naming,
    encode,
)
from customer360.storage.database import Writes, rows_in


@dataclass(frozen=True, slots=True)
class Derived:
    """The table of what is derived as one type of event: it happened at `at`, or not if that is null."""

    table: str
    at: str
    row_id: str


DERIVED = {
    "visited_site": Derived("sessions", "first_at", "session_id"),
    "order_placed": Derived("orders", "placed_at", "order_id"),
    "order_refunded": Derived("refunds", "refunded_at", "refund_id"),
    "checkout_abandoned": Derived("checkouts", "abandoned_at", "checkout_id"),
}
"""By type of event."""

_AGGREGATES = (
    select(fragments.c.fragment_id, observations.c.aggregate)
    .join_from(
        fragments,
        observations,
        and_(
            observations.c.shop_id == fragments.c.shop_id,
            observations.c.fragment_id == fragments.c.fragment_id,
        ),
    )
    .where(
        observations.c.aggregate.is_not(None),
        fragments.c.shop_id == bindparam("shop_id", type_=BigInteger),
        fragments.c.profile_id == bindparam("profile_id", type_=BigInteger),
    )
)


def fragments_of(connection: Connection, shop_id: int, profile_id: int) -> list[int]:
    """The fragments of a profile."""
    return list(members_of(connection, shop_id, [profile_id]))


def members_of(connection: Connection, shop_id: int, profile_ids: Iterable[int]) -> dict[int, int]:
    """The fragments of these profiles, each with its profile."""
    return dict(rows_in(connection, _OF, (shop_id,), sorted(profile_ids)))


_OF = "select fragment_id, profile_id from fragments where shop_id = {} and profile_id in {}"


def aggregates_in(
    connection: Connection, shop_id: int, fragment_ids: Iterable[int]
) -> dict[int, Aggregate]:
    """What the events of these fragments add up to, by fragment."""
    return {
        fragment_id: decode(blob)
        for fragment_id, blob in rows_in(connection, _IN, (shop_id,), sorted(fragment_ids))
    }


_IN = (
    "select fragment_id, aggregate from observations"
    " where shop_id = {} and aggregate is not null and fragment_id in {}"
)


def aggregates_of(connection: Connection, shop_id: int, profile_id: int) -> dict[int, Aggregate]:
    """What the events of each fragment of a profile add up to, by fragment."""
    asked = {"shop_id": shop_id, "profile_id": profile_id}
    return {
        fragment_id: decode(blob)
        for fragment_id, blob in connection.execute(_AGGREGATES, asked).all()
    }


def namings_in(
    connection: Connection, shop_id: int, fragment_ids: Iterable[int]
) -> dict[int, Naming]:
    """What these fragments are called, by fragment."""
    rows = rows_in(connection, _IN, (shop_id,), sorted(fragment_ids))
    return {fragment_id: decode_naming(blob) for fragment_id, blob in rows}


def addressings_in(
    connection: Connection, shop_id: int, fragment_ids: Iterable[int]
) -> dict[int, Addressing]:
    """Names and postal addresses that these fragments tell, by fragment."""
    rows = rows_in(connection, _IN, (shop_id,), sorted(fragment_ids))
    return {fragment_id: decode_addressing(blob) for fragment_id, blob in rows}


def write_aggregates(writes: Writes, shop_id: int, aggregates: Mapping[int, Aggregate]) -> None:
    """Store what the events of some fragments add up to; the fragments are there already."""
    writes.each(
        "update observations set aggregate = {} where shop_id = {} and fragment_id = {}",
        [
            (encode(aggregate), shop_id, fragment_id)
            for fragment_id, aggregate in sorted(aggregates.items())
        ],
    )
