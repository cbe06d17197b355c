"""A customer's journey as the page shows it: days in the shop's zone, visits marked, what each event was about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from customer360.clock import Instant, local_date, to_iso
from customer360.events.vocabulary import BY_NAME
from customer360.web import formats

_SYMBOLS_BY_GROUP = {
    "storefront": "cursor-arrow-rays",
    "orders": "shopping-bag",
    "contacts": "user",
    "email": "envelope",
    "sms": "chat-bubble-left",
    "whatsapp": "chat-bubble-oval-left",
    "push": "bell",
    "service": "lifebuoy",
    "custom": "sparkles",
}
_SYMBOLS = {
    "visited_site": "globe-alt",
    "page_viewed": "window",
    "product_viewed": "eye",
    "product_image_clicked": "photo",
    "collection_viewed": "squares-2x2",
    "searched": "magnifying-glass",
    "added_to_cart": "shopping-cart",
    "removed_from_cart": "minus-circle",
    "cart_viewed": "shopping-cart",
    "checkout_started": "credit-card",
    "checkout_updated": "credit-card",
    "checkout_abandoned": "x-circle",
    "order_fulfilled": "truck",
    "order_partially_fulfilled": "truck",
    "order_cancelled": "x-circle",
    "order_refunded": "receipt-refund",
    "order_partially_refunded": "receipt-refund",
    "item_returned": "arrow-uturn-left",
    "consent_granted": "hand-thumb-up",
    "consent_withdrawn": "hand-raised",
    "email_opened": "envelope-open",
    "review_submitted": "star",
    "ticket_opened": "ticket",
    "ticket_closed": "ticket",
}
_MESSAGE_GROUPS = frozenset({"email", "sms", "whatsapp", "push"})
_BASKETS = frozenset(
    {"cart_viewed", "checkout_started", "checkout_updated", "checkout_abandoned", "order_placed"}
)
_ITEM_EVENTS = frozenset({"added_to_cart", "removed_from_cart"})
# Longer lists are read in the JSON.
_MOST_LISTED = 20


class Entry(Protocol):
    """What a timeline is made of."""

    @property
    def event_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def occurred_at(self) -> Instant: ...
    @property
    def source(self) -> str: ...
    @property
    def session_id(self) -> int | None: ...
    @property
    def properties(self) -> dict[str, Any]: ...


class Fact(NamedTuple):
    """One line of what an event was about."""

    label: str
    text: str
    url: str = ""


class LineItem(NamedTuple):
    """One product of a basket or an order."""

    title: str
    variant: str
    quantity: str
    price: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as the timeline shows it, closed (`gist`) and open (`facts`, `items`)."""

    event_id: int
    type: str
    label: str
    group: str
    symbol: str
    at: Instant
    source: str
    gist: str
    facts: tuple[Fact, ...]
    items: tuple[LineItem, ...]
    items_left: int
    """How many more there are than `items`."""
    json: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Events of one visit to the storefront, or one after another outside any visit (`session_id` None)."""

    session_id: int | None
    events: tuple[Shown, ...]
    is_continued: bool = False
    """Its newer part stands on the page before."""

    @property
    def started_at(self) -> Instant:
        """The oldest event that is shown."""
        return self.events[-1].at

    @property
    def ended_at(self) -> Instant:
        """The newest event that is shown."""
        return self.events[0].at


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day of the shop and what happened on it, newest first."""

    date: date
    visits: tuple[Visit, ...]
    is_continued: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where the part before ended: its last day and visit are not announced again."""

    day: str = ""
    session_id: int | None = None


@dataclass(slots=True)
class _Told:
    """Collects the facts of an event and remembers which properties they used."""

    properties: dict[str, Any]
    currency: str
    facts: list[Fact] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def text(self, *names: str) -> str:
        """The first of these properties that is there."""
        self.used.update(names)
        for name in names:
            value = self.properties.get(name)
            if value not in (None, "", [], {}):
                return _written(value)
        return ""

    def add(self, label: str, *names: str) -> None:
        """A fact, if the event has it."""
        if text := self.text(*names):
            self.facts.append(Fact(label, text))

    def add_money(self, label: str, *names: str) -> None:
        """An amount in the event's own currency, else the shop's."""
        if text := self.text(*names):
            self.facts.append(Fact(label, self.money(text)))

    def add_link(self, label: str, *names: str) -> None:
        """An address that can be opened."""
        if text := self.text(*names):
            self.facts.append(
                Fact(label, text, text if text.startswith(("https://", "http://")) else "")
            )

    def money(self, text: str) -> str:
        """The amount as money."""
        own = self.properties.get("currency")
        code = own if isinstance(own, str) and len(own) == 3 else self.currency
        return formats.price(text, code.upper())


def days(
    entries: Sequence[Entry], timezone: str, currency: str, after: Position | None = None
) -> tuple[Day, ...]:
    """The entries, newest first, by the shop's calendar day and then by visit."""
    after = after or Position()
    found: list[Day] = []
    # A visit begins with its first page, at the very same time.
    ordered = sorted(entries, key=lambda entry: (-entry.occurred_at, entry.type == "visited_site"))
    for day, of_day in groupby(ordered, lambda entry: local_date(entry.occurred_at, timezone)):
        is_continued = not found and day.isoformat() == after.day
        found.append(
            Day(
                day,
                tuple(_visits(of_day, currency, after.session_id if is_continued else None)),
                is_continued,
            )
        )
    return tuple(found)


