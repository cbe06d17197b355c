"""Segments are made, changed, duplicated and deleted as a marketer expects, and rules never go round in circles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update

from customer360.clock import HOUR, Instant
from customer360.errors import (
    InvalidName,
    InvalidRule,
    SegmentBuiltIn,
    SegmentInUse,
    SegmentLimit,
    SegmentNotFound,
)
from customer360.segments.ast import ALL_CUSTOMERS_ID, EVERYONE, MemberOf, Rule, rule_of
from customer360.segments.conditions import attribute_is
from customer360.segments.model import Segment
from customer360.segments.store import (
    change_segment,
    create_segment,
    delete_segment,
    duplicate_segment,
    get_segment,
    list_segments,
    retry_segment,
    used_by,
)
from customer360.segments.tables import segments
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock
from tests.warehouse.store import AT, Store

Answer = TypeVar("Answer")
IRISH = rule_of(attribute_is("country", "eq", "IE"))
BUYERS = rule_of(attribute_is("orders_count", "gte", 1))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A shop's profile store on either engine."""
    with closing(Database(database_url)) as database:
        yield Store(database)


def do(store: Store, step: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
    with store.database.write() as connection:
        return step(connection, store.shop_id, *arguments, **named)


def make(store: Store, name: str, rule: Rule = EVERYONE, now: Instant = AT) -> Segment:
    return do(store, create_segment, name, rule, now, limit=None)


def names(store: Store) -> list[str]:
    return [one.name for one in do(store, list_segments)]


def due(store: Store, segment: Segment) -> str | None:
    query = select(segments.c.due).where(segments.c.segment_id == segment.segment_id)
    with store.database.read() as connection:
        found: str | None = connection.execute(query).scalar_one()
    return found


def asking_for(segment: Segment) -> Rule:
    return rule_of(MemberOf(segment.segment_id))


def test_a_new_segment_waits_for_its_members(store: Store) -> None:
    made = make(store, "  Irish   buyers ", IRISH)

    assert (made.name, made.rule, made.state, made.members) == ("Irish buyers", IRISH, "waiting", 0)
    assert do(store, get_segment, made.segment_id) == made
    assert due(store, made) == "created"


def test_all_customers_come_first_and_then_what_was_active_last(store: Store) -> None:
    old = make(store, "Old", now=AT)
    make(store, "New", now=AT + HOUR)
    assert names(store) == ["All customers", "New", "Old"]

    do(store, change_segment, old.segment_id, AT + 2 * HOUR, name="Old again")

    assert names(store) == ["All customers", "Old again", "New"]


def test_all_customers_is_everyone_and_stays_as_it_is(store: Store) -> None:
    everyone = do(store, get_segment, ALL_CUSTOMERS_ID)

    assert (everyone.name, everyone.rule, everyone.built_in) == ("All customers", EVERYONE, True)
    for step in (delete_segment, retry_segment):
        with pytest.raises(SegmentBuiltIn):
            do(store, step, ALL_CUSTOMERS_ID)
    with pytest.raises(SegmentBuiltIn):
        do(store, change_segment, ALL_CUSTOMERS_ID, AT, name="Some customers")


@pytest.mark.parametrize("name", ["", "  ", "x" * 151, "a\x00b", "VIPS", "all customers"])
def test_a_name_that_is_none_or_taken_is_refused(store: Store, name: str) -> None:
    make(store, "VIPs")

    with pytest.raises(InvalidName):
        make(store, name)
    assert names(store) == ["All customers", "VIPs"]


def test_a_segment_may_keep_its_name_and_change_its_letters(store: Store) -> None:
    made = make(store, "Vips")

    assert do(store, change_segment, made.segment_id, AT, name="VIPs").name == "VIPs"


def test_a_duplicate_has_the_rule_and_the_next_number(store: Store) -> None:
    made = make(store, "VIPs", BUYERS)

    second = do(store, duplicate_segment, made.segment_id, AT, limit=None)
    third = do(store, duplicate_segment, second.segment_id, AT, limit=None)

    assert (second.name, third.name) == ("VIPs (2)", "VIPs (3)")
    assert third.rule == BUYERS
    long = make(store, "x" * 150)
    copy = do(store, duplicate_segment, long.segment_id, AT, limit=None)
    assert copy.name == "x" * 146 + " (2)"
    everyone = do(store, duplicate_segment, ALL_CUSTOMERS_ID, AT, limit=None)
    assert everyone.name == "All customers (2)"


def test_the_plan_says_how_many_there_may_be(store: Store) -> None:
    one = do(store, create_segment, "One", EVERYONE, AT, limit=2)
    do(store, duplicate_segment, one.segment_id, AT, limit=2)

    for step, first in ((create_segment, ("Three", EVERYONE)), (duplicate_segment, (one.segment_id,))):  # fmt: skip
        with pytest.raises(SegmentLimit, match="allows 2 segments"):
            do(store, step, *first, AT, limit=2)
    do(store, delete_segment, one.segment_id)
    do(store, create_segment, "Three", EVERYONE, AT, limit=2)


def test_another_rule_makes_its_members_due_and_another_name_does_not(store: Store) -> None:
    made = make(store, "VIPs", IRISH)
    found(store, made)

    do(store, change_segment, made.segment_id, AT, name="Buyers", rule=IRISH)
    assert (due(store, made), do(store, get_segment, made.segment_id).state) == (None, "updated")

    changed = do(store, change_segment, made.segment_id, AT + HOUR, rule=BUYERS)
    assert (due(store, made), changed.state, changed.rule) == ("edited", "waiting", BUYERS)
    assert (changed.edited_at, changed.created_at) == (AT + HOUR, AT)


def found(store: Store, segment: Segment, **values: Any) -> None:
    """As if the worker had found its members."""
    row = {"state": "updated", "due": None, **values}
    with store.database.write() as connection:
        mine = segments.c.segment_id == segment.segment_id
        connection.execute(update(segments).where(mine).values(row))


def test_a_rule_cannot_ask_for_itself_or_for_what_is_not_there(store: Store) -> None:
    first = make(store, "First")
    second = make(store, "Second", asking_for(first))

    with pytest.raises(InvalidRule, match="itself"):
        do(store, change_segment, first.segment_id, AT, rule=asking_for(second))
    with pytest.raises(InvalidRule, match="no segment 7"):
        make(store, "Third", rule_of(MemberOf(7)))
    make(store, "Third", rule_of(MemberOf(ALL_CUSTOMERS_ID)))


def test_a_segment_that_others_ask_for_is_not_deleted(store: Store) -> None:
    first = make(store, "First")
    second = make(store, "Second", asking_for(first))
    third = make(store, "Third", asking_for(second))

    assert [one.name for one in do(store, used_by, first.segment_id)] == ["Second"]
    with pytest.raises(SegmentInUse, match="Second"):
        do(store, delete_segment, first.segment_id)
    for one in (third, second, first):
        do(store, delete_segment, one.segment_id)
    assert names(store) == ["All customers"]


def test_a_deleted_segment_is_not_there_and_its_name_is_free(store: Store) -> None:
    made = make(store, "VIPs")

    do(store, delete_segment, made.segment_id)

    for step in (get_segment, delete_segment, retry_segment):
        with pytest.raises(SegmentNotFound):
            do(store, step, made.segment_id)
    make(store, "VIPs")


def test_only_a_failed_segment_is_tried_again(store: Store) -> None:
    made = make(store, "VIPs")
    found(store, made)
    assert do(store, retry_segment, made.segment_id).state == "updated"

    found(store, made, state="failed", failure="Too large.", due="edited", retry_at=AT + HOUR)
    again = do(store, retry_segment, made.segment_id)

    assert (again.state, again.failure, due(store, made)) == ("waiting", None, "edited")


def test_changes_are_kept_for_members_only_while_there_is_a_segment(store: Store) -> None:
    assert followed(store) is None

    first, second = make(store, "First"), make(store, "Second")
    since = followed(store)
    assert since == 1
    do(store, delete_segment, first.segment_id)
    assert followed(store) == since

    do(store, delete_segment, second.segment_id)
    assert followed(store) is None


def followed(store: Store) -> int | None:
    with store.database.read() as connection:
        change: int | None = connection.execute(select(shop_clock.c.refreshed)).scalar_one()
    return change


def test_a_shop_knows_only_its_own_segments(store: Store) -> None:
    made = make(store, "VIPs")
    other = Store(store.database, shop_id=2)

    assert names(other) == ["All customers"]
    with pytest.raises(SegmentNotFound):
        do(other, get_segment, made.segment_id)
    with pytest.raises(InvalidRule, match="no segment"):
        make(other, "VIPs", asking_for(made))
