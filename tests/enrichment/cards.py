"""The model card of a made-up shop, from what a run computes of it."""

from __future__ import annotations

import numpy as np

from customer360.enrichment.card import ModelCard, People, model_card
from customer360.enrichment.clv import forecast
from customer360.enrichment.model import Orders
from customer360.enrichment.next_order import next_orders
from customer360.enrichment.origins import Acts, facts_on
from customer360.enrichment.rfm import RECENCY_DAYS, rfm
from customer360.enrichment.risk import learn_risk
from customer360.enrichment.tiers import tiers


def card_of(
    orders: Orders, acts: Acts, today: int, churned_days: int = 90, people: People | None = None
) -> ModelCard:
    facts = facts_on(orders, acts, today)
    average = facts.total_spend / np.maximum(facts.orders_count, 1)
    return model_card(
        orders,
        acts,
        today,
        churned_days,
        people=people or People(orders.buyers, 0),
        facts=facts,
        told=forecast(orders, today),
        learned=learn_risk(orders, acts, today, churned_days),
        tiers=tiers(facts.orders_count, facts.total_spend),
        rfm=rfm(today - orders.last_day(today), facts.orders_count, average),
        recency_days=RECENCY_DAYS,
        expected=next_orders(orders, today),
    )
