"""All customers as a CSV file: whom the list shows, on every page of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.responses import Response

from customer360.clock import local_date, to_iso
from customer360.profiles.attributes import BY_NAME, NO_ORDER_GROUP
from customer360.profiles.hydrate import Summary
from customer360.spreadsheet import as_csv, safe_text
from customer360.values import money_text
from customer360.web.customer_columns import USUAL, columns
from customer360.web.customer_search import asked, find
from customer360.web.door import Door
from customer360.web.filters import CustomerFilter
from customer360.web.spreadsheet import download
from customer360.web.visit import Visit

_ROWS_A_QUERY = 500
_WHO = ("Profile id", "Name", "E-mail", "Phone", "Kind")
_HEADINGS = {
    "country": "Country",
    "city": "City",
    "orders_count": "Orders",
    "items_count": "Items",
    "total_spend": "Total spent",
    "refunded_total": "Refunded",
    "average_order_value": "Average order",
    "currency": "Currency",
    "first_order_at": "First order",
    "last_order_at": "Last order",
    "last_seen_at": "Last seen",
    "tier": "Tier",
    "lifecycle_stage": "Stage",
    "rfm_group": "RFM group",
    "churn_band": "Churn band",
    "churn_risk": "Churn risk",
    "ltv": "Lifetime value",
    "shopping_place": "Shops",
}


def export(_door: Door, visit: Visit) -> Response:
    """All that the list shows; every column where nobody chose some, else those, with who it is and the currency."""
    chosen = asked(visit).chosen
    names = _columns(chosen)
    header = [*_WHO, *(_HEADINGS[name] for name in names)]
    day = local_date(visit.now, visit.shop.timezone).isoformat()
    return download(f"customers-{day}.csv", as_csv(header, _rows(visit, chosen, names)))


def _columns(chosen: CustomerFilter) -> list[str]:
    if chosen.columns == USUAL:
        return list(_HEADINGS)
    return [*(one.name for one in columns(chosen.columns)), "currency"]


def _rows(visit: Visit, chosen: CustomerFilter, names: Sequence[str]) -> Iterator[list[str]]:
    offset = 0
    while True:
        found, people = find(visit, chosen, _ROWS_A_QUERY, offset)
        for facts in found.rows:
            if person := people.get(facts["profile_id"]):
                yield _row(facts, person, names, visit.shop.currency)
        offset += _ROWS_A_QUERY
        if offset >= found.total:
            return


def _row(facts: dict[str, Any], person: Summary, names: Sequence[str], currency: str) -> list[str]:
    group = facts["rfm_group"] if facts["orders_count"] else NO_ORDER_GROUP
    told = facts | {"currency": currency, "rfm_group": group}
    who = (person.profile_id, person.name, person.email, person.phone, facts["kind"])
    values = [*who, *(_written(name, told[name], currency) for name in names)]
    return ["" if value is None else safe_text(str(value)) for value in values]


def _written(name: str, value: Any, currency: str) -> Any:
    kind = BY_NAME[name].type
    if kind == "money":
        return money_text(value, currency)
    return to_iso(value) if kind == "time" else value
