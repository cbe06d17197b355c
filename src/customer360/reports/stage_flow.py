"""In which stages were customers at the end of one day, and where are they at the end of another?

The stages of past days follow from what people had done by then, as those of one person do (`profiles.life`): the
warehouse counts it for everybody at once, and the rule is that of `profiles.stage_sql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlglot import exp

from customer360.clock import Instant, local_date, start_of_day
from customer360.errors import InvalidInput
from customer360.events.vocabulary import ACTED
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.stage_sql import STAGE_COLUMNS, stage_sql
from customer360.profiles.stages import ShopCalendar
from customer360.segments.comparisons import Bound

NOT_YET = "not_yet"
"""Of somebody who was not heard of yet at the end of the first day."""
STAGES: tuple[str, ...] = BY_NAME["lifecycle_stage"].choices
_USUAL_DAYS = 30
# No event is much older, and windows reach back from it.
_EARLIEST = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Between:
    """The two days at whose ends stages are compared, by the shop's calendar."""

    first: date
    last: date
    calendar: ShopCalendar


@dataclass(frozen=True, slots=True)
class Found:
    """Some people, and how many there are in all; of a page behind the last one nobody."""

    profile_ids: list[int]
    total: int


def between_days(
    first: date | None, last: date | None, now: Instant, calendar: ShopCalendar
) -> Between:
    """These days, else the last 30 until today; raises InvalidInput."""
    today = local_date(now, calendar.timezone)
    last = last or today
    first = first or last - timedelta(_USUAL_DAYS)
    for name, day in (("to", last), ("from", first)):
        if not _EARLIEST <= day <= today:
            raise InvalidInput(f"Give a day from {_EARLIEST} to {today}.", name)
    if first > last:
        raise InvalidInput("The first day comes after the last one.", "from")
    return Between(first, last, calendar)


def stage_flow(
    warehouse: WarehouseQuery, shop_id: int, between: Between
) -> dict[tuple[str, str], int]:
    """How many of today's customers went from one stage, or NOT_YET, to which; pairs of nobody are left out.

    Whoever was not heard of by the end of the last day is not counted, nor are visitors.
    """
    bound = Bound(0, between.calendar)
    sql = f"""
        {_staged(bound, between)}
        select coalesce(was, '{NOT_YET}') as was, became, count(*) as people
        from staged
        where became is not null
        group by all
        """
    rows = warehouse.query(shop_id, sql, bound.values).to_pylist()
    return {(row["was"], row["became"]): int(row["people"]) for row in rows}


def people_between(
    warehouse: WarehouseQuery,
    shop_id: int,
    between: Between,
    pair: tuple[str, str],
    *,
    limit: int,
    offset: int = 0,
) -> Found:
    """A page of those who went from one stage, or NOT_YET, to another, the newest profiles first."""
    bound = Bound(0, between.calendar)
    staged = _staged(bound, between)
    was, became, most, skipped = (
        bound.value(value).sql("duckdb") for value in (*pair, limit, offset)
    )
    sql = f"""
        {staged}
        select profile_id, count(*) over () as total
        from staged
        where coalesce(was, '{NOT_YET}') = {was} and became = {became}
        order by profile_id desc
        limit {most} offset {skipped}
        """
    rows = warehouse.query(shop_id, sql, bound.values).to_pylist()
    return Found([row["profile_id"] for row in rows], rows[0]["total"] if rows else 0)


def _staged(bound: Bound, between: Between) -> str:
    """The stages of each customer at the end of both days; null for who was not heard of yet."""
    days = {"was": between.first, "became": between.last}
    ends = {
        side: bound.time(start_of_day(day + timedelta(1), between.calendar.timezone)).sql("duckdb")
        for side, day in days.items()
    }
    stages = (_stage(bound, between.calendar, side, day, ends[side]) for side, day in days.items())
    return _STAGED.format(
        counts=", ".join(_COUNTED.format(side=side, end=end) for side, end in ends.items()),
        columns=", ".join(_column(side, name) for side in days for name in _FOLLOWS),
        stages=", ".join(stages),
        first_end=ends["was"],
        last_end=ends["became"],
        acts=tuple(sorted(ACTED)),
    )


def _column(side: str, name: str) -> str:
    return f"case when p.is_recent then l.{side}_{name} else p.{name} end as {side}_{name}"


def _stage(bound: Bound, calendar: ShopCalendar, side: str, day: date, end: str) -> str:
    def column(name: str) -> exp.Expr:
        if name == "opted_in_at":
            # Who agreed later had not yet.
            return exp.case().when(exp.column(name) < exp.maybe_parse(end), exp.column(name))
        return exp.column(f"{side}_{name}")

    def days_ago(count: int) -> exp.Expr:
        return bound.time(start_of_day(day - timedelta(count), calendar.timezone))

    stage = stage_sql(calendar.windows, column, days_ago).sql("duckdb")
    known = f"least(first_seen_at, opted_in_at, first_at) < {end}"
    return f"case when {known} then {stage} end as {side}"


_FOLLOWS = tuple(name for name in STAGE_COLUMNS if name != "opted_in_at")
_COUNTED = """
        max(happened_at) filter (acted and happened_at < {end}) as {side}_last_acted_at,
        count(*) filter (ordered and happened_at < {end}) as {side}_orders_count,
        count(*) filter (visited and happened_at < {end}) as {side}_sessions_count,
        count(*) filter (viewed and happened_at < {end}) as {side}_product_views"""
# Of whoever was not heard of since the first day, which is most people, the profile says all there is to count.
_STAGED = """
with
customers as (
    select profile_id, first_seen_at, opted_in_at, last_acted_at, orders_count, sessions_count, product_views,
        greatest(last_seen_at, last_acted_at) >= {first_end} as is_recent
    from profiles
    where kind = 'customer'
),
facts as (
    select fragment_id, occurred_at as happened_at, true as acted, false as ordered, false as visited,
        type = 'product_viewed' as viewed
    from event_facts
    where type in {acts} and occurred_at < {last_end}
    union all
    select fragment_id, placed_at, true, cancelled_at is null and not test, false, false
    from orders
    where placed_at < {last_end}
    union all
    select fragment_id, first_at, false, false, true, false
    from sessions
    where first_at < {last_end}
),
parts as (
    select f.fragment_id, f.profile_id
    from fragment_profiles f
    join customers c on c.profile_id = f.profile_id
    where c.is_recent
),
lives as (
    select m.profile_id, min(happened_at) as first_at, {counts}
    from facts
    join parts m on m.fragment_id = facts.fragment_id
    group by m.profile_id
),
known as (
    select p.profile_id, p.first_seen_at, p.opted_in_at, l.first_at, {columns}
    from customers p
    left join lives l on l.profile_id = p.profile_id
),
staged as (
    select profile_id, {stages}
    from known
)"""
