"""What does a profile say, attribute by attribute? One evaluation for the page, the API and the warehouse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from customer360.clock import Instant, local_date, to_iso
from customer360.errors import ProfileNotFound
from customer360.events.model import Address, Identifier
from customer360.identities.tables import profiles
from customer360.profiles.attributes import (
    ATTRIBUTES,
    BY_NAME,
    CHANNEL_ATTRIBUTES,
    SENT,
    AttributeValue,
)
from customer360.profiles.facts import Facts, OrderFact, gather
from customer360.profiles.fold import Names, names_of, tags_of
from customer360.profiles.identifiers import IdentifierFact
from customer360.profiles.moving import NextAction, Scores, enriched_attributes, moving_attributes
from customer360.profiles.stages import ShopCalendar
from customer360.profiles.touches import Touch
from customer360.values import money_text

_COUNTED_AS: dict[str, str] = {
    "email_sent": "email_sent_count",
    "email_opened": "email_opened_count",
    "email_clicked": "email_clicked_count",
    "sms_sent": "sms_sent_count",
    "sms_clicked": "sms_clicked_count",
    "sms_replied": "sms_replied_count",
    "whatsapp_sent": "whatsapp_sent_count",
    "whatsapp_read": "whatsapp_opened_count",
    "whatsapp_replied": "whatsapp_replied_count",
    "push_sent": "push_sent_count",
    "push_clicked": "push_clicked_count",
    "push_dismissed": "push_dismissed_count",
}
"""By type of event, the attribute that counts it."""
_NEVER_REACHED: dict[str, AttributeValue] = {
    attribute.name: {"number": 0, "time": None, "choice": "never"}[attribute.type]
    for attribute in CHANNEL_ATTRIBUTES
}
"""Of a person whom no message reached and who agreed to none."""


class IdentifierView(msgspec.Struct, frozen=True):
    """An identifier of a profile with its source, state and when it was seen."""

    type: str
    value: str
    source: str
    state: str
    first_seen_at: Instant
    last_seen_at: Instant


class ContactPointView(msgspec.Struct, frozen=True):
    """An address on a channel with its consent."""

    channel: str
    address: str
    consent: str
    consent_at: Instant | None
    consent_text: str
    consent_source: str = ""


class TraitView(msgspec.Struct, frozen=True):
    """A fact about the person with its time and source."""

    name: str
    value: str | int | float | bool
    source: str
    at: Instant


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One profile as doors show it; amounts and times are raw (see `attributes_json`)."""

    profile_id: int
    kind: Literal["customer", "visitor"]
    fragments: int
    name: str
    first_name: str
    last_name: str
    addresses: tuple[Address, ...]
    identifiers: tuple[IdentifierView, ...]
    contact_points: tuple[ContactPointView, ...]
    attributes: dict[str, AttributeValue]
    scores: Scores
    """All that enrichment stored of the person, also what is no attribute: intervals, and what an index is made of."""
    traits: tuple[TraitView, ...]


ReadContactPoints = Callable[
    [Connection, int, Mapping[int, tuple[Sequence[int], Sequence[Identifier]]]],
    Mapping[int, Sequence[ContactPointView]],
]
"""How the consent capability answers: contact points by profile, of its fragments and identifiers."""

ReadScores = Callable[[Connection, int, int], Scores]
"""How the enrichment capability answers what its last run found, by shop and profile."""


def resolve_id(connection: Connection, shop_id: int, profile_id: int) -> int:
    """The profile that this id stands for now: itself, or the survivor of a merge; raises ProfileNotFound."""
    row = connection.execute(
        select(profiles.c.profile_id, profiles.c.merged_into).where(
            profiles.c.shop_id == shop_id, profiles.c.profile_id == profile_id
        )
    ).one_or_none()
    if row is None:
        raise ProfileNotFound
    return int(row.merged_into or row.profile_id)


