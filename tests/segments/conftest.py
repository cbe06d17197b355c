"""The warehouses that rules are asked on."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.segments.warehouses import DuckDB, Postgres, Warehouse


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """Each test runs on both engines: a rule means the same people on every one."""
    if request.param == "duckdb":
        engine: DuckDB | Postgres = DuckDB()
    else:
        engine = Postgres(request.getfixturevalue("postgres_url"))
    with closing(engine):
        yield engine
