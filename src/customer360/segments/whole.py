"""The members of one segment found as a whole, and the moves that follow, a few thousand at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customer360.clock import Instant
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import Rule
from customer360.segments.model import Cause, Segment
from customer360.segments.moves import Wish
from customer360.segments.to_sql import select_members
from customer360.storage.engines.engine import Session


@dataclass(slots=True)
class Whole:
    """What is left to do until a segment's members are whom its rule means.

    `profile_ids` rise; `entered` says of each whether it comes or goes.
    """

    segment: Segment
    cause: Cause
    calendar: str
    profile_ids: NDArray[np.int64]
    entered: NDArray[np.bool_]
    done: int = 0
    overtaken: set[int] = field(default_factory=set)
    """People who changed since they were looked at: where they are now is newer than what is written here."""

    @property
    def finished(self) -> bool:
        return self.done >= len(self.profile_ids)

    @property
    def progress(self) -> int:
        """How much is done, in percent."""
        return 100 if self.finished else 100 * self.done // len(self.profile_ids)

    def take(self, most: int) -> list[Wish]:
        """The next moves, at most so many."""
        some = slice(self.done, self.done + most)
        self.done += most
        pairs = zip(self.profile_ids[some].tolist(), self.entered[some].tolist(), strict=True)
        return [
            Wish(self.segment.segment_id, profile_id, came, self.cause)
            for profile_id, came in pairs
            if profile_id not in self.overtaken
        ]

    def cause_of(self, wish: Wish) -> Cause:
        """Why somebody moves who changed meanwhile: as the whole does, if it was about to move them as well."""
        place = int(np.searchsorted(self.profile_ids, wish.profile_id))
        if (
            self.done <= place < len(self.profile_ids)
            and self.profile_ids[place] == wish.profile_id
            and bool(self.entered[place]) == wish.entered
            and wish.profile_id not in self.overtaken
        ):
            return self.cause
        return wish.cause


def find_moves(
    session: Session,
    segment: Segment,
    others: Mapping[int, Rule],
    now: Instant,
    calendar: ShopCalendar,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Who is meant and no member (true), and who is a member and not meant (false), by rising profile id."""
    compiled = select_members(segment.rule, now, calendar, others=others)
    values: list[Any] = [*compiled.values, segment.segment_id]
    found = session.query(
        f"""
        with meant as materialized ({compiled.sql()}),
        had as (select profile_id from segment_members where segment_id = ${len(values)})
        select coalesce(meant.profile_id, had.profile_id) as profile_id, had.profile_id is null as entered
        from meant
        full join had on had.profile_id = meant.profile_id
        where meant.profile_id is null or had.profile_id is null
        order by 1
        """,
        values,
    )
    return (
        found.column("profile_id").to_numpy().astype(np.int64),
        found.column("entered").to_numpy().astype(np.bool_),
    )
