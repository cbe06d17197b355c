"""Pieces of SQL that reports share: bound values, the days of a zone's calendar, whose facts count."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from customer360.clock import Instant, start_of_day, to_datetime
from customer360.segments.ast import ALL_CUSTOMERS_ID

PURCHASE = "o.placed_at is not null and o.cancelled_at is null and not o.test"
"""Which rows of `orders o` count."""
AMOUNT = "case when o.foreign_currency then 0 else coalesce(o.total, 0) end"
"""What an order adds to a sum: nothing where it is in another currency, of which nobody knows the value."""


class Sql:
    """The bound values of one query, in their order."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def value(self, value: Any) -> str:
        """The mark that stands for a value."""
        self.values.append(value)
        return f"${len(self.values)}"

    def time(self, at: Instant) -> str:
        """The mark of a time, as the warehouse holds it."""
        return self.value(to_datetime(at).replace(tzinfo=None))

    def within(self, column: str, first: date, last: date, timezone: str) -> str:
        """Whether a time lies in these days of a zone's calendar."""
        begins, ends = (start_of_day(day, timezone) for day in (first, last + timedelta(1)))
        return f"({column} >= {self.time(begins)} and {column} < {self.time(ends)})"

    def day(self, column: str, timezone: str, grain: str = "day") -> str:
        """The day on which a time lies, or the first day of its week (from Monday), month or year."""
        local = f"timezone({self.value(timezone)}, timezone('UTC', {column}))"
        return f"cast(date_trunc('{grain}', {local}) as date)"

    def of_segment(self, segment_id: int | None, profile: str = "profile_id") -> str:
        """Whether a profile is a member of the segment, where one is asked for."""
        if segment_id is None:
            return "true"
        if segment_id == ALL_CUSTOMERS_ID:
            return f"{profile} in (select profile_id from profiles where kind = 'customer')"
        return (
            f"{profile} in (select profile_id from segment_members"
            f" where segment_id = {self.value(segment_id)})"
        )
