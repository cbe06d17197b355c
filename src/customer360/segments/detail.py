"""What are the people of a segment worth, and how far do they get? Beside all customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from customer360.profiles.browse import WarehouseQuery
from customer360.segments.ast import ALL_CUSTOMERS_ID
from customer360.values import Amount

MEMBER_COLUMNS: tuple[str, ...] = (
    "zip", "orders_count", "total_spend", "average_order_value", "last_order_at", "discount_received",
    "promo_codes_count", "negative_feedback_count", "returned_items_count", "last_touch_source",
    "last_touch_medium", "last_touch_url",
)  # fmt: skip
"""What a list of members shows of each, beside who they are and the days since their last order."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What some people ordered, and how many of them did each step of a purchase; amounts are raw.

    `visited`, `checkout` and `ordered` count people, each with those alone who did the steps before it:
    visited the site, then started a checkout, then placed an order, at any time.
    """

    people: int
    orders: int
    revenue: Amount
    visited: int
    checkout: int
    ordered: int

    @property
    def average_order_value(self) -> Amount | None:
        """Revenue by order."""
        return round(self.revenue / self.orders) if self.orders else None

    @property
    def revenue_per_person(self) -> Amount | None:
        """ARPC: revenue by person."""
        return round(self.revenue / self.people) if self.people else None


@dataclass(frozen=True, slots=True)
class Detail:
    """A segment beside all customers."""

    members: Figures
    customers: Figures


def count_customers(warehouse: WarehouseQuery, shop_id: int) -> int:
    """How many All customers has."""
    sql = "select count(*) as n from profiles where kind = 'customer'"
    return int(warehouse.query(shop_id, sql).to_pylist()[0]["n"])


def detail(warehouse: WarehouseQuery, shop_id: int, segment_id: int) -> Detail:
    """The figures of a segment's members as the warehouse has them, and of all customers."""
    rows = warehouse.query(shop_id, _FIGURES, [segment_id, ALL_CUSTOMERS_ID]).to_pylist()
    of = {row["is_all"]: _figures(row) for row in rows}
    return Detail(of[False], of[True])


_FIGURES = """
with
starters as (
    select distinct f.profile_id
    from event_facts e
    join fragment_profiles f on f.fragment_id = e.fragment_id
    where e.type = 'checkout_started'
),
people as (
    select
        p.profile_id,
        p.kind = 'customer' as is_customer,
        m.profile_id is not null or ($1 = $2 and p.kind = 'customer') as is_member,
        coalesce(p.orders_count, 0) as orders,
        coalesce(p.total_spend, 0) as revenue,
        p.sessions_count > 0 as visited,
        p.sessions_count > 0 and s.profile_id is not null as checkout
    from profiles p
    left join (select profile_id from segment_members where segment_id = $1) m on m.profile_id = p.profile_id
    left join starters s on s.profile_id = p.profile_id
),
sides as (
    select false as is_all
    union all
    select true
)
select
    is_all,
    count(profile_id) as people,
    coalesce(sum(orders), 0) as orders,
    coalesce(sum(revenue), 0) as revenue,
    count(*) filter (where visited) as visited,
    count(*) filter (where checkout) as checkout,
    count(*) filter (where checkout and orders > 0) as ordered
from sides
left join people on case when is_all then is_customer else is_member end
group by is_all
"""


def _figures(row: dict[str, Any]) -> Figures:
    return Figures(
        people=row["people"],
        orders=int(row["orders"]),
        revenue=int(row["revenue"].scaleb(4)),
        visited=row["visited"],
        checkout=row["checkout"],
        ordered=row["ordered"],
    )
