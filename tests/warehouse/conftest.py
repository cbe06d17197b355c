"""A shop's profile store on either engine, and its warehouse."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from customer360.storage.database import Database
from tests.warehouse.store import Copied, Store, open_engine


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
def copied(store: Store, tmp_path: Path) -> Iterator[Copied]:
    with closing(open_engine(tmp_path / "warehouse")) as engine:
        yield Copied(store, engine)
