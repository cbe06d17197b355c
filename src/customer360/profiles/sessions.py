"""Which visit does an event belong to?

A session is a run of storefront events of one visitor with gaps under thirty minutes, or what the source's own
session id says. Visits are intervals: joining them when a late event fills a gap needs nothing but their ends,
so the order of arrival does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection

from customer360.clock import MINUTE, Instant
from customer360.events.model import Identifier, Page
from customer360.events.placed import PlacedEvent
from customer360.events.vocabulary import STOREFRONT
from customer360.identities.normalise import STRENGTH
from customer360.profiles.tables import sessions
from customer360.profiles.touches import Touch, touch_of
from customer360.storage.database import Writes, rows_in
from customer360.storage.metadata import tombstones
from customer360.values import new_ids

SESSION_GAP: Instant = 30 * MINUTE
SESSIONS_MIRROR = 2
"""Number of the sessions mirror in tombstones."""

Visitor = bytes
_ALWAYS: Instant = 1 << 62
_COLUMNS = tuple(column.name for column in sessions.columns)


class Visit(msgspec.Struct):
    """One session while a batch works on it; `first_key` and `touch_key` settle ties of time."""

    visitor: Visitor
    fragment_id: int
    first_at: Instant
    last_at: Instant
    first_key: str
    events: int
    session_id: int | None = None
    touched_at: Instant | None = None
    touch: Touch | None = None
    page: Page | None = None
    """The first page of the batch, from which `touch` is read if it comes to be the visit's first."""
    members: list[PlacedEvent] = []
    absorbed: list[int] = []
    former_fragments: set[int] = set()
    """Fragments that it, or a visit it absorbed, counted for before this batch."""

    def include(self, other: Visit) -> None:
        """Become one with a visit that touches this one."""
        if (other.first_at, other.first_key) < (self.first_at, self.first_key):
            self.first_at, self.first_key, self.fragment_id = (
                other.first_at,
                other.first_key,
                other.fragment_id,
            )
        if other.touched_at is not None and (
            self.touched_at is None
            or other.touched_at < self.touched_at
            or (
                other.touched_at == self.touched_at
                and _text(other.first_touch()) < _text(self.first_touch())
            )
        ):
            self.touched_at, self.touch, self.page = other.touched_at, other.touch, other.page
        self.last_at = max(self.last_at, other.last_at)
        self.events += other.events
        self.members += other.members
        self.absorbed += other.absorbed
        self.former_fragments |= other.former_fragments
        if other.session_id is not None:
            if self.session_id is None:
                self.session_id = other.session_id
            else:
                self.absorbed.append(max(self.session_id, other.session_id))
                self.session_id = min(self.session_id, other.session_id)

    def extend(self, one: PlacedEvent) -> None:
        """Take in the visitor's next event in time: the plain case of `include`."""
        at, page = one.event.occurred_at, _page(one)
        if page is not None and (
            self.touched_at is None
            or (
                self.touched_at == at
                and _text(touch_of(page.url, page.referrer)) < _text(self.first_touch())
            )
        ):
            self.touched_at, self.touch, self.page = at, None, page
        self.last_at = at
        self.events += 1
        self.members.append(one)

    def first_touch(self) -> Touch | None:
        """What brought the visit here."""
        if self.page is not None:
            self.touch, self.page = touch_of(self.page.url, self.page.referrer), None
        return self.touch


def makes_session(placed: PlacedEvent) -> bool:
    """Whether an event begins or prolongs a visit."""
    if not placed.fragment_id or not placed.identifiers:
        return False
    return bool(placed.event.source_session) or placed.event.type in STOREFRONT


def visitor_of(
    digest_key: bytes, identifiers: Sequence[Identifier], source_session: str
) -> Visitor:
    """A keyed digest of whose visit it is: the cookie, else the strongest identifier, and the source's session."""
    who = whose_visit(identifiers)
    text = f"{who.type}\x1f{who.value}\x1f{source_session}"
    return blake2b(text.encode(), key=digest_key, digest_size=16).digest()


def whose_visit(identifiers: Sequence[Identifier]) -> Identifier:
    """The identifier that a visit hangs on: the cookie, else the strongest."""
    return min(identifiers, key=lambda one: (one.type != "cookie", STRENGTH[one.type], one.value))


def assign(
    connection: Connection, shop_id: int, digest_key: bytes, placed: Iterable[PlacedEvent]
) -> list[Visit]:
    """Give each event of a batch its session; returns the visits that began or changed. Only reads."""
    events: dict[Visitor, list[PlacedEvent]] = defaultdict(list)
    source_visitors: set[Visitor] = set()
    # Events of one evidence share their identifiers, and mostly come one after the other.
    visitors: dict[tuple[int, str], Visitor] = {}
    for one in placed:
        if makes_session(one):
            source_session = one.event.source_session
            known_as = (id(one.identifiers), source_session)
            visitor = visitors.get(known_as)
            if visitor is None:
                visitor = visitor_of(digest_key, one.identifiers, source_session)
                visitors[known_as] = visitor
            events[visitor].append(one)
            if source_session:
                source_visitors.add(visitor)
    if not events:
        return []
    points = {
        visitor: _runs(visitor, members, _ALWAYS if visitor in source_visitors else SESSION_GAP)
        for visitor, members in events.items()
    }
    known = _load(connection, shop_id, points, source_visitors)
    changed: list[Visit] = []
    for visitor, visits in points.items():
        gap = _ALWAYS if visitor in source_visitors else SESSION_GAP
        changed += [
            visit for visit in _joined([*known.get(visitor, ()), *visits], gap) if visit.members
        ]
    fresh = iter(new_ids.take(sum(1 for visit in changed if visit.session_id is None)))
    for visit in changed:
        if visit.session_id is None:
            visit.session_id = next(fresh)
        for member in visit.members:
            member.session_id = visit.session_id
    return changed


