"""A quick look at a customer: who they are, what they are worth and what they last bought, beside the list or alone."""

from __future__ import annotations

from starlette.responses import Response

from customer360.profiles.order_views import orders_of
from customer360.web.door import Door, Page
from customer360.web.person import head_of, labelled, moved
from customer360.web.visit import Visit

_ORDERS = 5
_FACTS = (
    ("total_spend", ""),
    ("orders_count", ""),
    ("average_order_value", "Average order"),
    ("ltv", ""),
    ("lifecycle_stage", "Stage"),
    ("churn_band", "Churn"),
    ("last_order_at", ""),
    ("last_seen_at", ""),
)


def show(_door: Door, visit: Visit) -> Page | Response:
    """What matters of one customer, with their last orders."""
    with visit.app.database.read() as connection:
        card = visit.app.card(connection, visit.shop, visit.id_of("profile_id"))
        if card.profile_id != visit.id_of("profile_id"):
            return moved(visit, card)
        orders = orders_of(connection, visit.shop.shop_id, card.profile_id)
    return Page(
        "customers/glance.html",
        {
            "card": card,
            "root": f"{visit.root}/customers/{card.profile_id}",
            **head_of(card),
            "facts": [labelled(card, name, label) for name, label in _FACTS],
            "orders": orders[:_ORDERS],
            "orders_count": len(orders),
        },
    )
