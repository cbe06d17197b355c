"""What Shopify's names mean in our words: attributes, functions and their parameters. Pure.

Source: Shopify's segment query language reference, as of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from customer360.errors import InvalidRule
from customer360.segments.ast import AllOf, AnyOf, AttributeIs, EventDid, Node, Not, Within
from customer360.segments.catalogue import ValueType
from customer360.segments.conditions import attribute_is, inside, read_value, within

MakeNode = Callable[[str, Any], Node]
"""A condition of an operator and a value as JSON has it."""


@dataclass(frozen=True, slots=True)
class Term:
    """What may stand before an operator, and which condition it makes."""

    name: str
    type: ValueType
    operators: tuple[str, ...]
    make: MakeNode
    about: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """What asks for events: the event, and what its parameters are called here."""

    event: str
    parameters: dict[str, str] = field(default_factory=dict)


RENAMED: dict[str, str] = {
    "first_order_date": "first_order_at",
    "last_order_date": "last_order_at",
    "customer_added_date": "first_seen_at",
    "amount_spent": "total_spend",
    "number_of_orders": "orders_count",
    "customer_email_domain": "email_domain",
    "customer_language": "language",
    "customer_tags": "tags",
}
"""Shopify's attribute -> ours, where the values are the same."""

_PRODUCT = {"id": "product_id", "tag": "product_tag"}
_VIEWS = {"product_viewed": "product_id", "collection_viewed": "collection_id"}
_MAILS = {
    "bounced": "email_bounced",
    "clicked": "email_clicked",
    "delivered": "email_received",
    "marked_as_spam": "email_marked_spam",
    "opened": "email_opened",
    "unsubscribed": "email_unsubscribed",
}

FUNCTIONS: dict[str, Function] = {
    "products_purchased": Function("order_placed", _PRODUCT),
    "orders_placed": Function(
        "order_placed", {"amount": "total", "sum_amount": "sum_total", "location_id": "location"}
    ),
    **{
        f"{prefix}.{event}": Function(event, {"id": name})
        for prefix in ("storefront", "storefront_event")
        for event, name in _VIEWS.items()
    },
    **{
        f"shopify_email.{name}": Function(event, {"activity_id": "campaign_id"})
        for name, event in _MAILS.items()
    },
}
"""Shopify's function -> our event, and its parameters -> our properties."""

UNSUPPORTED: dict[str, str] = {
    "anniversary": "metafields are not kept",
    "app_id": "which app made an order is not kept",
    "companies": "companies are not kept",
    "created_by_app_id": "which app made a customer is not kept",
    "customer_account_status": "the state of shop accounts is no attribute",
    "customer_within_distance": "where on earth an address lies is not kept",
    "metafields": "metafields are not kept",
    "product_subscription_status": "product subscriptions are not kept",
    "store_credit_accounts": "store credit is not kept",
}
"""Shopify's names that have no meaning here, and why."""

_STATES = {
    "subscribed": "granted",
    "pending": "pending",
    "unsubscribed": "withdrawn",
    "not_subscribed": "never",
}
_EMPTINESS = ("is_empty", "is_not_empty")
_TIERS: dict[str, Node] = {
    "high": AttributeIs("ltv_percentile", "gte", read_value("number", "gte", 80)),
    "medium": AllOf(
        (
            AttributeIs("ltv_percentile", "gte", read_value("number", "gte", 40)),
            AttributeIs("ltv_percentile", "lt", read_value("number", "lt", 80)),
        )
    ),
    "low": AttributeIs("ltv_percentile", "lt", read_value("number", "lt", 40)),
}


def why_not(name: str) -> str:
    """Why a name of Shopify's is refused; empty for any other."""
    return UNSUPPORTED.get(name.partition(".")[0], "")


def _consent(attribute: str, op: str, value: Any) -> Node:
    said = read_value("choice", op, value, tuple(_STATES))
    meant = (
        tuple(_STATES[str(one)] for one in said)
        if isinstance(said, tuple)
        else _STATES.get(str(said))
    )
    return attribute_is(attribute, op, meant)


