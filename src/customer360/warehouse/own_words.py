"""Which words are a fragment's own: the identifiers its events carry and the names they told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from customer360.profiles.fold import Names
from customer360.storage.mirror import OwnWords, fetch_in
from customer360.warehouse.scrub import own_words


class _Named(msgspec.Struct):
    """The names of an aggregate; the rest of it is not even read."""

    names: dict[int, Names] = {}


_decode = msgspec.json.Decoder(_Named).decode


def read_own_words(connection: Connection, shop_id: int, fragment_ids: list[int]) -> OwnWords:
    """Per fragment the words of its identifiers and names."""
    identifiers: dict[int, list[str]] = {}
    names: dict[int, list[tuple[str, str]]] = {}
    for rows in fetch_in(
        connection,
        "select fragment_id, value from fragment_identifiers where shop_id = {} and fragment_id in {}",
        shop_id,
        fragment_ids,
    ):
        for fragment_id, value in rows:
            identifiers.setdefault(fragment_id, []).append(value)
    for rows in fetch_in(
        connection,
        "select fragment_id, aggregate from aggregates where shop_id = {} and fragment_id in {}",
        shop_id,
        fragment_ids,
    ):
        for fragment_id, blob in rows:
            told = _decode(blob).names
            if told:
                names[fragment_id] = [(one.first_name, one.last_name) for one in told.values()]
    return {
        fragment_id: own_words(identifiers.get(fragment_id, ()), names.get(fragment_id, ()))
        for fragment_id in identifiers.keys() | names.keys()
    }


@dataclass(slots=True)
class KnownWords:
    """Own words by owner, and all of them together: most texts contain none of these."""

    of: dict[int, frozenset[str]] = field(default_factory=dict)
    all: set[str] = field(default_factory=set)

    def add(self, own: OwnWords) -> None:
        """Know the words of more owners."""
        self.of.update(own)
        self.all.update(*own.values())


class OwnWordsOf:
    """Reads the own words of fragments and remembers those of a shop's latest: visitors come back."""

    def __init__(self, remembered: int = 50_000) -> None:
        self._remembered = remembered
        self._shops: dict[int, KnownWords] = {}

    def read(self, connection: Connection, shop_id: int, fragment_ids: Iterable[int]) -> KnownWords:
        """The words of these fragments, and perhaps of others; fragment 0 is nobody and has none."""
        known = self._shops.setdefault(shop_id, KnownWords())
        missing = set(fragment_ids) - known.of.keys()
        missing.discard(0)
        if len(known.of) + len(missing) > self._remembered:
            known = self._shops[shop_id] = KnownWords()
            missing = set(fragment_ids) - {0}
        if missing:
            found = read_own_words(connection, shop_id, sorted(missing))
            known.add(dict.fromkeys(missing, frozenset()) | dict(found))
        return known
