"""A second delivery is known as one, wherever the digest of the first lies by now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from customer360.access.shops import create_shop
from customer360.intake import accepted
from customer360.intake.accepted import AcceptedSignals, digest_of
from customer360.intake.tables import accepted_batches, accepted_signals
from customer360.storage.database import Database, Writes

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
    assert rows(database, shop_id) == (1, 50)


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
    assert rows(database, shop_id) == (0, 100)
    assert known(AcceptedSignals(), database, shop_id) == set(DIGESTS)
    while dead.move(database, shop_id):
        pass
    assert rows(database, shop_id) == (0, 100)
