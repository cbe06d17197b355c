"""Calls of Segment-compatible SDKs (analytics.js, RudderStack, Jitsu) and servers, as events.

A call that cannot be understood is refused whole; a part that is wrong is left out or kept as a property.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from customer360.connectors.sources.payload import Json, record, text
from customer360.connectors.sources.segment.call import Call, read_call
from customer360.connectors.sources.segment.consents import (
    CONSENT_TYPES,
    consents_in,
    consents_of_event,
    type_by_state,
)
from customer360.connectors.sources.segment.names import type_of
from customer360.connectors.sources.segment.pages import PAGE_FIELDS, page_of
from customer360.connectors.sources.segment.people import (
    PLACED_TRAITS,
    identifiers_of,
    previous_identifier,
    traits_of,
)
from customer360.connectors.sources.segment.shopping import (
    CHECKOUT_TYPES,
    ORDER_TYPES,
    REFUND_TYPES,
    checkout_of,
    order_of,
    refund_of,
    shopping_properties,
)
from customer360.events.model import (
    ConsentReport,
    Event,
    Identifier,
    Page,
    ShopContext,
    Signal,
    Traits,
    Unusable,
)
from customer360.values import money_text

GROUP_JOINED = "Group joined"
"""Custom type of a group call: a person became part of a company or the like."""


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The one event of a call. Raises Unusable."""
    call = read_call(signal, shop)
    kind = _KINDS.get(call.kind)
    if kind is None:
        raise Unusable("unknown_type", f"{call.kind[:40]!r} is no type of call; track is one.")
    return (kind(call),)


def _track(call: Call) -> Event:
    name = call.message.get("event")
    if type(name) is not str or not (name := text(name)):
        raise Unusable("missing_event", "A track call needs the name of its event in `event`.")
    told = record(call.message.get("properties"))
    type_ = type_by_state(type_of(name), told)
    traits = record(call.message.get("traits"))
    identifiers = identifiers_of(call, told, traits)
    if type_ == "page_viewed":
        return _page_event(call, identifiers, told)
    event = _event(
        call,
        type_,
        identifiers,
        shopping_properties(type_, told),
        page=page_of(call.context),
        traits=traits_of(call, traits),
        consents=consents_in(told, identifiers, call.occurred_at),
    )
    return _with_reports(call, event, told) if type_ in _REPORTING else event


_REPORTING = ORDER_TYPES | REFUND_TYPES | CHECKOUT_TYPES | CONSENT_TYPES


def _with_reports(call: Call, event: Event, told: Json) -> Event:
    """The event with what its type says of an order, a refund, a checkout or consent."""
    type_, properties = event.type, event.properties
    order = order_of(call, type_, properties)
    if order and order.kind == "snapshot" and "total" not in properties:
        properties["total"] = money_text(order.total, order.currency)
    return replace(
        event,
        place="in_store" if call.till else order.place if order else "online",
        order=order,
        refund=refund_of(call, type_, properties),
        consents=consents_of_event(type_, told, event.identifiers, call.occurred_at)
        + event.consents,
        checkout_token=checkout_of(type_, properties),
    )


def _identify(call: Call) -> Event:
    told = record(call.message.get("traits"))
    identifiers = identifiers_of(call, told)
    traits = traits_of(call, told)
    return _event(
        call,
        "contact_updated",
        identifiers,
        _traits_shown(told, traits),
        page=page_of(call.context),
        traits=traits,
        consents=consents_in(told, identifiers, call.occurred_at),
    )


def _page(call: Call) -> Event:
    told = record(call.message.get("properties"))
    return _page_event(call, identifiers_of(call, told), _named(call, told))


def _screen(call: Call) -> Event:
    """A screen is the page of an app."""
    told = record(call.message.get("properties"))
    return _event(
        call,
        "page_viewed",
        identifiers_of(call, told),
        _named(call, told),
        page=page_of(call.context),
        traits=traits_of(call),
    )


def _group(call: Call) -> Event:
    """The traits of a group call are the group's, so they name and describe no person."""
    group = text(call.message.get("groupId"))
    properties = {**record(call.message.get("traits")), **({"group_id": group} if group else {})}
    return _event(
        call,
        GROUP_JOINED,
        identifiers_of(call),
        properties,
        page=page_of(call.context),
        traits=traits_of(call),
    )


def _alias(call: Call) -> Event:
    """Two ids are one person."""
    return _event(
        call,
        "contact_updated",
        (*identifiers_of(call), *previous_identifier(call)),
        {},
        page=page_of(call.context),
        traits=traits_of(call),
    )


_KINDS: dict[str, Callable[[Call], Event]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}


def _event(
    call: Call,
    type_: str,
    identifiers: tuple[Identifier, ...],
    properties: Json,
    *,
    page: Page | None = None,
    traits: Traits | None = None,
    consents: tuple[ConsentReport, ...] = (),
) -> Event:
    session = call.context.get("sessionId") or call.message.get("sessionId")
    return Event(
        type=type_,
        occurred_at=call.occurred_at,
        dedupe_key=call.dedupe_key,
        identifiers=identifiers,
        properties=properties,
        traits=traits,
        page=page,
        source_session=text(session) if session else "",
        place="in_store" if call.till else "online",
        till=call.till,
        consents=consents,
    )


def _page_event(call: Call, identifiers: tuple[Identifier, ...], told: Json) -> Event:
    return _event(
        call,
        "page_viewed",
        identifiers,
        {name: value for name, value in told.items() if name not in PAGE_FIELDS},
        page=page_of(call.context, told),
        traits=traits_of(call),
    )


def _named(call: Call, properties: Json) -> Json:
    """The properties of a page or screen, with the name and category that stand beside them."""
    beside = {name: text(call.message.get(name)) for name in ("name", "category")}
    return {**{name: value for name, value in beside.items() if value}, **properties}


def _traits_shown(told: Json, traits: Traits | None) -> Json:
    """What an identify call shows on the timeline: traits that have no place of their own on the profile."""
    custom = traits.custom if traits else {}
    return {
        name: value
        for name, value in told.items()
        if name in custom or (type(value) in (dict, list) and name not in PLACED_TRAITS)
    }
