"""Which attributes follow from facts, scores and the time of asking? None of them is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection

from customer360.clock import Instant, local_date, start_of_day
from customer360.profiles.attributes import (
    CONSENTS,
    FULL_FATIGUE,
    NO_ORDER_GROUP,
    SCORED,
    SENT,
    AttributeValue,
)
from customer360.profiles.facts import Facts
from customer360.profiles.stages import ShopCalendar, stage_of
from customer360.storage.database import rows_in

Scores: TypeAlias = Mapping[str, AttributeValue]
"""What the last run of enrichment found of a person, raw as cards hold it; empty where it found nothing."""
NextAction: TypeAlias = Callable[[str, str, bool, bool], str]
"""How the enrichment capability answers what to do next: of stage, churn band, reachable and products due."""


def moving_attributes(
    connection: Connection,
    shop_id: int,
    calendar: ShopCalendar,
    facts: Facts,
    stored: Mapping[str, Any],
    now: Instant,
) -> dict[str, AttributeValue]:
    """The attributes that time changes."""
    today, timezone = local_date(now, calendar.timezone), calendar.timezone
    # As a segment counts: from the start of the shop's day a week ago.
    week_ago = start_of_day(today - timedelta(days=7), timezone)
    sent = _sent_since(connection, shop_id, facts, week_ago)
    midnight, week = start_of_day(today, timezone), len(sent)
    return {
        "days_since_last_order": days_since(stored["last_order_at"], today, timezone),
        "messages_today": sum(at >= midnight for at in sent),
        "messages_7d": week,
        "fatigue": min(1.0, week / FULL_FATIGUE),
        "lifecycle_stage": stage_of(
            facts.acted_at,
            stored["orders_count"],
            stored["sessions_count"],
            facts.product_views,
            facts.opted_in_at is not None,
            now,
            calendar,
        ),
    }


def enriched_attributes(
    scores: Scores, known: Mapping[str, Any], today: date, timezone: str, next_action: NextAction
) -> dict[str, AttributeValue]:
    """The attributes that come from scores; `known` are all others of the person."""
    told: dict[str, AttributeValue] = {one.name: scores.get(one.name) for one in SCORED}
    return told | {
        "rfm_group": told["rfm_group"] if known["orders_count"] else NO_ORDER_GROUP,
        "next_order_overdue_days": overdue_days(told["predicted_next_order_at"], today, timezone),
        "next_best_action": next_action(
            known["lifecycle_stage"],
            str(told["churn_band"] or ""),
            any(known[consent] == "granted" for consent in CONSENTS),
            bool(told["products_due"]),
        ),
    }


def days_since(at: Any, today: date, timezone: str) -> int | None:
    """The shop's calendar days since an instant; None since never."""
    return None if at is None else (today - local_date(at, timezone)).days


def overdue_days(expected_at: Any, today: date, timezone: str) -> int | None:
    """How long an order has been expected, 0 while its day is not past; None where none is."""
    days = days_since(expected_at, today, timezone)
    return None if days is None else max(0, days)


def _sent_since(
    connection: Connection, shop_id: int, facts: Facts, since: Instant
) -> list[Instant]:
    """When messages went out to the person, from a time on."""
    members = [fragment for fragment, at in facts.messaged_at.items() if at >= since]
    return [at for (at,) in rows_in(connection, _SENT, (shop_id, since), members)]


_SENT = (
    "select occurred_at from events"
    f" where shop_id = {{}} and occurred_at >= {{}} and type in {SENT} and fragment_id in {{}}"
)
