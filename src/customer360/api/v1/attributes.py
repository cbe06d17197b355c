"""What can be known about a profile?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import MOST_ITEMS, Paging
from customer360.api.v1.models import AttributeItem, AttributeList
from customer360.profiles.attributes import ATTRIBUTES, OPERATORS, Attribute


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


def _item(attribute: Attribute) -> AttributeItem:
    return AttributeItem(
        name=attribute.name,
        label=attribute.label,
        type=attribute.type,
        operators=list(OPERATORS[attribute.type]),
        choices=list(attribute.choices),
        help=attribute.help,
    )
