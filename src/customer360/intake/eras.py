"""When a fragment is cut, what hangs on its later part goes to the new era: rows by time, sums by folding anew."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import Event, Trust
from customer360.events.told import decode_told
from customer360.identities.eras import Cut
from customer360.profiles.fold import Aggregate, fold
from customer360.storage.database import Writes, rows_in

_DATED = (
    ("events", "occurred_at"),
    ("order_events", "occurred_at"),
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
    """Make two aggregates of one: the stored events are folded anew, each into its own part."""
    whole = aggregates.get(cut.fragment_id)
    if whole is None:
        return
    ((trust,),) = rows_in(connection, _TRUST, (shop_id,), [cut.fragment_id])
    # Whether a trusted source named the person is the same for all of a fragment's events.
    before, after = Aggregate(vouched=whole.vouched), Aggregate(vouched=whole.vouched)
    for statement in (_EVENTS, _ORDER_EVENTS):
        kept = statement is _EVENTS
        for row in rows_in(connection, statement, (shop_id,), [cut.fragment_id]):
            event, source = _as_told(*row)
            if event.occurred_at < cut.until:
                part = after if event.occurred_at >= cut.at else before
                fold(part, event, source=source, trust=Trust(trust), kept=kept, known=False)
    aggregates[cut.fragment_id], aggregates[cut.into] = before, after


def _as_told(
    kind: str, source: str, at: Instant, text: str | None, properties: str | None
) -> tuple[Event, str]:
    """A stored event as far as folding reads it, and its source."""
    told = decode_told(text)
    event = Event(
        type=kind,
        occurred_at=at,
        dedupe_key=told.dedupe_key,
        properties=json.loads(properties) if properties else {},
        traits=told.traits,
        landing=told.landing,
        place=told.place,
    )
    return event, source


_TRUST = "select trust from fragments where shop_id = {} and fragment_id in {}"
_EVENTS = (
    "select type, source, occurred_at, told, properties from events"
    " where shop_id = {} and fragment_id in {}"
)
_ORDER_EVENTS = (
    "select type, source, occurred_at, told, null from order_events"
    " where shop_id = {} and fragment_id in {}"
)
