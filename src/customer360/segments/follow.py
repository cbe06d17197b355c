"""Where are the people who changed now? All rules are asked at once, and what differs from before moves them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from customer360.clock import Instant, local_date
from customer360.errors import WarehouseBusy, place_of
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import Rule, segments_in
from customer360.segments.changed import Question
from customer360.segments.model import Cause, Segment
from customer360.segments.moves import Wish
from customer360.segments.queue import Changed
from customer360.storage.database import rows_in
from customer360.storage.engines.engine import Session

logger = logging.getLogger(__name__)

Pairs = set[tuple[int, int]]
"""(segment id, profile id)."""


@dataclass(slots=True)
class Meant:
    """Who is meant by which rule, and which segments' rules could not be asked."""

    pairs: Pairs = field(default_factory=set)
    failed: dict[int, Exception] = field(default_factory=dict)


class LastQuestion:
    """The question about all segments of a shop, kept while what they mean and the shop's day are the same."""

    def __init__(self) -> None:
        self._about: tuple[object, ...] = ()
        self._question: Question | None = None

    def about(
        self, segments: Mapping[int, Segment], now: Instant, calendar: ShopCalendar
    ) -> Question:
        """The question about these segments, written anew only where it is another."""
        versions = {segment_id: one.version for segment_id, one in segments.items()}
        about = (versions, local_date(now, calendar.timezone), calendar)
        if self._question is None or about != self._about:
            self._question = Question(_rules_of(segments), now, calendar)
            self._about = about
        return self._question


def whom_rules_mean(
    ask_on: Callable[[], AbstractContextManager[Session]],
    last: LastQuestion,
    segments: Mapping[int, Segment],
    following: Collection[int],
    profile_ids: Sequence[int],
    now: Instant,
    calendar: ShopCalendar,
) -> Meant:
    """Who of these people is in which of the segments that follow.

    segments: all of the shop, as rules ask for others. Where the rules cannot be asked together, each is asked alone,
    so that one which fails holds up no other.
    """

    def ask(question: Question, wanted: Collection[int]) -> Pairs:
        # A question that fails ends its session.
        with ask_on() as session:
            found = question.memberships(session, profile_ids)
        pairs = zip(*(column.to_pylist() for column in found.columns), strict=True)
        return {
            (segment_id, profile_id) for segment_id, profile_id in pairs if segment_id in wanted
        }

    try:
        return Meant(ask(last.about(segments, now, calendar), following))
    except WarehouseBusy:
        raise
    except Exception as error:
        logger.warning("%d rules could not be asked together: %s", len(segments), place_of(error))
    meant, rules = Meant(), _rules_of(segments)
    for segment_id in following:
        try:
            alone = Question(with_asked_for(segment_id, rules), now, calendar)
            meant.pairs |= ask(alone, (segment_id,))
        except WarehouseBusy:
            raise
        except Exception as error:
            meant.failed[segment_id] = error
    return meant


def _rules_of(segments: Mapping[int, Segment]) -> dict[int, Rule]:
    return {segment_id: one.rule for segment_id, one in segments.items()}


def with_asked_for(segment_id: int, rules: Mapping[int, Rule]) -> dict[int, Rule]:
    """The rule of a segment and of those that it asks for, directly or by others."""
    found: dict[int, Rule] = {}
    waiting = [segment_id]
    while waiting:
        one = waiting.pop()
        if one in rules and one not in found:
            found[one] = rules[one]
            waiting += segments_in(rules[one])
    return found


def memberships_of(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> Pairs:
    """In which segments these people are."""
    rows = rows_in(
        connection,
        "select segment_id, profile_id from segment_members where shop_id = {} and profile_id in {}",
        (shop_id,),
        profile_ids,
    )
    return {(segment_id, profile_id) for segment_id, profile_id in rows}


def merged_away(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> set[int]:
    """Those who are part of another profile now."""
    rows = rows_in(
        connection,
        "select profile_id from profiles where shop_id = {} and merged_into is not null and profile_id in {}",
        (shop_id,),
        profile_ids,
    )
    return {profile_id for (profile_id,) in rows}


def wishes_of(changed: Changed, before: Pairs, meant: Pairs, merged: Collection[int]) -> list[Wish]:
    """The moves from where people were to where rules mean them."""
    coming = [
        Wish(segment_id, profile_id, True, changed.causes[profile_id])
        for segment_id, profile_id in sorted(meant - before)
    ]
    going = [
        Wish(
            segment_id,
            profile_id,
            False,
            _why_gone(changed.causes[profile_id], profile_id in merged),
        )
        for segment_id, profile_id in sorted(before - meant)
    ]
    return coming + going


def _why_gone(cause: Cause, merged: bool) -> Cause:
    """An event that made two profiles one took one of them away by that."""
    return Cause.MERGE if merged and cause is Cause.EVENT else cause
