"""Why are somebody's scores as they are? Pure: what is kept of a person and the card of the run, in the API's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from customer360.clock import to_iso
from customer360.enrichment.actions import WORDS
from customer360.enrichment.card import ModelCard
from customer360.enrichment.churn import ADVICE
from customer360.values import AMOUNT_SCALE, money_text


def explanations(
    scores: Mapping[str, Any], action: str | None, card: ModelCard | None, currency: str
) -> dict[str, dict[str, Any]]:
    """By what is explained, what it was made of; empty for whoever has no scores but their next best action.

    scores: as `read_scores` has them. Times as ISO 8601, money as decimal strings.
    """
    told: dict[str, dict[str, Any]] = {}
    if scores.get("tier") is not None and card is not None:
        told["churn"] = _churn(scores, card)
        told["rfm"] = {name: scores[f"rfm_{name}"] for name in ("r", "f", "m", "group")}
        told["tier"] = {
            "tier": scores["tier"],
            "vip_spend": _vip_spend(card, currency),
            "vip_orders": card.tiers.vip_orders,
        }
        told["ltv"] = _value(scores, card, currency)
    if scores.get("predicted_next_order_at") is not None:
        told["next_order"] = {
            "at": to_iso(scores["predicted_next_order_at"]),
            "low_at": to_iso(scores["next_order_low_at"]),
            "high_at": to_iso(scores["next_order_high_at"]),
            "gap_days": scores["order_gap_days"],
        }
    if action is not None:
        told["next_best_action"] = {"action": action, "words": WORDS[action]}
    return told


def _churn(scores: Mapping[str, Any], card: ModelCard) -> dict[str, Any]:
    return {
        "recency": scores["churn_recency"],
        "frequency": scores["churn_frequency"],
        "monetary": scores["churn_monetary"],
        "index": scores["churn_index"],
        "band": scores["churn_band"],
        "advice": ADVICE[scores["churn_band"]],
        "risk": scores["churn_risk"],
        "calibrated": card.churn_risk.not_calibrated is None,
        "not_calibrated": card.churn_risk.not_calibrated,
        "window_days": card.churn_risk.churned_days,
    }


def _vip_spend(card: ModelCard, currency: str) -> str | None:
    spend = card.tiers.vip_spend
    return None if spend is None else money_text(round(spend * AMOUNT_SCALE), currency)


def _value(scores: Mapping[str, Any], card: ModelCard, currency: str) -> dict[str, Any]:
    amounts = (
        "ltv",
        *(f"predicted_spend_{days}d{end}" for days in (30, 90) for end in ("", "_low", "_high")),
    )
    return {
        **{name: money_text(scores[name], currency) for name in amounts},
        **{
            f"predicted_orders_90d{end}": scores[f"predicted_orders_90d{end}"]
            for end in ("", "_low", "_high")
        },
        "percentile": scores["ltv_percentile"],
        "shop_means": card.value.shop_means,
    }
