"""The rejected rows come back as they were, with their reasons, and harm no spreadsheet."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from customer360.clock import FixedClock
from customer360.intake.files.formats import Kind
from customer360.intake.files.jobs import Import, read_import, start_import
from customer360.intake.files.plan import plan_import
from customer360.intake.files.rejects import write_rejects
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock

SHOP = 7


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        with database.write() as connection:
            connection.execute(insert(shop_clock), [{"shop_id": SHOP}])
        yield database


def rejects_of(
    database: Database, clock: FixedClock, path: Path, kind: Kind, pairs: list[str]
) -> list[list[str]]:
    """The lines of the rejects file of an import."""
    plan = plan_import(path, kind, None, pairs)
    job: Import = read_import(
        database, clock, start_import(database, clock, SHOP, path, plan), path
    )
    output = io.StringIO(newline="")
    with database.read() as connection:
        written = write_rejects(connection, job, path, output)
    lines = list(csv.reader(io.StringIO(output.getvalue(), newline="")))
    assert written == len(lines) - 1
    return lines


def test_rejected_rows_stand_in_the_order_of_the_file(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(
        b'order,at,=note\n1,2026-01-31,ok\n2,=cmd\n3,2026-01-31,"a\nb",x\n4,2026-01-31,Jos\xe9\n'
        + "5,2026-01-31,Zoë Chloé".encode()
    )

    lines = rejects_of(database, clock, path, "orders", ["order_id=order", "placed_at=at"])

    detail = "The row has 4 columns, the header 3"
    assert lines == [
        ["row", "reason", "detail", "order", "at", "'=note"],
        ["2", "too_few_columns", "The row has 2 columns, the header 3", "2", "'=cmd"],
        [*("3", "too_many_columns", detail), *("3", "2026-01-31", "a\nb", "x")],
        ["4", "bad_encoding", "The row is not valid utf-8", "4", "2026-01-31", "Jos�"],
    ]


def test_rejected_events_are_lines(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes('{"é": 1}\n\n'.encode() + b'{"\xe9": 2}\n{"a": 3}\n')

    lines = rejects_of(database, clock, path, "events", [])

    assert lines[1:] == [["2", "bad_encoding", "The line is not valid utf-8", '{"�": 2}']]
