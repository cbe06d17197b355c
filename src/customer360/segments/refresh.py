"""Keeps the members of a shop's segments whom their rules mean: a step a turn, by the worker that owns the warehouse.

People who changed are looked at together, by all rules at once; a segment whose rule or calendar became another is
looked at as a whole. Both only suggest moves: the profile store decides, so nothing is recorded twice, whatever dies.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from customer360.access.shops import Shop
from customer360.clock import Clock, local_date
from customer360.errors import QueryTooLong, Unavailable, WarehouseBusy, place_of
from customer360.profiles.stages import ShopCalendar, shop_calendar
from customer360.segments import follow, queue
from customer360.segments.calendar import calendar_of
from customer360.segments.model import Cause, Segment
from customer360.segments.moves import MOST_MOVES, Wish, bury_members, move
from customer360.segments.queue import Changed, Overtaken
from customer360.segments.store import DELETED, stored_segments
from customer360.segments.whole import Whole, find_moves
from customer360.storage.database import Database, next_change
from customer360.warehouse.query import EitherWarehouse, LocalWarehouse

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_NO_MEMORY = (
    "Its members take more memory to find than there is; ask for fewer events or a shorter time."
)
_TOO_LONG = "Its members take too long to find; ask for fewer events or a shorter time."
_BROKEN = "Its members could not be found; that is tried again by itself."


@dataclass(slots=True)
class _Standing:
    """What is under way in a shop."""

    question: follow.LastQuestion = field(default_factory=follow.LastQuestion)
    looked_at: tuple[ShopCalendar, date] | None = None
    """The shop's calendar and day for which segments of other calendars were last looked for."""
    whole: Whole | None = None
    refreshed: int | None = None
    """Up to which change members followed when that whole was last right."""


