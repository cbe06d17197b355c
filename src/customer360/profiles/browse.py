"""Which customers match, in what order? Answered by the warehouse with ids; the profile store then says who."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol

import pyarrow as pa
from sqlglot import exp

from customer360.clock import Instant, from_datetime, local_date, start_of_day, to_datetime
from customer360.errors import InvalidInput
from customer360.profiles.attributes import BY_NAME, NO_ORDER_GROUP, SCORED, STORED
from customer360.profiles.stage_sql import stage_sql
from customer360.profiles.stages import ShopCalendar
from customer360.values import Amount, texts_in, to_decimal


class WarehouseQuery(Protocol):
    """How the warehouse is asked: SQL in DuckDB's dialect with bound values, about one shop."""

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table: ...


SORTABLE: frozenset[str] = frozenset(
    attribute.name
    for attribute in (*STORED, *SCORED)
    if attribute.type in ("number", "money", "time", "text", "choice")
)
_LISTS = frozenset(one.name for one in (*STORED, *SCORED) if one.type == "list")
_SCORED = frozenset(one.name for one in SCORED)
_STAGE = "lifecycle_stage"


@dataclass(frozen=True, slots=True)
class Today:
    """The time and the shop's calendar by which stages are told."""

    now: Instant
    calendar: ShopCalendar


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which profiles are wanted; every part narrows the list. `profile_ids` are those that a search found."""

    kind: Literal["customer", "visitor", "all"] = "customer"
    countries: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    has_email: bool | None = None
    orders_min: int | None = None
    spend_min: Amount | None = None
    seen_since: Instant | None = None
    bought_since: Instant | None = None
    """Somebody bought at this time or later; with `bought_before`, one order lies between both."""
    bought_before: Instant | None = None
    profile_ids: tuple[int, ...] | None = None
    stages: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    rfm_groups: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    segment_id: int | None = None
    """A segment that the shop made: its members as the warehouse has them."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: its raw value of the sorting attribute, and its profile."""

    value: str | float | None
    profile_id: int


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one page (attribute name to raw value, with profile_id and kind), how many match, and of how many."""

    rows: list[dict[str, Any]]
    total: int
    everyone: int


# What a list of customers shows; other attributes are on the customer's page.
COLUMNS: tuple[str, ...] = (
    "orders_count", "items_count", "total_spend", "average_order_value", "first_order_at", "last_order_at",
    "last_seen_at", "country", "city", "shopping_place", "sessions_count", "refunded_total",
)  # fmt: skip


def browse(
    warehouse: WarehouseQuery,
    shop_id: int,
    wanted: Wanted,
    *,
    sort: str = "last_seen_at",
    descending: bool = True,
    limit: int = 25,
    offset: int = 0,
    after: Position | None = None,
    columns: Sequence[str] = COLUMNS,
    today: Today | None = None,
) -> Found:
    """A page of profiles: from `offset` on, or those that come `after` the last row of another page.

    Rows hold the columns and the sorting attribute; whoever asks for stages says what day it is. Raises InvalidInput
    when `sort` is no attribute that orders.
    """
    if sort not in SORTABLE:
        raise InvalidInput(f"{sort!r} cannot order a list of customers", "sort")
    where, params = _conditions(wanted, today)
    direction = "desc" if descending else "asc"
    beyond, bound = _beyond(sort, descending, after)
    names = dict.fromkeys(("profile_id", "kind", *columns, sort))
    # Scores that neither narrow nor order the list are looked up for the page alone.
    beside = [name for name in names if name in _SCORED and name != sort]
    told = [name for name in names if name not in beside]
    stage, shown = _stage(today) if _STAGE in told else ("", [])
    table = warehouse.query(
        shop_id,
        f"""
        with page as (
            select {", ".join(f"{stage} as {_STAGE}" if name == _STAGE else name for name in told)}
            from {_source(wanted, (sort,))}
            where {where} and {beyond}
            order by {sort} {direction} nulls last, profile_id desc
            limit ? offset ?
        )
        select {", ".join([*(f"page.{name}" for name in told), *beside])}
        from {"page left join scores using (profile_id)" if beside else "page"}
        order by page.{sort} {direction} nulls last, page.profile_id desc
        """,
        [*shown, *params, *bound, limit, offset],
    )
    total, everyone = _counts(warehouse, shop_id, wanted, today)
    return Found([raw(row) for row in table.to_pylist()], total, everyone)


def _source(wanted: Wanted, names: Iterable[str]) -> str:
    """Profiles, with their scores beside them where any is looked at."""
    asked = wanted.tiers or wanted.rfm_groups or wanted.churn_bands
    scored = asked or not _SCORED.isdisjoint(names)
    return "profiles left join scores using (profile_id)" if scored else "profiles"


def _stage(today: Today | None) -> tuple[str, list[Any]]:
    """The stage of a row, and the values that it binds."""
    assert today is not None
    zone, bound = today.calendar.timezone, list[Any]()

    def days_ago(count: int) -> exp.Expr:
        day = local_date(today.now, zone) - timedelta(days=count)
        bound.append(_naive(start_of_day(day, zone)))
        return exp.Placeholder()

    return stage_sql(today.calendar.windows, exp.column, days_ago).sql("duckdb"), bound


def _counts(
    warehouse: WarehouseQuery, shop_id: int, wanted: Wanted, today: Today | None
) -> tuple[int, int]:
    """How many match, and of how many."""
    where, params = _conditions(wanted, today)
    counts = warehouse.query(
        shop_id,
        f"""
        select
            count(*) filter (where {where}) as total,
            count(*) filter (where kind = 'customer' or ? <> 'customer') as everyone
        from {_source(wanted, ())}
        """,
        [*params, wanted.kind],
    ).to_pylist()[0]
    return int(counts["total"]), int(counts["everyone"])


def count_stages(warehouse: WarehouseQuery, shop_id: int, today: Today) -> dict[str, int]:
    """How many customers are in which stage; stages of nobody are left out."""
    stage, bound = _stage(today)
    sql = f"select {stage} as stage, count(*) as n from profiles where kind = 'customer' group by stage"
    rows = warehouse.query(shop_id, sql, bound).to_pylist()
    return {row["stage"]: int(row["n"]) for row in rows}


def countries(warehouse: WarehouseQuery, shop_id: int) -> list[tuple[str, int]]:
    """The countries of customers with their counts, most first: what the filter offers."""
    table = warehouse.query(
        shop_id,
        """
        select country, count(*) as n
        from profiles
        where kind = 'customer' and country is not null
        group by country
        order by n desc, country
        limit 250
        """,
    )
    return [(row["country"], int(row["n"])) for row in table.to_pylist()]


def _conditions(wanted: Wanted, today: Today | None) -> tuple[str, list[Any]]:
    parts: list[tuple[str, list[Any]]] = []
    if wanted.kind != "all":
        parts.append(("kind = ?", [wanted.kind]))
    if wanted.stages:
        stage, bound = _stage(today)
        parts.append((f"{stage} in (select unnest(?))", [*bound, list(wanted.stages)]))
    for column, values in (
        ("country", wanted.countries),
        ("shopping_place", wanted.places),
        ("tier", wanted.tiers),
        (RFM_GROUP, wanted.rfm_groups),
        ("churn_band", wanted.churn_bands),
    ):
        if values:
            parts.append((f"{column} in (select unnest(?))", [list(values)]))
    if wanted.has_email is not None:
        parts.append(("has_email = ?", [wanted.has_email]))
    if wanted.orders_min is not None:
        parts.append(("orders_count >= ?", [wanted.orders_min]))
    if wanted.spend_min is not None:
        parts.append(("total_spend >= ?", [to_decimal(wanted.spend_min)]))
    if wanted.seen_since is not None:
        parts.append(("last_seen_at >= ?", [_naive(wanted.seen_since)]))
    if wanted.bought_since is not None or wanted.bought_before is not None:
        parts.append(_bought(wanted.bought_since, wanted.bought_before))
    if wanted.profile_ids is not None:
        parts.append(("profile_id in (select unnest(?))", [list(wanted.profile_ids)]))
    if wanted.segment_id is not None:
        parts.append((_IN_SEGMENT, [wanted.segment_id]))
    where = " and ".join(text for text, _ in parts) or "true"
    return where, [value for _, values in parts for value in values]


def _bought(since: Instant | None, before: Instant | None) -> tuple[str, list[Any]]:
    """That an order, neither cancelled nor a test, was placed within these times."""
    bounds = [(text, at) for text, at in ((">=", since), ("<", before)) if at is not None]
    within = "".join(f" and o.placed_at {text} ?" for text, _ in bounds)
    condition = (
        "profile_id in (select f.profile_id from orders o join fragment_profiles f using (fragment_id)"
        f" where not o.test and o.cancelled_at is null{within})"
    )
    return condition, [_naive(at) for _, at in bounds]


RFM_GROUP = f"case when orders_count = 0 then '{NO_ORDER_GROUP}' else rfm_group end"
"""Of a row of profiles with their scores: whoever has no order is a prospect, whatever the last run found."""
_IN_SEGMENT = "profile_id in (select profile_id from segment_members where segment_id = ?)"


def _beyond(sort: str, descending: bool, after: Position | None) -> tuple[str, list[Any]]:
    """Which rows come after the position in `order by sort … nulls last, profile_id desc`."""
    if after is None:
        return "true", []
    if after.value is None:
        return f"({sort} is null and profile_id < ?)", [after.profile_id]
    value = _bound(sort, after.value)
    condition = f"({sort} {'<' if descending else '>'} ? or {sort} is null or ({sort} = ? and profile_id < ?))"
    return condition, [value, value, after.profile_id]


def _bound(sort: str, value: str | float) -> Any:
    """A raw value as the warehouse's column holds it; raises InvalidInput for a value of another type."""
    kind = BY_NAME[sort].type
    if isinstance(value, str) == (kind in ("number", "money", "time")):
        raise InvalidInput(f"This is no position in a list by {sort}", "cursor")
    if kind == "money":
        return to_decimal(int(value))
    try:
        return _naive(int(value)) if kind == "time" else value
    except OverflowError as error:
        raise InvalidInput(f"This is no position in a list by {sort}", "cursor") from error


def _naive(at: Instant) -> datetime:
    """The time as the warehouse's columns hold it."""
    return to_datetime(at).replace(tzinfo=None)


def raw(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts as ten-thousandths, times as instants and lists as such again, as cards hold them."""
    return {name: _raw(name, value) for name, value in row.items()}


def _raw(name: str, value: Any) -> Any:
    if name in _LISTS and value is not None:
        return texts_in(value)
    if isinstance(value, Decimal):
        return int(value.scaleb(4))
    if isinstance(value, datetime):
        return from_datetime(value.replace(tzinfo=UTC))
    return value
