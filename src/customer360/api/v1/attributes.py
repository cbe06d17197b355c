"""What can be known about a profile, and what can a segment ask of events?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import MOST_ITEMS, Paging
from customer360.api.v1.models import (
    AttributeItem,
    AttributeList,
    EventTypeItem,
    EventTypeList,
    PropertyItem,
)
from customer360.profiles.attributes import ATTRIBUTES, OPERATORS, Attribute
from customer360.segments.catalogue import (
    EVENTS,
    PROPERTY_BY_NAME,
    EventEntry,
    Property,
    operators_of,
)


class CataloguePaging(Paging):
    """The whole catalogue fits on one page."""

    limit: int = Field(MOST_ITEMS, ge=1, le=MOST_ITEMS, description="The most items of a page")


def list_attributes(paging: Annotated[CataloguePaging, Query()]) -> AttributeList:
    """The catalogue of attributes: name, label, type, operators and help."""
    places = {attribute.name: place for place, attribute in enumerate(ATTRIBUTES)}
    page, next_cursor = page_of(
        ATTRIBUTES, lambda attribute: (places[attribute.name],), paging.cursor, paging.limit
    )
    items = [_item(attribute) for attribute in page]
    return AttributeList(items=items, next_cursor=next_cursor, total=len(ATTRIBUTES))


def list_event_types(paging: Annotated[CataloguePaging, Query()]) -> EventTypeList:
    """The events that a rule can ask for, with their properties; any other name is a custom event."""
    places = {entry.type.name: place for place, entry in enumerate(EVENTS)}
    page, next_cursor = page_of(
        EVENTS, lambda entry: (places[entry.type.name],), paging.cursor, paging.limit
    )
    items = [_event(entry) for entry in page]
    return EventTypeList(items=items, next_cursor=next_cursor, total=len(EVENTS))


def _event(entry: EventEntry) -> EventTypeItem:
    return EventTypeItem(
        name=entry.type.name,
        label=entry.type.label,
        group=entry.type.group,
        phrase=entry.phrase,
        open=entry.open,
        properties=[
            _property(PROPERTY_BY_NAME[name], of_line=name in entry.lines)
            for name in dict.fromkeys((*entry.properties, *entry.lines))
        ],
    )


def _property(known: Property, *, of_line: bool) -> PropertyItem:
    return PropertyItem(
        name=known.name,
        label=known.label,
        type=known.type,
        operators=list(operators_of(known.type)),
        choices=list(known.choices),
        help=known.help,
        of_line=of_line,
        told=not known.unknown,
    )


def _item(attribute: Attribute) -> AttributeItem:
    return AttributeItem(
        name=attribute.name,
        label=attribute.label,
        type=attribute.type,
        operators=list(OPERATORS[attribute.type]),
        choices=list(attribute.choices),
        help=attribute.help,
        computed=True,
    )
