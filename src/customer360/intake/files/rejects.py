"""The rejected rows of an import as a CSV file, as they stand in the original, each with its reason."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

import msgspec
from sqlalchemy import Connection, select

from customer360.intake.files.jobs import Import
from customer360.intake.files.open import OpenedFile, open_text
from customer360.intake.files.rows import REJECT_COLUMNS, Table
from customer360.intake.tables import dead_letters
from customer360.spreadsheet import safe_cell

_BATCH = 1000


class _Numbered(msgspec.Struct):
    row: int = 0


def write_rejects(connection: Connection, job: Import, path: Path, output: TextIO) -> int:
    """Write the rejected rows of the import, whose file is at `path`, in the file's order; says how many."""
    written = 0
    with closing(_rejected_rows(connection, job)) as rejected, open_text(path) as file:
        header, rows = _rows(file, job)
        writer = csv.writer(output)
        writer.writerow([*REJECT_COLUMNS, *map(_cell, header)])
        query = "select number, reason, detail from rejected order by number"
        wanted = rejected.execute(query)
        entry = wanted.fetchone()
        for number, cells in enumerate(rows, start=1):
            if entry is None:
                break
            if number == entry[0]:
                writer.writerow([*entry[:2], *map(_cell, [entry[2], *cells])])
                written += 1
                entry = wanted.fetchone()
    return written


def _cell(text: str) -> str:
    return safe_cell(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _rejected_rows(connection: Connection, job: Import) -> sqlite3.Connection:
    """Row number, reason and detail of every dead letter of the import, sorted on disk."""
    letters = dead_letters.c
    query = (
        select(letters.envelope, letters.reason, letters.detail)
        .where(letters.shop_id == job.shop_id, letters.import_id == job.import_id)
        .execution_options(yield_per=_BATCH)
    )
    rejected = sqlite3.connect("", isolation_level=None)
    rejected.execute("create table rejected (number integer primary key, reason text, detail text)")
    decode = msgspec.json.Decoder(_Numbered).decode
    for batch in connection.execute(query).partitions():
        values = [(decode(row.envelope or b"{}").row, row.reason, row.detail) for row in batch]
        rejected.executemany("insert or replace into rejected values (?, ?, ?)", values)
    return rejected


def _rows(file: OpenedFile, job: Import) -> tuple[list[str], Iterator[list[str]]]:
    if job.kind != "events":
        table = Table(file)
        return table.header, (row.cells for row in table.rows())
    lines = (line.strip() for line in iter(file.read_line, ""))
    return ["event"], ([line] for line in lines if line)
