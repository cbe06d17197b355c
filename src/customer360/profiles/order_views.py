"""What did this person buy, as the orders stand now?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.profiles.members import fragments_of
from customer360.profiles.tables import order_lines
from customer360.storage.database import rows_in
from customer360.values import Amount


class OrderLineView(msgspec.Struct, frozen=True):
    """One line of an order."""

    product_id: str
    variant: str
    title: str
    vendor: str
    sku: str
    quantity: int
    unit_price: Amount
    discount: Amount


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as doors show it; `counts` is false for cancelled and test orders."""

    order_id: int
    order_key: str
    number: str
    placed_at: Instant
    cancelled_at: Instant | None
    test: bool
    currency: str
    foreign_currency: bool
    total: Amount
    discount: Amount
    refunded: Amount
    items: int
    promo_codes: tuple[str, ...]
    place: str
    marketplace: str
    location: str
    status: str
    source: str
    lines: tuple[OrderLineView, ...]

    @property
    def counts(self) -> bool:
        """Whether the order is part of any figure."""
        return self.cancelled_at is None and not self.test


_ORDERS = (
    "select order_id, order_key, number, placed_at, cancelled_at, test, currency, foreign_currency, total, discount,"
    " items_count, promo_codes, place, marketplace, location, status, source from orders"
    " where shop_id = {} and placed_at is not null and fragment_id in {}"
)


def orders_of(connection: Connection, shop_id: int, profile_id: int) -> list[OrderView]:
    """The person's orders with their lines, newest first; cancelled and test orders are marked."""
    members = fragments_of(connection, shop_id, profile_id)
    rows = rows_in(connection, _ORDERS, (shop_id,), members)
    rows.sort(key=lambda row: (row[3], row[0]), reverse=True)
    lines = lines_of(connection, shop_id, [row[0] for row in rows])
    refunded = _refunded(connection, shop_id, [row[1] for row in rows])
    return [_view(row, refunded, lines) for row in rows]


def _view(
    row: tuple[Any, ...],
    refunded: Mapping[str, Amount],
    lines: Mapping[int, Sequence[OrderLineView]],
) -> OrderView:
    (
        order_id,
        order_key,
        number,
        placed_at,
        cancelled_at,
        test,
        currency,
        foreign_currency,
        *rest,
    ) = row
    total, discount, items, promo_codes, place, marketplace, location, status, source = rest
    return OrderView(
        order_id=order_id,
        order_key=order_key,
        number=number or "",
        placed_at=placed_at,
        cancelled_at=cancelled_at,
        test=bool(test),
        currency=currency,
        foreign_currency=bool(foreign_currency),
        total=total,
        discount=discount,
        refunded=refunded.get(order_key, 0),
        items=items,
        promo_codes=tuple(json.loads(promo_codes)),
        place=place,
        marketplace=marketplace,
        location=location,
        status=status,
        source=source,
        lines=tuple(lines.get(order_id, ())),
    )


def lines_of(
    connection: Connection, shop_id: int, order_ids: Sequence[int]
) -> dict[int, list[OrderLineView]]:
    """The lines of these orders, by order."""
    found: dict[int, list[OrderLineView]] = {}
    if not order_ids:
        return found
    query = (
        select(order_lines)
        .where(order_lines.c.shop_id == shop_id, order_lines.c.order_id.in_(order_ids))
        .order_by(order_lines.c.order_id, order_lines.c.told_at, order_lines.c.line_key)
    )
    for row in connection.execute(query).all():
        found.setdefault(row.order_id, []).append(
            OrderLineView(
                row.product_id,
                row.variant,
                row.title,
                row.vendor,
                row.sku,
                row.quantity,
                row.unit_price,
                row.discount,
            )
        )
    return found


def _refunded(connection: Connection, shop_id: int, order_keys: Sequence[str]) -> dict[str, Amount]:
    """What was given back for these orders, by the key of the order."""
    query = (
        "select order_key, sum(amount) from refunds"
        " where shop_id = {} and order_key in {} group by order_key"
    )
    rows = rows_in(connection, query, (shop_id,), order_keys)
    return {order_key: int(amount) for order_key, amount in rows}
