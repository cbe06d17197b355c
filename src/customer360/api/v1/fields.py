"""How values are written: types that several models and the OpenAPI document share."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from customer360.profiles.attributes import ATTRIBUTES, Attribute

Item = TypeVar("Item")

MOST_ITEMS = 500

_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_MONEY: dict[str, Any] = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
}
_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "money": _MONEY,
    "time": _TIME,
    "text": {"type": "string"},
    "list": {"type": "array", "items": {"type": "string"}},
    "boolean": {"type": "boolean"},
}

Id = Annotated[str, Field(examples=["614519532646400001"])]
Time = Annotated[str, WithJsonSchema(_TIME)]
"""ISO 8601 in UTC."""
Money = Annotated[str, WithJsonSchema(_MONEY)]
"""A decimal string; the currency stands beside it."""
# No database keeps a NUL.
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]


def _schema_of(attribute: Attribute) -> dict[str, Any]:
    said = {"title": attribute.label, "description": attribute.help}
    if attribute.type == "choice":
        return {"enum": [*attribute.choices, None], **said}
    kind = _TYPES[attribute.type]
    return {**kind, "type": [kind["type"], "null"], **said}


AttributeValues = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "properties": {attribute.name: _schema_of(attribute) for attribute in ATTRIBUTES},
            "required": [attribute.name for attribute in ATTRIBUTES],
            "additionalProperties": False,
        }
    ),
]
"""Every attribute of the catalogue by its one name; null where nothing is known."""


class Answer(BaseModel):
    """What goes out: exactly these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Listing(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(
        description="Send it as `cursor` for the next page; null on the last one"
    )
    total: int = Field(description="How many there are on all pages")


class Paging(BaseModel):
    """The parameters that every list takes; others are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(50, ge=1, le=MOST_ITEMS, description="The most items of a page")
    cursor: str | None = Field(
        None, max_length=8000, description="`next_cursor` of the page before; opaque"
    )
