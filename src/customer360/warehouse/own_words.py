"""Which words are a fragment's own: the identifiers its events carry, the names and streets they told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from customer360.profiles.fold import KnownAddress, Names
from customer360.storage.mirror import OwnWords, fetch_in
from customer360.warehouse.scrub import fold, own_words


class _Told(msgspec.Struct):
    """What an aggregate tells of the person; the rest of it is not even read."""

    names: dict[int, Names] = {}
    addresses: dict[str, KnownAddress] = {}


_decode = msgspec.json.Decoder(_Told).decode
_NONE: frozenset[str] = frozenset()


@dataclass(slots=True)
class Words:
    """Own words by owner, and all of them together: most texts contain none of these."""

    of: dict[int, frozenset[str]] = field(default_factory=dict)
    all: set[str] = field(default_factory=set)

    def add(self, own: OwnWords) -> None:
        """Know the words of more owners."""
        self.of.update(own)
        self.all.update(*own.values())

    def add_missing(self, owners: Iterable[int]) -> None:
        """Know of owners that they have none."""
        for owner in owners:
            self.of.setdefault(owner, _NONE)


@dataclass(frozen=True, slots=True)
class KnownWords:
    """What must not enter from whom."""

    identifiers: Words = field(default_factory=Words)
    told: Words = field(default_factory=Words)

    def __bool__(self) -> bool:
        return bool(self.identifiers.all or self.told.all)

    def include(self, words: frozenset[str]) -> bool:
        """Whether one of the words is anybody's: quick, and nearly always no."""
        return not (words.isdisjoint(self.identifiers.all) and words.isdisjoint(self.told.all))

    def are_of(self, owner: int, words: frozenset[str]) -> bool:
        """Whether one of the words is this owner's."""
        return not (
            words.isdisjoint(self.identifiers.of.get(owner, _NONE))
            and words.isdisjoint(self.told.of.get(owner, _NONE))
        )


class OwnWordsOf:
    """Reads own words, and remembers the identifiers of each shop's latest fragments: visitors come back.

    A fragment is made of its identifiers, so they stay right; names and streets may be told later.
    """

    def __init__(self, remembered: int = 50_000) -> None:
        self._remembered = remembered
        self._shops: dict[int, Words] = {}

    def reader(self, connection: Connection, shop_id: int) -> OwnWordsReader:
        """Reads in one snapshot."""
        known = self._shops.get(shop_id)
        if known is None or len(known.of) > self._remembered:
            known = self._shops[shop_id] = Words()
        return OwnWordsReader(connection, shop_id, KnownWords(known))


@dataclass(frozen=True, slots=True)
class OwnWordsReader:
    """Reads each fragment's words once, as they are in one snapshot."""

    connection: Connection
    shop_id: int
    known: KnownWords

    def read(self, fragment_ids: Iterable[int]) -> KnownWords:
        """The words of these fragments, and perhaps of others; fragment 0 is nobody and has none."""
        wanted = set(fragment_ids) - {0}
        for words, read in (
            (self.known.identifiers, read_identifiers),
            (self.known.told, read_told),
        ):
            missing = sorted(wanted - words.of.keys())
            if missing:
                words.add(read(self.connection, self.shop_id, missing))
                words.add_missing(missing)
        return self.known


def read_identifiers(connection: Connection, shop_id: int, fragment_ids: list[int]) -> OwnWords:
    """Per fragment the words of its identifiers."""
    found: dict[int, list[str]] = {}
    for rows in fetch_in(
        connection,
        "select fragment_id, value from fragment_identifiers where shop_id = {} and fragment_id in {}",
        shop_id,
        fragment_ids,
    ):
        for fragment_id, value in rows:
            found.setdefault(fragment_id, []).append(value)
    return {fragment_id: own_words(values, ()) for fragment_id, values in found.items()}


def read_told(connection: Connection, shop_id: int, fragment_ids: list[int]) -> OwnWords:
    """Per fragment the words of the names and streets that its events told; most tell none."""
    found: dict[int, frozenset[str]] = {}
    for rows in fetch_in(
        connection,
        "select fragment_id, aggregate from observations where shop_id = {}"
        " and aggregate is not null and fragment_id in {}",
        shop_id,
        fragment_ids,
    ):
        for fragment_id, blob in rows:
            # A look at the bytes spares reading the JSON of visitors.
            if b'"names"' in blob or b'"addresses"' in blob:
                found[fragment_id] = _words_told(_decode(blob))
    return found


def _words_told(told: _Told) -> frozenset[str]:
    names = ((one.first_name, one.last_name) for one in told.names.values())
    addresses = [one.address for one in told.addresses.values()]
    lines = {fold(line) for one in addresses for line in (one.street, one.street2, one.name)}
    return own_words((), names) | (lines - {""})
