"""What was bought: line items as lines of an order, and as the item list of an event."""

from __future__ import annotations

from collections.abc import Iterable

from customer360.connectors.sources.payload import Json, records, text, total_of, whole
from customer360.connectors.sources.shopify.fields import filled, id_text, own_id
from customer360.connectors.sources.shopify.money import Purse
from customer360.events.model import OrderLine
from customer360.values import Amount

# A timeline shows what was bought, not a stock list; the order itself keeps every line.
MAX_ITEMS = 100


def order_lines(raw_lines: Iterable[Json], purse: Purse) -> tuple[OrderLine, ...]:
    """The lines of an order as placed: edits and refunds change `current_quantity`, which is not read."""
    lines: dict[str, OrderLine] = {}
    for position, raw in enumerate(raw_lines, start=1):
        key = own_id(raw)
        if not key or key in lines:
            key = f"{key}#{position}"
        lines[key] = _order_line(key, raw, purse)
    return tuple(lines.values())


def _order_line(key: str, raw: Json, purse: Purse) -> OrderLine:
    return OrderLine(
        key=key,
        product_id=id_text(raw.get("product_id")),
        variant=id_text(raw.get("variant_id")) or text(raw.get("variant_title")),
        title=_title(raw),
        vendor=text(raw.get("vendor")),
        sku=text(raw.get("sku")),
        quantity=whole(raw.get("quantity"), 1),
        unit_price=purse.amount(raw, "price") or 0,
        discount=_line_discount(raw, purse),
    )


def _line_discount(raw: Json, purse: Purse) -> Amount:
    """The line's share of all discounts; `total_discount` tells only those of scripts and the till."""
    allocations = records(raw.get("discount_allocations"))
    if allocations:
        return total_of(purse.amount(allocation, "amount") for allocation in allocations)
    return purse.amount(raw, "total_discount") or 0


def item(raw: Json, purse: Purse, number: int | None = None) -> Json:
    """One entry of an item list; `number` where another quantity than the line's is meant."""
    return filled(
        {
            "product_id": id_text(raw.get("product_id")),
            "variant_id": id_text(raw.get("variant_id")),
            "title": _title(raw),
            "variant": text(raw.get("variant_title")),
            "sku": text(raw.get("sku")),
            "quantity": whole(raw.get("quantity"), 1) if number is None else number,
            "price": purse.text(purse.amount(raw, "price")),
        }
    )


def items(raw_lines: list[Json], purse: Purse) -> list[Json]:
    """The item list of an event."""
    return [item(raw, purse) for raw in raw_lines[:MAX_ITEMS]]


def items_count(raw_lines: list[Json]) -> int:
    """How many pieces the lines are in all."""
    return sum(whole(raw.get("quantity"), 1) for raw in raw_lines)


def _title(raw: Json) -> str:
    return text(raw.get("title")) or text(raw.get("presentment_title")) or text(raw.get("name"))
