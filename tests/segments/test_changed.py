"""All rules over a few people at once mean whom each means alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.clock import DAY, Instant
from customer360.profiles.stages import ShopCalendar, Windows
from customer360.segments.ast import ALL_CUSTOMERS_ID, AllOf, AnyOf, MemberOf, Node, Not, Rule
from customer360.segments.changed import Question, select_memberships
from customer360.segments.follow import LastQuestion
from customer360.segments.model import all_customers
from customer360.segments.parse import parse_query
from customer360.storage.engines.duckdb import DuckDBSession
from tests.examples import examples
from tests.segments import oracle
from tests.segments.shop import CALENDAR, NOW, Inventor, Person
from tests.segments.test_to_sql import BUYERS
from tests.segments.trees import RULES
from tests.segments.warehouses import DuckDB, Warehouse, ask


def asking(node: Node, known: Sequence[int]) -> Node:
    """The node where every segment asked for is one of those known."""
    match node:
        case AllOf(parts) | AnyOf(parts):
            return type(node)(tuple(asking(part, known) for part in parts))
        case Not(part):
            return Not(asking(part, known))
        case MemberOf(segment_id, member):
            return MemberOf(known[segment_id % len(known)], member)
        case _:
            return node


def segments_of(rules: Sequence[Rule]) -> dict[int, Rule]:
    """Rules as segments, each of which may ask for those before it; in an order of their own."""
    known = [ALL_CUSTOMERS_ID]
    segments = {}
    for number, rule in enumerate(rules, 10):
        segments[number] = msgspec.structs.replace(rule, root=asking(rule.root, known))
        known.append(number)
    return dict(sorted(segments.items(), key=lambda one: -(one[0] % 3)))


def meant(segments: Mapping[int, Rule], people: Sequence[Person]) -> dict[int, set[int]]:
    """Who is in which segment, as Python says."""
    for person in people:
        person.segments.clear()
    members = {}
    for segment_id in sorted(segments):
        members[segment_id] = oracle.members(segments[segment_id], people)
        for person in people:
            if person.profile_id in members[segment_id]:
                person.segments.add(segment_id)
    return members


@examples(32)
@given(rules=st.lists(RULES, min_size=16, max_size=16), seed=st.integers(0, 1 << 30))
def test_all_rules_at_once_mean_whom_python_means(
    warehouse: Warehouse, rules: list[Rule], seed: int
) -> None:
    segments = segments_of(rules)
    people = Inventor(rules, seed).people(12)
    warehouse.fill(people)
    changed = [one.profile_id for one in people[::2]]

    rows = ask(warehouse, select_memberships(segments, NOW, CALENDAR, warehouse.schema), changed)

    expected = meant(segments, people)
    assert sorted(profile_id for profile_id, *_ in rows) == changed
    for number, segment_id in enumerate(segments, 1):
        found = {row[0] for row in rows if row[number]}
        assert found == expected[segment_id] & {row[0] for row in rows}, segments[segment_id]


def test_memberships_are_a_row_for_each_segment_and_member() -> None:
    warehouse = DuckDB()
    warehouse.fill(BUYERS)
    rules = {
        8: parse_query("segments NOT CONTAINS '7'"),
        7: parse_query("order_placed MATCHES (count >= 1)"),
        9: parse_query("orders_count > 0"),
    }

    question = Question(rules, NOW, CALENDAR)
    found = question.memberships(DuckDBSession(warehouse.connection), [6, 1, 2, 99])

    assert found.column_names == ["segment_id", "profile_id"]
    assert sorted(zip(*found.to_pydict().values(), strict=True)) == [(7, 1), (7, 6), (8, 2)]


def test_nobody_is_in_anything_where_nobody_or_nothing_is_asked_for() -> None:
    session = DuckDBSession(DuckDB().connection)

    assert Question({}, NOW, CALENDAR).memberships(session, [1]).num_rows == 0
    assert Question({7: Rule()}, NOW, CALENDAR).memberships(session, []).num_rows == 0


def test_a_stage_is_computed_once_however_many_rules_ask_for_it() -> None:
    queries = ("lifecycle_stage = 'loyal'", "lifecycle_stage != 'new'", "next_best_action = 'wait'")
    rules = {number: parse_query(query) for number, query in enumerate(queries)}

    asked = select_memberships(rules, NOW, CALENDAR)

    assert asked.answer.sql().count("last_acted_at <") == len(("churned", "at_risk"))
    assert asked.copies.keys() == {"owners", "copied_profiles", "copied_scores"}


def test_no_rows_are_copied_that_no_rule_looks_at() -> None:
    rules = {7: parse_query("country = 'IE'"), 8: parse_query("page_viewed MATCHES ()")}

    assert select_memberships(rules, NOW, CALENDAR).copies.keys() == {
        "owners",
        "copied_events",
        "copied_profiles",
    }


@pytest.mark.parametrize(
    ("version", "now", "calendar", "same"),
    [
        (1, NOW, CALENDAR, True),
        (1, NOW + 1, CALENDAR, True),
        (2, NOW, CALENDAR, False),
        (1, NOW + DAY, CALENDAR, False),
        (1, NOW, replace(CALENDAR, timezone="UTC"), False),
        (1, NOW, replace(CALENDAR, windows=Windows()), False),
    ],
)
def test_a_question_is_kept_while_its_rules_and_the_shops_day_are_the_same(
    version: int, now: Instant, calendar: ShopCalendar, same: bool
) -> None:
    last, segment = LastQuestion(), all_customers()
    question = last.about({1: segment}, NOW, CALENDAR)

    asked = last.about({1: replace(segment, version=version)}, now, calendar)

    assert (asked is question) is same
