"""The scores that a run computes, column by column: one list for the table, its mirror and the arrays. Pure."""

from __future__ import annotations

from customer360.storage.mirror import Field, Kind

SCORES: tuple[Field, ...] = (
    Field("tier", Kind.WORD),
    Field("rfm_r", Kind.COUNT),
    Field("rfm_f", Kind.COUNT),
    Field("rfm_m", Kind.COUNT),
    Field("rfm_group", Kind.WORD),
    Field("churn_recency", Kind.NUMBER),
    Field("churn_frequency", Kind.NUMBER),
    Field("churn_monetary", Kind.NUMBER),
    Field("churn_index", Kind.NUMBER),
    Field("churn_band", Kind.WORD),
    Field("churn_risk", Kind.NUMBER),
    Field("predicted_orders_30d", Kind.NUMBER),
    Field("predicted_orders_90d", Kind.NUMBER),
    Field("predicted_orders_90d_low", Kind.NUMBER),
    Field("predicted_orders_90d_high", Kind.NUMBER),
    Field("predicted_spend_30d", Kind.MONEY),
    Field("predicted_spend_30d_low", Kind.MONEY),
    Field("predicted_spend_30d_high", Kind.MONEY),
    Field("predicted_spend_90d", Kind.MONEY),
    Field("predicted_spend_90d_low", Kind.MONEY),
    Field("predicted_spend_90d_high", Kind.MONEY),
    Field("ltv", Kind.MONEY),
    Field("ltv_percentile", Kind.NUMBER),
    Field("predicted_next_order_at", Kind.TIME),
    Field("next_order_low_at", Kind.TIME),
    Field("next_order_high_at", Kind.TIME),
    Field("order_gap_days", Kind.NUMBER),
    Field("products_due", Kind.TEXTS),
    Field("engagement_score", Kind.NUMBER),
)
"""All null for whoever has no orders, but for `engagement_score`. Money in ten-thousandths, times as instants."""
