"""How often has this row been in the file before? Counted on disk, so that memory stays the same."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

_CACHE_KIB = 32 * 1024
# SQLite takes 32,766 values a statement.
_KEYS_A_STATEMENT = 4096


class Ordinals:
    """Counts equal keys over a whole file, in a temporary database that goes with it."""

    def __init__(self) -> None:
        # The empty name is SQLite's for a private file that it deletes itself, also when the process dies.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = off", "synchronous = off", f"cache_size = -{_CACHE_KIB}"):
            self._database.execute(f"pragma {pragma}")
        self._database.execute("create table seen (key blob primary key, n integer) without rowid")
        self._database.execute("begin")

    def __enter__(self) -> Ordinals:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def take(self, keys: Sequence[bytes]) -> list[int]:
        """For each key in turn, how many equal ones came before it."""
        ordinals: list[int] = []
        for start in range(0, len(keys), _KEYS_A_STATEMENT):
            ordinals += self._take(keys[start : start + _KEYS_A_STATEMENT])
        return ordinals

    def _take(self, keys: Sequence[bytes]) -> list[int]:
        counts = Counter(keys)
        # A key begins with its order id, and files have their orders more or less in turn: sorted keys share pages.
        values = [value for item in sorted(counts.items()) for value in item]
        rows = self._database.execute(
            f"insert into seen (key, n) values {', '.join(['(?, ?)'] * len(counts))} "
            "on conflict (key) do update set n = n + excluded.n returning key, n",
            values,
        )
        before = {key: n - counts[key] for key, n in rows}
        ordinals = []
        for key in keys:
            ordinals.append(before[key])
            before[key] += 1
        return ordinals
