"""Where did the last page end? Written so that a client can carry it, and checked when it comes back.

A cursor is a position, not a count: rows that come or go meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from customer360.errors import InvalidInput

Item = TypeVar("Item")

_LARGEST = 1 << 63


def encode_cursor(*position: str | float | None) -> str:
    """The position as text that is safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def decode_cursor(cursor: str, *shape: type | tuple[type, ...]) -> tuple[Any, ...]:
    """The position in a cursor, one value per type of `shape`; raises InvalidInput."""
    try:
        written = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        position = msgspec.json.decode(written, type=list[str | int | float | None])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise no_cursor() from error
    if len(position) != len(shape) or not all(map(_fits, position, shape)):
        raise no_cursor()
    return tuple(position)


def no_cursor() -> InvalidInput:
    """What to raise when a cursor is none of ours, or another list's."""
    return InvalidInput("This is no cursor that this list gave; begin without one.", "cursor")


def page_of(
    items: Sequence[Item],
    key: Callable[[Item], tuple[int | str, ...]],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[Item], str | None]:
    """One page of a list that is wholly in memory and in the order of `key`, and the next page's cursor."""
    if not items:
        return (), None
    if cursor is not None:
        position = decode_cursor(cursor, *(type(part) for part in key(items[0])))
        items = [item for item in items if key(item) > position]
    return cut_page(items, key, limit)


def cut_page(
    found: Sequence[Item], key: Callable[[Item], tuple[int | str, ...]], limit: int
) -> tuple[Sequence[Item], str | None]:
    """The first `limit` of what was found, and the next page's cursor where that was more."""
    page = found[:limit]
    return page, encode_cursor(*key(page[-1])) if len(found) > limit else None


def _fits(part: Any, wanted: type | tuple[type, ...]) -> bool:
    if isinstance(part, bool) or not isinstance(part, wanted):
        return False
    return not isinstance(part, int | float) or abs(part) < _LARGEST
