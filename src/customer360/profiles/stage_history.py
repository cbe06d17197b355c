"""Which stages was a person in, since when? Read from their facts: it follows late events, merges and undos."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from customer360.clock import MINUTE, Instant, local_date
from customer360.events.vocabulary import ACTED
from customer360.profiles.fold import combine
from customer360.profiles.life import Life, StageSpan, stage_spans
from customer360.profiles.members import aggregates_of
from customer360.profiles.stages import ShopCalendar
from customer360.storage.database import rows_in

# Every time zone's midnight falls on a quarter of an hour, so what was done within one was done on one day.
_QUARTER: Instant = 15 * MINUTE


def stage_history(
    connection: Connection, shop_id: int, profile_id: int, calendar: ShopCalendar, now: Instant
) -> list[StageSpan]:
    """The stages of a person until now, newest first."""
    life = _life(connection, shop_id, profile_id, calendar.timezone, now)
    return stage_spans(life, local_date(now, calendar.timezone), calendar.windows)


def _life(
    connection: Connection, shop_id: int, profile_id: int, timezone: str, now: Instant
) -> Life:
    parts = aggregates_of(connection, shop_id, profile_id)
    members = sorted(parts)
    acted: list[date] = []
    viewed: list[date] = []
    for kind, at, times in rows_in(connection, _ACTS, (shop_id,), members):
        day = local_date(at, timezone)
        acted.append(day)
        if kind == "product_viewed":
            viewed += [day] * times
    placed, bought = _orders(connection, shop_id, members, timezone)
    visits = rows_in(connection, _VISITS, (shop_id,), members)
    visited = [local_date(at, timezone) for (at,) in visits]
    whole = combine(parts.values())
    first_at = min((count.first_at for count in whole.sources.values()), default=now)
    opted_in = [local_date(whole.opted_in_at, timezone)] if whole.opted_in_at else []
    return Life(
        known_since=min([local_date(first_at, timezone), *acted, *placed, *visited, *opted_in]),
        acted=acted + placed,
        ordered=bought,
        visited=visited,
        viewed=viewed,
        opted_in=opted_in,
    )


_ACTS = (
    "select type, min(occurred_at), count(*) from events"
    f" where shop_id = {{}} and type in {tuple(sorted(ACTED))} and fragment_id in {{}}"
    f" group by type, occurred_at / {_QUARTER}"
)
_VISITS = "select first_at from sessions where shop_id = {} and fragment_id in {}"


def _orders(
    connection: Connection, shop_id: int, members: list[int], timezone: str
) -> tuple[list[date], list[date]]:
    """The days of all orders, and of those that count: who cancels has acted all the same."""
    rows = [
        (local_date(at, timezone), cancelled_at is None and not test)
        for at, cancelled_at, test in rows_in(connection, _ORDERS, (shop_id,), members)
    ]
    return [day for day, _ in rows], [day for day, counts in rows if counts]


_ORDERS = (
    "select placed_at, cancelled_at, test from orders"
    " where shop_id = {} and placed_at is not null and fragment_id in {}"
)
