"""Which rows of this file were rejected before? They are tried again, and each takes the place of its dead letter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from customer360.intake.files.scratch import KEYS_A_STATEMENT, Scratch
from customer360.intake.files.signals import FileSignal
from customer360.intake.tables import dead_letters
from customer360.storage.database import Database

_BATCH = 1000


class _Known(msgspec.Struct):
    row_key: str = ""


_decode = msgspec.json.Decoder(_Known).decode


class RejectedBefore(Scratch):
    """The dead letters of earlier imports by their row, in a temporary database that goes with it."""

    def __init__(self, database: Database, shop_id: int, source: str, import_id: int) -> None:
        super().__init__("letters (key blob, letter integer)")
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
                self._database.executemany("insert into letters values (?, ?)", values)
        self._database.execute("create index by_key on letters (key)")

    def among(self, signals: Sequence[FileSignal]) -> list[int]:
        """The ids of the dead letters that these rows were; some may have been replayed meanwhile."""
        keys = [_key(signal.envelope, signal.body) for signal in signals]
        found: list[int] = []
        for start in range(0, len(keys), KEYS_A_STATEMENT):
            some = keys[start : start + KEYS_A_STATEMENT]
            marks = ", ".join("?" * len(some))
            rows = self._database.execute(
                f"select letter from letters where key in ({marks}) order by letter", some
            )
            found += [letter for (letter,) in rows]
        return found


def _key(envelope: bytes, body: bytes) -> bytes:
    """What a row is known by; one that could not even be cut into cells, by its text and its place."""
    row_key = _decode(envelope or b"{}").row_key
    return row_key.encode() if row_key else envelope + bytes(body)
