"""A segment, who is in it and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from customer360.clock import Instant
from customer360.segments.ast import ALL_CUSTOMERS_ID, EVERYONE, Rule

LONGEST_NAME = 150

SegmentState: TypeAlias = Literal["waiting", "syncing", "updated", "failed"]
"""What its membership is: not begun since the rule was told, being brought up to date, as the rule says, or as it
was before something went wrong."""


class Cause(StrEnum):
    """Why somebody came into a segment or left it; journeys start on `event` and `time` only."""

    EVENT = "event"
    TIME = "time"
    """A day of the shop's calendar began, or its calendar became another."""
    CREATED = "created"
    EDITED = "edited"
    MERGE = "merge"
    UNDO = "undo"
    REBUILD = "rebuild"
    """All people were resolved anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named rule and how far its membership follows it."""

    segment_id: int
    name: str
    rule: Rule
    state: SegmentState
    progress: int
    """How much of a syncing one is done, from 0 to 100."""
    failure: str | None
    """Why it failed, for whoever made it."""
    members: int
    created_at: Instant
    edited_at: Instant
    refreshed_at: Instant | None
    """When its membership last changed or was looked at as a whole."""
    version: int = 1
    """Counts what it meant: its rule, or that of one it asks for, was another before."""

    @property
    def built_in(self) -> bool:
        """Whether every shop has it: it cannot be changed and counts against no limit."""
        return self.segment_id == ALL_CUSTOMERS_ID

    @property
    def active_at(self) -> Instant:
        """When it was last edited or refreshed."""
        return max(self.edited_at, self.refreshed_at or 0)


def all_customers(members: int = 0) -> Segment:
    """The built-in segment; how many they are is known to the warehouse alone."""
    return Segment(
        segment_id=ALL_CUSTOMERS_ID,
        name="All customers",
        rule=EVERYONE,
        state="updated",
        progress=100,
        failure=None,
        members=members,
        created_at=0,
        edited_at=0,
        refreshed_at=None,
    )


class Membership(NamedTuple):
    """That somebody is in a segment, and since when."""

    segment_id: int
    entered_at: Instant


class Move(NamedTuple):
    """That somebody came into a segment or left it."""

    segment_id: int
    profile_id: int
    entered: bool
    cause: Cause
    occurred_at: Instant
    change: int