def position_after(entries: Sequence[Entry], timezone: str) -> Position:
    """Where a page ends, for the part that follows it."""
    if not entries:
        return Position()
    last = entries[-1]
    return Position(local_date(last.occurred_at, timezone).isoformat(), last.session_id)


def _visits(entries: Iterable[Entry], currency: str, continued: int | None) -> Iterable[Visit]:
    first = True
    for session_id, of_visit in groupby(_within_visits(list(entries)), lambda pair: pair[0]):
        events = tuple(show(entry, currency) for _, entry in of_visit)
        yield Visit(
            session_id, events, first and session_id is not None and session_id == continued
        )
        first = False


def _within_visits(entries: list[Entry]) -> Iterable[tuple[int | None, Entry]]:
    """Each entry with its visit; an order between two events of one visit was placed during it."""
    for number, entry in enumerate(entries):
        session_id = entry.session_id
        if session_id is None:
            newer = next(
                (one.session_id for one in reversed(entries[:number]) if one.session_id), None
            )
            older = next((one.session_id for one in entries[number + 1 :] if one.session_id), None)
            session_id = newer if newer == older else None
        yield session_id, entry


def show(entry: Entry, currency: str) -> Shown:
    """One event with the facts that matter for its type first; what is left is shown as it came."""
    known = BY_NAME.get(entry.type)
    group = known.group if known else "custom"
    told = _Told(dict(entry.properties), currency)
    gist = _tell(entry.type, group, told)
    items = _items(told) if entry.type in _BASKETS or "items" in told.properties else []
    _tell_rest(told)
    return Shown(
        event_id=entry.event_id,
        type=entry.type,
        label=entry.label,
        group=group,
        symbol=_SYMBOLS.get(entry.type) or _SYMBOLS_BY_GROUP[group],
        at=entry.occurred_at,
        source=entry.source,
        gist=gist,
        facts=tuple(told.facts),
        items=tuple(items[:_MOST_LISTED]),
        items_left=max(0, len(items) - _MOST_LISTED),
        json=formats.pretty_json(_as_json(entry)),
    )


