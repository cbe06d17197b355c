"""What a shop knows, without the ids it gave: equal for two shops exactly when a person could not tell them apart."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from customer360.identities.tables import profiles
from customer360.profiles.event_counts import event_counts
from customer360.profiles.order_views import orders_of
from customer360.profiles.timeline import timeline
from tests.house import House

_MOST = 100_000


def canonical(house: House, most: int = _MOST) -> list[str]:
    """Every profile (or so many of them) as JSON, sorted: card, timeline with its visits, orders and counts."""
    with house.app.database.read() as connection:
        living = connection.execute(
            select(profiles.c.profile_id, profiles.c.name)
            .where(profiles.c.shop_id == house.shop.shop_id, profiles.c.merged_into.is_(None))
            .limit(most)
        ).all()
        return sorted(_written(house, connection, found, name) for found, name in living)


def _written(house: House, connection: Connection, profile_id: int, name: str) -> str:
    shop_id = house.shop.shop_id
    card = msgspec.to_builtins(house.app.card(connection, house.shop, profile_id))
    del card["profile_id"]
    told = {
        "card": card,
        "name": name,
        "timeline": _timeline(connection, shop_id, profile_id),
        "orders": [
            {k: v for k, v in msgspec.to_builtins(order).items() if k != "order_id"}
            for order in orders_of(connection, shop_id, profile_id)
        ],
        "counts": [
            msgspec.to_builtins(one) for one in event_counts(connection, shop_id, profile_id)
        ],
    }
    told["orders"].sort(key=_sorted)
    for order in told["orders"]:
        order["lines"] = sorted(order["lines"], key=_sorted)
    return json.dumps(told, sort_keys=True, default=str)


def _timeline(connection: Connection, shop_id: int, profile_id: int) -> list[str]:
    """The entries; a visit's id becomes when and from where it began."""
    entries = timeline(connection, shop_id, profile_id, limit=_MOST).items
    visits = {
        entry.session_id: f"{entry.occurred_at} {_sorted(entry.properties)}"
        for entry in entries
        if entry.type == "visited_site"
    }
    told = []
    for entry in entries:
        fields: dict[str, Any] = msgspec.to_builtins(entry)
        del fields["event_id"]
        fields["properties"] = {
            **fields["properties"],
            "items": sorted(fields["properties"].get("items", []), key=_sorted),
        }
        if entry.session_id is not None:
            fields["session_id"] = visits.get(entry.session_id, "somebody else's")
        told.append(_sorted(fields))
    return sorted(told)


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
