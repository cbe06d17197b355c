"""How fast could it be at all? Plain SQLite on the same machine, with the same rows and the same pragmas."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from customer360.clock import parse_instant
from customer360.events.model import SourceRank, Traits
from customer360.events.tables import events
from customer360.events.told import Told
from customer360.storage.database import Database
from customer360.storage.metadata import metadata

_COLUMNS = [column.name for column in events.columns]


def event_rows(shop_id: int, bodies: Iterable[bytes]) -> list[tuple[Any, ...]]:
    """The rows of the table of events that these calls become, numbered as they come."""
    rows = []
    for number, body in enumerate(bodies):
        call = msgspec.json.decode(body)
        visitor = int(call["anonymousId"].rpartition("-")[2])
        said = call.get("properties") or call.get("traits")
        context = call["context"]
        told = Told(
            f"segment:{call['messageId']}",
            Traits(language=context["locale"], timezone=context["timezone"]),
        )
        rows.append(
            (
                shop_id,
                visitor,
                parse_instant(call["timestamp"]),
                number,
                call.get("event", call["type"]),
                "segment",
                int(SourceRank.PIXEL),
                None,
                msgspec.json.encode(said).decode(),
                msgspec.json.encode(told).decode(),
                1 + number // 2000,
            )
        )
    return rows


def inserts_per_second(folder: Path, rows: Sequence[tuple[Any, ...]]) -> float:
    """Rows a second that `sqlite3.executemany` puts into the table of events: one statement, one commit."""
    with closing(Database(f"sqlite:///{folder / 'limit.sqlite'}")) as database:
        metadata.create_all(database.engine, [events])
        marks = ", ".join("?" * len(_COLUMNS))
        statement = f"insert into {events.name} ({', '.join(_COLUMNS)}) values ({marks})"
        started = time.perf_counter()
        with database.write() as connection:
            connection.exec_driver_sql(statement, list(rows))
        return len(rows) / (time.perf_counter() - started)
