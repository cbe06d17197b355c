"""Who is in a segment, and what the warehouse knows of them? A page at a time, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlglot import exp

from customer360.clock import Instant, local_date, start_of_day, to_datetime
from customer360.profiles.attributes import ENRICHED_ATTRIBUTES, FULL_FATIGUE, SENT, STORED
from customer360.profiles.browse import WarehouseQuery, raw
from customer360.profiles.moving import days_since, overdue_days
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import ALL_CUSTOMERS_ID
from customer360.segments.comparisons import Bound
from customer360.segments.enriched import OVERDUE
from customer360.segments.to_sql import MEASURED, Compiled, Evaluator, of_people, person

# Small enough for a page of the widest format to take some ten megabytes.
PAGE = 10_000

_STORED = frozenset(attribute.name for attribute in STORED)
_ENRICHED = frozenset(attribute.name for attribute in ENRICHED_ATTRIBUTES)
_EXPECTED = "predicted_next_order_at"
_SINCE_ORDER = "days_since_last_order"


def member_ids_sql(segment_id: int) -> tuple[str, list[Any]]:
    """A query of the ids of a segment's members, and the values that it binds; it ends in its conditions."""
    if segment_id == ALL_CUSTOMERS_ID:
        return "select profile_id from profiles where kind = 'customer'", []
    return "select profile_id from segment_members where segment_id = ?", [segment_id]


def members(
    warehouse: WarehouseQuery,
    shop_id: int,
    segment_id: int,
    attributes: Sequence[str],
    now: Instant,
    calendar: ShopCalendar,
) -> Iterator[dict[int, dict[str, Any]]]:
    """The members by id with their attributes, raw as cards hold them."""
    wanted = [*dict.fromkeys(name for name in attributes if name in _STORED)]
    if _SINCE_ORDER in attributes and "last_order_at" not in wanted:
        wanted.append("last_order_at")
    ids, bound = member_ids_sql(segment_id)
    # The ids first: to join all members and then take the first ones costs nine times as much.
    sql = f"""
        with page as (
            {ids} and profile_id > ?
            order by profile_id
            limit {PAGE}
        )
        select {", ".join(("profile_id", *wanted))}
        from profiles
        where profile_id in (select profile_id from page)
        order by profile_id
        """
    last = 0
    while rows := warehouse.query(shop_id, sql, [*bound, last]).to_pylist():
        page = {row.pop("profile_id"): raw(row) for row in rows}
        if _SINCE_ORDER in attributes:
            _add_days(page, now, calendar.timezone)
        if not set(MEASURED).isdisjoint(attributes):
            _add_messages(warehouse, shop_id, page, now, calendar.timezone)
        if enriched := _ENRICHED.intersection(attributes):
            _add_enriched(warehouse, shop_id, page, enriched, Bound(now, calendar))
        yield page
        last = max(page)


def _add_days(page: dict[int, dict[str, Any]], now: Instant, timezone: str) -> None:
    today = local_date(now, timezone)
    for told in page.values():
        told[_SINCE_ORDER] = days_since(told["last_order_at"], today, timezone)


def _add_enriched(
    warehouse: WarehouseQuery,
    shop_id: int,
    page: dict[int, dict[str, Any]],
    names: frozenset[str],
    bound: Bound,
) -> None:
    """What enrichment tells, as segments ask for it."""
    evaluator = Evaluator(bound)
    asked = sorted({_EXPECTED if name == OVERDUE else name for name in names})
    values = (evaluator.value(name).as_(name) for name in asked)
    on_page = exp.and_(
        person() >= bound.value(min(page)),
        person() <= bound.value(max(page)),
    )
    query = Compiled(of_people(exp.select(person(), *values).where(on_page)), bound.values)
    for row in map(raw, warehouse.query(shop_id, query.sql(), query.values).to_pylist()):
        if (told := page.get(row.pop("profile_id"))) is not None:
            told |= row
            if OVERDUE in names:
                told[OVERDUE] = overdue_days(row[_EXPECTED], bound.today, bound.timezone)


def _add_messages(
    warehouse: WarehouseQuery,
    shop_id: int,
    page: dict[int, dict[str, Any]],
    now: Instant,
    timezone: str,
) -> None:
    """Messages of the shop's day and of the last seven, counted as segments count them."""
    today = local_date(now, timezone)
    since = [start_of_day(today - timedelta(days=days), timezone) for days in (0, 7)]
    midnight, week = (to_datetime(at).replace(tzinfo=None) for at in since)
    sql = f"""
        select
            f.profile_id,
            count(*) filter (where e.occurred_at >= ?) as messages_today,
            count(*) as messages_7d
        from event_facts e
        join fragment_profiles f using (fragment_id)
        where e.type in {SENT} and e.occurred_at >= ? and f.profile_id between ? and ?
        group by f.profile_id
        """
    for told in page.values():
        told |= {"messages_today": 0, "messages_7d": 0, "fatigue": 0.0}
    counts = warehouse.query(shop_id, sql, [midnight, week, min(page), max(page)]).to_pylist()
    for row in counts:
        if (person := page.get(row.pop("profile_id"))) is not None:
            person |= {**row, "fatigue": min(1.0, row["messages_7d"] / FULL_FATIGUE)}
