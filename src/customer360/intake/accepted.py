"""Which signals did a shop accept before? Of these a second delivery is a duplicate.

A digest falls anywhere in the table, so a batch that wrote there at once would touch a page for nearly each of its
signals. New digests are appended instead, one row a batch, and moved into the table later, many and in order; until
then the worker holds them in memory. Looking for one in a large table costs a page too: a worker soon learns, step by
step, what is there, and looks only for digests that may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from customer360.intake.digest_filter import DigestFilter
from customer360.intake.tables import accepted_batches, accepted_signals
from customer360.storage.database import Database, Writes, rows_in
from customer360.storage.mirror import fetch

DIGEST_BYTES: Final = 16
MOVED_AT: Final = 300_000
"""Digests that wait in batches before they are moved: some 30 MB of memory while a shop is busy."""
_LEARNED_AT_ONCE = 50_000
_LEARNED_WHILE_BUSY = 2_000
_STEP = 4_000
"""Digests moved in one transaction, so that nobody waits long for it."""


def digest_of(key: str, digest_key: bytes) -> bytes:
    """What is kept of a dedupe key: it tells nothing to who does not have the shop's own key."""
    return blake2b(key.encode(), key=digest_key, digest_size=DIGEST_BYTES).digest()


@dataclass(slots=True)
class _Recent:
    """The digests of batches up to a change number that may not be in the table yet."""

    change: int = -1
    digests: set[bytes] = field(default_factory=set)
    moving: NDArray[np.void] = field(default_factory=lambda: _in_order(b""))
    """What is still to be moved."""
    moving_up_to: int = -1


@dataclass(slots=True)
class _Learned:
    """What a worker knows of the table: the digests up to one of them, and those of every batch since it began."""

    filter: DigestFilter
    up_to: bytes
    change: int
    """The newest batch whose digests are in."""
    complete: bool = False


class AcceptedSignals:
    """What one worker remembers of the signals that shops accepted lately; the database knows all of them."""

    def __init__(self, moved_at: int = MOVED_AT) -> None:
        self._moved_at = moved_at
        self._recent: dict[int, _Recent] = {}
        self._learned: dict[int, _Learned] = {}
        self._small: set[int] = set()
        """Shops whose table is looked into without pains, until more is moved there."""

    def known(self, connection: Connection, shop_id: int, digests: Sequence[bytes]) -> set[bytes]:
        """Those of the digests that the shop has accepted, as this snapshot knows it."""
        recent = self._refresh(connection, shop_id).digests
        found = recent.intersection(digests)
        rest = [digest for digest in digests if digest not in found]
        learned = self._learned.get(shop_id)
        if rest and learned is not None and learned.complete:
            maybe = learned.filter.may_have(b"".join(rest))
            rest = [rest[place] for place in maybe.nonzero()[0]]
        rows = rows_in(
            connection,
            "select digest from accepted_signals where shop_id = {} and digest in {}",
            (shop_id,),
            rest,
        )
        found.update(bytes(digest) for (digest,) in rows)
        return found

    def move(self, database: Database, shop_id: int, *, patience: int = 1) -> bool:
        """One short step of moving digests into the table, once enough of them wait; whether one was due.

        With `patience` so many times as many may wait. A step may be done twice, after a crash or by two workers: the
        batches leave last.
        """
        recent = self._recent.get(shop_id, _Recent())
        waits = len(recent.digests) < self._moved_at * patience
        if waits and (patience > 1 or not len(recent.moving)):
            return False
        if not len(recent.moving):
            recent.moving = _in_order(b"".join(recent.digests))
            recent.moving_up_to = recent.change
        step, recent.moving = recent.moving[:_STEP].tolist(), recent.moving[_STEP:]
        writes = Writes()
        writes.insert(
            accepted_signals,
            ("shop_id", "digest"),
            [(shop_id, digest) for digest in step],
            on_conflict="do nothing",
        )
        if not len(recent.moving):
            writes.each(
                f"delete from {accepted_batches.name} where shop_id = {{}} and change < {{}}",
                [(shop_id, recent.moving_up_to)],
            )
            # The last one stays, empty: who has not seen it has missed some.
            writes.each(
                f"update {accepted_batches.name} set digests = {{}} where shop_id = {{}} and change = {{}}",
                [(b"", shop_id, recent.moving_up_to)],
            )
        with database.write() as connection:
            writes.run(connection)
        if not len(recent.moving):
            self._recent[shop_id] = _Recent()
            self._small.discard(shop_id)
        return True

    def learn(self, database: Database, shop_id: int, *, idle: bool = True) -> bool:
        """One short step of learning what is in the table, a shorter one if not idle; whether there was one to make."""
        at_once = _LEARNED_AT_ONCE if idle else _LEARNED_WHILE_BUSY
        learned = self._learned.get(shop_id)
        if shop_id in self._small or (learned is not None and learned.complete):
            return False
        with database.read() as connection:
            recent = self._refresh(connection, shop_id)
            up_to = learned.up_to if learned is not None else b""
            query = (
                "select digest from accepted_signals where shop_id = {} and digest > {}"
                " order by digest limit {}"
            )
            rows = chain.from_iterable(fetch(connection, query, (shop_id, up_to, at_once)))
            digests = [bytes(digest) for (digest,) in rows]
        if learned is None:
            if len(digests) < at_once:
                self._small.add(shop_id)
                return False
            # Digests are random, so how far the first ones reach tells how many there are.
            share = int.from_bytes(digests[-1][:8], "big") / (1 << 64)
            learned = _Learned(DigestFilter(int(2 * len(digests) / share)), b"", recent.change)
            learned.filter.add(b"".join(recent.digests))
            self._learned[shop_id] = learned
        learned.filter.add(b"".join(digests))
        learned.complete = len(digests) < at_once
        learned.up_to = digests[-1] if digests else learned.up_to
        return True

    def _refresh(self, connection: Connection, shop_id: int) -> _Recent:
        recent = self._recent.setdefault(shop_id, _Recent())
        batches = fetch(
            connection,
            "select change, digests from accepted_batches where shop_id = {} and change > {} order by change",
            (shop_id, recent.change),
        )
        learned = self._learned.get(shop_id)
        for rows in batches:
            for change, digests in rows:
                if not digests and learned is not None and learned.change < change:
                    self._learned.pop(shop_id)
                    learned = None
                recent.change = change
                recent.digests.update(_apart(bytes(digests)))
                if learned is not None:
                    learned.filter.add(bytes(digests))
                    learned.change = max(learned.change, change)
        if learned is not None and learned.filter.count > learned.filter.capacity:
            self._learned.pop(shop_id)
        return recent


def write(writes: Writes, shop_id: int, change: int, digests: Iterable[bytes]) -> None:
    """Remember the digests of a batch of newly accepted signals."""
    if together := b"".join(digests):
        writes.insert(
            accepted_batches, ("shop_id", "change", "digests"), [(shop_id, change, together)]
        )


def _in_order(digests: bytes) -> NDArray[np.void]:
    """Digests by their first half, as neighbours of the table: its order, but for what is too seldom to matter."""
    halves = np.frombuffer(digests, ">u8")[:: DIGEST_BYTES // 8]
    return np.frombuffer(digests, np.dtype((np.void, DIGEST_BYTES)))[halves.argsort()]


def _apart(digests: bytes) -> Iterable[bytes]:
    return (digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))
