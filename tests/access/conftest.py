"""A profile store, and a shop in it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from customer360.access.shops import NewShop, create_shop
from customer360.clock import FixedClock
from customer360.storage.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty profile store; once on each engine."""
    with closing(Database(database_url)) as opened:
        yield opened


@pytest.fixture
def new_shop(database: Database, clock: FixedClock) -> NewShop:
    """A shop in Dublin, with its keys."""
    return make_shop(database, clock)


def make_shop(database: Database, clock: FixedClock, name: str = "Harbour Tea") -> NewShop:
    """One more shop."""
    with database.write() as connection:
        return create_shop(
            connection,
            name=name,
            currency="EUR",
            timezone="Europe/Dublin",
            country="IE",
            now=clock.now(),
        )
