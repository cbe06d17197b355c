"""Rows of the profile store as Arrow tables of the warehouse; every text is scrubbed on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa

from customer360.storage.mirror import Kind, Mirror, Rows
from customer360.values import listed
from customer360.warehouse.own_words import KnownWords
from customer360.warehouse.schema import arrow_type
from customer360.warehouse.scrub import (
    scrub_code,
    scrub_host,
    scrub_path,
    scrub_place,
    scrub_properties,
    scrub_text,
    whole_of,
    words_of,
    words_of_path,
)

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder(order="deterministic").encode
SCRUBS: dict[Kind, Callable[[str], str | None]] = {
    Kind.WORD: scrub_text,
    Kind.CODE: scrub_code,
    Kind.TITLE: scrub_text,
    Kind.TEXT: scrub_text,
    Kind.PLACE: scrub_place,
    Kind.PATH: scrub_path,
    Kind.HOST: scrub_host,
}
"""How each kind of text is scrubbed."""

OWN: dict[Kind, Callable[[str], frozenset[str]]] = {
    Kind.CODE: whole_of,
    Kind.TITLE: whole_of,
    Kind.TEXT: words_of,
    Kind.PATH: words_of_path,
    Kind.HOST: words_of,
}
"""What of each kind of text must not be the person's own; the words of our own code and places are nobody's."""

_LARGEST_COUNT = 1 << 62
# DECIMAL(18, 4) holds 18 digits.
_LARGEST_MONEY = 10**18


def has_text(mirror: Mirror) -> bool:
    """Whether a mirror has columns in which a person's own words may stand."""
    may = OWN.keys() | {Kind.TEXTS, Kind.PROPERTIES}
    return any(field.kind in may for field in mirror.fields)


