"""A filter of All customers as the rule of a segment, which means the same people from now on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from customer360.segments.model import LONGEST_NAME
from customer360.segments.rule import read_rule
from customer360.segments.write import write_query
from customer360.web.filters import CHOICES, CustomerFilter, spend_text
from customer360.web.visit import Visit


def segment_link(visit: Visit, chosen: CustomerFilter, labels: Sequence[str]) -> str:
    """Where the builder makes a segment of the filter; "" where no rule says it: nothing is chosen, or visitors alone.

    labels: the filters in words, of which the segment's name is made. A search for a name is no part of a rule.
    """
    if chosen.kind == "visitor" or not labels:
        return ""
    name = ", ".join(labels)
    told = {"name": name if len(name) <= LONGEST_NAME else "", "query": as_query(chosen)}
    return f"{visit.root}/segments/new?{urlencode(told)}"


def as_query(chosen: CustomerFilter) -> str:
    """The rule as text."""
    rule = {"all": list(_conditions(chosen)), "include_visitors": chosen.kind == "any"}
    return write_query(read_rule(rule))


def _conditions(chosen: CustomerFilter) -> Iterator[dict[str, Any]]:
    if chosen.segment_id is not None:
        yield {"segment": str(chosen.segment_id), "member": True}
    words_of = {"country": chosen.countries}
    words_of |= {one.attribute: getattr(chosen, one.part) for one in CHOICES}
    for attribute, words in words_of.items():
        if words:
            yield {"attribute": attribute, "op": "in", "value": list(words)}
    for attribute, op, value in (
        ("has_email", "eq", chosen.has_email),
        ("orders_count", "gte", chosen.orders_min),
        ("total_spend", "gte", spend_text(chosen.spend_min) or None),
        ("last_seen_at", "in_last_days", chosen.seen_days),
    ):
        if value is not None:
            yield {"attribute": attribute, "op": op, "value": value}
    days = {"from": chosen.bought_from, "to": chosen.bought_to}
    told = {name: day.isoformat() for name, day in days.items() if day}
    if told:
        yield {"event": "order_placed", "within": told}
