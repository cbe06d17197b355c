"""The builder's form: no rule is lost on its way through the fields, and buttons do what they say."""

from __future__ import annotations

import pytest
from hypothesis import given

from customer360.segments.ast import AllOf, AnyOf, EventDid, Rule
from customer360.segments.parse import parse_query
from customer360.web.segment_form import EMPTY, Piece, edit, read_form, write_form
from customer360.web.segment_rule import UNFINISHED, Drafted, form_of_rule, rule_of_form, settled
from tests.segments.trees import RULES


@given(RULES)
def test_every_rule_comes_back_from_its_fields(rule: Rule) -> None:
    fields = list(write_form(form_of_rule(rule)))

    assert rule_of_form(read_form(fields), rule.include_visitors) == Drafted(rule, {})


def test_fields_that_are_not_the_builders_say_nothing() -> None:
    fields = [("csrf", "x"), ("r.match", "any"), ("r..op", "eq"), ("r.0", "x"), ("q.0.op", "eq")]

    assert read_form(fields) == Piece({"match": ["any"]})


def test_a_form_without_fields_is_everyone() -> None:
    assert rule_of_form(read_form([]), False) == Drafted(Rule(), {})


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"what": "attribute:total_spend"}, {"r.0.value": UNFINISHED}),
        ({"what": "attribute:country", "op": "in"}, {"r.0.more": UNFINISHED}),
        ({"what": "attribute:last_order_at", "op": "before"}, {"r.0.value": UNFINISHED}),
        ({"what": "attribute:nothing"}, {"r.0.what": "Choose what to ask for"}),
        ({"what": "event:other:"}, {"r.0.event": "An event has a name of 1 to 100 characters"}),
        ({"what": "event:order_placed", "within": "last"}, {"r.0.days": UNFINISHED}),
        ({"what": "event:order_placed", "count-op": "gte"}, {"r.0.count-value": UNFINISHED}),
        (
            {"what": "event:order_placed", "within": "between", "from": "since", "from-how": "date"},
            {"r.0.from-value": UNFINISHED},
        ),
        ({"what": "segment:"}, {"r.0.segment": UNFINISHED}),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_beside_its_field(
    fields: dict[str, str], errors: dict[str, str]
) -> None:
    form = [("r.match", "all"), *((f"r.0.{name}", value) for name, value in fields.items())]

    assert rule_of_form(read_form(form), False).errors == errors


def test_a_property_that_is_missing_is_told_beside_its_field() -> None:
    form = [("r.match", "all"), ("r.0.what", "event:order_placed"), ("r.0.0.property", "vendor")]

    assert rule_of_form(read_form(form), False).errors == {"r.0.0.value": UNFINISHED}


def test_an_unfinished_condition_is_left_out() -> None:
    form = [
        ("r.match", "any"),
        ("r.0.match", "any"),
        ("r.0.0.what", "attribute:total_spend"),
        ("r.1.what", "attribute:country"),
        ("r.1.value", "IE"),
    ]

    assert rule_of_form(read_form(form), False).rule == Rule(
        AnyOf(parse_query("country = 'IE'").root.parts)
    )


def test_any_of_unfinished_conditions_is_everyone_not_nobody() -> None:
    form = [("r.match", "any"), ("r.0.what", "attribute:total_spend")]

    assert rule_of_form(read_form(form), False).rule == Rule()


def test_a_rule_that_is_too_large_is_told_as_a_whole() -> None:
    form = [("r.match", "all")]
    for place in range(301):
        form += [(f"r.{place}.what", "attribute:has_email"), (f"r.{place}.value", "true")]

    assert list(rule_of_form(read_form(form), False).errors) == ["r"]


@pytest.mark.parametrize(
    ("before", "action", "after", "focus"),
    [
        ("country = 'IE'", "not r.0", "NOT country = 'IE'", "r.0"),
        ("NOT country = 'IE'", "not r.0", "country = 'IE'", "r.0"),
        ("country = 'IE' AND city = 'Cork'", "remove r.0", "city = 'Cork'", "r.0"),
        ("country = 'IE' AND city = 'Cork'", "remove r.1", "country = 'IE'", "r.0"),
        ("country = 'IE'", "remove r.0", "", "r"),
        ("city = 'Cork' AND ANY (country = 'IE')", "remove r.1.0", "city = 'Cork'", "r.0"),
        (
            "order_placed MATCHES (vendor = 'A', sku = 'B')", "remove r.0.0",
            "order_placed MATCHES (sku = 'B')", "r.0",
        ),
        ("country = 'IE'", "remove r.7", "country = 'IE'", ""),
        ("country = 'IE'", "explode r.0", "country = 'IE'", ""),
    ],
)  # fmt: skip
def test_a_button_changes_the_rule(before: str, action: str, after: str, focus: str) -> None:
    edited = edit(form_of_rule(parse_query(before)), action)

    assert (rule_of_form(edited.root, False).rule, edited.focus) == (parse_query(after), focus)


def test_conditions_groups_and_lines_are_added_at_the_end() -> None:
    one = edit(EMPTY, "add r")
    two = edit(one.root, "group r")
    placed = edit(form_of_rule(Rule(AllOf((EventDid(event="order_placed"),)))), "where r.0")

    assert (one.focus, two.focus, placed.focus) == ("r.0", "r.1.0", "r.0.0")
    assert [len(two.root.parts), len(two.root.parts[1].parts), len(placed.root.parts[0].parts)] == [
        2,
        1,
        1,
    ]


def test_one_more_value_goes_to_the_values_of_its_list() -> None:
    told = {"what": "event:Quiz", "0.property": "score", "0.op": "in", "0.values": "1"}
    more = {"0.as": "number", "0.more": "2"}
    form = [("r.match", "all"), *((f"r.0.{name}", text) for name, text in (told | more).items())]

    line = settled(read_form(form)).parts[0].parts[0]

    assert (line.all("values"), line.get("more")) == (("1", "2"), "")
