"""The JSON form of a rule is read, refused by path, and written back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.errors import InvalidRule
from customer360.segments.ast import (
    EVERYONE,
    MAX_CONDITIONS,
    MAX_DEPTH,
    AllOf,
    AnyOf,
    AttributeIs,
    Count,
    EventDid,
    MemberOf,
    Not,
    PropertyIs,
    Rule,
    Sum,
    Within,
    check_cycle,
    segments_in,
)
from customer360.segments.rule import read_rule, write_node, write_rule
from tests.examples import examples
from tests.segments.trees import RULES

EXAMPLE: dict[str, Any] = {
    "all": [
        {"attribute": "total_spend", "op": "gte", "value": 200},
        {
            "any": [
                {"attribute": "country", "op": "in", "value": ["IE", "GB"]},
                {"not": {"attribute": "last_touch_source", "op": "eq", "value": "google"}},
            ]
        },
        {
            "event": "product_viewed",
            "where": [{"property": "product_id", "op": "eq", "value": "p1"}],
            "count": {"op": "gte", "value": 3},
            "within": {"last_days": 30},
        },
        {"event": "order_placed", "did": False, "within": {"last_days": 30}},
        {
            "event": "order_placed",
            "sum": {"property": "total", "op": "gte", "value": 100},
            "within": {"from": "2026-01-01", "to": "2026-06-30"},
        },
        {"segment": "614519532646400001", "member": True},
    ],
    "include_visitors": False,
}
"""The rule that the public surface shows."""


def attribute(name: str, op: str, value: Any = None) -> dict[str, Any]:
    """A condition in JSON; None is no value."""
    return {"attribute": name, "op": op} | ({} if value is None else {"value": value})


def test_the_example_of_the_public_surface_is_this_tree() -> None:
    assert read_rule(EXAMPLE) == Rule(
        AllOf(
            (
                AttributeIs("total_spend", "gte", Decimal(200)),
                AnyOf(
                    (
                        AttributeIs("country", "in", ("IE", "GB")),
                        Not(AttributeIs("last_touch_source", "eq", "google")),
                    )
                ),
                EventDid(
                    event="product_viewed",
                    where=(PropertyIs("product_id", "eq", "p1"),),
                    count=Count("gte", Decimal(3)),
                    within=Within(since="-30d"),
                ),
                EventDid(event="order_placed", did=False, within=Within(since="-30d")),
                EventDid(
                    event="order_placed",
                    sum=Sum("total", "gte", Decimal(100)),
                    within=Within(since="2026-01-01", until="2026-06-30"),
                ),
                MemberOf(614519532646400001),
            )
        )
    )


def test_the_example_is_written_back_as_it_was() -> None:
    assert write_rule(read_rule(EXAMPLE)) == EXAMPLE


@examples(300)
@given(RULES)
def test_a_rule_comes_back_from_json_as_it_went(rule: Rule) -> None:
    assert read_rule(msgspec.json.decode(msgspec.json.encode(write_rule(rule)))) == rule


def test_a_new_segment_is_everyone() -> None:
    assert read_rule({"all": []}) == EVERYONE


def test_a_rule_may_be_one_condition_alone() -> None:
    alone = attribute("orders_count", "gte", 2)

    assert read_rule(alone) == read_rule({"all": [alone]})


def test_visitors_are_included_when_told() -> None:
    assert read_rule({"any": [], "include_visitors": True}) == Rule(AnyOf(), True)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (attribute("total_spend", "gte", "19.90"), Decimal("19.9")),
        (attribute("total_spend", "gte", " 200 "), Decimal(200)),
        (attribute("churn_risk", "eq", 0.1 + 0.2), Decimal("0.3")),
        (attribute("orders_count", "between", [1, 5]), (Decimal(1), Decimal(5))),
        (attribute("zip", "eq", 94107), "94107"),
        (attribute("last_order_at", "before", "2026-01-31"), "2026-01-31"),
        (attribute("last_order_at", "gte", "30_days_ago"), "-30d"),
        (attribute("last_order_at", "eq", "yesterday"), "-1d"),
        (
            attribute("last_order_at", "gt", "2026-01-31T10:30:00+01:00"),
            "2026-01-31T09:30:00Z",
        ),
        (attribute("last_order_at", "in_last_days", 30), Decimal(30)),
        (attribute("rfm_group", "eq", "At risk"), "at_risk"),
        (attribute("churn_band", "in", ["LIKELY-LOST"]), ("likely_lost",)),
        (attribute("has_email", "eq", "true"), True),
        (attribute("tags", "contains", "VIP"), "VIP"),
        (attribute("country", "is_empty"), None),
    ],
)
def test_a_value_is_kept_in_one_form(condition: dict[str, Any], kept: Any) -> None:
    (found,) = read_rule(condition).root.parts

    assert isinstance(found, AttributeIs)
    assert found.value == kept


DEEP: dict[str, Any] = {"all": []}
for _ in range(MAX_DEPTH):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    ("data", "path", "said"),
    [
        ([], "", "object"),
        ({}, "", "one of the keys"),
        ({"all": {}}, "all", "list"),
        ({"all": [[]]}, "all.0", "object"),
        ({"all": [], "include_visitors": "yes"}, "include_visitors", "true or false"),
        ({"all": [], "any": []}, "any", "no 'any'"),
        ({"not": [attribute("country", "is_empty")]}, "not", "object"),
        (attribute("total_spent", "gte", 1), "attribute", "did you mean total_spend?"),
        ({"all": [{"any": [attribute("country", "gte", "IE")]}]}, "all.0.any.0.op", "'gte'"),
        ({"attribute": "country", "op": 5}, "op", "as text"),
        ({"attribute": "country", "op": "eq"}, "value", "Text"),
        (attribute("country", "in", "IE"), "value", "list of values"),
        (attribute("country", "in", ["IE", ""]), "value.1", "1 to 255"),
        (attribute("country", "in", []), "value", "1 to 1000"),
        (attribute("country", "eq", "I\0E"), "value", "characters"),
        (attribute("country", "eq", "\ud800"), "value", "characters"),
        (attribute("country", "is_empty", True), "value", "takes no value"),
        (attribute("orders_count", "gte", "a lot"), "value", "no number"),
        (attribute("orders_count", "gte", True), "value", "number"),
        (attribute("orders_count", "gte", float("inf")), "value", "too large"),
        (attribute("orders_count", "gte", "NaN"), "value", "is no number"),
        (attribute("orders_count", "gte", 10**5000), "value", "too large"),
        (attribute("orders_count", "gte", "0.1234567890123456"), "value", "15 digits"),
        (attribute("orders_count", "between", [1]), "value", "two values"),
        (attribute("orders_count", "between", [1, "x"]), "value.1", "no number"),
        (attribute("last_order_at", "on", "2026-01-31T09:30:00Z"), "value", "no day"),
        (attribute("last_order_at", "gt", "soon"), "value", "-30d"),
        (attribute("last_order_at", "in_last_days", -1), "value", "whole number"),
        (attribute("last_order_at", "in_last_days", 1.5), "value", "whole number"),
        (attribute("has_email", "eq", "yes"), "value", "true or false"),
        (attribute("rfm_group", "eq", "champion"), "value", "did you mean champions?"),
        ({"attribute": "country", "op": "eq", "valeu": "IE"}, "valeu", "did you mean value?"),
        ({"event": ""}, "event", "wanted"),
        ({"event": "x" * 101}, "event", "100 characters"),
        ({"event": "order_placed", "did": 1}, "did", "true or false"),
        (
            {"event": "order_placed", "where": [{"property": "titel", "op": "eq", "value": "x"}]},
            "where.0.property",
            "did you mean title?",
        ),
        (
            {"event": "order_placed", "where": [{"property": "total", "op": "eq", "value": "x"}]},
            "where.0.value",
            "no number",
        ),
        ({"event": "order_placed", "count": {"op": "in", "value": [1]}}, "count.op", "'in'"),
        ({"event": "order_placed", "count": {"op": "gte", "value": 0.5}}, "count.value", "whole"),
        (
            {"event": "order_placed", "sum": {"property": "place", "op": "gte", "value": 1}},
            "sum.property",
            "cannot be summed",
        ),
        ({"event": "order_placed", "within": {"last_days": "x"}}, "within.last_days", "number"),
        ({"event": "order_placed", "within": {"from": "soon"}}, "within.from", "no day"),
        ({"event": "order_placed", "within": {"to": 5}}, "within.to", "no day"),
        (
            {"event": "order_placed", "within": {"to": "today", "before": "today"}},
            "within.before",
            "either",
        ),
        (
            {"event": "order_placed", "within": {"last_days": 3, "to": "today"}},
            "within.to",
            "no 'to'",
        ),
        ({"segment": 5}, "segment", "string of digits"),
        ({"segment": "x"}, "segment", "string of digits"),
        ({"segment": "5", "member": "no"}, "member", "true or false"),
        (DEEP, ".".join(["not"] * MAX_DEPTH), "nested"),
        ({"all": [attribute("country", "is_empty")] * (MAX_CONDITIONS + 1)}, "", "300"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_place(data: Any, path: str, said: str) -> None:
    with pytest.raises(InvalidRule) as refused:
        read_rule(data)

    assert (refused.value.path, said in str(refused.value)) == (path, True), refused.value


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(("gte", "in", "between", "order_placed", "country", "total", "today", "last_order_at")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ("all", "any", "not", "attribute", "op", "value", "event", "did", "where", "property", "count",
                 "sum", "within", "last_days", "from", "to", "segment", "member", "include_visitors")
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@examples(400)
@given(JSON)
def test_whatever_is_sent_is_a_rule_or_is_refused(data: Any) -> None:
    try:
        rule = read_rule(data)
    except InvalidRule:
        return
    assert read_rule(json.loads(json.dumps(write_rule(rule)))) == rule


def member(segment_id: int) -> Rule:
    return read_rule({"any": [{"not": {"segment": str(segment_id)}}]})


def test_a_rule_tells_which_segments_it_asks_for() -> None:
    assert segments_in(read_rule({"all": [write_node(member(7).root), {"segment": "8"}]})) == {7, 8}


def test_segments_that_depend_on_each_other_in_a_circle_are_refused() -> None:
    others = {2: member(3), 3: member(4), 4: member(2)}

    check_cycle(9, member(2), others)
    with pytest.raises(InvalidRule, match="itself"):
        check_cycle(4, member(2), others)
    with pytest.raises(InvalidRule, match="itself"):
        check_cycle(5, member(5), {})
