"""One customer: who they are, what they did, what they bought, and what they agreed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from customer360.enrichment.standing import standing
from customer360.errors import InThrong
from customer360.events.model import Address
from customer360.identities.alerts import alert_of
from customer360.identities.evidence import chain_of, described
from customer360.identities.merge_log import merges_of
from customer360.identities.normalise import KNOWN
from customer360.profiles.card import Card
from customer360.profiles.event_counts import EventCount, event_counts
from customer360.profiles.order_views import orders_of
from customer360.profiles.stage_history import stage_history
from customer360.profiles.stages import shop_calendar
from customer360.profiles.timeline import timeline
from customer360.values import parse_id
from customer360.web import formats
from customer360.web.door import Door, Page
from customer360.web.freshness import freshness
from customer360.web.holdings import ANSWERS, answers_of, holdings_of
from customer360.web.merges import logged
from customer360.web.person import Labelled, head_of, labelled, moved
from customer360.web.scores import scored
from customer360.web.segment_why import belongings
from customer360.web.timeline import Position, days, position_after
from customer360.web.visit import Visit

_TIMELINE_ROWS = 50
_MOST_MERGES = 50
_MOST_LINKS = 50
# A word longer than this is no name of an event type; more would only be looked for in vain.
_LONGEST_TYPE = 200

_METRICS = (
    ("total_spend", "Total spent"),
    ("orders_count", "Orders"),
    ("average_order_value", "Average order"),
    ("sessions_count", "Sessions"),
)
_TRAIT_GROUPS: tuple[tuple[str, str], ...] = (
    (
        "Where",
        "country region city zip timezone language currency shopping_place preferred_location"
        " pos_location pos_last_visit_at pos_spend",
    ),
    (
        "Bought",
        "items_count net_spend refunded_total discount_received promo_codes_count"
        " returned_items_count first_order_at last_order_at days_since_last_order",
    ),
    (
        "Came from",
        "acquisition_source first_touch_source first_touch_medium first_touch_campaign first_touch_url"
        " last_touch_source last_touch_medium last_touch_campaign last_touch_url",
    ),
    ("Heard from us", "messages_today messages_7d fatigue last_contact_at"),
    ("Service", "tickets_count last_ticket_at negative_feedback_count"),
)


class TraitGroup(NamedTuple):
    """Attributes under one heading."""

    label: str
    traits: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the page's tabs; `count` says how much is in it."""

    label: str
    url: str
    current: bool
    count: int | None = None


def show_timeline(_door: Door, visit: Visit) -> Page | Response:
    """The journey, newest first, by day; a cursor goes back to the first event."""
    return _show(visit, "customers/timeline.html", partial(_timeline, visit))


def show_events(_door: Door, visit: Visit) -> Page | Response:
    """How often each kind of event happened, and first and last when."""
    return _show(visit, "customers/events.html")


def show_orders(_door: Door, visit: Visit) -> Page | Response:
    """The orders with their lines."""

    def read(connection: Connection, profile_id: int) -> dict[str, object]:
        return {"orders": orders_of(connection, visit.shop.shop_id, profile_id)}

    return _show(visit, "customers/orders.html", read)


def show_identity(_door: Door, visit: Visit) -> Page | Response:
    """Identifiers and traits with their source, what holds them together, and the merges that made this profile."""

    def read(connection: Connection, profile_id: int) -> dict[str, object]:
        rows = merges_of(connection, visit.shop.shop_id, profile_id)
        # A profile of very many parts has its first ones in the log of the shop.
        shown = rows[:_MOST_MERGES]
        try:
            chain, untold = chain_of(connection, visit.shop.shop_id, profile_id), ""
        except InThrong as error:
            chain, untold = [], str(error)
        return {
            "merges": logged(connection, visit.shop, shown, visit.now),
            "merges_count": len(rows),
            "links": described(connection, visit.shop.shop_id, chain[:_MOST_LINKS]),
            "links_count": len(chain),
            "untold": untold,
        }

    return _show(visit, "customers/identity.html", read)


def show_scores(_door: Door, visit: Visit) -> Page | Response:
    """Every score in words, with what it is made of."""
    return _show(visit, "customers/scores.html")


def show_segments(_door: Door, visit: Visit) -> Page | Response:
    """Every segment of the shop, with why the person is in it or not."""
    page = _show(visit, "customers/segments.html")
    if isinstance(page, Page):
        page.values["belongings"] = belongings(visit, visit.id_of("profile_id"))
    return page


def show_consents(_door: Door, visit: Visit) -> Page | Response:
    """Contact points and what was agreed to on each."""
    return _show(visit, "customers/consents.html")


