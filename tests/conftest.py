"""What the tests stand on: shared contracts, real databases, a real browser, a clock at rest.

Where a part is missing, the tests that need it are skipped and say why. With C360_REQUIRE_SHARED,
C360_REQUIRE_POSTGRES, C360_REQUIRE_BROWSER or C360_REQUIRE_LIBREOFFICE set to 1 they fail instead;
continuous integration sets all of them.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from customer360.clock import FixedClock
from customer360.migrations import upgrade
from customer360.storage.database import Database
from tests.postgres import NoPostgres, administrator, running_postgres, url_of

ROOT = Path(__file__).parent.parent
TEMPLATE = "template_customer360"
# A process that compiles what it imports takes twice as long to start, and tests start many.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Half a minute and more each.
LONGEST = (
    *("test_online_retail.py", "test_benchmarks.py", "test_crash.py", "test_accessibility.py"),
    *("test_throngs.py", "test_server.py", "test_to_sql.py", "test_openapi.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: at the end one process would work on one while the others wait."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def missing(part: str, reason: str) -> NoReturn:
    """Skip, or fail where the part is required."""
    if os.environ.get(f"C360_REQUIRE_{part}") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def clock() -> FixedClock:
    """Noon UTC on 15 June 2026, until the test moves it."""
    return FixedClock("2026-06-15T12:00:00Z")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of contracts and sample data beside the project."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        missing("SHARED", f"{folder} is not there")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, for Playwright's executable_path."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing("BROWSER", "No Chromium is installed; on Debian: apt-get install chromium")


def create_schema(url: str) -> None:
    """Every table, made the way an installation makes them."""
    with closing(Database(url)) as database:
        upgrade(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An up-to-date, empty profile store of the test's own; the test runs on both engines."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An up-to-date, empty profile store on SQLite."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'customer360.sqlite')}"


@pytest.fixture
def postgresql_url(postgresql_template: Path) -> Iterator[str]:
    """An up-to-date, empty profile store on PostgreSQL."""
    name = f"test_{next(_numbers)}"
    with administrator(postgresql_template) as connection:
        # Copying the files is the quickest way on a server that never syncs: some 20 ms.
        connection.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        yield url_of(postgresql_template, name)
        connection.execute(f"drop database {name} with (force)")


_numbers = count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that each test's SQLite database is a copy of."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    create_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgres: Path) -> Path:
    """The server, with the database that each test's is a copy of."""
    with administrator(postgres) as connection:
        connection.execute(f"create database {TEMPLATE}")
    create_schema(url_of(postgres, TEMPLATE))
    return postgres


@pytest.fixture(scope="session")
def postgres_url(postgres: Path) -> str:
    """An empty PostgreSQL database without our tables, shared by the whole run."""
    return url_of(postgres, "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket folder of a PostgreSQL server; each process of a parallel run has its own."""
    try:
        with running_postgres() as folder:
            yield folder
    except NoPostgres as error:
        missing("POSTGRES", str(error))
