"""Where is kept what an import must look up row by row? On disk, so that memory stays the same."""

from __future__ import annotations

import sqlite3
from types import TracebackType
from typing import Self

_CACHE_KIB = 32 * 1024

# SQLite takes 32,766 values a statement.
KEYS_A_STATEMENT = 4096


class Scratch:
    """A temporary database with one table, which goes with it."""

    def __init__(self, table: str) -> None:
        # The empty name is SQLite's for a private file that it deletes itself, also when the process dies.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = off", "synchronous = off", f"cache_size = -{_CACHE_KIB}"):
            self._database.execute(f"pragma {pragma}")
        self._database.execute(f"create table {table}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
