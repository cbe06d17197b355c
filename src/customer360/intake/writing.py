"""All that one step of the worker changes, put together before its transaction begins."""

from __future__ import annotations

from typing import Any

import msgspec

from customer360.access.shops import Shop
from customer360.clock import Instant
from customer360.consent import store as consent_store
from customer360.events.model import Event
from customer360.events.tables import events, order_events
from customer360.events.told import encode_told
from customer360.identities import store as identity_store
from customer360.intake import accepted
from customer360.intake.eras import move_era
from customer360.intake.waiting import leave
from customer360.intake.work import Work
from customer360.profiles import checkouts, ledger, orders, sessions
from customer360.profiles.fold import encode
from customer360.profiles.members import write_aggregates
from customer360.profiles.renaming import write_names
from customer360.storage.database import Writes

_ORDER_EVENT_COLUMNS = (
    "shop_id",
    "fragment_id",
    "occurred_at",
    "event_id",
    "type",
    "source",
    "rank",
    "told",
    "change",
)
_EVENT_COLUMNS = (*_ORDER_EVENT_COLUMNS, "session_id", "properties")
_encode = msgspec.json.Encoder().encode


def writes_of(shop: Shop, work: Work, now: Instant) -> Writes:
    """All that the step changes, ready to be written: nobody waits for what can be put together before."""
    shop_id, change, writes = shop.shop_id, work.seen_change + 1, Writes()
    accepted.write(writes, shop_id, change, work.digests)
    members, folded = work.links.members, work.aggregates
    told = {each: encode(folded[each]) for each in folded.keys() & members}
    identity_store.write(writes, shop_id, change, work.links, now, told)
    write_aggregates(writes, shop_id, {each: folded[each] for each in folded.keys() - members})
    _write_events(writes, shop_id, change, work)
    sessions.write(writes, shop_id, change, work.visits)
    ledger.write(writes, shop_id, change, work.ledger)
    checkouts.write(writes, shop_id, change, work.checkouts)
    elsewhere = _of_reshaped(work)
    ordered = {order.fragment_id for order in work.ledger.orders.values() if order.fragment_id}
    checkouts.look_again(writes, shop_id, ordered | elsewhere, work.ledger.moved_away | elsewhere)
    write_names(writes, shop_id, work.names)
    for cut in work.links.cuts:
        move_era(writes, shop_id, change, cut)
    # After what moved: the same word may have been written to the fragment before it was cut.
    consent_store.write(writes, consent_store.rows_of(shop_id, shop.country, change, work.placed))
    identity_store.note_changed(writes, shop_id, change, work.other_profiles)
    leave(
        writes,
        shop_id,
        stored=work.stored,
        duplicates=work.duplicates,
        failed=work.failed,
        now=now,
    )
    return writes


def _write_events(writes: Writes, shop_id: int, change: int, work: Work) -> None:
    rows: list[tuple[Any, ...]] = []
    order_rows: list[tuple[Any, ...]] = []
    for one in work.placed:
        event = one.event
        row = (
            shop_id, one.fragment_id, event.occurred_at, one.event_id, event.type, one.source, int(one.rank),
            encode_told(event), change,
        )  # fmt: skip
        if orders.has_own_row(one):
            rows.append((*row, one.session_id, _properties(event)))
        elif one.fragment_id:
            order_rows.append(row)
    for table, columns, some in (
        (events, _EVENT_COLUMNS, rows),
        (order_events, _ORDER_EVENT_COLUMNS, order_rows),
    ):
        some.sort(key=lambda row: (row[1], row[2]))
        writes.insert(table, columns, some)


def _of_reshaped(work: Work) -> set[int]:
    """A fragment of each profile that gained or lost some: an order may have come or gone with them."""
    settled = work.links.settled
    reshaped = settled.reshaped
    if not reshaped:
        return set()
    one_of = {profile: fragment for fragment, profile in settled.profile_of.items()}
    return {one_of[profile] for profile in reshaped if profile in one_of}


def _properties(event: Event) -> str | None:
    page = event.page
    if page is None:
        return _encode(event.properties).decode() if event.properties else None
    shown = {}
    if page.url:
        shown["url"] = page.url
    if page.referrer:
        shown["referrer"] = page.referrer
    if page.title:
        shown["page_title"] = page.title
    shown.update(event.properties)
    return _encode(shown).decode()