def load_card(
    connection: Connection,
    shop_id: int,
    calendar: ShopCalendar,
    profile_id: int,
    now: Instant,
    read_contact_points: ReadContactPoints,
    read_scores: ReadScores,
    next_action: NextAction,
) -> Card:
    """Everything about one profile; its id differs from the one asked for after a merge."""
    survivor = resolve_id(connection, shop_id, profile_id)
    facts = gather(connection, shop_id, [survivor])[survivor]
    points = read_contact_points(connection, shop_id, {survivor: contact_question(facts)}).get(
        survivor, ()
    )
    attributes = stored_attributes(facts, points)
    attributes |= moving_attributes(connection, shop_id, calendar, facts, attributes, now)
    scores = read_scores(connection, shop_id, survivor)
    today = local_date(now, calendar.timezone)
    attributes |= enriched_attributes(scores, attributes, today, calendar.timezone, next_action)
    names = names_of(facts.aggregate)
    return Card(
        profile_id=survivor,
        kind=kind_of(facts),
        fragments=len(facts.fragments),
        name=names.full if names else "",
        first_name=names.first_name if names else "",
        last_name=names.last_name if names else "",
        addresses=facts.aggregate.newest_addresses(),
        identifiers=tuple(_identifier(fact) for fact in facts.identifiers),
        contact_points=tuple(points),
        attributes={attribute.name: attributes[attribute.name] for attribute in ATTRIBUTES},
        scores=scores,
        traits=_traits(facts, names),
    )


def _identifier(fact: IdentifierFact) -> IdentifierView:
    return IdentifierView(
        fact.identifier.type,
        fact.identifier.value,
        fact.source,
        fact.state,
        fact.first_seen_at,
        fact.last_seen_at,
    )


def contact_question(facts: Facts) -> tuple[list[int], list[Identifier]]:
    """What the consent capability must know of a profile: its fragments, and its identifiers, the best first."""
    held = sorted(facts.identifiers, key=lambda fact: fact.precedence)
    return facts.fragments, [fact.identifier for fact in held]


def kind_of(facts: Facts) -> Literal["customer", "visitor"]:
    """A customer has an order or a known identifier; a visitor has neither."""
    return "customer" if facts.known or facts.orders else "visitor"


def stored_attributes(
    facts: Facts, points: Sequence[ContactPointView]
) -> dict[str, AttributeValue]:
    """The attributes that only new facts change: amounts are ten-thousandths, times are instants."""
    return {
        **_money(facts),
        **_activity(facts),
        **_touches(facts),
        **_whereabouts(facts, points),
        **_engagement(facts, points),
    }


def attributes_json(attributes: Mapping[str, AttributeValue], currency: str) -> dict[str, Any]:
    """The attributes as the API writes them: money as decimal strings, times as ISO 8601."""
    written: dict[str, Any] = {}
    for name, value in attributes.items():
        kind = BY_NAME[name].type
        if value is not None and kind == "money":
            written[name] = money_text(int(value), currency)  # type: ignore[arg-type]
        elif value is not None and kind == "time":
            written[name] = to_iso(int(value))  # type: ignore[arg-type]
        else:
            written[name] = value
    return written


def _money(facts: Facts) -> dict[str, AttributeValue]:
    total = sum(order.total for order in facts.orders if order.sums)
    visits = [order.placed_at for order in facts.orders if order.counts and _in_store(order)]
    return {
        **(_purchases(facts.orders) if facts.orders else _NO_PURCHASES),
        "total_spend": total,
        "refunded_total": facts.refunded,
        "net_spend": total - facts.refunded,
        "returned_items_count": facts.returned_items,
        "pos_last_visit_at": max([facts.aggregate.in_store_at, *visits]) or None,
    }


def _purchases(orders: Sequence[OrderFact]) -> dict[str, AttributeValue]:
    counted = [order for order in orders if order.counts]
    summed = [order for order in counted if order.sums]
    return {
        "orders_count": len(counted),
        "items_count": sum(order.items for order in counted),
        "average_order_value": _divided(sum(order.total for order in summed), len(counted)),
        "first_order_at": min((order.placed_at for order in counted), default=None),
        "last_order_at": max((order.placed_at for order in counted), default=None),
        "discount_received": sum(order.discount for order in summed),
        "promo_codes_count": len({code for order in counted for code in _codes(order.promo_codes)}),
        "shopping_place": _shopping_place(counted),
        "pos_spend": sum(order.total for order in summed if _in_store(order)),
        "pos_location": _last_location(counted),
        "preferred_location": _preferred_location(counted),
    }


def _in_store(order: OrderFact) -> bool:
    return order.place == "in_store"


def _divided(total: int, count: int) -> int | None:
    """Half up, as money is rounded everywhere."""
    return None if count == 0 else (2 * total + count) // (2 * count)


