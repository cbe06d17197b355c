"""Signals that could not be used: what are they, why, and let them try again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from customer360.clock import MINUTE, SECOND, Instant
from customer360.errors import DeadLetterNotFound
from customer360.intake.balance import REJECTED, CountKey, add_counts
from customer360.intake.tables import dead_letters, imports, inbox
from customer360.storage.metadata import shop_clock

_EXCERPT_BYTES = 2000
_LONGEST_WAIT = 5 * MINUTE

_Condition = ColumnElement[bool]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected signal; `excerpt` begins its body, `body` is all of it where that was asked for."""

    dead_letter_id: int
    source: str
    reason: str
    detail: str
    received_at: Instant
    failed_at: Instant
    attempts: int
    retry_at: Instant | None
    import_id: int | None
    excerpt: str
    body: bytes = b""
    envelope: bytes | None = None


class ReasonCount(msgspec.Struct, frozen=True):
    """How many dead letters a source has for one reason."""

    source: str
    reason: str
    n: int


def list_letters(
    connection: Connection,
    shop_id: int,
    *,
    source: str | None = None,
    reason: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[DeadLetter]:
    """The shop's dead letters, newest first; `before` is the last id of the previous page."""
    conditions = _filters(shop_id, source, reason)
    if before is not None:
        conditions.append(dead_letters.c.dead_letter_id < before)
    query = _select(func.substr(dead_letters.c.body, 1, _EXCERPT_BYTES))
    newest_first = dead_letters.c.dead_letter_id.desc()
    rows = connection.execute(query.where(*conditions).order_by(newest_first).limit(limit))
    return [_letter(row) for row in rows]


def count_letters(
    connection: Connection, shop_id: int, *, source: str | None = None, reason: str | None = None
) -> int:
    """How many dead letters the shop has."""
    query = select(func.count()).select_from(dead_letters)
    return connection.execute(query.where(*_filters(shop_id, source, reason))).scalar_one()


def count_by_reason(connection: Connection, shop_id: int) -> list[ReasonCount]:
    """How many dead letters the shop has by source and reason, most first."""
    columns = dead_letters.c
    n = func.count()
    query = (
        select(columns.source, columns.reason, n)
        .where(columns.shop_id == shop_id)
        .group_by(columns.source, columns.reason)
        .order_by(n.desc(), columns.source, columns.reason)
    )
    return [ReasonCount(*row) for row in connection.execute(query)]


def load_letter(connection: Connection, shop_id: int, dead_letter_id: int) -> DeadLetter:
    """One dead letter with its whole body; raises DeadLetterNotFound."""
    columns = dead_letters.c
    query = _select(columns.body, columns.envelope).where(
        columns.shop_id == shop_id, columns.dead_letter_id == dead_letter_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise DeadLetterNotFound
    return _letter(row, body=row[-2], envelope=row[-1])


def replay(connection: Connection, shop_id: int, ids: Sequence[int] | None, now: Instant) -> int:
    """Move dead letters (`None`: all) back to the inbox, where they wait again; says how many.

    Raises DeadLetterNotFound when none of `ids` is there.
    """
    conditions = _filters(shop_id)
    if ids is not None:
        conditions.append(dead_letters.c.dead_letter_id.in_(ids))
    moved = _move(connection, shop_id, conditions, now)
    if ids and not moved:
        raise DeadLetterNotFound
    return moved


def replay_due(connection: Connection, shop_id: int, now: Instant) -> int:
    """Move those back whose passing cause may be over: their `retry_at` has come."""
    return _move(connection, shop_id, [*_filters(shop_id), dead_letters.c.retry_at <= now], now)


def shops_with_due(connection: Connection, now: Instant) -> list[int]:
    """The shops that have something for `replay_due`."""
    due = dead_letters.c.retry_at <= now
    return list(connection.scalars(select(dead_letters.c.shop_id).where(due).distinct()))


def next_retry(received_at: Instant, now: Instant) -> Instant:
    """When to try again: after as long as it has waited already (so it doubles), at most 5 minutes."""
    return now + min(max(now - received_at, SECOND), _LONGEST_WAIT)


def _move(
    connection: Connection, shop_id: int, conditions: Sequence[_Condition], now: Instant
) -> int:
    columns = dead_letters.c
    # Two replays of one letter at the same time: the second waits here and then finds nothing.
    lock = select(shop_clock.c.shop_id).where(shop_clock.c.shop_id == shop_id)
    connection.execute(lock.with_for_update())
    grouped = (
        select(columns.source, columns.reason, func.count())
        .where(*conditions)
        .group_by(columns.source, columns.reason)
    )
    counts: dict[CountKey, int] = {
        (shop_id, source, REJECTED, reason): -n for source, reason, n in connection.execute(grouped)
    }
    _forget_rejections(connection, shop_id, conditions)
    # A letter keeps its id in the inbox, so replayed letters come in their old order.
    names = [column.name for column in inbox.c]
    kept = [columns["dead_letter_id" if name == "inbox_id" else name] for name in names]
    connection.execute(insert(inbox).from_select(names, select(*kept).where(*conditions)))
    connection.execute(delete(dead_letters).where(*conditions))
    add_counts(connection, counts, now)
    return -sum(counts.values())


def _forget_rejections(
    connection: Connection, shop_id: int, conditions: Sequence[_Condition]
) -> None:
    """A row of a file is counted once in its import: as rejected no longer, when it is tried again."""
    of_import = (
        select(func.count())
        .where(*conditions, dead_letters.c.import_id == imports.c.import_id)
        .scalar_subquery()
    )
    waiting = select(dead_letters.c.import_id).where(
        *conditions, dead_letters.c.import_id.is_not(None)
    )
    connection.execute(
        update(imports)
        .where(imports.c.shop_id == shop_id, imports.c.import_id.in_(waiting))
        .values(rejected=imports.c.rejected - of_import)
    )


def _filters(
    shop_id: int, source: str | None = None, reason: str | None = None
) -> list[_Condition]:
    conditions: list[_Condition] = [dead_letters.c.shop_id == shop_id]
    if source is not None:
        conditions.append(dead_letters.c.source == source)
    if reason is not None:
        conditions.append(dead_letters.c.reason == reason)
    return conditions


def _select(*bodies: ColumnElement[Any]) -> Any:
    columns = dead_letters.c
    return select(
        columns.dead_letter_id,
        columns.source,
        columns.reason,
        columns.detail,
        columns.received_at,
        columns.failed_at,
        columns.attempts,
        columns.retry_at,
        columns.import_id,
        *bodies,
    )


def _letter(row: Any, *, body: bytes = b"", envelope: bytes | None = None) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=row.dead_letter_id,
        source=row.source,
        reason=row.reason,
        detail=row.detail,
        received_at=row.received_at,
        failed_at=row.failed_at,
        attempts=row.attempts,
        retry_at=row.retry_at,
        import_id=row.import_id,
        excerpt=bytes(row[9])[:_EXCERPT_BYTES].decode("utf-8", "replace"),
        body=bytes(body),
        envelope=envelope,
    )
