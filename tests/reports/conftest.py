"""A sample shop that reports are asked about, and its bare rows for independent answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from customer360.access.shops import Shop
from customer360.app import App, build_app
from customer360.clock import FixedClock
from customer360.demo.history import Plan
from customer360.demo.shop import fill, find_or_make
from customer360.profiles.stages import ShopCalendar
from customer360.reports.ask import Told, ask, people
from customer360.reports.asking import read_filter
from customer360.reports.model import Question, Report, Who
from customer360.segments.preview import preview
from customer360.segments.rule import read_rule
from customer360.settings import Settings

ZONES = ("Europe/Dublin", "America/New_York", "Australia/Lord_Howe")
"""Two of them change their clocks on other days, the last one by half an hour."""
CUSTOMERS = 120
_TABLES = (
    "fragment_identifiers",
    "events",
    "sessions",
    "orders",
    "order_lines",
    "refunds",
    "checkouts",
    "fragments",
    "profiles",
    "scores",
)


@dataclass
class Sample:
    """A shop with fourteen months behind it, now in the middle of one."""

    app: App
    shop: Shop
    raw: duckdb.DuckDBPyConnection
    """The rows of the profile store as they lie there: times in microseconds, amounts in ten-thousandths."""

    def question(self, report: Report, **told: str) -> Question:
        """What an address asks; its parameters by their names, `from_` for `from`."""
        words = {name.rstrip("_"): value for name, value in told.items()}
        now = self.app.clock.now()
        chosen = read_filter(words, report, now, self.shop.timezone)
        calendar = ShopCalendar(self.shop.timezone)
        return Question(self.app.warehouse, self.shop.shop_id, calendar, now, chosen)

    def ask(self, report: Report, **told: str) -> Told:
        """The report's answer."""
        return ask(report, self.question(report, **told))

    def people(self, report: Report, who: Who, **told: str) -> int:
        """How many are behind a number."""
        return people(report, self.question(report, **told), who, limit=1).total

    def members(self, report: Report, who: Who, **told: str) -> int:
        """How many the segment has that the number can become."""
        rule = report.rule(self.question(report, **told), who)
        assert rule is not None
        calendar, now = ShopCalendar(self.shop.timezone), self.app.clock.now()
        warehouse, shop_id = self.app.warehouse, self.shop.shop_id
        return preview(warehouse, shop_id, read_rule(rule), now, calendar).count

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """An independent answer."""
        return self.raw.execute(sql, values).fetchall()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> Iterator[Sample]:
    """The shop, filled once for all reports."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "data.sqlite").write_bytes(sqlite_template.read_bytes())
    settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'data.sqlite'}")
    with closing(build_app(settings, clock=FixedClock(), role="cli")) as app:
        with app.database.write() as connection:
            demo = find_or_make(connection, Plan(app.clock.now(), CUSTOMERS))
        fill(app, demo, lambda _step, _done, _total: None)
        app.enrichment.run(demo.shop)
        yield Sample(app, demo.shop, _raw(app, demo.shop))


def _raw(app: App, shop: Shop) -> duckdb.DuckDBPyConnection:
    raw = duckdb.connect()
    with app.database.read() as connection:
        for name in _TABLES:
            found = connection.exec_driver_sql(
                f"select * from {name} where shop_id = {shop.shop_id}"
            )
            columns = list(zip(*found.all(), strict=True)) or [()] * len(found.keys())
            told = pa.Table.from_arrays(
                [pa.array(_plain(values)) for values in columns], list(found.keys())
            )
            raw.register("told", told)
            raw.execute(f"create table {name} as select * from told")
    return raw


def _plain(values: Any) -> list[Any]:
    return [value.hex() if isinstance(value, bytes) else value for value in values]