def _codes(text: str) -> list[str]:
    return [] if text == "[]" else json.loads(text)


def _shopping_place(counted: Sequence[OrderFact]) -> str | None:
    places = {order.place for order in counted}
    if len(places) > 1:
        return "omnichannel"
    return f"{places.pop()}_only" if places else None


def _last_location(counted: Sequence[OrderFact]) -> str | None:
    stores = [order for order in counted if _in_store(order) and order.location]
    return (
        max(stores, key=lambda order: (order.placed_at, order.location)).location
        if stores
        else None
    )


def _preferred_location(counted: Sequence[OrderFact]) -> str | None:
    visits = Counter(order.location for order in counted if order.location)
    return max(visits, key=lambda location: (visits[location], location)) if visits else None


# Most people have not ordered, and all that is said of them is the same.
_NO_PURCHASES = _purchases(())


def _activity(facts: Facts) -> dict[str, AttributeValue]:
    whole = facts.aggregate
    tickets = whole.types.get("ticket_opened")
    return {
        "negative_feedback_count": whole.negative_reviews,
        "first_seen_at": min((count.first_at for count in whole.sources.values()), default=None),
        "last_seen_at": max((count.last_at for count in whole.sources.values()), default=None),
        "sessions_count": facts.sessions,
        "events_count": sum(count.n for count in whole.types.values())
        + len(facts.orders)
        + facts.refunds,
        "tickets_count": tickets.n if tickets else 0,
        "last_ticket_at": tickets.last_at if tickets else None,
        "identifiers_count": len(facts.identifiers),
    }


def _touches(facts: Facts) -> dict[str, AttributeValue]:
    first = facts.first_touch[1] if facts.first_touch else _NO_TOUCH
    last = facts.last_touch[1] if facts.last_touch else _NO_TOUCH
    return {
        "first_touch_source": first.source or None,
        "first_touch_medium": first.medium or None,
        "first_touch_campaign": first.campaign or None,
        "first_touch_url": first.url or None,
        "last_touch_source": last.source or None,
        "last_touch_medium": last.medium or None,
        "last_touch_campaign": last.campaign or None,
        "last_touch_url": last.url or None,
        "acquisition_source": first.source or None,
    }


_NO_TOUCH = Touch("", "", "", "", "")


def _whereabouts(facts: Facts, points: Sequence[ContactPointView]) -> dict[str, AttributeValue]:
    whole = facts.aggregate
    names = names_of(whole)
    mails = [point.address for point in points if point.channel == "email"]
    told: dict[str, AttributeValue] = {
        name: str(whole.traits[name].value) if name in whole.traits else None
        for name in ("country", "region", "city", "zip", "timezone", "currency", "language")
    }
    kinds = {fact.identifier.type for fact in facts.identifiers}
    told |= {
        "tags": list(tags_of(whole)),
        "has_name": bool(names and names.full),
        "has_email": "email" in kinds,
        "has_phone": "phone" in kinds,
        "email_domain": mails[0].rpartition("@")[2] if mails else None,
    }
    return told


def _engagement(facts: Facts, points: Sequence[ContactPointView]) -> dict[str, AttributeValue]:
    types = facts.aggregate.types
    told = dict(_NEVER_REACHED)
    for name in types.keys() & _COUNTED_AS.keys():
        told[_COUNTED_AS[name]] = types[name].n
    sent = {name: types[name].last_at for name in SENT if name in types}
    for name, at in sent.items():
        told[f"{name.removesuffix('_sent')}_last_contact_at"] = at
    told["last_contact_at"] = max(sent.values(), default=None)
    for channel in {point.channel for point in points}:
        told[f"consent_{channel}"] = _consent(channel, points)
    return told


def _consent(channel: str, points: Sequence[ContactPointView]) -> str:
    """Of the address that a message would go to: one with a grant, else the one seen last."""
    states = [point.consent for point in points if point.channel == channel]
    return "granted" if "granted" in states else states[0]


def _traits(facts: Facts, names: Names | None) -> tuple[TraitView, ...]:
    told = [
        TraitView(name.removeprefix("custom."), trait.value, trait.source, trait.at)
        for name, trait in sorted(facts.aggregate.traits.items())
    ]
    if names is not None:
        told.insert(0, TraitView("name", names.full, names.source, names.at))
    return tuple(told)