def _tell(event_type: str, group: str, told: _Told) -> str:
    """Adds the facts of product.md for this type; returns what the closed line says."""
    if event_type == "visited_site":
        return _tell_visit(told)
    if event_type in ("product_viewed", "product_image_clicked"):
        gist = told.text("title", "product_id")
        told.facts.append(Fact("Item", gist or formats.NO_DATA))
        told.add_link("Link", "url", "path", "page_url")
        return gist
    if event_type == "collection_viewed":
        told.add("Collection", "collection_title")
        told.add("Collection id", "collection_id")
        return told.text("collection_title", "collection_id")
    if event_type == "searched":
        told.add("Search term", "search_term")
        term = told.text("search_term")
        return f"“{term}”" if term else ""
    if event_type in _ITEM_EVENTS:
        return _tell_item(told)
    if event_type in _BASKETS or group == "orders":
        return _tell_basket(told)
    if group in _MESSAGE_GROUPS:
        return _tell_message(group, told)
    if event_type == "review_submitted":
        stars = told.text("rating")
        told.add("Rating", "rating")
        return f"{stars} of 5 stars" if stars else ""
    return _tell_page(told) if event_type == "page_viewed" else ""


def _tell_page(told: _Told) -> str:
    told.add("Page", "page_title", "title")
    told.add_link("URL", "url", "path")
    return told.text("page_title", "title") or told.text("url", "path")


def _tell_visit(told: _Told) -> str:
    source = told.text("source", "touch_source")
    medium = told.text("medium", "touch_medium")
    origin = " / ".join(part for part in (source, medium) if part)
    if origin:
        told.facts.append(Fact("Source / medium", origin))
    told.add("Campaign", "campaign", "touch_campaign")
    told.add_link("URL", "url", "touch_url")
    told.add_link("Referrer", "referrer")
    return origin


def _tell_item(told: _Told) -> str:
    told.add("Item", "title", "product_id")
    told.add("Variant", "variant", "variant_title", "variant_id")
    told.add_money("Unit price", "price")
    told.used.add("currency")
    told.add("Quantity", "quantity")
    title, quantity = told.text("title", "product_id"), told.text("quantity")
    return f"{quantity} × {title}" if quantity and title else title


def _tell_basket(told: _Told) -> str:
    total = told.text("total", "amount")
    told.add("Order", "number", "order_number")
    told.add("Order id", "order_id")
    told.add_money("Total", "total", "amount")
    if told.text("discount").strip("0."):
        told.add_money("Discount", "discount")
    told.used.add("currency")
    told.add("Quantity", "quantity", "total_quantity")
    return told.money(total) if total else told.text("order_id")


def _tell_message(group: str, told: _Told) -> str:
    words = {"email": "E-mail", "sms": "SMS", "whatsapp": "WhatsApp", "push": "Push"}
    told.facts.append(Fact("Channel", words[group]))
    told.add("Campaign", "campaign", "campaign_id")
    told.add("Journey", "journey")
    told.add("Subject", "subject")
    told.add_link("Link clicked", "link")
    return told.text("subject") or told.text("campaign", "journey")


def _tell_rest(told: _Told) -> None:
    """Every property that no fact has used yet, under its own name."""
    for name, value in sorted(told.properties.items()):
        if name not in told.used and value not in (None, "", [], {}):
            told.facts.append(Fact(formats.in_words(name), _written(value)))


def _items(told: _Told) -> list[LineItem]:
    told.used.add("items")
    listed = told.properties.get("items")
    if not isinstance(listed, list):
        return []
    return [_item(entry, told) for entry in listed if isinstance(entry, dict)]


def _item(entry: dict[str, Any], told: _Told) -> LineItem:
    title = entry.get("title") or entry.get("product_id") or entry.get("sku")
    variant = entry.get("variant") or entry.get("variant_title") or entry.get("variant_id")
    price = entry.get("price")
    return LineItem(
        _written(title) if title else formats.NO_DATA,
        _written(variant) if variant else "",
        _written(entry.get("quantity", 1)),
        told.money(_written(price)) if price not in (None, "") else formats.NO_DATA,
    )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(str(part) for part in value)
    return formats.pretty_json(value) if isinstance(value, dict | list) else str(value)


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "event_id": str(entry.event_id),
        "type": entry.type,
        "label": entry.label,
        "occurred_at": to_iso(entry.occurred_at),
        "source": entry.source,
        "session_id": None if entry.session_id is None else str(entry.session_id),
        "properties": entry.properties,
    }
