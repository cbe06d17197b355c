"""Imports: which file is being taken in, how far it has come, and what became of its rows.

The position is committed with the rows: after a crash the same file goes on behind its last acknowledged row,
and no row is received twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from customer360.clock import Clock, Instant
from customer360.errors import Conflict, DiskNearlyFull, ImportNotFound, InvalidInput
from customer360.events.model import SourceRank, Trust
from customer360.intake.dead_letters import replace
from customer360.intake.files.again import RejectedBefore
from customer360.intake.files.formats import Format, Kind
from customer360.intake.files.mapping import ColumnMapping
from customer360.intake.files.open import DAMAGED, digest_of
from customer360.intake.files.plan import Plan
from customer360.intake.files.signals import FileSignal, Reading, read_signals
from customer360.intake.inbox import InboxRow, store
from customer360.intake.tables import dead_letters, imports, inbox
from customer360.storage.database import Database
from customer360.values import new_ids

# Rows of one transaction, and how much they may hold: some 50 ms of writing, so that others need not wait.
_BATCH_ROWS = 4096
_BATCH_BYTES = 4 * 1024**2
_UNFINISHED = ("reading", "failed")

Progress = Callable[["Import"], None]
"""Told after each transaction how far the import has come."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One file taken in. `state`: reading, processing (the worker has not done with the rows), done, failed."""

    shop_id: int
    import_id: int
    kind: Kind
    format: Format
    file_name: str
    file_digest: str
    mapping: ColumnMapping
    state: str
    rows_read: int
    bytes_read: int
    bytes_total: int
    stored: int
    duplicate: int
    rejected: int
    error: str
    started_at: Instant
    finished_at: Instant | None

    @property
    def waiting(self) -> int:
        """Rows that were read and that the worker has not processed yet."""
        return max(0, self.rows_read - self.stored - self.duplicate - self.rejected)

    @property
    def source(self) -> str:
        """Name of the source that the rows come from."""
        return f"{self.kind}_file"

    @property
    def plan(self) -> Plan:
        """How the file is read."""
        return Plan(self.kind, self.format, self.mapping)


def start_import(
    database: Database, clock: Clock, shop_id: int, path: Path, plan: Plan, *, file_name: str = ""
) -> Import:
    """Begin to take a file in, or go on with the one that was interrupted: the same file with the same plan."""
    digest = digest_of(path)
    mapping = msgspec.json.encode(plan.mapping, order="sorted").decode()
    same = (
        imports.c.shop_id == shop_id,
        imports.c.kind == plan.kind,
        imports.c.format == plan.format,
        imports.c.mapping == mapping,
        imports.c.file_digest == digest,
        imports.c.state.in_(_UNFINISHED),
    )
    new: dict[str, Any] = {
        "shop_id": shop_id,
        "import_id": new_ids.next(),
        "kind": plan.kind,
        "format": plan.format,
        "file_name": file_name or path.name,
        "file_digest": digest,
        "mapping": mapping,
        "state": "reading",
        "bytes_total": path.stat().st_size,
        "error": "",
        "started_at": clock.now(),
    }
    zeros = ("rows_read", "bytes_read", "stored", "duplicate", "rejected")
    with database.write() as connection:
        newest_first = imports.c.import_id.desc()
        query = select(imports.c.import_id).where(*same).order_by(newest_first).limit(1)
        found = connection.scalar(query)
        if found is None:
            connection.execute(insert(imports).values(**new, **dict.fromkeys(zeros, 0)))
        return load_import(connection, shop_id, found or new["import_id"])


def read_import(
    database: Database,
    clock: Clock,
    job: Import,
    path: Path,
    progress: Progress | None = None,
    *,
    min_free_bytes: int = 0,
) -> Import:
    """Put every row of the file that is not there yet into the inbox; returns the import, now processing.

    `database` must sync each commit. Raises InvalidInput when the file is damaged or another one than before,
    Conflict when another process is reading it too, and DiskNearlyFull; all but a damaged file can go on later.
    """
    if job.rows_read and digest_of(path) != job.file_digest:
        raise InvalidInput(f"{path.name} has changed since this import began; start a new one")
    try:
        with (
            read_signals(path, job.plan) as reading,
            RejectedBefore(database, job.shop_id, job.source, job.import_id) as before,
        ):
            for _ in islice(reading.signals, job.rows_read):
                pass
            for batch in _batches(reading.signals):
                _check_space(database, min_free_bytes)
                job = _put(database, clock, job, batch, reading, before.among(batch))
                if progress is not None:
                    progress(job)
    except DAMAGED as error:
        text = f"The file is damaged after row {job.rows_read:,}; the rows before it were taken in"
        _end_reading(database, job, "failed", clock.now(), text)
        raise InvalidInput(text) from error
    return _end_reading(database, job, "processing", clock.now())


