"""The cards above All customers: how many are VIP, Regular and New, and what they bring."""

from __future__ import annotations

from dataclasses import dataclass, replace

from customer360.enrichment.card import TierLimits
from customer360.enrichment.standing import standing
from customer360.enrichment.tier_figures import TierFigures, tier_figures
from customer360.values import AMOUNT_SCALE
from customer360.web import filters, formats
from customer360.web.filters import CustomerFilter
from customer360.web.visit import Visit


@dataclass(frozen=True, slots=True)
class TierCard:
    """A tier with its people, and the query that opens them."""

    name: str
    people: int
    of_buyers: float
    of_revenue: float | None
    help: str
    query: str


def tier_cards(visit: Visit, chosen: CustomerFilter) -> list[TierCard]:
    """A card for each tier, the best first; none before the first run, and none of a shop without buyers."""
    with visit.app.database.read() as connection:
        model = standing(connection, visit.shop.shop_id).card
    found = tier_figures(visit.app.warehouse, visit.shop.shop_id) if model else {}
    if model is None or not found:
        return []
    people = sum(one.people for one in found.values())
    spend = sum(one.spend for one in found.values())
    told = {name: found.get(name, TierFigures(0, 0)) for name in ("vip", "regular", "new")}
    words = _help(model.tiers, visit.shop.currency)
    return [
        TierCard(
            name=name,
            people=one.people,
            of_buyers=one.people / people,
            of_revenue=one.spend / spend if spend > 0 else None,
            help=words[name],
            query=filters.write(replace(filters.cleared(chosen), search="", tiers=(name,))),
        )
        for name, one in told.items()
    ]


def _help(limits: TierLimits, currency: str) -> dict[str, str]:
    orders = formats.number(limits.vip_orders)
    vip = "Nobody: equal spends leave no top fifth of buyers."
    if limits.vip_spend is not None:
        spend = formats.money_full(round(limits.vip_spend * AMOUNT_SCALE), currency)
        vip = (
            f"The top fifth of buyers by spend, here {spend} or more, with {orders} orders or more."
        )
    return {
        "vip": vip,
        "regular": "All other buyers with two orders or more.",
        "new": "Buyers with exactly one order.",
    }
