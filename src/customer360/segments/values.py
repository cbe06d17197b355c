"""Which values does this shop have to compare with, and how often? What the builder offers while somebody types.

Only what the warehouse has is offered, so no name, e-mail address or telephone number is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp, parse_one

from customer360.profiles.attributes import BY_NAME
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.stages import ShopCalendar
from customer360.segments.catalogue import EVENT_BY_NAME, ValueType, property_of
from customer360.segments.comparisons import Bound, table
from customer360.segments.event_sql import TABLES, column_of, of_type, rows_of, source_of
from customer360.segments.to_sql import DIALECT
from customer360.values import LIST_MARK

MOST_OFFERED = 20
_OFFERED: tuple[ValueType, ...] = ("text", "list", "choice", "custom")
"""Types of which values are offered; numbers and times are written."""
_LABELS = {
    "product_id": "title",
    "variant_id": "title",
    "sku": "title",
    "collection_id": "collection_title",
    "campaign_id": "campaign",
}
"""By property that is an id, the one beside it that people know it by."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A value and how many have it: customers, or events. `label` is what people know an id by."""

    value: str
    count: int
    label: str = ""


def values_of_attribute(
    warehouse: WarehouseQuery, shop_id: int, attribute: str, part: str = ""
) -> list[Offer]:
    """The values of an attribute that contain a part, as most customers have them first; at most MOST_OFFERED."""
    known = BY_NAME[attribute]
    if known.type not in _OFFERED or (known.enriched and known.choices):
        found = []
    else:
        column = _each(attribute) if known.type == "list" else attribute
        people = "profiles join scores using (profile_id)" if known.enriched else "profiles"
        source = f"select {column} as value, '' as label from {people} where kind = 'customer'"
        found = _most_frequent(warehouse, shop_id, source, [], part)
    return _with_choices(found, known.choices, part)


def values_of_property(
    warehouse: WarehouseQuery, shop_id: int, event: str, name: str, part: str = ""
) -> list[Offer]:
    """The same of a property, of the events of a type; an id is also found by its label."""
    known = property_of(event, name)
    if known is None or known.type not in _OFFERED or known.unknown:
        return []
    bound = Bound(0, ShopCalendar("UTC"))
    value = column_of(event, known, bound)
    value = parse_one(_each(value.sql(DIALECT)), dialect=DIALECT) if known.type == "list" else value
    beside = property_of(event, _LABELS.get(name, ""))
    label = column_of(event, beside, bound) if beside and beside.type != "custom" else exp.null()
    rows = rows_of(source_of(event, name), lambda source: table(*TABLES[source], ""))
    query = rows.select(value.as_("value"), label.as_("label")).where(*of_type(event, bound))
    found = _most_frequent(warehouse, shop_id, query.sql(DIALECT), bound.values, part)
    return _with_choices(found, known.choices, part)


def events_told(warehouse: WarehouseQuery, shop_id: int, part: str = "") -> list[Offer]:
    """Which types of events the shop has, those that it alone knows included, the most frequent first."""
    rows = warehouse.query(
        shop_id, "select type, count(*) as n from events_all group by type order by n desc, type"
    ).to_pylist()
    offers = [Offer(row["type"], row["n"], _label_of(row["type"])) for row in rows]
    return [one for one in offers if part.lower() in f"{one.value}\n{one.label}".lower()][
        :MOST_OFFERED
    ]


def _most_frequent(
    warehouse: WarehouseQuery, shop_id: int, source: str, values: list[object], part: str
) -> list[Offer]:
    """What a select of values with labels has most; `values` are bound in it."""
    fits, bound = "true", [*values]
    if part:
        bound.append(part)
        sought = f"lower(${len(bound)})"
        fits = f"(contains(lower(value), {sought}) or contains(lower(label), {sought}))"
    rows = warehouse.query(
        shop_id,
        f"""
        select value, coalesce(max(label), '') as label, count(*) as n
        from ({source})
        where value is not null and {fits}
        group by value
        order by n desc, value
        limit {MOST_OFFERED}
        """,
        bound,
    ).to_pylist()
    return [Offer(row["value"], row["n"], row["label"]) for row in rows]


def _each(column: str) -> str:
    """The texts of a list, one a row: what is between the first mark and the last."""
    return f"unnest(string_split({column}, chr({ord(LIST_MARK)}))[2:-2])"


def _with_choices(found: list[Offer], choices: tuple[str, ...], part: str) -> list[Offer]:
    """A choice is offered also where nobody has it."""
    had = {one.value for one in found}
    rest = [Offer(one, 0) for one in choices if one not in had and part.lower() in one]
    return [*found, *rest]


def _label_of(event: str) -> str:
    entry = EVENT_BY_NAME.get(event)
    return entry.type.label if entry else ""
