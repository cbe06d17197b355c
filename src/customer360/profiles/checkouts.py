"""Which checkouts were started and never became an order?

A checkout is known by its token. It is abandoned when neither an order with that token nor any other order of the
same person was placed within the shop's window after it began. That can only be said once the window is over, so
the worker looks at the checkouts that are due; a late order makes its checkout due again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from customer360.clock import HOUR, MINUTE, Instant
from customer360.events.placed import PlacedEvent
from customer360.identities.store import note_changed
from customer360.identities.tables import fragments
from customer360.profiles.orders import tells_of_order
from customer360.profiles.sessions import whose_visit
from customer360.profiles.tables import checkouts, orders
from customer360.storage.database import Database, Writes, bulk_update, next_change, rows_in
from customer360.values import new_ids

_COLUMNS = tuple(column.name for column in checkouts.columns)
_STEP = 500
"""Checkouts decided in one transaction: keeps it well under the hundred milliseconds a writer may take."""


@dataclass(slots=True)
class Checkout:
    """One checkout while a batch works on it."""

    token: str
    checkout_id: int = 0
    fragment_id: int = 0
    started_at: Instant | None = None
    ordered_at: Instant | None = None
    due: bool = True
    abandoned_at: Instant | None = None
    properties: str | None = None


def track(connection: Connection, shop_id: int, placed: Iterable[PlacedEvent]) -> list[Checkout]:
    """The checkouts that a batch starts or ends. Only reads."""
    touching = [(token, one) for one in placed if (token := _token(one))]
    if not touching:
        return []
    found: dict[str, Checkout] = {}
    query = select(checkouts).where(
        checkouts.c.shop_id == shop_id, checkouts.c.token.in_({token for token, _ in touching})
    )
    for row in connection.execute(query):
        found[row.token] = Checkout(
            row.token,
            row.checkout_id,
            row.fragment_id,
            row.started_at,
            row.ordered_at,
            row.due,
            row.abandoned_at,
            row.properties,
        )
    for token, one in touching:
        checkout = found.setdefault(token, Checkout(token))
        at = one.event.occurred_at
        if one.event.type != "checkout_started":
            checkout.ordered_at = min(checkout.ordered_at or at, at)
        else:
            told = json.dumps(one.event.properties) if one.event.properties else None
            if checkout.started_at is None or (at, told or "") < (
                checkout.started_at,
                checkout.properties or "",
            ):
                checkout.started_at, checkout.fragment_id = at, one.fragment_id
                checkout.properties = told
        checkout.due = True
    new = [checkout for checkout in found.values() if not checkout.checkout_id]
    for checkout, checkout_id in zip(new, new_ids.take(len(new)), strict=True):
        checkout.checkout_id = checkout_id
    return list(found.values())


def write(writes: Writes, shop_id: int, change: int, changed: list[Checkout]) -> None:
    """Store the checkouts."""
    writes.insert(
        checkouts,
        _COLUMNS,
        [
            (
                shop_id,
                one.checkout_id,
                one.token,
                one.fragment_id,
                one.started_at,
                one.ordered_at,
                one.due,
                one.abandoned_at,
                one.properties,
                change,
            )
            for one in changed
        ],
        replace_on=("shop_id", "checkout_id"),
    )


def look_again(writes: Writes, shop_id: int, fragment_ids: set[int], moved_away: set[int]) -> None:
    """Make checkouts of these fragments' people due again: an order or a merge may have ended them in time.

    `moved_away`: fragments that had an order at a time when they have it no more; it may have ended a checkout.
    """
    for condition, ids in (("abandoned_at is not null", fragment_ids), ("not due", moved_away)):
        writes.each(
            f"update checkouts set due = true where shop_id = {{}} and {condition} and fragment_id in ("
            "select other.fragment_id from fragments mine join fragments other"
            " on other.shop_id = mine.shop_id and other.profile_id = mine.profile_id"
            " where mine.shop_id = {} and mine.fragment_id = {})",
            [(shop_id, shop_id, fragment_id) for fragment_id in sorted(ids)],
        )


def any_due(database: Database, shop_id: int, now: Instant, window_minutes: int) -> bool:
    """Whether some checkout's window is over and nobody has decided about it."""
    with database.read() as connection:
        query = select(checkouts.c.checkout_id).where(
            checkouts.c.shop_id == shop_id,
            checkouts.c.due.is_(True),
            checkouts.c.started_at <= now - window_minutes * MINUTE,
        )
        return connection.execute(query.limit(1)).first() is not None


def decide_due(connection: Connection, shop_id: int, now: Instant, window_minutes: int) -> int:
    """Call the checkouts whose window is over abandoned or not; returns how many were decided."""
    window = window_minutes * MINUTE
    rows = connection.execute(_due(shop_id, now, window)).all()
    if not rows:
        return 0
    change = next_change(connection, shop_id)
    bulk_update(
        connection,
        "update checkouts set due = false, abandoned_at = {}, change = {} where shop_id = {} and checkout_id = {}",
        [
            (None if row.ended else row.started_at + window, change, shop_id, row.checkout_id)
            for row in rows
        ],
    )
    _note_people(connection, shop_id, change, {row.fragment_id for row in rows})
    return len(rows)


def _note_people(connection: Connection, shop_id: int, change: int, fragment_ids: set[int]) -> None:
    """An abandoned checkout is an event of somebody, and segments ask for it."""
    found = rows_in(
        connection,
        "select distinct profile_id from fragments where shop_id = {} and fragment_id in {}",
        (shop_id,),
        sorted(fragment_ids),
    )
    writes = Writes()
    note_changed(writes, shop_id, change, {profile_id for (profile_id,) in found})
    writes.run(connection)


def _due(shop_id: int, now: Instant, window: Instant) -> Select[Any]:
    mine, other = fragments.alias("mine"), fragments.alias("other")
    in_time = and_(
        orders.c.placed_at >= checkouts.c.started_at,
        orders.c.placed_at <= checkouts.c.started_at + window,
    )
    ordered = exists(
        select(orders.c.order_id)
        .select_from(mine)
        .join(
            other, and_(other.c.shop_id == mine.c.shop_id, other.c.profile_id == mine.c.profile_id)
        )
        .join(
            orders,
            and_(orders.c.shop_id == other.c.shop_id, orders.c.fragment_id == other.c.fragment_id),
        )
        .where(mine.c.shop_id == shop_id, mine.c.fragment_id == checkouts.c.fragment_id, in_time)
    )
    by_token = and_(
        checkouts.c.ordered_at.is_not(None),
        checkouts.c.ordered_at <= checkouts.c.started_at + window,
    )
    return (
        select(
            checkouts.c.checkout_id,
            checkouts.c.fragment_id,
            checkouts.c.started_at,
            or_(by_token, ordered).label("ended"),
        )
        .where(
            checkouts.c.shop_id == shop_id,
            checkouts.c.due.is_(True),
            checkouts.c.started_at.is_not(None),
            checkouts.c.started_at <= now - window,
        )
        .order_by(checkouts.c.started_at)
        .limit(_STEP)
    )


def _token(one: PlacedEvent) -> str:
    event = one.event
    if event.type == "checkout_started":
        if event.checkout_token:
            return event.checkout_token
        if not one.identifiers:
            return ""
        # Without a token, one checkout an hour of one visitor.
        who = whose_visit(one.identifiers)
        return f"{who.type}:{who.value}:{event.occurred_at // HOUR}"
    placed = event.type == "order_placed" and tells_of_order(one)
    return event.checkout_token if placed else ""