def _tier(op: str, value: Any) -> Node:
    if op in _EMPTINESS:
        return attribute_is("ltv_percentile", op)
    said = read_value("choice", op, value, tuple(_TIERS))
    tiers = said if isinstance(said, tuple) else (said,)
    meant = [_TIERS[str(one)] for one in tiers]
    node = meant[0] if len(meant) == 1 else AnyOf(tuple(meant))
    return Not(node) if op in ("neq", "not_in") else node


def _place(names: tuple[str, ...], op: str, value: Any) -> Node:
    """Shopify writes 'US-CA-LosAngeles'; each part is an attribute, and a blank may stand within the last."""
    if op in _EMPTINESS:
        return attribute_is(names[-1], op)
    said = str(read_value("list", op, value))
    parts = said.split("-", len(names) - 1)
    if len(parts) < len(names):
        with inside("value"):
            raise InvalidRule(f"{value!r} is no place; write {'-'.join(names)}, such as 'US-CA'")
    found = [
        attribute_is(name, "eq", part) for name, part in zip(names[:-1], parts[:-1], strict=True)
    ]
    found.append(_either(names[-1], parts[-1]))
    node = found[0] if len(found) == 1 else AllOf(tuple(found))
    return Not(node) if op == "not_contains" else node


def _either(name: str, part: str) -> AttributeIs:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", part) if name == "city" else part
    if spaced == part:
        return attribute_is(name, "eq", part)
    return attribute_is(name, "in", [part, spaced])


_ABANDONED = "checkout_abandoned"
BOUNDS: dict[str, tuple[str, ...]] = {
    "eq": ("since", "until"),
    "gt": ("after",),
    "gte": ("since",),
    "lt": ("before",),
    "lte": ("until",),
    "between": ("since", "until"),
}


def bounds_of(op: str, value: Any) -> dict[str, str]:
    """A comparison of dates as the bounds of a time."""
    days = value if isinstance(value, list | tuple) else (value, value)
    return {name: str(day) for name, day in zip(BOUNDS[op], days, strict=False)}


def _abandoned(op: str, value: Any) -> Node:
    """Shopify asks when the customer last abandoned a checkout: none may have come after."""
    if op in _EMPTINESS:
        return EventDid(event=_ABANDONED, did=op == "is_not_empty")
    told = "eq" if op == "neq" else op
    bounds = bounds_of(told, read_value("time", told, value))
    last: Node = EventDid(event=_ABANDONED, within=within(**bounds))
    if "until" in bounds or "before" in bounds:
        beyond = (
            Within(after=bounds["until"]) if "until" in bounds else Within(since=bounds["before"])
        )
        last = AllOf((last, EventDid(event=_ABANDONED, did=False, within=beyond)))
    return Not(last) if op == "neq" else last


_CHOSEN = ("eq", "neq", "in", "not_in")
_HELD = ("contains", "not_contains", *_EMPTINESS)

_STATES_HERE = ", ".join(f"{there} is {here}" for there, here in _STATES.items())

_TERMS: tuple[Term, ...] = (
    Term("email_subscription_status", "choice", _CHOSEN, partial(_consent, "consent_email"),
         f"`consent_email`; {_STATES_HERE}"),
    Term("sms_subscription_status", "choice", _CHOSEN, partial(_consent, "consent_sms"),
         f"`consent_sms`; {_STATES_HERE}"),
    Term("predicted_spend_tier", "choice", (*_CHOSEN, *_EMPTINESS), _tier,
         "`ltv_percentile`; high from 80, medium from 40, low below that"),
    Term("customer_countries", "list", _HELD, partial(_place, ("country",)), "`country`"),
    Term("customer_regions", "list", _HELD, partial(_place, ("country", "region")),
         "`country` and `region` of 'US-CA'"),
    Term("customer_cities", "list", _HELD, partial(_place, ("country", "region", "city")),
         "`country`, `region` and `city` of 'US-CA-LosAngeles'"),
    Term("abandoned_checkout_date", "time", ("neq", *BOUNDS, *_EMPTINESS), _abandoned,
         "when `checkout_abandoned` happened last"),
)  # fmt: skip

TERMS: dict[str, Term] = {term.name: term for term in _TERMS}
"""Shopify's attributes whose values are other ones here."""
