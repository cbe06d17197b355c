"""Every attribute of a profile by its one name: type, label and help. Segments, API, pages and docs read this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AttributeValue = int | float | str | bool | list[str] | None
"""A value as cards hold it: an amount in ten-thousandths, a time as an instant."""
AttributeType = Literal["number", "money", "time", "text", "list", "boolean", "choice"]

_ORDERED = ("eq", "neq", "gt", "gte", "lt", "lte", "between")
_LISTED = ("in", "not_in")
_CONTAINING = ("contains", "not_contains")
_EMPTY = ("is_empty", "is_not_empty")
_DATED = ("before", "after", "on", "in_last_days", "not_in_last_days")

OPERATORS: dict[AttributeType, tuple[str, ...]] = {
    "number": (*_ORDERED, *_LISTED, *_EMPTY),
    "money": (*_ORDERED, *_LISTED, *_EMPTY),
    "time": (*_ORDERED, *_DATED, *_EMPTY),
    "text": ("eq", "neq", *_LISTED, *_CONTAINING, "starts_with", "ends_with", *_EMPTY),
    "list": (*_CONTAINING, *_EMPTY),
    "boolean": ("eq", "neq", *_EMPTY),
    "choice": ("eq", "neq", *_LISTED, *_EMPTY),
}
"""How a rule may compare an attribute of each type."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`moves` says that time alone changes it: it is computed on reading and never stored.

    `enriched` says that enrichment computes it from the crowd, or that it follows from what enrichment computed.
    """

    name: str
    label: str
    type: AttributeType
    help: str
    moves: bool = False
    choices: tuple[str, ...] = ()
    enriched: bool = False


_CONSENT = ("never", "pending", "granted", "withdrawn")


def _channel_attributes() -> tuple[Attribute, ...]:
    entries: list[Attribute] = []
    for channel, word in (
        ("email", "E-mails"),
        ("sms", "SMS"),
        ("whatsapp", "WhatsApp messages"),
        ("push", "Push messages"),
    ):
        for action in ("sent", "opened", "clicked", "replied", "dismissed"):
            entries.append(
                Attribute(
                    f"{channel}_{action}_count",
                    f"{word} {action}",
                    "number",
                    f"{word} that were {action}",
                )
            )
        entries.append(
            Attribute(
                f"{channel}_last_contact_at",
                f"Last contact by {channel}",
                "time",
                f"When {word.lower()} last went out",
            )
        )
        entries.append(
            Attribute(
                f"consent_{channel}",
                f"Consent to {channel}",
                "choice",
                f"Consent of the address that {word.lower()} would go to",
                choices=_CONSENT,
            )
        )
    return tuple(entries)


CHANNEL_ATTRIBUTES: tuple[Attribute, ...] = _channel_attributes()
"""What is known of messages and consents on each channel."""
CONSENTS: tuple[str, ...] = tuple(
    one.name for one in CHANNEL_ATTRIBUTES if one.name.startswith("consent_")
)
"""Whoever granted one of them can be reached."""


def _enriched(
    name: str, label: str, kind: AttributeType, about: str, *choices: str, moves: bool = False
) -> Attribute:
    return Attribute(name, label, kind, about, moves, choices, enriched=True)


ENRICHED_ATTRIBUTES: tuple[Attribute, ...] = (
    _enriched(
        "lifecycle_stage", "Lifecycle stage", "choice", "Where the person is in the lifecycle",
        "new", "engaged", "converted", "loyal", "at_risk", "churned", moves=True,
    ),
    _enriched(
        "tier", "Customer tier", "choice", "What a buyer is to the shop: new has one order, VIPs spend most",
        "new", "regular", "vip",
    ),
    _enriched("rfm_r", "RFM recency", "number", "1 to 5; 5 ordered most recently"),
    _enriched("rfm_f", "RFM frequency", "number", "1 to 5; 5 ordered most often"),
    _enriched("rfm_m", "RFM monetary", "number", "1 to 5; 5 has the highest average order value"),
    _enriched(
        "rfm_group", "RFM group", "choice", "Shopify's name for recency, frequency and monetary together",
        "champions", "loyal", "previously_loyal", "active", "new", "promising", "needs_attention", "almost_lost",
        "at_risk", "dormant", "prospects",
    ),
    _enriched("churn_index", "Churn index", "number", "0 to 1 of recency, frequency and monetary; 1 is lost"),
    _enriched("churn_risk", "Churn risk", "number", "Probability of no order within the shop's churned window"),
    _enriched(
        "churn_band", "Churn band", "choice", "Band of the churn index",
        "healthy", "drifting", "at_risk", "likely_lost",
    ),
    _enriched("predicted_orders_90d", "Predicted orders in 90 days", "number", "Orders expected in the next 90 days"),
    _enriched("predicted_spend_30d", "Predicted spend in 30 days", "money", "Spend expected in the next 30 days"),
    _enriched("predicted_spend_90d", "Predicted spend in 90 days", "money", "Spend expected in the next 90 days"),
    _enriched("ltv", "Lifetime value", "money", "Total spent and the spend expected in the next 90 days"),
    _enriched("ltv_percentile", "LTV percentile", "number", "0 to 100 among buyers; 100 is the highest value"),
    _enriched("predicted_next_order_at", "Predicted next order", "time", "Last order and the mean gap between orders"),
    _enriched(
        "next_order_overdue_days", "Next order overdue by days", "number",
        "Calendar days since the predicted next order", moves=True,
    ),
    _enriched("products_due", "Products due", "list", "Products due to be ordered again"),
    _enriched(
        "next_best_action", "Next best action", "choice", "What the shop may do next for the person",
        "leave_out", "ask_consent", "last_attempt", "remind_reorder", "second_order", "win_back", "soft_offer", "wait",
        "reward", "first_order", "welcome", moves=True,
    ),
    _enriched("engagement_score", "Engagement score", "number", "0 to 100; recent visits and orders count most"),
)  # fmt: skip
"""What enrichment tells of a person."""

SCORED: tuple[Attribute, ...] = tuple(
    one
    for one in ENRICHED_ATTRIBUTES
    if one.name not in ("lifecycle_stage", "next_order_overdue_days", "next_best_action")
)
"""What a run of enrichment stores in `scores`; the others follow from facts, scores and the day on reading."""
NO_ORDER_GROUP = "prospects"
"""The RFM group of whoever has no order."""

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(
        "orders_count", "Orders", "number", "Orders placed, without cancelled and test orders"
    ),
    Attribute("items_count", "Items bought", "number", "Quantities of all order lines"),
    Attribute(
        "total_spend",
        "Total spent",
        "money",
        "Sum of order totals as placed, tax and shipping included",
    ),
    Attribute("refunded_total", "Refunded", "money", "Sum of refunds"),
    Attribute("net_spend", "Net spent", "money", "Total spent less refunds"),
    Attribute("average_order_value", "Average order value", "money", "Total spent / orders"),
    Attribute("first_order_at", "First order", "time", "When the first order was placed"),
    Attribute("last_order_at", "Last order", "time", "When the last order was placed"),
    Attribute(
        "days_since_last_order",
        "Days since last order",
        "number",
        "Calendar days in the shop's zone",
        moves=True,
    ),
    Attribute("discount_received", "Discount received", "money", "Sum of discounts on orders"),
    Attribute("promo_codes_count", "Promo codes used", "number", "Different discount codes used"),
    Attribute(
        "returned_items_count", "Returned items", "number", "Items that came back with refunds"
    ),
    Attribute(
        "negative_feedback_count",
        "Negative feedback",
        "number",
        "Reviews with three stars or fewer",
    ),
    Attribute("first_seen_at", "First seen", "time", "Time of the first event"),
    Attribute("last_seen_at", "Last seen", "time", "Time of the last event"),
    Attribute("sessions_count", "Sessions", "number", "Visits to the storefront"),
    Attribute("events_count", "Events", "number", "Events, derived ones apart"),
    Attribute(
        "first_touch_source", "First touch source", "text", "Where the first visit came from"
    ),
    Attribute("first_touch_medium", "First touch medium", "text", "Medium of the first visit"),
    Attribute(
        "first_touch_campaign", "First touch campaign", "text", "Campaign of the first visit"
    ),
    Attribute("first_touch_url", "First touch URL", "text", "Page of the first visit"),
    Attribute("last_touch_source", "Last touch source", "text", "Where the last visit came from"),
    Attribute("last_touch_medium", "Last touch medium", "text", "Medium of the last visit"),
    Attribute("last_touch_campaign", "Last touch campaign", "text", "Campaign of the last visit"),
    Attribute("last_touch_url", "Last touch URL", "text", "Page of the last visit"),
    Attribute(
        "acquisition_source", "Acquisition source", "text", "Touch source of the first visit"
    ),
    Attribute("country", "Country", "text", "ISO code, newest told"),
    Attribute("region", "Region", "text", "State or province, newest told"),
    Attribute("city", "City", "text", "City, newest told"),
    Attribute("zip", "ZIP", "text", "Postal code, newest told"),
    Attribute("timezone", "Time zone", "text", "IANA time zone, newest told"),
    Attribute("currency", "Currency", "text", "Currency of the person, newest told"),
    Attribute("language", "Language", "text", "Language, newest told"),
    Attribute("tags", "Tags", "list", "Tags of the shop system"),
    Attribute("has_name", "Has a name", "boolean", "A first or last name is known"),
    Attribute("has_email", "Has an e-mail", "boolean", "An e-mail address is known"),
    Attribute("has_phone", "Has a phone", "boolean", "A phone number is known"),
    Attribute("email_domain", "E-mail domain", "text", "Domain of the e-mail address last seen"),
    Attribute(
        "shopping_place",
        "Where they shop",
        "choice",
        "Where orders were placed",
        choices=("online_only", "in_store_only", "marketplace_only", "omnichannel"),
    ),
    Attribute("pos_last_visit_at", "Last store visit", "time", "Last event in a store"),
    Attribute("pos_location", "Store location", "text", "Location of the last order in a store"),
    Attribute("pos_spend", "Spent in stores", "money", "Sum of orders placed in stores"),
    Attribute("preferred_location", "Preferred location", "text", "Location with most orders"),
    Attribute("tickets_count", "Tickets", "number", "Support tickets opened"),
    Attribute("last_ticket_at", "Last ticket", "time", "When the last ticket was opened"),
    *CHANNEL_ATTRIBUTES,
    Attribute(
        "messages_today",
        "Messages today",
        "number",
        "Messages sent to them this shop day",
        moves=True,
    ),
    Attribute(
        "messages_7d",
        "Messages in 7 days",
        "number",
        "Messages sent to them in the last 7 days",
        moves=True,
    ),
    Attribute("fatigue", "Fatigue", "number", "Messages in 7 days / 10, at most 1", moves=True),
    Attribute("last_contact_at", "Last contact", "time", "When any message last went out"),
    Attribute("identifiers_count", "Identifiers", "number", "Identifiers of the profile"),
    *ENRICHED_ATTRIBUTES,
)

SENT = ("email_sent", "sms_sent", "whatsapp_sent", "push_sent")
"""The types of event that say that a message went out."""
FULL_FATIGUE = 10
"""Messages in seven days at which a person has had enough: fatigue 1."""

BY_NAME: dict[str, Attribute] = {attribute.name: attribute for attribute in ATTRIBUTES}
STORED: tuple[Attribute, ...] = tuple(
    attribute for attribute in ATTRIBUTES if not attribute.moves and not attribute.enriched
)
"""What the warehouse keeps of a profile; the rest follows from the clock, or comes from enrichment."""
