"""Signals that could not be used: what are they, why, and let them try again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, select, update

from customer360.clock import DAY, HOUR, SECOND, Instant
from customer360.errors import Conflict, DeadLetterNotFound
from customer360.intake.balance import DUPLICATE, REJECTED, CountKey, add_counts
from customer360.intake.tables import dead_letters, imports, inbox
from customer360.storage.metadata import shop_clock

_EXCERPT_BYTES = 2000
# Our own failure passes when we have mended it: soon after a restart, or within the hour after an upgrade.
_PASSING = frozenset({"internal_error"})
_LONGEST_WAIT: Instant = HOUR
_GIVEN_UP_AFTER: Instant = DAY
TOO_LARGE = "too_large"
# PostgreSQL takes 65,535 values a statement, SQLite 32,766.
_IDS_A_STATEMENT = 10_000

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


class StillTooLarge(Conflict):
    """This event is larger than C360_MAX_EVENT_BYTES still; raise the limit, then replay it."""


class Replayed(NamedTuple):
    """How many dead letters wait again, and how many stay because the limit on events forbids them still."""

    waiting: int
    too_large: int


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


def replay(
    connection: Connection,
    shop_id: int,
    ids: Sequence[int] | None,
    now: Instant,
    *,
    most_event_bytes: int,
) -> Replayed:
    """Move dead letters (`None`: all) back to the inbox, where they wait again.

    An event over `most_event_bytes` stays, for behind the door nobody asks for its size.
    Raises DeadLetterNotFound when none of `ids` is there, StillTooLarge when all that are there have to stay.
    """
    columns = dead_letters.c
    conditions = _filters(shop_id)
    if ids is not None:
        conditions.append(columns.dead_letter_id.in_(ids))
    large = and_(columns.reason == TOO_LARGE, func.length(columns.body) > most_event_bytes)
    moved = _move(connection, shop_id, [*conditions, not_(large)], now)
    query = select(func.count()).select_from(dead_letters).where(*conditions, large)
    stay = connection.execute(query).scalar_one()
    if ids and not moved:
        raise StillTooLarge if stay else DeadLetterNotFound
    return Replayed(moved, stay)


def replace(connection: Connection, shop_id: int, ids: Sequence[int], now: Instant) -> None:
    """Forget those of these dead letters that are there: their signals came again, so they are duplicates."""
    columns = dead_letters.c
    _lock(connection, shop_id)
    counts: Counter[CountKey] = Counter()
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        some = columns.dead_letter_id.in_(ids[start : start + _IDS_A_STATEMENT])
        conditions = [*_filters(shop_id), some]
        for (_, source, _, reason), n in _counted(connection, shop_id, conditions).items():
            counts[(shop_id, source, REJECTED, reason)] -= n
            counts[(shop_id, source, DUPLICATE, "")] += n
        _forget_rejections(connection, shop_id, conditions, as_duplicates=True)
        connection.execute(delete(dead_letters).where(*conditions))
    add_counts(connection, counts, now)


def replay_due(connection: Connection, shop_id: int, now: Instant) -> int:
    """Move those back whose passing cause may be over: their `retry_at` has come."""
    return _move(connection, shop_id, [*_filters(shop_id), dead_letters.c.retry_at <= now], now)


def shops_with_due(connection: Connection, now: Instant) -> list[int]:
    """The shops that have something for `replay_due`."""
    due = dead_letters.c.retry_at <= now
    return list(connection.scalars(select(dead_letters.c.shop_id).where(due).distinct()))


def next_retry(reason: str, received_at: Instant, now: Instant) -> Instant | None:
    """When a signal that failed for this reason tries again by itself; None when it waits for a person.

    After as long as it has waited already (so the wait doubles), at most an hour, and no more after a day:
    some 35 times in all.
    """
    age = now - received_at
    if reason not in _PASSING or age > _GIVEN_UP_AFTER:
        return None
    return now + min(max(age, SECOND), _LONGEST_WAIT)


def _move(
    connection: Connection, shop_id: int, conditions: Sequence[_Condition], now: Instant
) -> int:
    columns = dead_letters.c
    _lock(connection, shop_id)
    counts = _counted(connection, shop_id, conditions)
    _forget_rejections(connection, shop_id, conditions)
    # A letter keeps its id in the inbox, so replayed letters come in their old order.
    names = [column.name for column in inbox.c]
    kept = [columns["dead_letter_id" if name == "inbox_id" else name] for name in names]
    connection.execute(insert(inbox).from_select(names, select(*kept).where(*conditions)))
    connection.execute(delete(dead_letters).where(*conditions))
    add_counts(connection, {key: -n for key, n in counts.items()}, now)
    return sum(counts.values())


def _lock(connection: Connection, shop_id: int) -> None:
    """Two replays of one letter at the same time: the second waits here and then finds nothing."""
    lock = select(shop_clock.c.shop_id).where(shop_clock.c.shop_id == shop_id)
    connection.execute(lock.with_for_update())


def _counted(
    connection: Connection, shop_id: int, conditions: Sequence[_Condition]
) -> dict[CountKey, int]:
    columns = dead_letters.c
    grouped = (
        select(columns.source, columns.reason, func.count())
        .where(*conditions)
        .group_by(columns.source, columns.reason)
    )
    return {
        (shop_id, source, REJECTED, reason): n for source, reason, n in connection.execute(grouped)
    }


def _forget_rejections(
    connection: Connection,
    shop_id: int,
    conditions: Sequence[_Condition],
    *,
    as_duplicates: bool = False,
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
        .values(
            rejected=imports.c.rejected - of_import,
            duplicate=imports.c.duplicate + (of_import if as_duplicates else 0),
        )
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
        # SQLite knows no part of an empty body.
        excerpt=bytes(row[9] or b"")[:_EXCERPT_BYTES].decode("utf-8", "replace"),
        body=bytes(body),
        envelope=envelope,
    )