class Refresher:
    """Refreshes segments, shop by shop; of each shop only the one that owns its warehouse can."""

    def __init__(
        self,
        database: Database,
        warehouse: LocalWarehouse | EitherWarehouse,
        clock: Clock,
        *,
        most_moves: int = MOST_MOVES,
    ) -> None:
        self._database = database
        self._warehouse = warehouse
        self._clock = clock
        self._most_moves = most_moves
        self._standings: dict[int, _Standing] = {}

    def turn(self, shop: Shop, *, waiting: bool = True) -> bool:
        """A step of what is due; whether there was one, so that more may wait.

        waiting: whether `queue.shops_to_refresh` knows of anything but time.
        """
        try:
            return self._turn(shop, waiting=waiting)
        except WarehouseBusy:
            logger.debug(
                "shop %d: its segments are refreshed by who has its warehouse", shop.shop_id
            )
            return False

    def finish(self, shop: Shop) -> None:
        """All steps that are due; where another process has the warehouse, wait until it has taken them."""
        while True:
            self._warehouse.sync(shop.shop_id)
            try:
                done = self._turn(shop, waiting=True)
            except WarehouseBusy:
                with self._database.read() as connection:
                    now = self._clock.now()
                    done = queue.shops_to_refresh(connection, now).get(shop.shop_id, False)
                time.sleep(_POLL_SECONDS)
            if not done:
                return

    def _turn(self, shop: Shop, *, waiting: bool) -> bool:
        standing = self._standings.setdefault(shop.shop_id, _Standing())
        try:
            if not (self._look_at_calendar(shop, standing) or waiting):
                return False
            followed = self._follow(shop, standing)
            return self._step(shop, standing) or followed
        except Overtaken:
            standing.whole = None
            return True
        except BaseException:
            # Whoever goes on from here looks again.
            standing.whole = None
            raise

    def _look_at_calendar(self, shop: Shop, standing: _Standing) -> bool:
        """Make due whatever was last found by another day, zone or windows; whether there is any."""
        today, days = local_date(self._clock.now(), shop.timezone), _days_of(shop)
        if standing.looked_at == (days, today):
            return False
        with self._database.read() as connection:
            rules = {one.segment_id: one.rule for one in stored_segments(connection, shop.shop_id)}
            found_by = queue.calendars(connection, shop.shop_id)
        others = [
            segment_id
            for segment_id, calendar in found_by.items()
            if calendar != calendar_of(rules[segment_id], rules, today, days)
        ]
        if others:
            with self._database.write() as connection:
                queue.time_has_come(connection, shop.shop_id, others)
        standing.looked_at = (days, today)
        return bool(others)

    def _follow(self, shop: Shop, standing: _Standing) -> bool:
        """Look at some of the people who changed, by all rules whose members follow; whether there were any."""
        shop_id = shop.shop_id
        with self._database.read() as connection:
            changed = queue.changed_people(connection, shop_id)
            if changed is None:
                return False
            people = list(changed.causes)
            segments = {one.segment_id: one for one in stored_segments(connection, shop_id)}
            due = queue.due_causes(connection, shop_id)
            before = follow.memberships_of(connection, shop_id, people)
            merged = follow.merged_away(connection, shop_id, people)
        following = _following(segments, due, standing.whole)
        meant = follow.Meant()
        if following:
            meant = follow.whom_rules_mean(
                partial(self._warehouse.session, shop_id),
                standing.question,
                segments,
                following,
                people,
                self._clock.now(),
                _days_of(shop),
            )
        for segment_id, error in meant.failed.items():
            self._fail(shop_id, following.pop(segment_id), error)
        before = {pair for pair in before if pair[0] in following}
        wishes = follow.wishes_of(changed, before, meant.pairs, merged)
        if standing.whole is not None:
            wishes = [one._replace(cause=standing.whole.cause_of(one)) for one in wishes]
        self._move(shop_id, changed, following, wishes)
        if standing.whole is not None:
            standing.whole.overtaken.update(people)
            standing.refreshed = changed.upto
        return True

    def _move(
        self,
        shop_id: int,
        changed: Changed,
        following: Mapping[int, Segment],
        wishes: Sequence[Wish],
    ) -> None:
        """Carry the moves out, and say with the last of them that members follow these changes."""
        while True:
            some, wishes = wishes[: self._most_moves], wishes[self._most_moves :]
            with self._database.write() as connection:
                if some:
                    change = next_change(connection, shop_id, moves=True)
                    versions = queue.versions(connection, shop_id)
                    # A rule that became another meanwhile is looked at as a whole.
                    some = [
                        one
                        for one in some
                        if versions.get(one.segment_id) == following[one.segment_id].version
                    ]
                    move(connection, shop_id, change, self._clock.now(), some)
                upto = changed.after if wishes else changed.upto
                queue.claim(connection, shop_id, changed.after, upto)
                if not wishes:
                    queue.forget_changes(connection, shop_id, upto)
                    return

    def _step(self, shop: Shop, standing: _Standing) -> bool:
        """Some of what is to be done for a segment as a whole; whether there was any."""
        if standing.whole is None:
            with self._database.read() as connection:
                due = queue.next_due(connection, shop.shop_id, self._clock.now())
            if due is None:
                return False
            segment_id, cause = due
            if cause == DELETED:
                self._forget_members(shop.shop_id, segment_id)
                return True
            self._begin(shop, standing, segment_id, Cause(cause))
        if standing.whole is not None:
            self._go_on(shop, standing, standing.whole)
        return True

    def _begin(self, shop: Shop, standing: _Standing, segment_id: int, cause: Cause) -> None:
        """Find who has to move; where that fails, the segment says so and its members stay as they are."""
        # All moves so far have to be in the warehouse, or those who are there already would be missed.
        self._warehouse.sync(shop.shop_id)
        with self._database.read() as connection:
            segments = {one.segment_id: one for one in stored_segments(connection, shop.shop_id)}
            standing.refreshed = queue.refreshed(connection, shop.shop_id)
        if segment_id not in segments:
            raise Overtaken
        segment, now = segments[segment_id], self._clock.now()
        rules = {one.segment_id: one.rule for one in segments.values()}
        try:
            with self._warehouse.session(shop.shop_id) as session:
                found = find_moves(session, segment, rules, now, _days_of(shop))
        except (WarehouseBusy, SQLAlchemyError):
            raise
        except Exception as error:
            self._fail(shop.shop_id, segment, error)
            return
        today = local_date(now, shop.timezone)
        calendar = calendar_of(segment.rule, rules, today, _days_of(shop))
        standing.whole = Whole(segment, cause, calendar, *found)

    def _go_on(self, shop: Shop, standing: _Standing, whole: Whole) -> None:
        """The next moves of a segment that is looked at as a whole."""
        shop_id, now = shop.shop_id, self._clock.now()
        wishes = whole.take(self._most_moves)
        values = {"state": "syncing", "progress": whole.progress, "failure": None}
        with self._database.write() as connection:
            change = next_change(connection, shop_id, moves=True) if wishes else 0
            queue.claim(connection, shop_id, standing.refreshed, standing.refreshed)
            queue.note(connection, shop_id, whole.segment, **values)
            moved = move(connection, shop_id, change, now, wishes) if wishes else 0
        if whole.finished:
            self._end(shop_id, standing, whole)
            standing.whole = None
            # Midnight may have passed meanwhile.
            standing.looked_at = None
        logger.info(
            "shop %d, segment %d: %d moved, %d %% done (%s)",
            shop_id, whole.segment.segment_id, moved, whole.progress, whole.cause,
        )  # fmt: skip

    def _end(self, shop_id: int, standing: _Standing, whole: Whole) -> None:
        """Say that a segment is updated, once whoever reads so finds its members in the warehouse."""
        self._warehouse.sync(shop_id)
        with self._database.write() as connection:
            queue.claim(connection, shop_id, standing.refreshed, standing.refreshed)
            queue.note(
                connection,
                shop_id,
                whole.segment,
                state="updated",
                due=None,
                calendar=whole.calendar,
                attempts=0,
                refreshed_at=self._clock.now(),
            )

    def _forget_members(self, shop_id: int, segment_id: int) -> None:
        with self._database.write() as connection:
            change = next_change(connection, shop_id, moves=True)
            gone = queue.deleted_members(connection, shop_id, segment_id, self._most_moves)
            bury_members(connection, shop_id, change, gone)

    def _fail(self, shop_id: int, segment: Segment, error: Exception) -> None:
        logger.warning("shop %d, segment %d: %s", shop_id, segment.segment_id, place_of(error))
        match error:
            case QueryTooLong():
                reason = _TOO_LONG
            case Unavailable():
                reason = _NO_MEMORY
            case _:
                reason = _BROKEN
        with self._database.write() as connection:
            queue.note_failure(connection, shop_id, segment, reason, self._clock.now())


def _days_of(shop: Shop) -> ShopCalendar:
    return shop_calendar(shop.timezone, shop.settings)


def _following(
    segments: Mapping[int, Segment], due: Mapping[int, str], whole: Whole | None
) -> dict[int, Segment]:
    """The segments whose members are those of their present rule, or become so just now."""
    under_way = whole.segment if whole else None
    return {
        segment_id: one
        for segment_id, one in segments.items()
        if due.get(segment_id, Cause.TIME) == Cause.TIME
        or (under_way and (under_way.segment_id, under_way.version) == (segment_id, one.version))
    }
