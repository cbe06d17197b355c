"""Dead letters: listed newest first, replayed once, and rejected until then."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import insert, select

from customer360.clock import DAY, HOUR, SECOND, FixedClock
from customer360.errors import DeadLetterNotFound
from customer360.events.model import SourceRank, Trust
from customer360.intake.balance import SourceBalance, balance
from customer360.intake.dead_letters import (
    ReasonCount,
    StillTooLarge,
    count_by_reason,
    count_letters,
    list_letters,
    load_letter,
    next_retry,
    replay,
    replay_due,
    shops_with_due,
)
from customer360.intake.inbox import InboxRow, store
from customer360.intake.tables import dead_letters, inbox
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock

SHOP, OTHER = 7, 8


@pytest.fixture
def database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """Three letters of one shop and one of another."""
    with closing(Database(database_url)) as database:
        with database.write() as connection:
            connection.execute(insert(shop_clock), [{"shop_id": SHOP}, {"shop_id": OTHER}])
            rows = [
                letter(b"one", "malformed_json"),
                letter(b"two", "too_large"),
                letter(b"three", "malformed_json", source="shopify"),
                letter(b"four", "too_large", shop_id=OTHER),
            ]
            store(connection, rows, clock.now())
        yield database


def letter(body: bytes, reason: str, shop_id: int = SHOP, source: str = "segment") -> InboxRow:
    return InboxRow(
        shop_id,
        source,
        Trust.PUBLIC,
        SourceRank.PIXEL,
        5,
        body,
        b'{"auth":"pixel"}',
        rejected=(reason, "why"),
    )


def excerpts(database: Database, **filters: object) -> list[str]:
    with database.read() as connection:
        return [found.excerpt for found in list_letters(connection, SHOP, **filters)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, ["three", "two", "one"]),
        ({"reason": "malformed_json"}, ["three", "one"]),
        ({"source": "segment"}, ["two", "one"]),
        ({"source": "segment", "reason": "too_large"}, ["two"]),
        ({"limit": 1}, ["three"]),
        ({"reason": "unknown"}, []),
    ],
)
def test_letters_are_listed_newest_first(
    database: Database, filters: dict[str, object], wanted: list[str]
) -> None:
    assert excerpts(database, **filters) == wanted


def test_pages_follow_on_each_other(database: Database) -> None:
    with database.read() as connection:
        first = list_letters(connection, SHOP, limit=2)
        rest = list_letters(connection, SHOP, limit=2, before=first[-1].dead_letter_id)
        assert count_letters(connection, SHOP) == 3
    assert [found.excerpt for found in first + rest] == ["three", "two", "one"]


def test_reasons_are_counted_by_source(database: Database) -> None:
    with database.read() as connection:
        found = count_by_reason(connection, SHOP)
    assert found == [
        ReasonCount("segment", "malformed_json", 1),
        ReasonCount("segment", "too_large", 1),
        ReasonCount("shopify", "malformed_json", 1),
    ]


def test_one_letter_shows_its_whole_body(database: Database) -> None:
    with database.read() as connection:
        newest = list_letters(connection, SHOP)[0]
        found = load_letter(connection, SHOP, newest.dead_letter_id)
        with pytest.raises(DeadLetterNotFound):
            load_letter(connection, OTHER, newest.dead_letter_id)
    assert (found.body, found.envelope, found.detail) == (b"three", b'{"auth":"pixel"}', "why")


def test_a_long_or_broken_body_has_a_short_excerpt(database: Database, clock: FixedClock) -> None:
    with database.write() as connection:
        store(connection, [letter(b"\xff" + b"x" * 50_000, "bad_utf8")], clock.now())
    assert excerpts(database, limit=1) == ["\ufffd" + "x" * 1999]


def test_a_replayed_letter_waits_instead_of_being_rejected(database: Database) -> None:
    with database.write() as connection:
        chosen = list_letters(connection, SHOP)[1].dead_letter_id
        assert replay(connection, SHOP, [chosen], 9, most_event_bytes=9) == (1, 0)
    assert excerpts(database) == ["three", "one"]
    with database.read() as connection:
        waiting = connection.execute(select(inbox)).one()
        total = balance(connection, SHOP).total
    assert (waiting.inbox_id, bytes(waiting.body), waiting.trust, waiting.rank) == (
        chosen,
        b"two",
        0,
        0,
    )
    assert (waiting.received_at, bytes(waiting.envelope)) == (5, b'{"auth":"pixel"}')
    assert total == SourceBalance(received=3, rejected={"malformed_json": 2}, waiting=1)
    assert total.holds


def test_all_of_a_shop_are_replayed_and_no_other(database: Database) -> None:
    with database.write() as connection:
        assert replay(connection, SHOP, None, 9, most_event_bytes=9) == (3, 0)
        assert replay(connection, SHOP, None, 9, most_event_bytes=9) == (0, 0)
        assert count_letters(connection, OTHER) == 1
        assert balance(connection, SHOP).total == SourceBalance(received=3, waiting=3)


def test_a_letter_is_replayed_once_and_only_by_its_shop(database: Database) -> None:
    with database.write() as connection:
        mine = list_letters(connection, SHOP)[0].dead_letter_id
        with pytest.raises(DeadLetterNotFound):
            replay(connection, OTHER, [mine], 9, most_event_bytes=9)
        replay(connection, SHOP, [mine], 9, most_event_bytes=9)
        with pytest.raises(DeadLetterNotFound):
            replay(connection, SHOP, [mine], 9, most_event_bytes=9)


def test_a_passing_cause_replays_itself_when_it_is_due(database: Database) -> None:
    with database.write() as connection:
        due = dead_letters.update().where(dead_letters.c.body == b"two")
        connection.execute(due.values(retry_at=100))
        assert shops_with_due(connection, 99) == []
        assert replay_due(connection, SHOP, 99) == 0
        assert shops_with_due(connection, 100) == [SHOP]
        assert replay_due(connection, SHOP, 100) == 1
    assert excerpts(database) == ["three", "one"]


@pytest.mark.parametrize(
    ("reason", "age", "delay"),
    [
        ("internal_error", 0, SECOND),
        ("internal_error", 10 * SECOND, 10 * SECOND),
        ("internal_error", 5 * HOUR, HOUR),
        ("internal_error", DAY + 1, None),
        ("malformed_json", 10 * SECOND, None),
    ],
)
def test_our_own_failures_try_again_ever_later_for_a_day(
    reason: str, age: int, delay: int | None
) -> None:
    wanted = None if delay is None else 1000 + age + delay
    assert next_retry(reason, 1000, 1000 + age) == wanted


def test_an_empty_body_is_listed_and_read(database: Database, clock: FixedClock) -> None:
    with database.write() as connection:
        store(connection, [letter(b"", "malformed_json")], clock.now())
    assert excerpts(database, limit=1) == [""]
    with database.read() as connection:
        newest = list_letters(connection, SHOP)[0].dead_letter_id
        assert load_letter(connection, SHOP, newest).body == b""


def test_a_replay_is_no_way_around_the_limit_on_events(database: Database) -> None:
    with database.write() as connection:
        two = list_letters(connection, SHOP)[1].dead_letter_id
        with pytest.raises(StillTooLarge):
            replay(connection, SHOP, [two], 9, most_event_bytes=2)
        # The limit is on events: the others were rejected for something else.
        assert replay(connection, SHOP, None, 9, most_event_bytes=2) == (2, 1)
        assert balance(connection, SHOP).total.holds
    assert excerpts(database) == ["two"]
    with database.write() as connection:
        assert replay(connection, SHOP, [two], 9, most_event_bytes=3) == (1, 0)
