"""Where did every signal go?

Per shop and source, at all times: received = stored + duplicate + rejected(reason) + waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from customer360.clock import Instant
from customer360.intake.tables import inbox, signal_counts
from customer360.storage.database import Writes

RECEIVED = "received"
STORED = "stored"
DUPLICATE = "duplicate"
REJECTED = "rejected"

CountKey = tuple[int, str, str, str]
"""(shop_id, source, outcome, reason); the reason is empty unless the outcome is "rejected"."""

_ADD = """
insert into signal_counts (shop_id, source, outcome, reason, n, last_at)
values ({}, {}, {}, {}, {}, {})
on conflict (shop_id, source, outcome, reason) do update set
    n = signal_counts.n + excluded.n,
    last_at = case when excluded.n > 0 then excluded.last_at else signal_counts.last_at end
"""


class SourceBalance(msgspec.Struct, omit_defaults=False):
    """The balance of one source, or of all of them together."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = {}
    waiting: int = 0

    @property
    def holds(self) -> bool:
        """Whether every signal is accounted for."""
        rejected = sum(self.rejected.values())
        return self.received == self.stored + self.duplicate + rejected + self.waiting

    def add(self, other: SourceBalance) -> None:
        """Count another source in."""
        self.received += other.received
        self.stored += other.stored
        self.duplicate += other.duplicate
        self.waiting += other.waiting
        for reason, n in other.rejected.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + n


class Balance(msgspec.Struct):
    """The balance of a shop, as `GET /api/v1/ingest/balance` writes it."""

    total: SourceBalance
    sources: dict[str, SourceBalance]


def write_counts(writes: Writes, counts: Mapping[CountKey, int], at: Instant) -> None:
    """Add to many counts; negative numbers take from them."""
    # Everybody locks these rows in the same order, so that no two processes wait for each other.
    writes.each(_ADD, [(*key, n, at) for key, n in sorted(counts.items()) if n])


def add_counts(connection: Connection, counts: Mapping[CountKey, int], at: Instant) -> None:
    """Add to many counts inside the caller's transaction."""
    writes = Writes()
    write_counts(writes, counts, at)
    writes.run(connection)


def balance(connection: Connection, shop_id: int) -> Balance:
    """The shop's balance; read it in one snapshot (`Database.read`), then it always holds."""
    sources: dict[str, SourceBalance] = {}
    for source, outcome, reason, n in connection.execute(_counts_of(shop_id)):
        entry = sources.setdefault(source, SourceBalance())
        if outcome != REJECTED:
            setattr(entry, outcome, n)
        elif n:
            entry.rejected[reason] = n
    for source, n in connection.execute(_waiting_of(shop_id)):
        sources.setdefault(source, SourceBalance()).waiting = n
    total = SourceBalance()
    for entry in sources.values():
        total.add(entry)
    return Balance(total, dict(sorted(sources.items())))


def last_received(connection: Connection, shop_id: int) -> dict[str, Instant]:
    """When each source last sent something."""
    columns = signal_counts.c
    query = select(columns.source, columns.last_at).where(
        columns.shop_id == shop_id, columns.outcome == RECEIVED
    )
    return dict(connection.execute(query).all())


def received_since(connection: Connection, at: Instant) -> bool:
    """Whether anybody has sent anything to any shop since then."""
    columns = signal_counts.c
    query = select(columns.shop_id).where(columns.outcome == RECEIVED, columns.last_at >= at)
    return connection.execute(query.limit(1)).first() is not None


def _counts_of(shop_id: int) -> Any:
    columns = signal_counts.c
    return (
        select(columns.source, columns.outcome, columns.reason, columns.n)
        .where(columns.shop_id == shop_id)
        .order_by(columns.source, columns.outcome, columns.reason)
    )


def _waiting_of(shop_id: int) -> Any:
    return (
        select(inbox.c.source, func.count())
        .where(inbox.c.shop_id == shop_id)
        .group_by(inbox.c.source)
    )
