"""Answers "whose key is this?" for every request: from memory for a few seconds, then again from
the database."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from customer360.access.keys import LONGEST_KEY, Grant, KeyKind, digest_of, grant_of
from customer360.access.shopify import shopify_secrets
from customer360.access.shops import Shop, find_shop
from customer360.clock import Instant
from customer360.storage.database import Database

Found = TypeVar("Found")

# Wrong keys are remembered as well, and a guesser sends a new one each time: hence a limit.
_MOST_REMEMBERED = 10_000


class Directory:
    """Shops by key, id and Shopify domain, for many threads at once.

    What changed elsewhere (a key revoked, a shop renamed) is seen within `ttl_seconds`.
    """

    def __init__(
        self,
        database: Database,
        ttl_seconds: float = 5.0,
        *,
        elapsed_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys: _Memory[tuple[Shop, KeyKind] | None] = _Memory(ttl_seconds, elapsed_seconds)
        self._shops: _Memory[Shop | None] = _Memory(ttl_seconds, elapsed_seconds)
        self._domains: _Memory[tuple[Shop, tuple[str, ...]] | None] = _Memory(
            ttl_seconds, elapsed_seconds
        )

    def by_key(self, key: str) -> tuple[Shop, KeyKind] | None:
        """The shop that a key opens and the key's kind; None for a key that opens nothing.

        Only digests are compared, so the time it takes tells nothing about the keys there are.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            return None
        return self._keys.get(digest_of(key), lambda: self._read_key(key))

    def by_id(self, shop_id: int) -> Shop | None:
        """The shop with this id."""

        def read() -> Shop | None:
            with self._database.read() as connection:
                return find_shop(connection, shop_id)

        return self._shops.get(shop_id, read)

    def by_shopify_domain(
        self, domain: str, now: Instant, secret_key: str
    ) -> tuple[Shop, tuple[str, ...]] | None:
        """The shop of a Shopify domain and the secrets that may have signed its webhook."""

        def read() -> tuple[Shop, tuple[str, ...]] | None:
            with self._database.read() as connection:
                return shopify_secrets(connection, domain, now, secret_key)

        return self._domains.get(domain[:300], read)

    def forget(self) -> None:
        """Read everything again: after a change in this very process."""
        for memory in (self._keys, self._shops, self._domains):
            memory.clear()

    def _read_key(self, key: str) -> tuple[Shop, KeyKind] | None:
        with self._database.read() as connection:
            grant = grant_of(connection, key)
            return None if grant is None else _opened(connection, grant)


def _opened(connection: Connection, grant: Grant) -> tuple[Shop, KeyKind] | None:
    shop = find_shop(connection, grant.shop_id)
    return None if shop is None else (shop, grant.kind)


class _Memory(Generic[Found]):
    """What was found, by question, for a time; the oldest answers make room."""

    def __init__(self, ttl_seconds: float, elapsed_seconds: Callable[[], float]) -> None:
        self._ttl_seconds = ttl_seconds
        self._elapsed_seconds = elapsed_seconds
        self._answers: OrderedDict[Hashable, tuple[float, Found]] = OrderedDict()
        self._lock = threading.Lock()
        self._generation = 0

    def get(self, question: Hashable, read: Callable[[], Found]) -> Found:
        """The remembered answer, or else the one that `read` gives."""
        now = self._elapsed_seconds()
        with self._lock:
            known = self._answers.get(question)
            generation = self._generation
        if known is not None and now < known[0]:
            return known[1]
        # Read without the lock: a slow database must not stop the requests that need not ask it.
        answer = read()
        with self._lock:
            # Whoever cleared the memory meanwhile knows better than what was read before.
            if generation == self._generation:
                self._remember(question, now, answer)
        return answer

    def clear(self) -> None:
        """Forget every answer."""
        with self._lock:
            self._answers.clear()
            self._generation += 1

    def _remember(self, question: Hashable, now: float, answer: Found) -> None:
        self._answers[question] = (now + self._ttl_seconds, answer)
        self._answers.move_to_end(question)
        while len(self._answers) > _MOST_REMEMBERED:
            self._answers.popitem(last=False)
