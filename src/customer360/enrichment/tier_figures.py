"""How many buyers has each tier, and what have they spent? One question to the warehouse."""

from __future__ import annotations

from dataclasses import dataclass

from customer360.profiles.browse import WarehouseQuery
from customer360.values import Amount

_TIERS = (
    "select s.tier as name, count(*) as people, sum(p.total_spend) as spend"
    " from scores s join profiles p on p.profile_id = s.profile_id"
    " where p.kind = 'customer' and s.tier is not null"
    " group by s.tier"
)


@dataclass(frozen=True, slots=True)
class TierFigures:
    """The buyers of a tier and what they spent until now."""

    people: int
    spend: Amount


def tier_figures(warehouse: WarehouseQuery, shop_id: int) -> dict[str, TierFigures]:
    """The tiers that have anybody, by name; buyers since the last run are in none yet."""
    return {
        row["name"]: TierFigures(int(row["people"]), int((row["spend"] or 0) * 10_000))
        for row in warehouse.query(shop_id, _TIERS).to_pylist()
    }
