"""A second delivery is known as one, wherever the digest of the first lies by now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from customer360.access.shops import create_shop
from customer360.intake import accepted
from customer360.intake.accepted import AcceptedSignals, digest_of
from customer360.intake.digest_filter import DigestFilter
from customer360.intake.tables import accepted_batches, accepted_signals
from customer360.storage.database import Database, Writes, rows_in

KEY = b"k" * 32
DIGESTS = [digest_of(f"m-{number}", KEY) for number in range(100)]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def shop_id(database: Database) -> int:
    with database.write() as connection:
        return create_shop(
            connection, name="S", currency="EUR", timezone="Europe/Dublin", country="IE", now=0
        ).shop.shop_id


def accept(database: Database, shop_id: int, change: int, digests: list[bytes]) -> None:
    writes = Writes()
    accepted.write(writes, shop_id, change, digests)
    with database.write() as connection:
        writes.run(connection)


def known(signals: AcceptedSignals, database: Database, shop_id: int) -> set[bytes]:
    with database.read() as connection:
        return signals.known(connection, shop_id, DIGESTS)


def rows(database: Database, shop_id: int) -> tuple[int, int]:
    with database.read() as connection:
        return tuple(  # type: ignore[return-value]
            connection.execute(
                select(func.count()).select_from(table).where(table.c.shop_id == shop_id)
            ).scalar_one()
            for table in (accepted_batches, accepted_signals)
        )


def test_what_was_accepted_is_known_to_every_worker_at_once(
    database: Database, shop_id: int
) -> None:
    one, other = AcceptedSignals(), AcceptedSignals()
    accept(database, shop_id, 1, DIGESTS[:10])
    assert known(one, database, shop_id) == set(DIGESTS[:10])
    accept(database, shop_id, 2, DIGESTS[10:30])
    assert known(one, database, shop_id) == known(other, database, shop_id) == set(DIGESTS[:30])


def test_another_shop_knows_nothing_of_it(database: Database, shop_id: int) -> None:
    accept(database, shop_id, 1, DIGESTS)
    assert known(AcceptedSignals(), database, shop_id + 1) == set()


def test_digests_move_in_short_steps_and_stay_known_meanwhile(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_STEP", 7)
    signals = AcceptedSignals(moved_at=40)
    accept(database, shop_id, 1, DIGESTS[:20])
    known(signals, database, shop_id)
    assert not signals.move(database, shop_id)
    accept(database, shop_id, 2, DIGESTS[20:50])
    known(signals, database, shop_id)
    steps = 0
    while signals.move(database, shop_id):
        steps += 1
        if steps == 3:
            accept(database, shop_id, 3, DIGESTS[50:60])
        fresh = AcceptedSignals()
        expected = set(DIGESTS[: 60 if steps >= 3 else 50])
        assert known(signals, database, shop_id) == known(fresh, database, shop_id) == expected
        if steps == 8:
            break
    # One batch came since, and the last that moved stays as a mark.
    assert rows(database, shop_id) == (2, 50)


def test_a_worker_that_died_while_moving_leaves_nothing_unknown(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_STEP", 30)
    accept(database, shop_id, 1, DIGESTS)
    dead = AcceptedSignals(moved_at=50)
    known(dead, database, shop_id)
    dead.move(database, shop_id)
    heir = AcceptedSignals(moved_at=50)
    assert known(heir, database, shop_id) == set(DIGESTS)
    while heir.move(database, shop_id):
        pass
    assert rows(database, shop_id) == (1, 100)
    assert known(AcceptedSignals(), database, shop_id) == set(DIGESTS)
    while dead.move(database, shop_id):
        pass
    assert rows(database, shop_id) == (1, 100)


def learn(signals: AcceptedSignals, database: Database, shop_id: int) -> int:
    """Learn all there is; how many steps it took."""
    steps = 0
    while signals.learn(database, shop_id):
        steps += 1
    return steps


def moved(signals: AcceptedSignals, database: Database, shop_id: int) -> None:
    """Move all that waits."""
    known(signals, database, shop_id)
    while signals.move(database, shop_id):
        pass


def looked_for(
    signals: AcceptedSignals, database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """How many digests a question looks for in the table."""
    asked: list[int] = []

    def counted(connection: object, statement: str, fixed: object, values: list[bytes]) -> object:
        asked.append(len(values))
        return rows_in(connection, statement, fixed, values)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(accepted, "rows_in", counted)
        known(signals, database, shop_id)
    return sum(asked)


def test_a_worker_that_learned_the_table_looks_only_for_what_may_be_there(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_LEARNED_AT_ONCE", 20)
    signals = AcceptedSignals(moved_at=50)
    accept(database, shop_id, 1, DIGESTS[:70])
    moved(signals, database, shop_id)
    assert looked_for(signals, database, shop_id, monkeypatch) == 100
    assert learn(signals, database, shop_id) == 4
    assert looked_for(signals, database, shop_id, monkeypatch) == 70
    assert known(signals, database, shop_id) == set(DIGESTS[:70])


def test_a_worker_learns_in_shorter_steps_while_signals_wait(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_LEARNED_AT_ONCE", 40)
    monkeypatch.setattr(accepted, "_LEARNED_WHILE_BUSY", 10)
    signals = AcceptedSignals(moved_at=50)
    accept(database, shop_id, 1, DIGESTS[:70])
    moved(signals, database, shop_id)
    assert [signals.learn(database, shop_id, idle=False) for _ in range(3)] == [True] * 3
    assert looked_for(signals, database, shop_id, monkeypatch) == 100
    assert learn(signals, database, shop_id) == 2
    assert looked_for(signals, database, shop_id, monkeypatch) == 70


def test_what_is_accepted_while_a_worker_learns_is_known_to_it(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_LEARNED_AT_ONCE", 10)
    signals = AcceptedSignals(moved_at=40)
    accept(database, shop_id, 1, DIGESTS[:40])
    moved(signals, database, shop_id)
    accept(database, shop_id, 2, DIGESTS[40:60])
    for change in (3, 4):
        signals.learn(database, shop_id)
        accept(database, shop_id, change, DIGESTS[10 * change + 30 : 10 * change + 40])
        moved(signals, database, shop_id)
    learn(signals, database, shop_id)
    accept(database, shop_id, 5, DIGESTS[80:90])
    assert known(signals, database, shop_id) == set(DIGESTS[:90])
    moved(signals, database, shop_id)
    assert known(signals, database, shop_id) == set(DIGESTS[:90])


def test_a_worker_that_missed_what_another_moved_learns_anew(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_LEARNED_AT_ONCE", 10)
    paused, other = AcceptedSignals(moved_at=40), AcceptedSignals(moved_at=40)
    accept(database, shop_id, 1, DIGESTS[:40])
    moved(paused, database, shop_id)
    learn(paused, database, shop_id)
    accept(database, shop_id, 2, DIGESTS[40:80])
    accept(database, shop_id, 3, DIGESTS[80:90])
    moved(other, database, shop_id)
    assert rows(database, shop_id) == (1, 90)
    assert known(paused, database, shop_id) == set(DIGESTS[:90])
    assert learn(paused, database, shop_id) > 0


def test_a_filter_never_calls_a_known_digest_new_and_seldom_a_new_one_known() -> None:
    filter = DigestFilter(50_000)
    old = [digest_of(f"old-{number}", KEY) for number in range(50_000)]
    new = [digest_of(f"new-{number}", KEY) for number in range(50_000)]
    filter.add(b"".join(old[:10_000]))
    filter.add(b"".join(old[10_000:]))
    assert filter.count == 50_000
    assert filter.may_have(b"".join(old)).all()
    assert filter.may_have(b"".join(new)).sum() < 250
    assert filter.may_have(b"").size == 0


def test_a_small_table_is_read_once_and_learned_when_it_has_grown(
    database: Database, shop_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepted, "_LEARNED_AT_ONCE", 30)
    signals = AcceptedSignals(moved_at=20)
    accept(database, shop_id, 1, DIGESTS[:20])
    moved(signals, database, shop_id)
    assert not signals.learn(database, shop_id)
    with monkeypatch.context() as patched:
        patched.setattr(database, "read", _not_read)
        assert not signals.learn(database, shop_id)
    accept(database, shop_id, 2, DIGESTS[20:70])
    moved(signals, database, shop_id)
    assert learn(signals, database, shop_id) == 3
    assert looked_for(signals, database, shop_id, monkeypatch) == 70


def _not_read() -> None:
    raise AssertionError("the table was read again")