def load_import(connection: Connection, shop_id: int, import_id: int) -> Import:
    """One import of the shop; raises ImportNotFound."""
    query = select(imports).where(imports.c.shop_id == shop_id, imports.c.import_id == import_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ImportNotFound
    return _import_of(dict(row))


def list_imports(connection: Connection, shop_id: int, *, limit: int = 50) -> list[Import]:
    """The shop's imports, newest first."""
    query = select(imports).where(imports.c.shop_id == shop_id)
    rows = connection.execute(query.order_by(imports.c.import_id.desc()).limit(limit)).mappings()
    return [_import_of(dict(row)) for row in rows]


def rejection_reasons(connection: Connection, shop_id: int, import_id: int) -> dict[str, int]:
    """Why rows of an import were rejected: reason -> rows, most first."""
    letters = dead_letters.c
    query = (
        select(letters.reason, func.count().label("n"))
        .where(letters.shop_id == shop_id, letters.import_id == import_id)
        .group_by(letters.reason)
        .order_by(func.count().desc(), letters.reason)
    )
    return {row.reason: row.n for row in connection.execute(query)}


def finish_imports(connection: Connection, shop_id: int, now: Instant) -> int:
    """Call those imports done whose rows have all left the inbox; says how many."""
    columns = imports.c
    waiting = select(inbox.c.inbox_id).where(
        inbox.c.shop_id == shop_id, inbox.c.import_id == columns.import_id
    )
    statement = (
        update(imports)
        .where(columns.shop_id == shop_id, columns.state == "processing", ~waiting.exists())
        .values(state="done", finished_at=now)
    )
    return connection.execute(statement).rowcount


def _put(
    database: Database,
    clock: Clock,
    job: Import,
    batch: list[FileSignal],
    reading: Reading,
    letters: list[int],
) -> Import:
    now = clock.now()
    rows = [_row(job, signal, now) for signal in batch]
    rejected = sum(1 for signal in batch if signal.rejected)
    with database.write() as connection:
        if letters:
            replace(connection, job.shop_id, letters, now)
        columns = imports.c
        # Whoever else reads the same file has moved the position, and then this matches no row.
        statement = (
            update(imports)
            .where(columns.shop_id == job.shop_id, columns.import_id == job.import_id)
            .where(columns.rows_read == job.rows_read)
            .values(
                state="reading",
                rows_read=job.rows_read + len(rows),
                bytes_read=reading.file.bytes_read,
                rejected=columns.rejected + rejected,
                error="",
            )
        )
        if not connection.execute(statement).rowcount:
            raise Conflict("Another process is taking in this file; let it finish")
        store(connection, rows, now)
        return load_import(connection, job.shop_id, job.import_id)


def _row(job: Import, signal: FileSignal, now: Instant) -> InboxRow:
    return InboxRow(
        shop_id=job.shop_id,
        source=job.source,
        trust=Trust.FULL,
        rank=SourceRank.FILE,
        received_at=now,
        body=signal.body,
        envelope=signal.envelope,
        import_id=job.import_id,
        rejected=signal.rejected,
    )


def _batches(signals: Iterator[FileSignal]) -> Iterator[list[FileSignal]]:
    batch: list[FileSignal] = []
    held = 0
    for signal in signals:
        batch.append(signal)
        held += len(signal.body)
        if len(batch) >= _BATCH_ROWS or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _check_space(database: Database, min_free_bytes: int) -> None:
    if min_free_bytes and database.path is not None:
        free_bytes = shutil.disk_usage(database.path.parent).free
        if free_bytes < min_free_bytes:
            raise DiskNearlyFull


def _end_reading(
    database: Database, job: Import, state: str, now: Instant, error: str = ""
) -> Import:
    values: dict[str, Any] = {"state": state, "error": error}
    if state == "processing":
        values["bytes_read"] = job.bytes_total
    columns = imports.c
    of_job = (columns.shop_id == job.shop_id, columns.import_id == job.import_id)
    with database.write() as connection:
        connection.execute(update(imports).where(*of_job).values(**values))
        # The worker may have been as fast as the reader, or no row may have been usable.
        finish_imports(connection, job.shop_id, now)
        return load_import(connection, job.shop_id, job.import_id)


def _import_of(row: dict[str, Any]) -> Import:
    mapping = msgspec.json.decode(row["mapping"], type=ColumnMapping)
    return Import(**{**row, "mapping": mapping})
