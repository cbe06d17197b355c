"""The exact shape of the answers about enrichment."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from customer360.api.v1.fields import Answer, Money, Time

RunState = Literal["never", "asked", "running", "done", "failed"]


class ChurnBandItem(Answer):
    """A band of the churn index."""

    name: str
    least: float
    advice: str


class TierThresholds(Answer):
    """From where on somebody is a VIP, and how many buyers have each tier."""

    vip_spend: Money | None = Field(
        description="The least spend of the top fifth; null where nobody stands out"
    )
    vip_orders: float
    buyers: dict[str, int]


class RfmThresholds(Answer):
    """The last order at most so many days ago scores 5, 4, 3, 2; orders and their average value at least for 2 to 5."""

    recency_days: list[int]
    orders: list[float | None]
    average_order_value: list[Money | None]


class Thresholds(Answer):
    """From where on somebody is what; those of the shop's own distribution are null until scores are computed."""

    at_risk_days: int
    churned_days: int
    churn_bands: list[ChurnBandItem]
    tiers: TierThresholds | None
    rfm: RfmThresholds | None


class ReorderItem(Answer):
    """A product, and how many people are expected to order it again."""

    product_id: str
    title: str
    overdue: int = Field(description="Their day is past, and not yet a whole gap ago")
    weeks: list[int] = Field(description="In each of the weeks")


class ReordersAnswer(Answer):
    """Re-orders to come by product and week, as the last run found them."""

    computed_at: Time | None
    weeks: list[str] = Field(description="Their Mondays, the present week first")
    items: list[ReorderItem]
    total: int = Field(
        description="Products that somebody will order again; the first 200 are told"
    )


class EnrichmentAnswer(Answer):
    """How the shop's scores are doing, and what they rest on."""

    state: RunState = Field(description="Of the run that was begun or asked for last")
    stage: str | None = Field(description="What a running one does")
    done: int
    total: int
    reason: str | None = Field(description="Why the last one failed")
    began_at: Time | None
    ended_at: Time | None
    computed_at: Time | None = Field(description="When the present scores were computed")
    people: int | None = Field(description="Of how many there are scores")
    thresholds: Thresholds
    model_card: dict[str, Any] | None = Field(
        description="What the models rest on and how good they were, see docs/enrichment.md"
    )
