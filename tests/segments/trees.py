"""Random rules: any that the catalogue allows, each made the way that `rule` and `parse` make theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from customer360.profiles.attributes import ATTRIBUTES
from customer360.segments.ast import AllOf, AnyOf, EventDid, MemberOf, Node, Not, Rule, Sum, Within
from customer360.segments.catalogue import (
    COUNT_OPERATORS,
    EVENTS,
    EventEntry,
    ValueType,
    operators_of,
    property_of,
)
from customer360.segments.conditions import (
    attribute_is,
    count_is,
    property_is,
    sum_is,
    within,
    within_last,
)

WORDS = st.sampled_from(
    (
        "IE",
        "google",
        "VIP",
        "p1",
        "O'Neill",
        'a "b" \\',
        "Größe 42",
        "today",
        "true",
        "-30d",
        "3",
        "a, b)",
        "'",
    )
)
NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.decimals(-1000, 1000, places=4).map(float),
    st.sampled_from((1e-7, 123456789012345, "19.90", 1e14)),
)
DAYS = st.sampled_from(
    (
        "today",
        "yesterday",
        "-30d",
        "-2w",
        "-1m",
        "-1y",
        "+7d",
        "2026-01-31",
        "2024-02-29",
        "90_days_ago",
        "-0d",
    )
)
MOMENTS = st.one_of(
    DAYS, st.sampled_from(("2026-01-31T09:30:00Z", "2026-01-31t09:30:00.250+01:00"))
)
CUSTOM_NAMES = st.sampled_from(("colour", "date", "count", "quiz result", "it's", "sum_total"))
CUSTOM_EVENTS = st.sampled_from(("Quiz finished", "MATCHES", "orders_count", "It's (done)"))
# An integer of JSON is a number; one that stands for text is an id.
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "money": NUMBERS,
    "time": MOMENTS,
    "text": st.one_of(WORDS, st.integers(1, 10**15)),
    "list": WORDS,
    "boolean": st.booleans(),
}


@st.composite
def comparisons(draw: st.DrawFn, kind: ValueType, choices: tuple[str, ...]) -> tuple[str, Any]:
    """An operator of a type with a value that fits it, as JSON has both."""
    op = draw(st.sampled_from(operators_of(kind)))
    if op in ("is_empty", "is_not_empty"):
        return op, None
    if op in ("in_last_days", "not_in_last_days"):
        return op, draw(st.integers(0, 400))
    if kind == "custom":
        numeric = op in ("gt", "gte", "lt", "lte", "between")
        typed = op in ("eq", "neq", "in", "not_in")
        one = NUMBERS if numeric else st.one_of(WORDS, NUMBERS, st.booleans()) if typed else WORDS
    elif kind == "choice":
        one = st.sampled_from(choices)
    else:
        one = DAYS if op == "on" else SCALARS[kind]
    if op == "between":
        return op, [draw(one), draw(one)]
    return op, draw(st.lists(one, min_size=1, max_size=3) if op in ("in", "not_in") else one)


@st.composite
def attribute_conditions(draw: st.DrawFn) -> Node:
    attribute = draw(st.sampled_from(ATTRIBUTES))
    return attribute_is(attribute.name, *draw(comparisons(attribute.type, attribute.choices)))


def _counts(draw: st.DrawFn) -> tuple[str, Any]:
    op = draw(st.sampled_from(COUNT_OPERATORS))
    one = st.integers(0, 5)
    return op, [draw(one), draw(one)] if op == "between" else draw(one)


@st.composite
def withins(draw: st.DrawFn) -> Within | None:
    if draw(st.booleans()):
        return within_last(draw(st.integers(0, 90)))
    start = draw(st.sampled_from(("since", "after", None)))
    end = draw(st.sampled_from(("until", "before", None)))
    return within(**{bound: draw(DAYS) for bound in (start, end) if bound})


@st.composite
def event_conditions(
    draw: st.DrawFn, entries: Sequence[EventEntry | None] = (*EVENTS, None)
) -> EventDid:
    """A condition on one of these events; None is one that only the shop knows."""
    entry = draw(st.sampled_from(entries))
    event = entry.type.name if entry else draw(CUSTOM_EVENTS)
    names = [*entry.properties, *entry.lines] if entry else []
    if not entry or entry.open:
        names.append(draw(CUSTOM_NAMES))
    kinds = {name: known for name in names if (known := property_of(event, name))}
    where = []
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        op, value = draw(comparisons(kinds[name].type, kinds[name].choices))
        where.append(property_is(event, name, op, value))
    summable = [name for name in names if kinds[name].type in ("number", "money", "custom")]
    summed: Sum | None = None
    if summable and draw(st.booleans()):
        summed = sum_is(event, draw(st.sampled_from(summable)), *_counts(draw))
    return EventDid(
        event=event,
        did=draw(st.booleans()),
        where=tuple(where),
        count=count_is(*_counts(draw)) if draw(st.booleans()) else None,
        sum=summed,
        within=draw(withins()),
    )


MEMBERS = st.builds(MemberOf, st.integers(1, (1 << 63) - 1), st.booleans())
CONDITIONS = st.one_of(attribute_conditions(), event_conditions(), MEMBERS)


def _groups(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, max_size=3).map(tuple)
    return st.one_of(several.map(AllOf), several.map(AnyOf), parts.map(Not))


NODES: st.SearchStrategy[Node] = st.recursive(CONDITIONS, _groups, max_leaves=8)
ROOTS = st.one_of(
    st.lists(NODES, max_size=4).map(tuple).map(AllOf),
    st.lists(NODES, max_size=4).map(tuple).map(AnyOf),
)
RULES: st.SearchStrategy[Rule] = st.builds(Rule, ROOTS, st.booleans())
