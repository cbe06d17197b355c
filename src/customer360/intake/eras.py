"""When a fragment is cut, what hangs on its later part goes to the new era: rows by their time, sums by recounting."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.vocabulary import ACTED
from customer360.identities.eras import Cut
from customer360.profiles.fold import Aggregate, Count, counts_review
from customer360.storage.database import Writes, rows_in

_DATED = (
    ("events", "occurred_at"),
    ("sessions", "first_at"),
    ("orders", "owner_at"),
    ("checkouts", "started_at"),
    ("consents", "occurred_at"),
)
"""Tables whose rows hang on a fragment, and the column that says when."""


def move_era(writes: Writes, shop_id: int, change: int, cut: Cut) -> None:
    """Let the rows from the cut on hang on the new era."""
    for table, when in _DATED:
        writes.each(
            f"update {table} set fragment_id = {{}}, change = {{}}"
            f" where shop_id = {{}} and fragment_id = {{}} and {when} >= {{}} and {when} < {{}}",
            [(cut.into, change, shop_id, cut.fragment_id, cut.at, cut.until)],
        )
    # A refund counts for the person of its order, whenever it was.
    writes.each(
        "update refunds set fragment_id = {}, change = {} where shop_id = {} and order_key in"
        " (select order_key from orders where shop_id = {} and fragment_id = {})",
        [(cut.into, change, shop_id, shop_id, cut.into)],
    )


def split_aggregate(
    connection: Connection, shop_id: int, cut: Cut, aggregates: dict[int, Aggregate]
) -> None:
    """Make two aggregates of one: counts are counted again from the events, facts go where their time lies."""
    whole = aggregates.get(cut.fragment_id)
    if whole is None:
        return
    before, after = Aggregate(vouched=whole.vouched), Aggregate(vouched=whole.vouched)

    def side(at: Instant) -> Aggregate:
        return after if at >= cut.at else before

    for kind, source, at, properties in rows_in(connection, _EVENTS, (shop_id,), [cut.fragment_id]):
        if at >= cut.until:
            continue
        part = side(at)
        _count(part.types, kind, at)
        _count(part.sources, source, at)
        if kind in ACTED:
            part.acted_at = max(part.acted_at, at)
        part.negative_reviews += counts_review(kind, json.loads(properties) if properties else {})
    for source, at in rows_in(connection, _ORDERS, (shop_id,), [cut.fragment_id]):
        if at < cut.until:
            _count(side(at).sources, source, at)
    if whole.in_store_at:
        side(whole.in_store_at).in_store_at = whole.in_store_at
    _share(whole, before, side, cut.at)
    aggregates[cut.fragment_id], aggregates[cut.into] = before, after


def _share(whole: Aggregate, before: Aggregate, side: Any, at: Instant) -> None:
    for trust, names in whole.names.items():
        side(names.at).names[trust] = names
        if names.first_name and names.last_name and names.at >= at and before.sources:
            # A full name is part of the evidence, so every event of the fragment told it.
            last_at = max(count.last_at for count in before.sources.values())
            before.names[trust] = msgspec.structs.replace(names, at=last_at)
    for name, trait in whole.traits.items():
        side(trait.at).traits[name] = trait
    for key, address in whole.addresses.items():
        side(address.at).addresses[key] = address
    for tag, mark in whole.tag_marks.items():
        side(mark.at).tag_marks[tag] = mark
    if whole.all_tags is not None:
        side(whole.all_tags.at).all_tags = whole.all_tags
    for landing in (whole.first_landing, whole.last_landing):
        if landing is not None:
            part = side(landing.at)
            part.first_landing = part.first_landing or landing
            part.last_landing = landing


def _count(counts: dict[str, Count], name: str, at: Instant) -> None:
    if name in counts:
        counts[name].add(at)
    else:
        counts[name] = Count(1, at, at)


_EVENTS = "select type, source, occurred_at, properties from events where shop_id = {} and fragment_id in {}"
_ORDERS = "select source, owner_at from orders where shop_id = {} and fragment_id in {}"
