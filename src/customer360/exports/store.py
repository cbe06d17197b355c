"""The log of exports."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from customer360.clock import Instant
from customer360.exports.tables import exports
from customer360.values import new_ids


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One export. `everybody`: also people without consent; `complete`: the file was written to its end."""

    export_id: int
    segment_id: int
    segment_name: str
    format: str
    actor: str
    everybody: bool
    started_at: Instant
    ended_at: Instant | None
    complete: bool
    written: int
    without_consent: int
    without_contact: int


def note_start(connection: Connection, shop_id: int, **told: Any) -> int:
    """Note an export that begins; returns its id."""
    export_id = new_ids.next()
    counts = {"complete": False, "written": 0, "without_consent": 0, "without_contact": 0}
    row = {"shop_id": shop_id, "export_id": export_id, **told, **counts}
    connection.execute(insert(exports).values(row))
    return export_id


def note_end(connection: Connection, shop_id: int, export_id: int, **told: Any) -> None:
    """Note what an export came to."""
    one = (exports.c.shop_id == shop_id, exports.c.export_id == export_id)
    connection.execute(update(exports).where(*one).values(told))


def list_exports(
    connection: Connection,
    shop_id: int,
    *,
    segment_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[ExportRow]:
    """A page of the log, newest first; `before` is the id of the last one of the page before."""
    columns = [exports.c[name] for name in ExportRow.__struct_fields__]
    query = select(*columns).where(exports.c.shop_id == shop_id)
    if segment_id is not None:
        query = query.where(exports.c.segment_id == segment_id)
    if before is not None:
        query = query.where(exports.c.export_id < before)
    rows = connection.execute(query.order_by(exports.c.export_id.desc()).limit(limit))
    return [ExportRow(**row._mapping) for row in rows]
