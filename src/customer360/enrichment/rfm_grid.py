"""How many people are in each RFM group, and what have they spent? One question to the warehouse."""

from __future__ import annotations

from dataclasses import dataclass

from customer360.profiles.browse import RFM_GROUP, WarehouseQuery
from customer360.values import Amount

_GROUPS = (
    f"select {RFM_GROUP} as name, count(*) as people, sum(p.orders_count) as orders,"
    " sum(p.total_spend) as spend, avg(s.churn_risk) as risk"
    " from profiles p left join scores s on s.profile_id = p.profile_id"
    " where p.kind = 'customer' group by name having name is not null"
)


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """An RFM group: its people, their orders and spend, and their mean churn risk; prospects have none."""

    name: str
    people: int
    orders: int
    spend: Amount
    risk: float | None

    @property
    def average_order_value(self) -> Amount | None:
        """Spend by order."""
        return round(self.spend / self.orders) if self.orders else None


def rfm_groups(warehouse: WarehouseQuery, shop_id: int) -> dict[str, GroupFigures]:
    """The groups that have anybody, by name; buyers since the last run are in none yet."""
    rows = warehouse.query(shop_id, _GROUPS).to_pylist()
    return {
        row["name"]: GroupFigures(
            row["name"],
            int(row["people"]),
            int(row["orders"] or 0),
            int((row["spend"] or 0) * 10_000),
            row["risk"],
        )
        for row in rows
    }
