"""The scores that a run computes, column by column: one list for the table, its mirror and the arrays. Pure."""

from __future__ import annotations

import struct
from math import isnan

from customer360.storage.mirror import Field, Kind

SCORES: tuple[Field, ...] = (
    Field("tier", Kind.WORD),
    Field("rfm_r", Kind.COUNT),
    Field("rfm_f", Kind.COUNT),
    Field("rfm_m", Kind.COUNT),
    Field("rfm_group", Kind.WORD),
    Field("churn_index", Kind.NUMBER),
    Field("churn_band", Kind.WORD),
    Field("churn_risk", Kind.NUMBER),
    Field("predicted_orders_90d", Kind.NUMBER),
    Field("predicted_spend_30d", Kind.MONEY),
    Field("predicted_spend_90d", Kind.MONEY),
    Field("ltv", Kind.MONEY),
    Field("ltv_percentile", Kind.NUMBER),
    Field("predicted_next_order_at", Kind.TIME),
    Field("products_due", Kind.TEXTS),
    Field("engagement_score", Kind.NUMBER),
)
"""All null for whoever has no orders, but for `engagement_score`. Money in ten-thousandths, times as instants."""

DETAILS: tuple[Field, ...] = (
    Field("churn_recency", Kind.NUMBER),
    Field("churn_frequency", Kind.NUMBER),
    Field("churn_monetary", Kind.NUMBER),
    Field("predicted_orders_30d", Kind.NUMBER),
    Field("predicted_orders_90d_low", Kind.NUMBER),
    Field("predicted_orders_90d_high", Kind.NUMBER),
    Field("predicted_spend_30d_low", Kind.MONEY),
    Field("predicted_spend_30d_high", Kind.MONEY),
    Field("predicted_spend_90d_low", Kind.MONEY),
    Field("predicted_spend_90d_high", Kind.MONEY),
    Field("next_order_low_at", Kind.TIME),
    Field("next_order_high_at", Kind.TIME),
    Field("order_gap_days", Kind.NUMBER),
)
"""What explains the scores of one person. No question about many asks for it, so it lies in one column, packed: a
million people are read and written in half the time."""

KEPT: tuple[Field, ...] = (*SCORES, Field("details", Kind.PACKED))
"""The columns of the table."""

_PACKED = struct.Struct(f"<{len(DETAILS)}d")


def unpacked(details: bytes) -> dict[str, float | int | None]:
    """The details by name: doubles in their order, NaN for null, which hold amounts and instants exactly."""
    return {
        one.name: None if isnan(value) else value if one.kind is Kind.NUMBER else int(value)
        for one, value in zip(DETAILS, _PACKED.unpack(details), strict=True)
    }
