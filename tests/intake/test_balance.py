"""The balance: every signal is in exactly one place, and the sum says so."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from customer360.intake.balance import (
    DUPLICATE,
    RECEIVED,
    REJECTED,
    STORED,
    Balance,
    SourceBalance,
    add_counts,
    balance,
    last_received,
)
from customer360.storage.database import Database

SHOP, OTHER = 7, 8


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


def read(database: Database, shop_id: int = SHOP) -> Balance:
    with database.read() as connection:
        return balance(connection, shop_id)


def test_counts_add_up_by_source_and_in_all(database: Database) -> None:
    with database.write() as connection:
        add_counts(
            connection, {(SHOP, "segment", RECEIVED, ""): 5, (SHOP, "shopify", RECEIVED, ""): 2}, 10
        )
        add_counts(
            connection, {(SHOP, "segment", STORED, ""): 2, (SHOP, "segment", DUPLICATE, ""): 1}, 11
        )
        add_counts(
            connection,
            {(SHOP, "segment", REJECTED, "too_large"): 2, (SHOP, "shopify", STORED, ""): 1},
            12,
        )
        add_counts(
            connection,
            {(SHOP, "shopify", REJECTED, "too_large"): 1, (OTHER, "segment", RECEIVED, ""): 9},
            13,
        )
    found = read(database)
    assert found.sources == {
        "segment": SourceBalance(received=5, stored=2, duplicate=1, rejected={"too_large": 2}),
        "shopify": SourceBalance(received=2, stored=1, rejected={"too_large": 1}),
    }
    assert found.total == SourceBalance(
        received=7, stored=3, duplicate=1, rejected={"too_large": 3}
    )
    assert found.total.holds
    assert not read(database, OTHER).total.holds


def test_what_is_taken_back_entirely_is_no_longer_shown(database: Database) -> None:
    key = (SHOP, "segment", REJECTED, "malformed_json")
    with database.write() as connection:
        add_counts(connection, {key: 3, (SHOP, "segment", RECEIVED, ""): 0}, 10)
        add_counts(connection, {key: -3}, 20)
    assert read(database).total == SourceBalance()


def test_a_shop_that_never_received_anything_has_an_empty_balance(database: Database) -> None:
    assert msgspec.to_builtins(read(database)) == {
        "total": {"received": 0, "stored": 0, "duplicate": 0, "rejected": {}, "waiting": 0},
        "sources": {},
    }


def test_the_last_signal_is_the_last_that_came_in(database: Database) -> None:
    with database.write() as connection:
        add_counts(connection, {(SHOP, "segment", RECEIVED, ""): 1}, 10)
        add_counts(connection, {(SHOP, "segment", RECEIVED, ""): 1}, 20)
        add_counts(connection, {(SHOP, "segment", STORED, ""): 2}, 30)
    with database.read() as connection:
        assert last_received(connection, SHOP) == {"segment": 20}
