"""How often did each type of event happen to a person, and first and last when?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.vocabulary import label_of
from customer360.profiles.fold import Count
from customer360.profiles.members import DERIVED, aggregates_of
from customer360.storage.database import rows_in


class EventCount(msgspec.Struct, frozen=True):
    """How often a type of event happened, and first and last when."""

    type: str
    label: str
    count: int
    first_at: Instant
    last_at: Instant


def event_counts(connection: Connection, shop_id: int, profile_id: int) -> list[EventCount]:
    """How often each type of event happened, most often first. Events were counted as they were folded."""
    members = aggregates_of(connection, shop_id, profile_id)
    counts: dict[str, Count] = {}
    for part in members.values():
        for name, count in part.types.items():
            _include(counts, name, count)
    for name, count in _derived(connection, shop_id, list(members)):
        _include(counts, name, count)
    found = (
        EventCount(name, label_of(name), count.n, count.first_at, count.last_at)
        for name, count in counts.items()
    )
    return sorted(found, key=lambda entry: (-entry.count, entry.type))


def _include(counts: dict[str, Count], name: str, count: Count) -> None:
    if name in counts:
        counts[name].include(count)
    else:
        counts[name] = count


def _derived(
    connection: Connection, shop_id: int, members: Sequence[int]
) -> Iterator[tuple[str, Count]]:
    for name, kept in DERIVED.items():
        query = (
            f"select count(*), min({kept.at}), max({kept.at}) from {kept.table}"
            f" where shop_id = {{}} and {kept.at} is not null and fragment_id in {{}}"
        )
        for n, first_at, last_at in rows_in(connection, query, (shop_id,), members):
            if n:
                yield name, Count(n, first_at, last_at)
