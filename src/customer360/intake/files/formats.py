"""Whose file is this? Formats by their columns, and the columns that a format cannot do without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from customer360.errors import InvalidInput

Kind = Literal["orders", "customers", "profiles", "events"]
Format = Literal["shopify", "klaviyo", "segment", "generic"]
DetectedFormat = Literal["shopify_orders", "shopify_customers", "klaviyo", "generic"]

KINDS: tuple[Kind, ...] = ("orders", "customers", "profiles", "events")

SHOPIFY_ORDER_COLUMNS = ("Name", "Created at", "Total", "Lineitem quantity", "Lineitem price")
SHOPIFY_CUSTOMER_COLUMNS = ("First Name", "Last Name", "Email")
# Shopify has renamed these over the years; one of them makes a list of people an export of Shopify's.
_SHOPIFY_CUSTOMER_MARKS = frozenset(
    {"accepts email marketing", "accepts marketing", "total spent", "total orders", "tax exempt"}
)
_KLAVIYO_FIRST = frozenset({"email", "email address", "phone number"})
_KLAVIYO_MARKS = frozenset({"email marketing consent", "sms marketing consent", "klaviyo id"})

_FORMATS_OF: dict[Kind, tuple[Format, ...]] = {
    "orders": ("shopify", "generic"),
    "customers": ("shopify", "klaviyo", "generic"),
    "profiles": ("klaviyo", "shopify", "generic"),
    "events": ("segment",),
}


def detect_format(header: Sequence[str]) -> DetectedFormat:
    """The format that a CSV header belongs to; "generic" needs a mapping of its columns."""
    names = [name.lower() for name in header]
    present = set(names)
    if present.issuperset(name.lower() for name in SHOPIFY_ORDER_COLUMNS):
        return "shopify_orders"
    if names and names[0] in _KLAVIYO_FIRST and present & _KLAVIYO_MARKS:
        return "klaviyo"
    is_people = present.issuperset(name.lower() for name in SHOPIFY_CUSTOMER_COLUMNS)
    if is_people and len(present & _SHOPIFY_CUSTOMER_MARKS) > 1:
        return "shopify_customers"
    return "generic"


def choose_format(kind: Kind, header: Sequence[str], asked: str | None = None) -> Format:
    """The format to read a file of this kind in; raises InvalidInput where what was asked for cannot be."""
    possible = _FORMATS_OF[kind]
    if asked is None:
        detected = detect_format(header)
        if detected == "shopify_orders" and kind == "orders":
            return "shopify"
        if detected == "shopify_customers" and kind != "orders":
            return "shopify"
        return "klaviyo" if detected == "klaviyo" and kind != "orders" else possible[-1]
    if asked not in possible:
        raise InvalidInput(f"{kind} come as {' or '.join(possible)}, not as {asked}", "format")
    chosen: Format = next(entry for entry in possible if entry == asked)
    _check_columns(kind, chosen, header)
    return chosen


def _check_columns(kind: Kind, chosen: Format, header: Sequence[str]) -> None:
    present = {name.lower() for name in header}
    wanted: tuple[str, ...] = ()
    if chosen == "shopify":
        wanted = SHOPIFY_ORDER_COLUMNS if kind == "orders" else SHOPIFY_CUSTOMER_COLUMNS
    if missing := [name for name in wanted if name.lower() not in present]:
        raise InvalidInput(f"This is no Shopify export: it has no column {', '.join(missing)}")
    if chosen == "klaviyo" and not present & _KLAVIYO_FIRST:
        raise InvalidInput("This is no Klaviyo export: it has no column Email or Phone Number")
