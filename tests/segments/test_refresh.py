"""Members follow their rules: each move is recorded once, with its cause, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, func, select

from customer360.clock import DAY, HOUR, MINUTE
from customer360.errors import QueryTooLong, Unavailable
from customer360.segments import refresh
from customer360.segments.ast import ALL_CUSTOMERS_ID, AllOf, MemberOf, Not, Rule, rule_of
from customer360.segments.conditions import attribute_is
from customer360.segments.members import changes_since, member_ids, segments_of
from customer360.segments.model import Cause
from customer360.segments.parse import parse_query
from customer360.segments.queue import due_causes, scores_changed, shops_to_refresh, standing
from customer360.segments.store import (
    change_segment,
    delete_segment,
    duplicate_segment,
    retry_segment,
)
from customer360.segments.tables import segment_members, segments
from customer360.storage.database import Database
from customer360.storage.metadata import profile_changes
from tests.examples import examples
from tests.segments import oracle
from tests.segments.club import SHOP, Club
from tests.segments.shop import NOW, Event, Inventor, Person
from tests.segments.test_changed import asking
from tests.segments.trees import RULES

ANN, BOB, CAT = 1, 2, 3
IRISH = rule_of(attribute_is("country", "eq", "IE"))
RECENT = parse_query("last_order_date >= -30d")


@pytest.fixture
def club(database_url: str, tmp_path: Path) -> Iterator[Club]:
    with (
        closing(Database(database_url)) as database,
        closing(Club(database, tmp_path / "warehouse")) as club,
    ):
        yield club


def person(profile_id: int, **attributes: object) -> Person:
    return Person(profile_id, attributes=dict(attributes))


def irish(*profile_ids: int) -> list[Person]:
    """Three people, of whom these are Irish."""
    return [
        person(one, country="IE" if one in profile_ids else "FR", orders_count=Decimal(one))
        for one in (ANN, BOB, CAT)
    ]


def moved(
    club: Club, *profile_ids: int, changed: tuple[int, ...], cause: str | None = None
) -> None:
    """Now these are Irish, and it is noted that some changed."""
    club.fill(irish(*profile_ids))
    club.note(changed, cause)
    club.refresh()


def test_a_new_segment_gets_its_members(club: Club) -> None:
    club.fill(irish(ANN, CAT))
    made = club.make("Irish", IRISH)

    club.refresh()

    assert club.members(made) == {ANN, CAT}
    assert club.told() == [(made, ANN, True, "created"), (made, CAT, True, "created")]
    segment = club.segment(made)
    assert (segment.state, segment.progress, segment.refreshed_at) == ("updated", 100, NOW)


def test_whoever_changed_comes_and_goes_once(club: Club) -> None:
    club.fill(irish(ANN))
    made = club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    moved(club, BOB, changed=(ANN, BOB, CAT))
    club.note([ANN, BOB])
    club.refresh()

    assert club.members(made) == {BOB}
    assert club.told(before) == [(made, ANN, False, "event"), (made, BOB, True, "event")]


def test_only_people_of_whom_a_change_is_known_are_looked_at(club: Club) -> None:
    club.fill(irish(ANN))
    made = club.make("Irish", IRISH)
    club.refresh()

    moved(club, BOB, changed=(BOB,))

    assert club.members(made) == {ANN, BOB}


@pytest.mark.parametrize("cause", ["merge", "undo", "rebuild"])
def test_a_move_tells_what_changed_the_person(club: Club, cause: str) -> None:
    club.fill(irish(ANN))
    made = club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    club.note([BOB])
    moved(club, BOB, changed=(ANN, BOB), cause=cause)

    assert club.told(before) == [(made, ANN, False, cause), (made, BOB, True, cause)]


def test_whom_an_event_merged_away_leaves_by_the_merge(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    club.fill([person(ANN, country="IE")])
    club.merge_away(BOB, ANN)
    club.note([ANN, BOB])
    club.refresh()

    assert club.told(before) == [(made, BOB, False, "merge")]


def test_an_edited_rule_moves_people_by_that_cause(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    club.do(change_segment, made, NOW, rule=rule_of(attribute_is("orders_count", "gte", 2)))
    club.note([CAT])
    club.refresh()

    assert club.members(made) == {BOB, CAT}
    assert club.told(before) == [(made, ANN, False, "edited"), (made, CAT, True, "edited")]


def test_a_rule_that_asks_for_another_segment_follows_it(club: Club) -> None:
    club.fill(irish(ANN))
    first = club.make("Irish", IRISH)
    second = club.make("Not Irish", rule_of(Not(MemberOf(first))))
    third = club.make(
        "Customers, not Irish", rule_of(AllOf((MemberOf(ALL_CUSTOMERS_ID), MemberOf(second))))
    )
    club.refresh()
    assert club.members(third) == {BOB, CAT}
    before = club.last_change()

    moved(club, BOB, changed=(ANN, BOB))

    assert (club.members(first), club.members(second), club.members(third)) == (
        {BOB},
        {ANN, CAT},
        {ANN, CAT},
    )
    assert {one.cause for one in club.moves(before)} == {Cause.EVENT}

    before = club.last_change()
    club.do(change_segment, first, NOW, rule=rule_of(attribute_is("orders_count", "gte", 3)))
    club.refresh()

    assert (club.members(first), club.members(third)) == ({CAT}, {ANN, BOB})
    assert {one.cause for one in club.moves(before)} == {Cause.EDITED}


def test_members_of_the_last_30_days_leave_at_the_shops_midnight(club: Club) -> None:
    # Noon in Dublin, 29 days ago; midnight there is 23:00 UTC.
    club.fill(
        [person(ANN, last_order_at=NOW - 30 * DAY), person(BOB, last_order_at=NOW - 29 * DAY)]
    )
    made = club.make("Recent", RECENT)
    club.refresh()
    assert club.members(made) == {ANN, BOB}
    before = club.last_change()

    club.clock.advance(11 * HOUR - 1)
    assert not club.refresher.turn(SHOP, waiting=False)
    assert club.members(made) == {ANN, BOB}
    club.clock.advance(1)
    club.refresh()

    assert club.members(made) == {BOB}
    assert club.told(before) == [(made, ANN, False, "time")]


def test_another_time_zone_of_the_shop_moves_people_by_time(club: Club) -> None:
    # The day 30 days ago began at 23:00 UTC in Dublin, and begins at 04:00 in New York.
    club.fill(
        [person(ANN, last_order_at=NOW - 30 * DAY - 12 * HOUR), person(BOB, last_order_at=NOW)]
    )
    made = club.make("Recent", RECENT)
    club.refresh()
    assert club.members(made) == {ANN, BOB}
    before = club.last_change()

    club.shop = msgspec.structs.replace(SHOP, timezone="America/New_York")
    club.refresh()

    assert club.told(before) == [(made, ANN, False, "time")]


def test_other_windows_of_the_shop_stage_everybody_anew_at_once(club: Club) -> None:
    club.fill([person(ANN, last_acted_at=NOW - 20 * DAY, orders_count=Decimal(1)), person(BOB)])
    churned = club.make("Churned", parse_query("lifecycle_stage = 'churned'"))
    asking = club.make("Not churned", parse_query(f"segments NOT CONTAINS '{churned}'"))
    recent = club.make("Recent", RECENT)
    club.refresh()
    assert (club.members(churned), club.members(asking)) == (set(), {ANN, BOB})
    before, found = club.last_change(), club.segment(recent).refreshed_at

    windows = {"at_risk_days": 7, "churned_days": 14}
    club.shop = msgspec.structs.replace(SHOP, settings={"enrichment": windows})
    club.clock.advance(MINUTE)
    club.refresh()

    assert sorted(club.told(before)) == [(churned, ANN, True, "time"), (asking, ANN, False, "time")]
    assert club.segment(recent).refreshed_at == found


def risky(*profile_ids: int) -> list[Person]:
    """Three people, of whom these are likely lost."""
    return [
        Person(one, scores={"churn_band": "likely_lost" if one in profile_ids else "healthy"})
        for one in (ANN, BOB, CAT)
    ]


LOST = parse_query("churn_band = 'likely_lost'")


def test_new_scores_move_whom_rules_mean_by_them(club: Club) -> None:
    club.fill(risky(ANN))
    lost = club.make("Lost", LOST)
    others = club.make("Others", parse_query(f"segments NOT CONTAINS '{lost}'"))
    overdue = club.make("Overdue", parse_query("next_order_overdue_days > 0"))
    club.make("Everyone", Rule())
    club.refresh()
    before = club.last_change()

    club.fill(risky(BOB))
    club.do(scores_changed)
    waiting = set(club.do(due_causes))
    club.refresh()

    assert waiting == {lost, others, overdue}
    assert sorted(club.told(before)) == [
        (lost, ANN, False, "time"),
        (lost, BOB, True, "time"),
        (others, ANN, True, "time"),
        (others, BOB, False, "time"),
    ]


def test_new_scores_win_over_a_look_at_the_old_ones_that_is_under_way(club: Club) -> None:
    club.fill(risky(ANN, BOB))
    lost = club.make("Lost", LOST)
    club.refresher = club.new_refresher(most_moves=1)
    club.refresher.turn(SHOP)

    club.fill(risky(CAT))
    club.do(scores_changed)
    club.refresh()

    assert club.members(lost) == {CAT}


def test_whoever_changes_while_a_day_begins_moves_by_the_event(club: Club) -> None:
    club.fill([person(ANN, last_order_at=NOW - 30 * DAY), person(BOB)])
    made = club.make("Recent", RECENT)
    club.refresh()
    before = club.last_change()

    club.clock.advance(DAY)
    club.fill([person(ANN, last_order_at=NOW - 30 * DAY), person(BOB, last_order_at=NOW)])
    club.note([BOB])
    club.refresh()

    assert sorted(club.told(before)) == [(made, ANN, False, "time"), (made, BOB, True, "event")]


def due(club: Club) -> bool:
    """Whether anything but time waits in the shop."""
    with club.store.database.read() as connection:
        return shops_to_refresh(connection, club.clock.now()).get(SHOP.shop_id, False)


def test_members_of_an_updated_segment_are_in_the_warehouse(club: Club) -> None:
    club.fill(irish(ANN, CAT))
    made = club.make("Irish", IRISH)

    while club.segment(made).state != "updated":
        club.refresher.turn(SHOP)

    found = club.warehouse.query(
        SHOP.shop_id, "select profile_id from segment_members where segment_id = $1", [made]
    )
    assert {row["profile_id"] for row in found.to_pylist()} == {ANN, CAT}


def test_a_large_segment_takes_several_turns_and_tells_how_far_it_is(club: Club) -> None:
    club.fill(irish(ANN, BOB, CAT))
    made = club.make("Irish", IRISH)
    club.refresher = club.new_refresher(most_moves=1)
    told = []

    while club.refresher.turn(SHOP):
        segment = club.segment(made)
        told.append((segment.state, segment.progress, segment.members))

    assert told == [("syncing", 33, 1), ("syncing", 66, 2), ("updated", 100, 3)]
    assert not due(club)


def test_who_changes_while_a_segment_is_synced_is_where_they_are_now(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresher = club.new_refresher(most_moves=1)
    club.refresher.turn(SHOP)
    assert club.members(made) == {ANN}

    # Bob was to come and no longer is Irish; Ann has come, and leaves; Cat was not to come, and does.
    club.fill(irish(CAT))
    club.note([ANN, BOB, CAT])
    club.refresh()

    assert club.members(made) == {CAT}
    assert sorted(one[1:] for one in club.told()) == [
        (ANN, False, "event"),
        (ANN, True, "created"),
        (CAT, True, "event"),
    ]


def test_who_was_about_to_come_by_a_new_rule_comes_by_it_also_when_they_change(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresher = club.new_refresher(most_moves=1)
    club.refresher.turn(SHOP)

    club.note([BOB])
    club.refresh()

    assert club.told() == [(made, ANN, True, "created"), (made, BOB, True, "created")]


def test_a_rule_that_is_edited_while_its_segment_is_synced_wins(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresher = club.new_refresher(most_moves=1)
    club.refresher.turn(SHOP)

    club.do(change_segment, made, NOW, rule=rule_of(attribute_is("orders_count", "gte", 2)))
    club.refresh()

    assert club.members(made) == {BOB, CAT}
    assert len(club.moves()) == 4


def test_a_worker_that_begins_anew_goes_on_and_moves_nobody_twice(club: Club) -> None:
    club.fill(irish(ANN, BOB, CAT))
    made = club.make("Irish", IRISH)
    club.refresher = club.new_refresher(most_moves=1)
    club.refresher.turn(SHOP)

    club.refresher = club.new_refresher()
    club.refresh()

    assert club.members(made) == {ANN, BOB, CAT}
    assert [one.profile_id for one in club.moves()] == [ANN, BOB, CAT]


def test_two_workers_on_one_shop_record_each_move_once(club: Club) -> None:
    club.fill(irish(ANN, BOB, CAT))
    made = club.make("Irish", IRISH)
    one, other = club.new_refresher(most_moves=1), club.new_refresher()
    one.turn(SHOP)

    club.fill(irish(ANN))
    club.note([BOB, CAT])
    club.warehouse.sync(SHOP.shop_id)
    other.turn(SHOP)
    # What the first one still has to do was true before: it notices that another went on.
    while one.turn(SHOP) or other.turn(SHOP):
        pass

    assert club.members(made) == {ANN}
    assert each_counted(club) == [1]


def each_counted(club: Club) -> list[int]:
    """Of everybody who moved: how often they came less how often they left."""
    counts: dict[tuple[int, int], int] = {}
    for one in club.moves():
        pair = (one.segment_id, one.profile_id)
        counts[pair] = counts.get(pair, 0) + (1 if one.entered else -1)
        assert counts[pair] in (0, 1), "nobody comes twice, or leaves where they are not"
    return list(counts.values())


def test_a_deleted_segment_takes_its_members_with_it(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made, kept = club.make("Irish", IRISH), club.make("All", Rule())
    club.refresh()
    before = club.last_change()

    club.do(delete_segment, made)
    assert [one.segment_id for one in club.do(segments_of, ANN)] == [kept]
    club.refresher = club.new_refresher(most_moves=1)
    club.refresh()

    assert club.engine.query(1, "select distinct segment_id from segment_members").to_pylist() == [
        {"segment_id": kept}
    ]
    assert rows(club, segment_members) == 3
    assert rows(club, segments) == 1
    assert club.moves(before) == []


def rows(club: Club, table: Table) -> int:
    with club.store.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_without_segments_nothing_is_kept_and_nothing_is_asked(club: Club) -> None:
    club.note([ANN])
    club.warehouse.sync(SHOP.shop_id)

    assert rows(club, profile_changes) == 0
    with club.store.database.read() as connection:
        assert shops_to_refresh(connection, NOW) == {}

    club.fill(irish(ANN))
    made = club.make("Irish", IRISH)
    club.note([ANN])
    club.warehouse.sync(SHOP.shop_id)
    assert rows(club, profile_changes) == 1
    club.refresh()
    assert rows(club, profile_changes) == 0

    club.do(delete_segment, made)
    club.note([ANN])
    club.refresh()
    assert rows(club, profile_changes) == rows(club, segment_members) == 0


def test_what_the_warehouse_has_not_heard_of_yet_waits(club: Club) -> None:
    club.fill(irish(ANN))
    club.make("Irish", IRISH)
    club.refresh()
    assert not due(club)

    club.note([BOB])
    assert not due(club)
    assert not club.refresher.turn(SHOP)
    club.warehouse.sync(SHOP.shop_id)
    assert due(club)


def break_quizzes(club: Club) -> None:
    """What somebody told of a quiz can no longer be read: a rule that asks for it fails."""
    with club.engine.transaction(SHOP.shop_id) as transaction:
        transaction.execute("update event_facts set properties = '{' where type = 'quiz'")


QUIZZED = parse_query("event('quiz') MATCHES (property('score') >= 7)")


def quizzed() -> list[Person]:
    ann = person(ANN, country="IE")
    ann.events.append(Event("quiz", NOW, {"score": 8}))
    return [ann, person(BOB, country="IE")]


def test_a_segment_that_fails_keeps_its_members_and_holds_up_no_other(club: Club) -> None:
    club.fill(quizzed())
    made = club.make("Quizzed", QUIZZED)
    club.refresh()
    break_quizzes(club)
    club.do(change_segment, made, NOW, rule=rule_of(Not(QUIZZED.root)))
    other = club.make("Irish", IRISH)

    club.refresh()

    failed = club.segment(made)
    assert failed.state == "failed"
    assert failed.failure == "Its members could not be found; that is tried again by itself."
    assert (club.members(made), club.members(other)) == ({ANN}, {ANN, BOB})

    club.fill(quizzed())
    club.refresh()
    assert club.segment(made).state == "failed"
    club.do(retry_segment, made)
    club.refresh()
    assert (club.segment(made).state, club.members(made)) == ("updated", {BOB})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            QueryTooLong(),
            "Its members take too long to find; ask for fewer events or a shorter time.",
        ),
        (
            Unavailable("The warehouse lacks the memory for this question."),
            "Its members take more memory to find than there is; ask for fewer events or a shorter time.",
        ),
    ],
)
def test_a_segment_that_asks_for_too_much_says_what_to_do(
    club: Club, monkeypatch: pytest.MonkeyPatch, error: Unavailable, reason: str
) -> None:
    club.fill(quizzed())
    made = club.make("Quizzed", QUIZZED)

    def give_up(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(refresh, "find_moves", give_up)
        club.refresh()
    assert (club.segment(made).state, club.segment(made).failure) == ("failed", reason)


def test_a_shop_tells_how_well_its_members_follow(club: Club) -> None:
    club.fill(quizzed())
    break_quizzes(club)
    club.make("Quizzed", QUIZZED)
    club.make("Irish", IRISH)
    club.refresh()
    club.make("New", IRISH)
    club.note([ANN, BOB])
    club.note([BOB])

    told = club.do(standing)

    assert told.states == {"waiting": 1, "syncing": 0, "updated": 1, "failed": 1}
    assert told.failures == (
        "Quizzed: Its members could not be found; that is tried again by itself.",
    )
    assert told.people == 2


def test_a_failed_segment_is_tried_again_by_itself_ever_less_often(club: Club) -> None:
    club.fill(quizzed())
    break_quizzes(club)
    made = club.make("Quizzed", QUIZZED)
    club.refresh()

    for minutes in (1, 2, 4):
        club.clock.advance(minutes * MINUTE - 1)
        assert not due(club)
        club.clock.advance(1)
        assert due(club)
        club.refresh()
    club.fill(quizzed())
    club.clock.advance(8 * MINUTE)
    club.refresh()

    assert (club.segment(made).state, club.members(made)) == ("updated", {ANN})


def test_a_rule_that_fails_for_whoever_changed_holds_up_no_other(club: Club) -> None:
    club.fill(quizzed())
    made, other = club.make("Quizzed", QUIZZED), club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    people = quizzed()
    people[0].attributes["country"] = "FR"
    club.fill(people)
    break_quizzes(club)
    club.note([ANN])
    club.refresh()

    assert (club.segment(made).state, club.segment(other).state) == ("failed", "updated")
    assert club.told(before) == [(other, ANN, False, "event")]


def test_a_new_warehouse_has_the_members_that_there_were_and_moves_nobody(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    made = club.make("Irish", IRISH)
    club.refresh()
    before = club.last_change()

    club.warehouse.rebuild(SHOP.shop_id)
    club.fill(irish(CAT))
    club.refresh()

    assert club.members(made) == {ANN, BOB}
    assert club.moves(before) == []


def test_moves_come_in_the_order_of_changes_and_those_of_a_change_together(club: Club) -> None:
    club.fill(irish(ANN, BOB))
    first, second = club.make("Irish", IRISH), club.make("All", Rule())
    club.refresh()
    moved(club, BOB, changed=(ANN,))

    everything = club.moves()
    page = club.do(changes_since, 0, 1)
    assert [one.profile_id for one in page] == [ANN, BOB]
    rest = club.do(changes_since, page[-1].change, 3)
    assert [(one.segment_id, one.entered) for one in rest] == [(second, True)] * 3
    last = club.do(changes_since, rest[-1].change, 1)
    assert page + rest + last == everything
    assert last[0][:4] == (first, ANN, False, Cause.EVENT)
    assert club.do(member_ids, second, after=ANN, limit=1) == [BOB]


@examples(6)
@given(
    rules=st.lists(RULES, min_size=4, max_size=4),
    seeds=st.lists(st.integers(0, 1 << 30), min_size=2, max_size=2),
)
def test_following_changes_ends_where_python_and_a_whole_look_end(
    club: Club, rules: list[Rule], seeds: list[int]
) -> None:
    before = Inventor(rules, seeds[0]).people(10)
    club.fill(before)
    known = [ALL_CUSTOMERS_ID]
    made = {}
    for number, rule in enumerate(rules):
        meaning = msgspec.structs.replace(rule, root=asking(rule.root, known))
        known.append(club.make(f"Segment {number}", meaning))
        made[known[-1]] = meaning
    club.refresh()
    after = [*Inventor(rules, seeds[1]).people(6), *before[6:]]
    club.fill(after)
    club.note(range(1, 7))
    club.refresh()
    followed = {segment_id: club.members(segment_id) for segment_id in made}

    copies = {one: club.do(duplicate_segment, one, NOW, limit=None).segment_id for one in made}
    club.refresh()

    for person in after:
        person.segments.clear()
    for segment_id, rule in made.items():
        meant = oracle.members(rule, after)
        assert followed[segment_id] == club.members(copies[segment_id]) == meant, rule
        for person in after:
            if person.profile_id in meant:
                person.segments.add(segment_id)
    each_counted(club)
    for segment_id in [*copies.values(), *reversed(made)]:
        club.do(delete_segment, segment_id)
    club.refresh()
