"""What did this person do, newest first? Events, visits, orders, refunds and abandoned checkouts on one line.

The last four are derived from tables of their own, so each appears once however many signals told of it. Of events
and visits a person may have very many: what the fragments add up to tells where the newest of them are.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Select,
    Table,
    bindparam,
    literal,
    select,
    tuple_,
)

from customer360.clock import Instant
from customer360.errors import InvalidInput
from customer360.events.tables import events
from customer360.profiles.entries import Row, TimelineEntry, entries
from customer360.profiles.fold import Aggregate, Count
from customer360.profiles.members import DERIVED, aggregates_of
from customer360.profiles.tables import sessions
from customer360.storage.database import rows_in

# Fragments are read together while they have no more rows: a statement costs as much as a few hundred rows.
_ROWS_A_QUERY = 500
_EVER: Instant = (1 << 63) - 1


class TimelinePage(msgspec.Struct, frozen=True):
    """Some entries, newest first, and where to go on."""

    items: tuple[TimelineEntry, ...]
    next_cursor: str | None


class _Wanted(NamedTuple):
    """The newest `most` rows before a place on the line."""

    shop_id: int
    at: Instant
    row_id: int
    most: int


class _Span(NamedTuple):
    """When a fragment has rows, and how many at most."""

    fragment_id: int
    told: Count


def timeline(
    connection: Connection,
    shop_id: int,
    profile_id: int,
    *,
    type: str | None = None,
    before: str | None = None,
    limit: int = 50,
    currency: str = "",
) -> TimelinePage:
    """A page of the person's journey back from `before` (a cursor of an earlier page), newest first."""
    place = _decode_cursor(before) if before else (_EVER, _EVER)
    wanted = _Wanted(shop_id, *place, most=limit + 1)
    members = aggregates_of(connection, shop_id, profile_id)
    found: list[Row] = []
    for name in ("order_placed", "order_refunded", "checkout_abandoned"):
        if type in (None, name):
            found = _newest(found, _derived(connection, wanted, name, list(members)), wanted.most)
    if type in (None, "visited_site"):
        found = _add_newest(connection, _VISITS, wanted, _spans(members, "sources"), found)
    query = _EVENTS if type is None else _EVENTS.where(events.c.type == type)
    found = _add_newest(connection, query, wanted, _spans(members, "types", type), found)
    page = found[:limit]
    items = tuple(entries(connection, shop_id, page, currency))
    return TimelinePage(items, _encode_cursor(page[-1]) if len(found) > limit else None)


def _derived(
    connection: Connection, wanted: _Wanted, name: str, members: Sequence[int]
) -> list[Row]:
    """The newest of what is derived as one type, of which a person has few."""
    kept = DERIVED[name]
    query = (
        f"select {kept.at}, {kept.row_id} from {kept.table}"
        f" where shop_id = {{}} and ({kept.at}, {kept.row_id}) < ({{}}, {{}}) and fragment_id in {{}}"
        f" order by {kept.at} desc, {kept.row_id} desc limit {wanted.most:d}"
    )
    place = (wanted.shop_id, wanted.at, wanted.row_id)
    rows = rows_in(connection, query, place, members)
    return [Row(at, row_id, name) for at, row_id in rows]


def _newest_of_fragments(
    query: Select[Any], table: Table, at: Column[Any], row_id: Column[Any]
) -> Select[Any]:
    """The query for the newest rows before a place and since a time: a range of an index for each fragment."""
    place = tuple_(bindparam("at", type_=BigInteger), bindparam("row_id", type_=BigInteger))
    return (
        query.where(
            table.c.shop_id == bindparam("shop_id", type_=BigInteger),
            table.c.fragment_id.in_(bindparam("members", expanding=True)),
            at >= bindparam("since", type_=BigInteger),
            tuple_(at, row_id) < place,
        )
        .order_by(at.desc(), row_id.desc())
        .limit(bindparam("most"))
    )


_VISITS = _newest_of_fragments(
    select(sessions.c.first_at, sessions.c.session_id, literal("visited_site")),
    sessions,
    sessions.c.first_at,
    sessions.c.session_id,
)
_EVENTS = _newest_of_fragments(
    select(
        events.c.occurred_at,
        events.c.event_id,
        events.c.type,
        events.c.source,
        events.c.session_id,
        events.c.properties,
    ),
    events,
    events.c.occurred_at,
    events.c.event_id,
)


def _add_newest(
    connection: Connection,
    query: Select[Any],
    wanted: _Wanted,
    spans: Iterable[_Span],
    found: list[Row],
) -> list[Row]:
    """The newest of what was found and of the fragments' rows; none is read that cannot be among them."""
    for newest_at, members in _together(spans, wanted.at):
        since = found[-1].at if len(found) == wanted.most else -_EVER
        if newest_at < since:
            break
        asked = wanted._asdict() | {"members": members, "since": since}
        rows = connection.execute(query, asked).all()
        found = _newest(found, [Row(*row) for row in rows], wanted.most)
    return found


def _together(spans: Iterable[_Span], before: Instant) -> Iterator[tuple[Instant, list[int]]]:
    """Fragments to be read at once, newest first, and the latest time that a row of theirs can have."""
    ordered = sorted(
        (
            (min(told.last_at, before), told.n, fragment_id)
            for fragment_id, told in spans
            if told.first_at <= before
        ),
        reverse=True,
    )
    newest_at, rows = 0, 0
    members: list[int] = []
    for last_at, n, fragment_id in ordered:
        if members and rows + n > _ROWS_A_QUERY:
            yield newest_at, members
            members = []
        if not members:
            newest_at, rows = last_at, 0
        members.append(fragment_id)
        rows += n
    if members:
        yield newest_at, members


def _spans(members: Mapping[int, Aggregate], kind: str, name: str | None = None) -> Iterator[_Span]:
    """What each fragment counted by type or by source: of one name, or of all."""
    for fragment_id, part in members.items():
        counts: dict[str, Count] = getattr(part, kind)
        told = counts.values() if name is None else [counts[name]] if name in counts else ()
        if told:
            n, first_at = sum(one.n for one in told), min(one.first_at for one in told)
            yield _Span(fragment_id, Count(n, first_at, max(one.last_at for one in told)))


def _newest(one: list[Row], other: list[Row], most: int) -> list[Row]:
    return sorted([*one, *other], key=lambda row: (row.at, row.row_id), reverse=True)[:most]


def _encode_cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row.at}.{row.row_id}".encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[Instant, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        occurred_at, _, event_id = text.partition(".")
        position = (int(occurred_at), int(event_id))
    except ValueError as error:
        raise InvalidInput("This cursor is none that the last page gave", "cursor") from error
    if not all(abs(number) < 1 << 63 for number in position):
        raise InvalidInput("This cursor is none that the last page gave", "cursor")
    return position
