"""`c360 warehouse`, with a worker and without."""

from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from customer360.app import SCHEMA
from customer360.events.tables import events
from customer360.settings import Settings
from customer360.storage.database import Database
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.storage.flight import FlightServer
from customer360.storage.metadata import shop_clock
from customer360.warehouse.query import LocalWarehouse
from customer360.warehouse.schema import prepare
from tests.cli.conftest import Run, create_shop, said


def add_event(database: Database, shop_id: int) -> None:
    with database.write() as connection:
        mine = shop_clock.c.shop_id == shop_id
        statement = update(shop_clock).where(mine).values(change=shop_clock.c.change + 1)
        change = connection.execute(statement.returning(shop_clock.c.change)).scalar_one()
        row = {"shop_id": shop_id, "fragment_id": 0, "occurred_at": change, "event_id": change}
        row |= {"type": "searched", "source": "segment", "rank": 1, "change": change}
        connection.execute(insert(events).values(row))


def test_the_status_says_what_lacks_and_a_rebuild_brings_it(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    create_shop(c360, "Empty")
    add_event(database, int(shop["shop_id"]))
    (before, empty) = said(c360("warehouse", "status", "--json"))
    assert before["shop_id"] == shop["shop_id"]
    assert before["behind"] == before["change"] > 0
    assert empty["rows"]["event_facts"] == 0
    assert "Harbour Tea: 1 row in" in c360("warehouse", "rebuild", "--shop", shop["shop_id"]).stdout
    (after,) = said(c360("warehouse", "status", "--shop", "Harbour Tea", "--json"))
    assert (after["behind"], after["rows"]["event_facts"]) == (0, 1)
    assert "Harbour Tea" in c360("warehouse", "status").stdout


def test_both_work_while_a_worker_owns_the_files(
    c360: Run, database: Database, shop: dict[str, str], data_dir: Path
) -> None:
    settings = Settings(data_dir=data_dir)
    shop_id = int(shop["shop_id"])
    add_event(database, shop_id)
    engine = DuckDBEngine(settings.warehouse_dir, partial(prepare, SCHEMA))
    worker = LocalWarehouse(database, engine, SCHEMA)
    serving = FlightServer(settings.socket_path, worker.query, worker.actions())
    with closing(worker), closing(serving):
        worker.sync(shop_id)
        add_event(database, shop_id)
        assert said(c360("warehouse", "status", "--json"))[0]["behind"] == 1
        c360("warehouse", "rebuild")
        assert said(c360("warehouse", "status", "--json"))[0]["behind"] == 0
        assert worker.query(shop_id, "from event_facts").num_rows == 2


def test_a_shop_that_is_not_there_is_told_of(c360: Run, shop: dict[str, str]) -> None:
    assert "No shop has" in c360("warehouse", "rebuild", "--shop", "Nobody", code=1).stderr


def test_the_files_are_where_the_setting_says(
    c360: Run,
    database: Database,
    shop: dict[str, str],
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("C360_WAREHOUSE_URL", f"duckdb://{elsewhere}")
    add_event(database, int(shop["shop_id"]))
    c360("warehouse", "rebuild")
    assert (elsewhere / f"{shop['shop_id']}.duckdb").exists()
    assert not (data_dir / "warehouse").exists()
