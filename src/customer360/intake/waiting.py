"""What waits in the inbox, and how it leaves: stored, known already, or kept as a dead letter with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.intake.balance import DUPLICATE, REJECTED, STORED, write_counts
from customer360.intake.dead_letters import next_retry
from customer360.intake.tables import dead_letters, imports, inbox
from customer360.storage.database import Writes
from customer360.storage.mirror import fetch


class Waiting(msgspec.Struct, frozen=True):
    """A row of the inbox."""

    inbox_id: int
    source: str
    trust: int
    rank: int
    received_at: Instant
    body: bytes
    envelope: bytes | None
    import_id: int | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A signal that cannot be used, with the reason as a word and as a sentence."""

    row: Waiting
    reason: str
    detail: str


_TAKEN_AT_ONCE = 1000
_ENOUGH_BYTES = 32 * 1024**2
"""No more is taken once the bodies have so many bytes: a step of huge signals fits into memory."""


def take(connection: Connection, shop_id: int, limit: int) -> list[Waiting]:
    """The signals of a shop that have waited longest; they stay where they are."""
    query = (
        "select inbox_id, source, trust, rank, received_at, body, envelope, import_id from inbox"
        " where shop_id = {} and inbox_id > {} order by inbox_id limit {}"
    )
    taken: list[Waiting] = []
    last, size = -1, 0
    while len(taken) < limit and size < _ENOUGH_BYTES:
        asked = min(limit - len(taken), _TAKEN_AT_ONCE)
        rows = chain.from_iterable(fetch(connection, query, (shop_id, last, asked)))
        found = [Waiting(*row) for row in rows]
        taken += found
        if len(found) < asked:
            break
        last, size = found[-1].inbox_id, size + sum([len(row.body) for row in found])
    return taken


def leave(
    writes: Writes,
    shop_id: int,
    *,
    stored: Sequence[Waiting],
    duplicates: Sequence[Waiting],
    failed: Sequence[Failed],
    now: Instant,
) -> None:
    """Take the signals out of the inbox and count what became of them, per source and per import."""
    rows = [*stored, *duplicates, *(one.row for one in failed)]
    writes.each(
        f"delete from {inbox.name} where shop_id = {{}} and inbox_id = {{}}",
        sorted((shop_id, row.inbox_id) for row in rows),
    )
    writes.insert(
        dead_letters,
        _DEAD_LETTER_COLUMNS,
        [_dead_letter(shop_id, one, now) for one in failed],
    )
    outcomes = [(row, STORED, "") for row in stored]
    outcomes += [(row, DUPLICATE, "") for row in duplicates]
    outcomes += [(one.row, REJECTED, one.reason) for one in failed]
    counts = Counter((shop_id, row.source, outcome, reason) for row, outcome, reason in outcomes)
    write_counts(writes, counts, now)
    _count_imports(writes, shop_id, outcomes)


def _count_imports(
    writes: Writes, shop_id: int, outcomes: Iterable[tuple[Waiting, str, str]]
) -> None:
    per_import: dict[int, Counter[str]] = defaultdict(Counter)
    for row, outcome, _ in outcomes:
        if row.import_id is not None:
            per_import[row.import_id][outcome] += 1
    writes.each(
        f"update {imports.name} set stored = stored + {{}}, duplicate = duplicate + {{}}, rejected = rejected + {{}}"
        " where shop_id = {} and import_id = {}",
        [
            (n[STORED], n[DUPLICATE], n[REJECTED], shop_id, import_id)
            for import_id, n in sorted(per_import.items())
        ],
    )


_DEAD_LETTER_COLUMNS = (
    "shop_id", "dead_letter_id", "source", "trust", "rank", "received_at", "body", "envelope", "import_id",
    "failed_at", "reason", "detail", "attempts", "retry_at",
)  # fmt: skip


def _dead_letter(shop_id: int, failed: Failed, now: Instant) -> tuple[object, ...]:
    row = failed.row
    return (
        shop_id, row.inbox_id, row.source, row.trust, row.rank, row.received_at, row.body, row.envelope,
        row.import_id, now, failed.reason, failed.detail, 1,
        next_retry(failed.reason, row.received_at, now),
    )  # fmt: skip
