"""How are the shop's scores doing, from where on is somebody what, and how good are the models?"""

from __future__ import annotations

import msgspec

from customer360.access.shops import Shop
from customer360.api.v1.asked import Asking
from customer360.api.v1.enrichment_models import (
    ChurnBandItem,
    EnrichmentAnswer,
    ReorderItem,
    ReordersAnswer,
    RfmThresholds,
    Thresholds,
    TierThresholds,
)
from customer360.clock import to_iso
from customer360.enrichment.card import ModelCard
from customer360.enrichment.churn import BANDS
from customer360.enrichment.reorders import NOTHING
from customer360.enrichment.standing import Standing, ask, standing
from customer360.profiles.stages import windows_of
from customer360.values import AMOUNT_SCALE, money_text


def get_enrichment(asked: Asking) -> EnrichmentAnswer:
    """When the scores were computed, their thresholds, and the card of the models."""
    with asked.doors.database.read() as connection:
        return _answer(asked.shop, standing(connection, asked.shop_id))


def run_enrichment(asked: Asking) -> EnrichmentAnswer:
    """Have the scores computed anew; a worker begins within seconds, and one run at a time is enough."""
    with asked.doors.database.write() as connection:
        ask(connection, asked.shop_id, asked.doors.clock.now())
        found = standing(connection, asked.shop_id)
    return _answer(asked.shop, found)


def get_reorders(asked: Asking) -> ReordersAnswer:
    """Which products will be ordered again, by how many people and in which week."""
    with asked.doors.database.read() as connection:
        known = standing(connection, asked.shop_id)
    found = known.report.reorders if known.report else NOTHING
    return ReordersAnswer(
        computed_at=to_iso(known.computed_at),
        weeks=found.weeks,
        items=[
            ReorderItem(
                product_id=one.product_id, title=one.title, overdue=one.overdue, weeks=one.weeks
            )
            for one in found.products
        ],
        total=found.products_in_all,
    )


def _answer(shop: Shop, found: Standing) -> EnrichmentAnswer:
    last = found.last
    running = last is not None and last.state == "running"
    return EnrichmentAnswer(
        state=last.state if last else "never",
        stage=last.stage or None if last and running else None,
        done=last.done if last and running else 0,
        total=last.total if last and running else 0,
        reason=last.reason or None if last else None,
        began_at=to_iso(last.began_at) if last else None,
        ended_at=to_iso(last.ended_at) if last else None,
        computed_at=to_iso(found.computed_at),
        people=found.report.people if found.report else None,
        thresholds=_thresholds(shop, found.card),
        model_card=msgspec.to_builtins(found.card) if found.card else None,
    )


def _thresholds(shop: Shop, card: ModelCard | None) -> Thresholds:
    windows = windows_of(shop.settings)

    def money(amount: float | None) -> str | None:
        return money_text(None if amount is None else round(amount * AMOUNT_SCALE), shop.currency)

    return Thresholds(
        at_risk_days=windows.at_risk_days,
        churned_days=windows.churned_days,
        churn_bands=[
            ChurnBandItem(name=band.name, least=band.least, advice=band.advice) for band in BANDS
        ],
        tiers=TierThresholds(
            vip_spend=money(card.tiers.vip_spend),
            vip_orders=card.tiers.vip_orders,
            buyers=card.tiers.buyers,
        )
        if card
        else None,
        rfm=RfmThresholds(
            recency_days=card.rfm.recency_days,
            orders=card.rfm.orders,
            average_order_value=[money(one) for one in card.rfm.average_order_value],
        )
        if card
        else None,
    )