def write(writes: Writes, shop_id: int, change: int, visits: Sequence[Visit]) -> None:
    """Store the visits; those that were joined into another one leave, and their events follow."""
    writes.insert(
        sessions,
        _COLUMNS,
        [_row(shop_id, change, visit) for visit in visits],
        replace_on=("shop_id", "session_id"),
    )
    absorbed = [(old, visit) for visit in visits for old in visit.absorbed]
    for old, visit in absorbed:
        _move_events(writes, shop_id, change, old, visit)
    writes.each(
        "delete from sessions where shop_id = {} and session_id = {}",
        [(shop_id, old) for old, _ in absorbed],
    )
    writes.insert(
        tombstones,
        ("shop_id", "change", "mirror", "row_id"),
        [(shop_id, change, SESSIONS_MIRROR, old) for old, _ in absorbed],
    )


def _runs(visitor: Visitor, events: list[PlacedEvent], gap: Instant) -> list[Visit]:
    events.sort(key=_when)
    runs = [_point(visitor, events[0])]
    for one in events[1:]:
        if one.event.occurred_at - runs[-1].last_at < gap:
            runs[-1].extend(one)
        else:
            runs.append(_point(visitor, one))
    return runs


def _when(one: PlacedEvent) -> tuple[Instant, str]:
    return one.event.occurred_at, one.event.dedupe_key


def _page(one: PlacedEvent) -> Page | None:
    page = one.event.page
    return page if page is not None and (page.url or page.referrer) else None


def _point(visitor: Visitor, one: PlacedEvent) -> Visit:
    event, page = one.event, _page(one)
    return Visit(
        visitor=visitor,
        fragment_id=one.fragment_id,
        first_at=event.occurred_at,
        last_at=event.occurred_at,
        first_key=event.dedupe_key,
        events=1,
        touched_at=event.occurred_at if page else None,
        page=page,
        members=[one],
    )


def _joined(visits: list[Visit], gap: Instant) -> list[Visit]:
    if len(visits) == 1:
        return visits
    visits.sort(key=lambda visit: (visit.first_at, visit.first_key))
    joined = [visits[0]]
    for visit in visits[1:]:
        if visit.first_at - joined[-1].last_at < gap:
            joined[-1].include(visit)
        else:
            joined.append(visit)
    return joined


def _load(
    connection: Connection,
    shop_id: int,
    points: dict[Visitor, list[Visit]],
    source_visitors: set[Visitor],
) -> dict[Visitor, list[Visit]]:
    """The stored visits near enough to be joined; near means anywhere for a source's own session id."""
    found: dict[Visitor, list[Visit]] = defaultdict(list)
    by_gap = [visitor for visitor in points if visitor not in source_visitors]
    earliest = (
        min((visit.first_at for visitor in by_gap for visit in points[visitor]), default=0)
        - SESSION_GAP
    )
    latest = (
        max((visit.last_at for visitor in by_gap for visit in points[visitor]), default=0)
        + SESSION_GAP
    )
    for span, visitors in (
        ((earliest, latest), by_gap),
        ((-_ALWAYS, _ALWAYS), list(source_visitors)),
    ):
        for row in rows_in(connection, _NEAR, (shop_id, *span), visitors):
            visit = _stored(*row)
            found[visit.visitor].append(visit)
    return found


_NEAR = (
    "select session_id, visitor, fragment_id, first_at, last_at, first_key, events, touched_at, touch_source,"
    " touch_medium, touch_campaign, touch_url, referrer from sessions"
    " where shop_id = {} and last_at >= {} and first_at <= {} and visitor in {}"
)


def _stored(
    session_id: int,
    visitor: bytes,
    fragment_id: int,
    first_at: Instant,
    last_at: Instant,
    first_key: str,
    events: int,
    touched_at: Instant | None,
    source: str | None,
    *rest: str,
) -> Visit:
    return Visit(
        visitor=bytes(visitor),
        fragment_id=fragment_id,
        first_at=first_at,
        last_at=last_at,
        first_key=first_key,
        events=events,
        session_id=session_id,
        former_fragments={fragment_id},
        touched_at=touched_at,
        touch=None if source is None else Touch(source, *rest),
    )


def _move_events(writes: Writes, shop_id: int, change: int, old: int, visit: Visit) -> None:
    """Events of an absorbed visit carry the evidence of some member, so only those fragments are searched."""
    writes.each(
        "update events set session_id = {}, change = {} where shop_id = {} and session_id = {}"
        " and occurred_at between {} and {} and fragment_id in ("
        "select fragment_id from fragment_identifiers where shop_id = {} and type = {} and value = {})",
        [
            (
                visit.session_id,
                change,
                shop_id,
                old,
                visit.first_at,
                visit.last_at,
                shop_id,
                who.type,
                who.value,
            )
            for who in {whose_visit(member.identifiers) for member in visit.members}
        ],
    )


def _row(shop_id: int, change: int, visit: Visit) -> tuple[object, ...]:
    touch = visit.first_touch()
    return (
        shop_id,
        visit.session_id,
        visit.visitor,
        visit.fragment_id,
        visit.first_at,
        visit.last_at,
        visit.first_key,
        visit.events,
        visit.touched_at,
        touch.source if touch else None,
        touch.medium if touch else None,
        touch.campaign if touch else None,
        touch.url if touch else None,
        touch.referrer if touch else None,
        change,
    )


def _text(touch: Touch | None) -> str:
    if touch is None:
        return ""
    return f"{touch.source}|{touch.medium}|{touch.campaign}|{touch.url}|{touch.referrer}"
