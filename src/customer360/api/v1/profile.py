"""Who is this one person, and what did they do and buy?"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import Field

from customer360.api.v1.asked import Asking
from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import MOST_ITEMS, Paging, Text
from customer360.api.v1.models import (
    ContactPointItem,
    EventCountItem,
    EventCountList,
    IdentifierItem,
    OrderItem,
    OrderLineItem,
    OrderList,
    PostalAddress,
    Profile,
    TimelineItem,
    TimelineList,
)
from customer360.clock import Instant, to_iso
from customer360.profiles.card import Card, attributes_json
from customer360.profiles.entries import TimelineEntry
from customer360.profiles.event_counts import EventCount, event_counts
from customer360.profiles.order_views import OrderView, orders_of
from customer360.profiles.timeline import timeline
from customer360.values import Amount, money_text


class CountPaging(Paging):
    """Types of events are few: one page has them all."""

    limit: int = Field(MOST_ITEMS, ge=1, le=MOST_ITEMS, description="The most items of a page")


class TimelineQuestion(Paging):
    """Which part of a timeline is wanted."""

    type: Text | None = Field(
        None, description="Only this type of event", examples=["order_placed"]
    )


def get_profile(asked: Asking, profile_id: str) -> Profile:
    """Everything about one profile: names, identifiers, contact points with consent, and every attribute."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        card = asked.doors.card(connection, asked.shop, present)
        why = asked.doors.explanations(connection, asked.shop, card)
    return _profile(card, asked.shop.currency, why)


def list_event_counts(
    asked: Asking, profile_id: str, paging: Annotated[CountPaging, Query()]
) -> EventCountList:
    """How often each type of event happened to this person, most often first."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        counts = event_counts(connection, asked.shop_id, present)
    page, next_cursor = page_of(
        counts, lambda entry: (-entry.count, entry.type), paging.cursor, paging.limit
    )
    items = [_event_count(entry) for entry in page]
    return EventCountList(items=items, next_cursor=next_cursor, total=len(counts))


def get_timeline(
    asked: Asking, profile_id: str, question: Annotated[TimelineQuestion, Query()]
) -> TimelineList:
    """What this person did, newest first."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        page = timeline(
            connection,
            asked.shop_id,
            present,
            type=question.type,
            before=question.cursor,
            limit=question.limit,
            currency=asked.shop.currency,
        )
        counts = event_counts(connection, asked.shop_id, present)
    return TimelineList(
        items=[_timeline_item(entry) for entry in page.items],
        next_cursor=page.next_cursor,
        total=sum(entry.count for entry in counts if question.type in (None, entry.type)),
    )


def list_orders(asked: Asking, profile_id: str, paging: Annotated[Paging, Query()]) -> OrderList:
    """This person's orders with their lines, newest first; cancelled and test orders are marked."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        orders = orders_of(connection, asked.shop_id, present)
    page, next_cursor = page_of(
        orders, lambda order: (-order.placed_at, -order.order_id), paging.cursor, paging.limit
    )
    items = [_order(order, order.currency or asked.shop.currency) for order in page]
    return OrderList(items=items, next_cursor=next_cursor, total=len(orders))


def _profile(card: Card, currency: str, why: dict[str, dict[str, Any]]) -> Profile:
    return Profile(
        profile_id=str(card.profile_id),
        kind=card.kind,
        fragments=card.fragments,
        name=card.name or None,
        first_name=card.first_name or None,
        last_name=card.last_name or None,
        currency=currency,
        addresses=[PostalAddress(**_known(address)) for address in card.addresses],
        identifiers=[
            IdentifierItem(
                type=held.type,
                value=held.value,
                source=held.source,
                state=held.state,
                first_seen_at=_time(held.first_seen_at),
                last_seen_at=_time(held.last_seen_at),
            )
            for held in card.identifiers
        ],
        contact_points=[
            ContactPointItem(
                channel=point.channel,
                address=point.address,
                consent=point.consent,
                consent_at=to_iso(point.consent_at),
                consent_text=point.consent_text or None,
            )
            for point in card.contact_points
        ],
        attributes=attributes_json(card.attributes, currency),
        explanations=why,
    )


def _event_count(entry: EventCount) -> EventCountItem:
    return EventCountItem(
        type=entry.type,
        label=entry.label,
        count=entry.count,
        first_at=_time(entry.first_at),
        last_at=_time(entry.last_at),
    )


def _timeline_item(entry: TimelineEntry) -> TimelineItem:
    return TimelineItem(
        event_id=str(entry.event_id),
        type=entry.type,
        label=entry.label,
        occurred_at=_time(entry.occurred_at),
        source=entry.source,
        session_id=None if entry.session_id is None else str(entry.session_id),
        properties=entry.properties,
    )


def _order(order: OrderView, currency: str) -> OrderItem:
    return OrderItem(
        order_id=order.order_key,
        event_id=str(order.order_id),
        number=order.number or None,
        placed_at=_time(order.placed_at),
        cancelled_at=to_iso(order.cancelled_at),
        test=order.test,
        counts=order.counts,
        status=order.status or None,
        currency=currency,
        total=_money(order.total, currency),
        discount=_money(order.discount, currency),
        refunded=_money(order.refunded, currency),
        items_count=order.items,
        promo_codes=list(order.promo_codes),
        place=order.place,
        marketplace=order.marketplace or None,
        location=order.location or None,
        source=order.source,
        lines=[
            OrderLineItem(
                product_id=line.product_id or None,
                variant=line.variant or None,
                title=line.title or None,
                vendor=line.vendor or None,
                sku=line.sku or None,
                quantity=line.quantity,
                unit_price=_money(line.unit_price, currency),
                discount=_money(line.discount, currency),
            )
            for line in order.lines
        ],
    )


def _known(struct: msgspec.Struct) -> dict[str, Any]:
    """A struct's texts, with null for those that say nothing."""
    return {name: getattr(struct, name) or None for name in struct.__struct_fields__}


def _time(instant: Instant) -> str:
    return str(to_iso(instant))


def _money(amount: Amount, currency: str) -> str:
    return str(money_text(amount, currency))
