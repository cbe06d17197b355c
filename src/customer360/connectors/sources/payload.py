"""What does a JSON body from outside say? Readers that take what is usable and never fail on the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from customer360.errors import InvalidMoney
from customer360.events.model import Unusable
from customer360.values import LARGEST_AMOUNT, LARGEST_QUANTITY, Amount, parse_amount

Json = dict[str, Any]
"""A JSON object, only ever inside a translator."""

# Deeper than any SDK writes, and far from where writing the value again would fail.
MAX_DEPTH = 40
# Ten times the longest product title that shop systems allow.
MAX_TEXT = 2500

_LIST = ord("[")
_decode = msgspec.json.Decoder().decode


def read_object(body: bytes) -> Json:
    """The JSON object of a body; raises Unusable when it is none."""
    try:
        value = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value = _read_leniently(body)
    if type(value) is not dict:
        raise Unusable("not_an_object", "The event is no JSON object.")
    # Most bodies have too few brackets to be deep, and many have no list at all.
    lists = body.count(b"[") if _LIST in body else 0
    if body.count(b"{") + lists > MAX_DEPTH and _is_deep(value):
        raise Unusable("too_deep", f"The event nests more than {MAX_DEPTH} levels.")
    return value


def text(value: Any) -> str:
    """A text or whole number without outer spaces; empty for anything else, as a float has lost digits.

    PostgreSQL stores no NUL.
    """
    if isinstance(value, str):
        return (value.replace("\0", "") if "\0" in value else value).strip()[:MAX_TEXT]
    return str(value)[:MAX_TEXT] if type(value) is int else ""


def first_text(record: Json, *names: str) -> str:
    """The first of the fields that says something."""
    for name in names:
        if (value := record.get(name)) is not None and (written := text(value)):
            return written
    return ""


def record(value: Any) -> Json:
    """The object, or an empty one."""
    return value if type(value) is dict else {}


def records(value: Any) -> list[Json]:
    """The objects of a list; what is none is left out."""
    return [one for one in value if type(one) is dict] if type(value) is list else []


def texts(value: Any) -> tuple[str, ...]:
    """The distinct texts of a list, or of a text with commas."""
    parts = value.split(",") if type(value) is str else value if type(value) is list else ()
    return tuple(dict.fromkeys(written for part in parts if (written := text(part))))


def amount(value: Any) -> Amount | None:
    """The amount of money, or None when it cannot be read."""
    if value is None:
        return None
    try:
        return parse_amount(value)
    except InvalidMoney:
        return None


def first_amount(record: Json, *names: str) -> Amount | None:
    """The first of the fields that is an amount."""
    for name in names:
        if (told := amount(record.get(name))) is not None:
            return told
    return None


def total_of(amounts: Iterable[Amount | None]) -> Amount:
    """The sum of what could be read; raises Unusable where it is more than any order can be worth."""
    total = sum(entry for entry in amounts if entry is not None)
    if abs(total) > LARGEST_AMOUNT:
        raise Unusable("invalid_total", "The sum is worth more than anything that can be sold.")
    return total


def decimal_text(value: Any) -> Any:
    """A number as a decimal text, such as "19.9"; anything else as it came."""
    if type(value) is int:
        return str(value)
    if type(value) is float:
        # repr is exact, but writes very large and small numbers with an exponent.
        written = repr(value)
        return f"{value:f}" if "e" in written else written.removesuffix(".0")
    return text(value) if type(value) is str else value


def whole(value: Any, default: int) -> int:
    """A count, also where it is written as 2.0 or "2"; the default where it is none, such as 1.5.

    Less than none of a thing is none of it. Raises Unusable for more than LARGEST_QUANTITY: another number in its
    place would be a guess.
    """
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return default
    if type(value) is not int and type(value) is not float:
        return default
    if value > LARGEST_QUANTITY:
        raise Unusable(
            "invalid_quantity", f"{str(value)[:40]} is more than can be sold of a thing."
        )
    return max(int(value), 0) if value % 1 == 0 else default


def currency_code(value: Any) -> str:
    """The ISO 4217 code in capitals, or nothing."""
    return _currency_code(value) if type(value) is str else ""


# A shop trades in few.
@lru_cache(maxsize=128)
def _currency_code(written: str) -> str:
    code = text(written).upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else ""


def _read_leniently(body: bytes) -> Any:
    """JSON with halves of characters, as browsers write a text that was cut within an emoji; they become "?"."""
    try:
        value = json.loads(body)
        return _decode(
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace")
        )
    except RecursionError:
        raise Unusable("too_deep", f"The event nests more than {MAX_DEPTH} levels.") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unusable("malformed_json", f"The event is no JSON: {error}.") from None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return False
    return True
