"""Brings a shop's warehouse up to its profile store, exactly once by change number.

The warehouse keeps the number up to which it is complete, and writes it in the transaction that brings the rows.
Whatever dies in between, the next sync begins where the warehouse itself says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, delete, exists, false, select, update

from customer360.errors import ShopNotFound
from customer360.storage.database import Database
from customer360.storage.engines.engine import Engine, Transaction
from customer360.storage.metadata import profile_changes, shop_clock, tombstones
from customer360.storage.mirror import Mirror, Rows, Schema, fetch
from customer360.warehouse.columns import column, has_text, to_arrow
from customer360.warehouse.own_words import KnownWords, OwnWordsOf, OwnWordsReader
from customer360.warehouse.schema import CHANGE, read_notes, write_notes

CHUNK_ROWS = 100_000
"""Changed rows of one table that one warehouse transaction takes: bounds memory, and how long others wait."""

OpenTransaction = Callable[[], AbstractContextManager[Transaction]]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did: changes in (after, change] are in the warehouse now."""

    shop_id: int
    after: int
    change: int
    rows: int = 0
    chunks: int = 0


def sync(
    database: Database,
    engine: Engine,
    shop_id: int,
    schema: Schema,
    *,
    own_words: OwnWordsOf | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> SyncResult:
    """Copy what changed since the last sync; without changes it costs a question to each store.

    After a restore from a backup the warehouse may know more than the profile store, or less than what that still
    has notes of: then it is rebuilt.
    Raises WarehouseBusy when another process holds it, and ShopNotFound.
    """
    copier = Copier(database, shop_id, schema, own_words or OwnWordsOf(), chunk_rows)
    result = copier.catch_up(partial(engine.transaction, shop_id))
    if result is None:
        return rebuild(database, engine, shop_id, schema, own_words=own_words)
    if result.chunks:
        note_synced(database, shop_id, result.change)
    return result


def rebuild(
    database: Database,
    engine: Engine,
    shop_id: int,
    schema: Schema,
    *,
    own_words: OwnWordsOf | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> SyncResult:
    """Make the warehouse anew from the profile store; questions go to the old one until the new one is complete."""
    copier = Copier(database, shop_id, schema, own_words or OwnWordsOf(), chunk_rows)
    with engine.rebuilding(shop_id) as draft:
        result = copier.catch_up(draft.transaction)
        assert result is not None, "a new warehouse knows nothing"
    note_synced(database, shop_id, result.change)
    return result


def note_synced(database: Database, shop_id: int, change: int) -> None:
    """Tell the profile store, which forgets what only the warehouse had to hear of."""
    with database.write() as connection:
        connection.execute(
            update(shop_clock)
            .where(shop_clock.c.shop_id == shop_id)
            .values(synced=change, forgotten=change)
        )
        # Where there are segments, their members have to follow first.
        followed = exists().where(
            shop_clock.c.shop_id == shop_id, shop_clock.c.refreshed.is_not(None)
        )
        for table, kept in ((tombstones, false()), (profile_changes, followed)):
            old = (table.c.shop_id == shop_id) & (table.c.change <= change)
            connection.execute(delete(table).where(old, ~kept))


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies one shop, chunk by chunk."""

    database: Database
    shop_id: int
    schema: Schema
    own_words: OwnWordsOf
    chunk_rows: int = CHUNK_ROWS

    def catch_up(self, transaction: OpenTransaction) -> SyncResult | None:
        """Copy chunks until nothing is left; None when the warehouse is not one that can be brought up to date.

        Each chunk reads a snapshot of its own, so none is held open for long: a row that changes again meanwhile
        comes with a later chunk, as its change number rose.
        """
        first = after = change = -1
        rows = chunks = 0
        while chunks == 0 or after < change:
            with transaction() as target:
                notes = read_notes(target)
                after = notes.get(CHANGE, 0)
                first = after if first < 0 else first
                with self.database.read() as connection:
                    change, forgotten = _clock(connection, self.shop_id)
                    # Whoever begins from nothing needs no notes: its first chunk has every profile as it is now.
                    if chunks == 0 and (after > change or 0 < after < forgotten):
                        return None
                    if after == change and CHANGE in notes:
                        break
                    upto = self._end_of_chunk(connection, after, change)
                    own_words = self.own_words.reader(connection, self.shop_id)
                    rows += _Chunk(connection, target, self, own_words, after, upto, notes).copy()
                # What the warehouse has must never be newer than what the disk has.
                self.database.settle()
                after, chunks = upto, chunks + 1
        return SyncResult(self.shop_id, first, after, rows, chunks)

    def _end_of_chunk(self, connection: Connection, after: int, change: int) -> int:
        upto = change
        tables = {mirror.changed_in for mirror in self.schema.mirrors} | {"tombstones"}
        for table in sorted(tables):
            statement = (
                f"select change from {table} where shop_id = {{}} and change > {{}} and change <= {{}}"
                " order by change limit 1 offset {}"
            )
            parameters = (self.shop_id, after, upto, self.chunk_rows)
            for found in fetch(connection, statement, parameters):
                # One transaction's rows stay together, however many they are.
                upto = max(after + 1, found[0][0] - 1)
        return upto


def behind(connection: Connection) -> frozenset[int]:
    """The shops of which a warehouse has not heard of the newest change."""
    query = select(shop_clock.c.shop_id).where(shop_clock.c.change != shop_clock.c.synced)
    return frozenset(connection.scalars(query))


def last_change(connection: Connection, shop_id: int) -> int:
    """The shop's newest change number in this snapshot."""
    return _clock(connection, shop_id)[0]


def _clock(connection: Connection, shop_id: int) -> tuple[int, int]:
    """The newest change number, and the last one of which the notes are gone."""
    query = select(shop_clock.c.change, shop_clock.c.forgotten).where(
        shop_clock.c.shop_id == shop_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ShopNotFound
    return int(row.change), int(row.forgotten)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The changes in (after, upto], from one snapshot into one warehouse transaction."""

    connection: Connection
    target: Transaction
    copier: Copier
    own_words: OwnWordsReader
    after: int
    upto: int
    notes: dict[str, int]

    def copy(self) -> int:
        """Copy the chunk; returns how many rows entered."""
        self._bury()
        new_notes = {CHANGE: self.upto}
        rows = 0
        for mirror in self.copier.schema.mirrors:
            copied, highest = self._copy_mirror(mirror)
            rows += copied
            if highest > self.notes.get(_highest_of(mirror), 0):
                new_notes[_highest_of(mirror)] = highest
        write_notes(self.target, new_notes)
        return rows

    def _bury(self) -> None:
        statement = "select mirror, row_id from tombstones where shop_id = {} and change > {} and change <= {}"
        gone: dict[int, list[int]] = {}
        for rows in fetch(self.connection, statement, (self.copier.shop_id, self.after, self.upto)):
            for number, row_id in rows:
                gone.setdefault(number, []).append(row_id)
        for mirror in self.copier.schema.mirrors:
            if mirror.number in gone:
                self.target.delete(
                    mirror.table, mirror.key, pa.array(gone[mirror.number], pa.int64())
                )

    def _copy_mirror(self, mirror: Mirror) -> tuple[int, int]:
        shop_id = self.copier.shop_id
        highest = before = self.notes.get(_highest_of(mirror), 0)
        count, entered = 0, pa.array([], pa.int64())
        for rows in mirror.rows(self.connection, shop_id, self.after, self.upto):
            keys = pc.unique(pa.array(rows.keys, pa.int64()))
            # Ids rise with time, so those above the highest that ever entered cannot be in the table.
            known = keys.filter(pc.less_equal(keys, before))
            # Of a key whose rows come in two batches the first batch must stay.
            known = known.filter(pc.invert(pc.is_in(known, value_set=entered)))
            if len(known):
                self.target.delete(mirror.table, mirror.key, known)
            if rows.columns and len(rows.columns[0]):
                self.target.append(mirror.table, self._table(mirror, rows))
                count += len(rows.columns[0])
            highest = max(highest, pc.max(keys).as_py() or 0)
            entered = keys
        return count, highest

    def _table(self, mirror: Mirror, rows: Rows) -> pa.Table:
        own = KnownWords()
        if rows.own_words is not None:
            own.told.add(rows.own_words)
        elif mirror.owner is not None and has_text(mirror):
            own = self.own_words.read(column(mirror, rows, mirror.owner))
        return to_arrow(mirror, rows, own)


def _highest_of(mirror: Mirror) -> str:
    return f"highest:{mirror.table}"
