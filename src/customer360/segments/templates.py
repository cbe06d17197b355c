"""Segments to start from: what each is good for, and what to do with its people."""

from __future__ import annotations

from dataclasses import dataclass

from customer360.segments.ast import Rule
from customer360.segments.calendar import asks_for_scores
from customer360.segments.parse import parse_query


@dataclass(frozen=True, slots=True)
class Template:
    """A segment to start from: `purpose` says what it is for, `action` what to do with its people."""

    template_id: str
    name: str
    purpose: str
    action: str
    query: str

    @property
    def rule(self) -> Rule:
        """The rule that a segment begins with."""
        return parse_query(self.query)

    @property
    def enriched(self) -> bool:
        """Whether it asks for what a run of enrichment computes."""
        return asks_for_scores(self.rule, {})


TEMPLATES: tuple[Template, ...] = (
    Template(
        "vips",
        "VIPs",
        "Your best customers by spend and number of orders.",
        "Thank them first: early access, a gift, a personal note.",
        "tier = 'vip'",
    ),
    Template(
        "vips_at_risk",
        "VIPs at risk",
        "VIPs who order less than they used to.",
        "Write personally before a discount: ask what is missing.",
        "tier = 'vip' AND churn_band IN ('drifting', 'at_risk')",
    ),
    Template(
        "drifting_customers",
        "High-value customers drifting",
        "The top fifth by lifetime value who are not coming back as they used to.",
        "Win them back while they still know you: what is new first, then an offer by name.",
        "ltv_percentile >= 80 AND churn_band IN ('drifting', 'at_risk')",
    ),
    Template(
        "lapsed_vips",
        "Lapsed VIPs",
        "Bought five times or more, and not in half a year.",
        "Win them back with what is new since their last order.",
        "orders_count >= 5 AND days_since_last_order > 180",
    ),
    Template(
        "lookalike_seed",
        "Top 20 % by lifetime value",
        "Highest lifetime value with low churn: the people to find more of.",
        "Export as the seed of a lookalike audience.",
        "ltv_percentile >= 80 AND churn_band = 'healthy'",
    ),
    Template(
        "likely_lost",
        "Likely lost",
        "Customers who will most likely not order again.",
        "Exclude from ads, and write rarely.",
        "churn_band = 'likely_lost'",
    ),
    Template(
        "win_back",
        "Win-back",
        "Bought at least twice, last three to twelve months ago.",
        "Send a win-back series; end it with an offer.",
        "orders_count >= 2 AND days_since_last_order BETWEEN 90 AND 365",
    ),
    Template(
        "browse_abandoners",
        "Browse abandoners",
        "Viewed products in the last week, put nothing into the cart and did not order.",
        "Show them what they looked at, with reviews.",
        "product_viewed MATCHES (date >= -7d) AND added_to_cart NOT MATCHES (date >= -7d)"
        " AND order_placed NOT MATCHES (date >= -7d)",
    ),
    Template(
        "cart_abandoners",
        "Cart abandoners",
        "Filled a cart or began a checkout in the last week, and did not order.",
        "Remind them of the cart within a day.",
        "(added_to_cart MATCHES (date >= -7d) OR checkout_started MATCHES (date >= -7d))"
        " AND order_placed NOT MATCHES (date >= -7d)",
    ),
    Template(
        "bargain_hunters",
        "One-time bargain hunters",
        "Ordered once, with a discount, and not again for two months.",
        "Offer a bundle rather than another discount.",
        "orders_count = 1 AND discount_received > 0 AND days_since_last_order > 60",
    ),
    Template(
        "quiet_spenders",
        "High spend, no purchase in 30 days",
        "Spent over 200 altogether, and nothing in the last 30 days.",
        "Recommend what goes with their last order.",
        "total_spend > 200 AND order_placed NOT MATCHES (date >= -30d)",
    ),
    Template(
        "new_customers",
        "New customers",
        "First order in the last 30 days, and none since.",
        "Welcome them, and make the second order easy.",
        "orders_count = 1 AND first_order_at IN LAST 30 DAYS",
    ),
    Template(
        "loyal_at_full_price",
        "Loyal at full price",
        "Three orders or more without any discount.",
        "Keep them out of discounts; reward them in kind.",
        "orders_count >= 3 AND discount_received = 0",
    ),
    Template(
        "subscribers_without_order",
        "Subscribers without an order",
        "Agreed to e-mail, and never ordered.",
        "Send your best sellers and a first-order offer.",
        "consent_email = 'granted' AND orders_count = 0",
    ),
    Template(
        "order_overdue",
        "Next order overdue",
        "Should have ordered again by now, going by their own rhythm.",
        "Remind them to restock.",
        "next_order_overdue_days > 0 AND churn_band != 'likely_lost'",
    ),
    Template(
        "unhappy",
        "Unhappy customers",
        "Left a poor review or opened several tickets.",
        "Have somebody write to them; no campaigns until it is settled.",
        "negative_feedback_count >= 1 OR tickets_count >= 3",
    ),
    Template(
        "frequent_returners",
        "Frequent returners",
        "Sent back three items or more.",
        "Help with sizes and fit before they order.",
        "returned_items_count >= 3",
    ),
)
"""Each is a beginning: numbers and days are meant to be changed."""

TEMPLATE_BY_ID: dict[str, Template] = {template.template_id: template for template in TEMPLATES}
