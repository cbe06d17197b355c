"""Files of orders: one event for each line of a mapped file, one for each order of Shopify's export."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from customer360.connectors.sources.files import cells, shopify_orders
from customer360.connectors.sources.files.row import read_row, row_key
from customer360.events.model import (
    Event,
    OrderLine,
    OrderReport,
    ShopContext,
    Signal,
    Traits,
    Unusable,
)


class OrderRow(msgspec.Struct, frozen=True, gc=False):
    """The mapped fields of a line of an order; what the file does not say is empty."""

    order_id: str = ""
    customer_id: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    placed_at: str = ""
    product_id: str = ""
    variant: str = ""
    title: str = ""
    quantity: str = ""
    unit_price: str = ""
    discount: str = ""
    currency: str = ""
    status: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    zip: str = ""
    channel: str = ""
    tags: str = ""
    accepts_email: str = ""


_DECODER = msgspec.json.Decoder(OrderRow)
_CANCELLED = frozenset({"cancelled", "canceled", "voided", "void"})


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The events of a row. Raises Unusable."""
    if signal.envelope.get("format") == "shopify":
        return shopify_orders.translate(signal, shop)
    row = read_row(signal, _DECODER)
    order_id = cells.order_id(row.order_id)
    if not order_id:
        raise Unusable("missing_order_id", "The row does not say to which order it belongs.")
    if not row.placed_at:
        raise Unusable("missing_time", "The row does not say when the order was placed.")
    key, at = row_key(signal), cells.instant(row.placed_at, shop.timezone)
    place, marketplace = cells.place(row.channel)
    status = cells.text(row.status).lower()
    event = Event(
        type="order_placed",
        occurred_at=at,
        dedupe_key=f"row:{key}",
        identifiers=cells.identifiers(row.customer_id, row.email, row.phone),
        traits=_traits(
            *(row.first_name, row.last_name, row.country, row.region, row.city, row.zip, row.tags)
        ),
        place=place,
        till=place == "in_store",
        consents=cells.opt_in(row.accepts_email, row.email, at),
        order=OrderReport(
            order_key=f"{marketplace}:{order_id}" if marketplace else order_id,
            kind="line",
            updated_at=at,
            placed_at=at,
            cancelled_at=at if status in _CANCELLED else None,
            test=status == "test",
            currency=cells.currency(row.currency),
            place=place,
            marketplace=marketplace,
            lines=_lines(row, key),
            number=order_id,
            status=status,
        ),
    )
    return (event,)


def _lines(row: OrderRow, key: str) -> tuple[OrderLine, ...]:
    """The line of the row; one of no pieces is accepted and adds nothing."""
    number = cells.quantity(row.quantity)
    unit_price = cells.money(row.unit_price)
    discount = cells.money(row.discount, "discount")
    cells.check_line(number, unit_price)
    if number == 0:
        return ()
    line = OrderLine(
        key=key,
        product_id=cells.text(row.product_id),
        variant=cells.text(row.variant),
        title=cells.text(row.title),
        quantity=number,
        unit_price=unit_price,
        discount=discount,
    )
    return (line,)


# The lines of an order tell the same of its customer.
@lru_cache(maxsize=8192)
def _traits(
    first_name: str, last_name: str, country: str, region: str, city: str, zip_: str, tags: str
) -> Traits | None:
    traits = Traits(
        first_name=cells.text(first_name),
        last_name=cells.text(last_name),
        country=cells.country(country),
        region=cells.text(region),
        city=cells.text(city),
        zip=cells.zip_code(zip_),
        tags=cells.tags(tags),
    )
    return None if traits == Traits() else traits
