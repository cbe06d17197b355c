"""The warehouses that rules are asked on."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.segments.warehouses import ClickHouseTables, DuckDB, Postgres, Warehouse

ENGINES = os.environ.get("C360_ENGINES", "duckdb postgresql").split()
"""`make test-engines` names the one that is not always installed."""


@pytest.fixture(scope="module", params=ENGINES)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Each test runs on every engine: a rule means the same people on each."""
    makers: dict[str, Callable[[], DuckDB | Postgres | ClickHouseTables]] = {
        "duckdb": DuckDB,
        "postgresql": lambda: Postgres(request.getfixturevalue("postgres_url")),
        "clickhouse": lambda: ClickHouseTables(tmp_path_factory.mktemp("clickhouse")),
    }
    with closing(makers[request.param]()) as engine:
        yield engine