def _show(
    visit: Visit,
    template: str,
    read: Callable[[Connection, int], dict[str, object]] | None = None,
) -> Page | Response:
    """A tab of the page; `read` gives what it needs beside the card, in the same snapshot."""
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        card = visit.app.card(connection, visit.shop, visit.id_of("profile_id"))
        if card.profile_id != visit.id_of("profile_id"):
            return moved(visit, card)
        counts = event_counts(connection, shop_id, card.profile_id)
        fresh = freshness(connection, shop_id)
        values = read(connection, card.profile_id) if read else {}
        values["alert"] = alert_of(connection, shop_id, card.profile_id)
        calendar = shop_calendar(visit.shop.timezone, visit.shop.settings)
        values["stages"] = stage_history(connection, shop_id, card.profile_id, calendar, visit.now)
        known = standing(connection, shop_id)
    values |= {"standing": known, "scored": scored(visit, card, known)}
    return Page(template, _values(visit, card, counts) | {"fresh": fresh.of_profiles} | values)


def _timeline(visit: Visit, connection: Connection, profile_id: int) -> dict[str, object]:
    shop, asked = visit.shop, visit.query.get("type", "")[:_LONGEST_TYPE]
    page = timeline(
        connection,
        shop.shop_id,
        profile_id,
        type=asked or None,
        before=visit.query.get("before") or None,
        limit=_TIMELINE_ROWS,
        currency=shop.currency,
    )
    after = Position(visit.query.get("day", ""), parse_id(visit.query.get("visit", "")))
    end = position_after(page.items, shop.timezone)
    filtered = {"type": asked} if asked else {}
    older = filtered | {"before": page.next_cursor} if page.next_cursor else {}
    return {
        "type": asked,
        "days": days(page.items, shop.timezone, shop.currency, after),
        "older": urlencode(older),
        "continued": urlencode({"day": end.day, "visit": end.session_id or ""}),
    }


def _values(visit: Visit, card: Card, counts: Sequence[EventCount]) -> dict[str, object]:
    """What every tab shows."""
    root = f"{visit.root}/customers/{card.profile_id}"
    return {
        "card": card,
        "known": sum(one.type in KNOWN and one.state != "shared" for one in card.identifiers),
        "root": root,
        **head_of(card),
        "metrics": [*_visits(counts), *(labelled(card, name, label) for name, label in _METRICS)],
        "counts": counts,
        "all_count": sum(count.count for count in counts),
        "tabs": _tabs(visit, root, card, counts),
        "traits": _trait_groups(card),
        "holdings": holdings_of(card),
        "answers": answers_of(card),
        "answer_words": ANSWERS,
        "addresses": [_address_lines(address) for address in card.addresses],
    }


def _visits(counts: Sequence[EventCount]) -> list[Labelled]:
    """When the person first and last came to the shop's site; an e-mail that arrived or a parcel sent is no visit."""
    seen = next((count for count in counts if count.type == "visited_site"), None)
    first, last = (seen.first_at, seen.last_at) if seen else (None, None)
    return [
        Labelled("first_visit", "First visited", "time", "Beginning of the first visit", first),
        Labelled("last_visit", "Last visited", "time", "Beginning of the last visit", last),
    ]


def _trait_groups(card: Card) -> list[TraitGroup]:
    """The attributes that have a value; a group without any is left out."""
    groups = (
        TraitGroup(
            label,
            tuple(
                labelled(card, name)
                for name in names.split()
                if card.attributes[name] not in (None, "", [], 0)
            ),
        )
        for label, names in _TRAIT_GROUPS
    )
    return [group for group in groups if group.traits]


def _tabs(visit: Visit, root: str, card: Card, counts: Sequence[EventCount]) -> list[Tab]:
    bought = sum(count.count for count in counts if count.type == "order_placed")
    tabs = (
        ("Timeline", "", None),
        ("Events", "/events", sum(count.count for count in counts)),
        ("Orders", "/orders", bought),
        ("Scores", "/scores", None),
        ("Segments", "/segments", None),
        ("Identifiers & traits", "/identity", len(card.identifiers)),
        ("Consents", "/consents", len(card.contact_points)),
    )
    return [
        Tab(label, root + path, visit.path == root + path, count) for label, path, count in tabs
    ]


def _address_lines(address: Address) -> list[str]:
    """The address as on an envelope."""
    place = " ".join(part for part in (address.zip, address.city) if part)
    lines = (
        address.name,
        address.company,
        address.street,
        address.street2,
        ", ".join(part for part in (place, address.region) if part),
        formats.country(address.country) if address.country else "",
        address.phone,
    )
    return [line for line in lines if line]