def to_arrow(mirror: Mirror, rows: Rows, own: KnownWords) -> pa.Table:
    """The rows as a table of the warehouse; `own` says per owner which words must not enter."""
    owners = None
    if own and mirror.owner is not None:
        owners = _Owners(column(mirror, rows, mirror.owner), own)
    arrays = [
        _array(field.kind, values, owners)
        for field, values in zip(mirror.fields, rows.columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, [field.name for field in mirror.fields])


def column(mirror: Mirror, rows: Rows, name: str) -> Sequence[Any]:
    """The values of one field."""
    return rows.columns[[field.name for field in mirror.fields].index(name)]


@dataclass(frozen=True, slots=True)
class _Owners:
    """Whose row is whose, and what is theirs alone."""

    ids: Sequence[int]
    own: KnownWords

    def has(self, row: int, words: frozenset[str]) -> bool:
        """Whether one of the words is the row's owner's own."""
        return self.own.are_of(self.ids[row], words)


def _array(kind: Kind, values: Sequence[Any], owners: _Owners | None) -> pa.Array:
    """One column. An untouched one of an event (all None) costs nothing more than its nulls."""
    if kind in (Kind.ID, Kind.TIME):
        return pa.array(values, pa.int64()).view(arrow_type(kind))
    if values.count(None) == len(values):
        return pa.nulls(len(values), arrow_type(kind))
    if kind is Kind.COUNT:
        count = {value: _count(value) for value in set(values)}
        return pa.array([count[value] for value in values], pa.int64())
    if kind is Kind.MONEY:
        return _money(values)
    if kind is Kind.NUMBER:
        return _numbers(values)
    if kind is Kind.FLAG:
        return pa.array([None if value is None else bool(value) for value in values], pa.bool_())
    if kind is Kind.PACKED:
        return pa.array(values, pa.binary())
    if kind is Kind.PROPERTIES:
        return pa.array(_properties(values, owners), pa.string())
    if kind is Kind.TEXTS:
        return pa.array(_texts(values, owners), pa.string())
    return _text(kind, values, owners)


def _count(value: Any) -> int | None:
    if value is None or not isinstance(value, int | float) or not abs(value) < _LARGEST_COUNT:
        return None
    return int(value) if value == int(value) else None


def _numbers(values: Sequence[Any]) -> pa.Array:
    if _FLOATS.issuperset(map(type, values)):
        return pa.array(values, pa.float64())
    return pa.array([None if value is None else float(value) for value in values], pa.float64())


_FLOATS = frozenset((float, type(None)))


def _money(values: Sequence[int | None]) -> pa.Array:
    """Ten-thousandths as decimals with four places: the same digits, only their type changes."""
    digits = [None if value is None or abs(value) >= _LARGEST_MONEY else value for value in values]
    # 64 bits have 19 digits at most.
    return pa.array(digits, pa.int64()).cast(pa.decimal128(19)).view(arrow_type(Kind.MONEY))


def _text(kind: Kind, values: Sequence[Any], owners: _Owners | None) -> pa.Array:
    """A column of text. Each distinct text is scrubbed once, as shops repeat themselves."""
    plain = values if _is_plain(values) else [_as_text(value) for value in values]
    scrub = SCRUBS[kind]
    clean = {text: None if text is None else scrub(text) for text in set(plain)}
    column = [clean[text] for text in plain]
    if owners is not None and kind in OWN:
        suspects = {
            text: words
            for text in clean.values()
            if text is not None and owners.own.include(words := OWN[kind](text))
        }
        if suspects:
            column = [
                None if text in suspects and owners.has(row, suspects[text]) else text
                for row, text in enumerate(column)
            ]
    return pa.array(column, pa.string())


_PLAIN = frozenset((str, type(None)))


def _is_plain(values: Sequence[Any]) -> bool:
    return _PLAIN.issuperset(map(type, values))


def _as_text(value: Any) -> str | None:
    """A number where text belongs, such as a product id, is text; a list or an object is nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _texts(values: Sequence[Any], owners: _Owners | None) -> list[str | None]:
    return [
        None
        if value is None
        else listed(
            text
            for one in value
            if (text := scrub_text(str(one))) and not _is_own(owners, row, text)
        )
        for row, value in enumerate(values)
    ]


def _properties(values: Sequence[Any], owners: _Owners | None) -> list[str | None]:
    return [_custom(value, owners, row) if value else None for row, value in enumerate(values)]


def _custom(properties: dict[str, Any], owners: _Owners | None, row: int) -> str | None:
    items = tuple(properties.items())
    try:
        # The types, as 1, 1.0 and True are equal.
        text, words = _scrubbed(items, tuple(map(type, properties.values())))
    except TypeError:
        text, words = _scrub(items)
    if text is None or owners is None or not owners.own.include(words):
        return text
    kept = {
        name: value
        for name, value in _decode(text).items()
        if not _tells(owners, row, name) and not _tells(owners, row, value)
    }
    return _encode(kept).decode() if kept else None


def _scrub(items: tuple[tuple[str, Any], ...]) -> tuple[str | None, frozenset[str]]:
    """The custom properties that may enter, as JSON, and every word in them."""
    kept = scrub_properties(dict(items))
    words: set[str] = set()
    for name, value in kept.items():
        for one in (name, *value) if isinstance(value, list) else (name, value):
            words |= words_of(str(one))
    return (_encode(kept).decode() if kept else None), frozenset(words)


@lru_cache(1 << 14)
def _scrubbed(
    items: tuple[tuple[str, Any], ...], _types: tuple[type, ...]
) -> tuple[str | None, frozenset[str]]:
    return _scrub(items)


def _tells(owners: _Owners, row: int, value: Any) -> bool:
    if isinstance(value, list):
        return any(_tells(owners, row, one) for one in value)
    return not isinstance(value, bool) and _is_own(owners, row, str(value))


def _is_own(owners: _Owners | None, row: int, text: str) -> bool:
    return owners is not None and owners.has(row, words_of(text))
