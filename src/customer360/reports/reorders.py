"""Re-orders to come: what the last run found, and the people behind a number as of now."""

from __future__ import annotations

from customer360.clock import Instant
from customer360.enrichment.reading import Calendar, read_bought
from customer360.enrichment.reorders import weeks_of
from customer360.profiles.browse import WarehouseQuery


def people_of_week(
    warehouse: WarehouseQuery, shop_id: int, product_id: str, week: int, now: Instant, timezone: str
) -> list[int]:
    """The ids of everybody expected to order a product again in a week, 0 for the present one, or OVERDUE."""
    calendar = Calendar.at(now, timezone)
    bought = read_bought(warehouse, shop_id, calendar, product_id)
    pair, weeks = weeks_of(bought.orders, calendar.today)
    return sorted(bought.profile_ids[pair[weeks == week]].tolist())
