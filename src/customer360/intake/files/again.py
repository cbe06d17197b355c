"""Which rows of this file were rejected before? They are tried again, and each takes the place of its dead letter."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import TracebackType

import msgspec
from sqlalchemy import select

from customer360.intake.files.signals import FileSignal
from customer360.intake.tables import dead_letters
from customer360.storage.database import Database

_CACHE_KIB = 32 * 1024
_BATCH = 1000
# SQLite takes 32,766 values a statement.
_KEYS_A_STATEMENT = 4096


class _Known(msgspec.Struct):
    row_key: str = ""


_decode = msgspec.json.Decoder(_Known).decode


class RejectedBefore:
    """The dead letters of earlier imports by their row, in a temporary database that goes with it."""

    def __init__(self, database: Database, shop_id: int, source: str, import_id: int) -> None:
        # As in `Ordinals`: a private file of SQLite's own.
        self._letters = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = off", "synchronous = off", f"cache_size = -{_CACHE_KIB}"):
            self._letters.execute(f"pragma {pragma}")
        self._letters.execute("create table letters (key blob, letter integer)")
        columns = dead_letters.c
        query = (
            select(columns.dead_letter_id, columns.envelope, columns.body)
            .where(
                columns.shop_id == shop_id,
                columns.source == source,
                columns.import_id < import_id,
            )
            .execution_options(yield_per=_BATCH)
        )
        with database.read() as connection:
            for batch in connection.execute(query).partitions():
                values = [(_key(row.envelope or b"", row.body), row[0]) for row in batch]
                self._letters.executemany("insert into letters values (?, ?)", values)
        self._letters.execute("create index by_key on letters (key)")

    def __enter__(self) -> RejectedBefore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._letters.close()

    def among(self, signals: Sequence[FileSignal]) -> list[int]:
        """The ids of the dead letters that these rows were; some may have been replayed meanwhile."""
        keys = [_key(signal.envelope, signal.body) for signal in signals]
        found: list[int] = []
        for start in range(0, len(keys), _KEYS_A_STATEMENT):
            some = keys[start : start + _KEYS_A_STATEMENT]
            marks = ", ".join("?" * len(some))
            rows = self._letters.execute(
                f"select letter from letters where key in ({marks}) order by letter", some
            )
            found += [letter for (letter,) in rows]
        return found


def _key(envelope: bytes, body: bytes) -> bytes:
    """What a row is known by; one that could not even be cut into cells, by its text and its place."""
    row_key = _decode(envelope or b"{}").row_key
    return row_key.encode() if row_key else envelope + bytes(body)
