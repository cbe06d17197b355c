"""What the models need of a shop's warehouse, as arrays: a handful of questions, however many people there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from customer360.clock import Instant, local_date, start_of_day, to_datetime
from customer360.enrichment.card import People
from customer360.enrichment.engagement import HALF_LIFE_DAYS, WEIGHTS
from customer360.enrichment.model import Ints, Orders, places_in
from customer360.enrichment.origins import Acts
from customer360.events.vocabulary import ACTED
from customer360.profiles.browse import WarehouseQuery

_EPOCH = date(1970, 1, 1)
_ENGAGED_DAYS = 12 * HALF_LIFE_DAYS
"""What is older counts for a four thousandth of what it did."""

_ORDERED = (
    "orders o join fragment_profiles f on f.fragment_id = o.fragment_id"
    " where o.placed_at is not null and o.cancelled_at is null and not o.test"
)
# Of a foreign currency nobody knows the value.
_ORDERS = (
    "select f.profile_id, epoch_us(o.placed_at) as at,"
    " case when o.foreign_currency then 0 else cast(o.total * 10000 as bigint) end as total"
    f" from {_ORDERED} and o.placed_at < ?"
)
_ACTS = (
    "select f.profile_id, max(epoch_us(e.occurred_at)) as at"
    " from event_facts e join fragment_profiles f on f.fragment_id = e.fragment_id"
    f" where e.type in {tuple(sorted(ACTED))} and e.occurred_at < ?"
    f" and f.profile_id in (select f.profile_id from {_ORDERED})"
    " group by f.profile_id, {since}"
)
_ENGAGED = (
    "select f.profile_id, sum(case e.type {weights} end"
    " * pow(0.5, floor(date_diff('second', e.occurred_at, $1) / 86400.0) / {half_life})) as points"
    " from events_all e join fragment_profiles f on f.fragment_id = e.fragment_id"
    " where e.type in {types} and e.occurred_at < $1 and e.occurred_at >= $2"
    " group by f.profile_id having points > 0 order by f.profile_id"
)
_BOUGHT = (
    "select f.profile_id, l.product_id, list(epoch_us(o.placed_at)) as at"
    f" from order_lines l join {_ORDERED.replace('orders o', 'orders o on o.order_id = l.order_id', 1)}"
    " and l.product_id is not null and o.placed_at < ?{this}"
    " group by f.profile_id, l.product_id having count(*) > 1"
)
_TITLES = (
    "select product_id, arg_max(title, order_id) as title from order_lines"
    " where product_id is not null and title is not null group by product_id"
)
_KINDS = "select kind, count(*) as n from profiles group by kind"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The shop's days as whole numbers since 1970: its calendar has no hours."""

    today: int
    timezone: str

    @classmethod
    def at(cls, now: Instant, timezone: str) -> Calendar:
        """The calendar on the day of an instant."""
        return cls((local_date(now, timezone) - _EPOCH).days, timezone)

    def start(self, day: int) -> Instant:
        """The first instant of a day."""
        return start_of_day(_EPOCH + timedelta(days=day), self.timezone)

    def starts(self, days: Ints) -> Ints:
        """The first instants of many days."""
        found, place = np.unique(days, return_inverse=True)
        return np.array([self.start(int(day)) for day in found], np.int64)[place]

    def days(self, instants: Ints) -> Ints:
        """The days of many instants."""
        if not len(instants):
            return instants
        # A zone is at most a day off.
        first = int(instants.min()) // _DAY_MICROSECONDS - 1
        last = int(instants.max()) // _DAY_MICROSECONDS + 2
        starts = np.array([self.start(day) for day in range(first, last + 1)], np.int64)
        return first + np.searchsorted(starts, instants, side="right") - 1


_DAY_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Buyers:
    """Everybody with an order by the end of today, in the order of their ids.

    acts: of each, the last in each stretch of time between the days that were asked for.
    """

    profile_ids: Ints
    orders: Orders
    acts: Acts


@dataclass(frozen=True, slots=True)
class Bought:
    """On which days buyers bought a product again: pairs of buyer and product, and an order of one for each row."""

    profile_ids: Ints
    product_ids: Sequence[str]
    orders: Orders


def read_buyers(
    warehouse: WarehouseQuery, shop_id: int, calendar: Calendar, origins: Sequence[int]
) -> Buyers:
    """The orders of everybody, and when they acted otherwise, as far as facts at the end of these days need."""
    tomorrow = _time(calendar.start(calendar.today + 1))
    table = warehouse.query(shop_id, _ORDERS, [tomorrow])
    profile_ids, buyer = np.unique(_ints(table, "profile_id"), return_inverse=True)
    total = _ints(table, "total") / 10_000
    orders = Orders(len(profile_ids), buyer, calendar.days(_ints(table, "at")), total)
    bounds = [_time(calendar.start(day + 1)) for day in {*origins, calendar.today}]
    since = " + ".join("cast(e.occurred_at >= ? as int)" for _ in bounds)
    acts = warehouse.query(shop_id, _ACTS.format(since=since), [tomorrow, *bounds])
    who, known = places_in(profile_ids, _ints(acts, "profile_id"))
    return Buyers(profile_ids, orders, Acts(who, calendar.days(_ints(acts, "at")[known])))


def read_engagement(
    warehouse: WarehouseQuery, shop_id: int, calendar: Calendar
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The ids of everybody who did something of late, sorted, and the sum of their points as weighed today."""
    until, since = (calendar.start(calendar.today + 1 - days) for days in (0, _ENGAGED_DAYS))
    weights = " ".join(f"when '{name}' then {weight}" for name, weight in WEIGHTS.items())
    sql = _ENGAGED.format(weights=weights, types=tuple(WEIGHTS), half_life=HALF_LIFE_DAYS)
    table = warehouse.query(shop_id, sql, [_time(until), _time(since)])
    return _ints(table, "profile_id"), table.column("points").to_numpy()


def read_bought(
    warehouse: WarehouseQuery, shop_id: int, calendar: Calendar, product_id: str | None = None
) -> Bought:
    """What buyers bought more than once: any product, or this one."""
    tomorrow = _time(calendar.start(calendar.today + 1))
    asked = [tomorrow] if product_id is None else [tomorrow, product_id]
    this = "" if product_id is None else " and l.product_id = ?"
    table = warehouse.query(shop_id, _BOUGHT.format(this=this), asked).combine_chunks()
    lists = table.column("at").combine_chunks()
    pair = np.repeat(np.arange(len(table)), lists.value_lengths().to_numpy())
    day = calendar.days(lists.flatten().to_numpy())
    products = table.column("product_id").to_pylist()
    orders = Orders(len(table), pair, day, np.ones(len(day)))
    return Bought(_ints(table, "profile_id"), products, orders)


def read_titles(warehouse: WarehouseQuery, shop_id: int) -> Mapping[str, str]:
    """What products were called last, by id."""
    titles = warehouse.query(shop_id, _TITLES)
    return dict(zip(*(one.to_pylist() for one in titles.columns), strict=True))


def read_people(warehouse: WarehouseQuery, shop_id: int) -> People:
    """How many customers and visitors there are."""
    rows = warehouse.query(shop_id, _KINDS).to_pylist()
    count = {row["kind"]: int(row["n"]) for row in rows}
    return People(customers=count.get("customer", 0), visitors=count.get("visitor", 0))


def _ints(table: pa.Table, name: str) -> Ints:
    found: Ints = table.column(name).to_numpy().astype(np.int64, copy=False)
    return found


def _time(instant: Instant) -> object:
    return to_datetime(instant).replace(tzinfo=None)
