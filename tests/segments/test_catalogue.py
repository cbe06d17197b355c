"""The catalogue has everything that a rule may ask for, and only that."""

import re
from pathlib import Path

import pytest

from customer360.events.vocabulary import EVENT_TYPES
from customer360.events.warehouse import EVENT_FACTS
from customer360.profiles.attributes import ATTRIBUTES, OPERATORS
from customer360.profiles.warehouse import CHECKOUTS, EVENTS_ALL, ORDER_LINES, ORDERS
from customer360.segments.catalogue import (
    CUSTOM_OPERATORS,
    EVENTS,
    OPERATOR_WORDS,
    PROPERTIES,
    PROPERTY_BY_NAME,
    nearest,
    operators_of,
    property_of,
)

CHANNELS = ("email", "sms", "whatsapp", "push")


def names_of_the_contract(shared: Path) -> set[str]:
    """The attribute names that the public surface lists."""
    text = (shared / "api.md").read_text().split("Attribute names: ")[1]
    plain, per_channel = re.sub(r"\([^)]*\)", "", text).split("; per channel ")
    endings = re.findall(r"<channel>(_\w+)| (_\w+)", per_channel.split(";")[0])
    names = {f"{channel}{one or other}" for one, other in endings for channel in CHANNELS}
    return names | set(plain.split()) | set(per_channel.split(";")[-1].strip(". \n").split())


def test_every_attribute_of_the_public_surface_is_in_the_catalogue_and_no_other(
    shared: Path,
) -> None:
    assert {attribute.name for attribute in ATTRIBUTES} == names_of_the_contract(shared)


def test_every_event_of_the_vocabulary_is_in_the_catalogue_once() -> None:
    assert [entry.type for entry in EVENTS] == list(EVENT_TYPES)
    assert len({entry.phrase for entry in EVENTS}) == len(EVENTS)


def test_events_attributes_and_properties_share_no_name() -> None:
    attributes = {attribute.name for attribute in ATTRIBUTES}
    events = {entry.type.name for entry in EVENTS}

    assert not attributes & events
    assert not {"date", "count", "sum", "property"} & PROPERTY_BY_NAME.keys()


def test_every_property_that_is_told_is_a_column_of_the_warehouse() -> None:
    mirrors = (EVENT_FACTS, ORDERS, ORDER_LINES, CHECKOUTS)
    columns = {field.name for mirror in mirrors for field in mirror.fields}
    columns |= set(re.findall(r" as (\w+)", EVENTS_ALL.sql))
    told = {entry.name for entry in PROPERTIES if not entry.unknown}

    # An order line's price is that of one piece.
    assert told - columns == set()


@pytest.mark.parametrize("entry", EVENTS, ids=lambda entry: entry.type.name)
def test_an_event_has_the_properties_that_it_lists(entry: object) -> None:
    assert isinstance(entry, type(EVENTS[0]))
    for name in (*entry.properties, *entry.lines):
        assert property_of(entry.type.name, name) == PROPERTY_BY_NAME[name]


def test_what_is_derived_has_no_property_that_only_the_shop_knows() -> None:
    custom = property_of("product_viewed", "colour")

    assert custom is not None
    assert custom.type == "custom"
    assert property_of("order_placed", "colour") is None
    assert property_of("visited_site", "product_id") is None


def test_a_property_of_orders_is_the_shops_own_with_another_event() -> None:
    on_lines, on_views = (
        property_of(event, "variant") for event in ("order_placed", "product_viewed")
    )

    assert on_lines is not None
    assert on_views is not None
    assert (on_lines.type, on_views.type) == ("text", "custom")


def test_every_operator_has_its_words_and_its_types() -> None:
    used = {op for operators in OPERATORS.values() for op in operators}

    assert used == OPERATOR_WORDS.keys()
    assert {"is_empty", "is_not_empty"} <= set.intersection(*map(set, OPERATORS.values()))
    assert operators_of("custom") == CUSTOM_OPERATORS


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("total_spent", "; did you mean total_spend?"),
        ("ORDERS_COUNT", "; did you mean orders_count?"),
        ("weather", ""),
    ],
)
def test_the_nearest_known_name_is_told(name: str, hint: str) -> None:
    assert nearest(name, [attribute.name for attribute in ATTRIBUTES]) == hint
