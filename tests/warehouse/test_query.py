"""The warehouse is asked where its files are: in the worker while one runs, else in the command itself."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from customer360.errors import ShopNotFound, WarehouseBusy, WorkerUnreachable
from customer360.profiles.tables import sessions
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.storage.flight import FlightClient, FlightServer
from customer360.warehouse.query import (
    EitherWarehouse,
    LocalWarehouse,
    RemoteWarehouse,
    Warehouse,
    status,
)
from customer360.warehouse.schema import prepare
from tests.warehouse.store import SCHEMA, Store, open_engine, session_row

COUNT = "select count(*) as n from event_facts where fragment_id = ?"


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "run" / "worker.sock"


@pytest.fixture
def local(store: Store, tmp_path: Path) -> Iterator[LocalWarehouse]:
    engine = open_engine(tmp_path / "warehouse")
    with closing(LocalWarehouse(store.database, engine, SCHEMA)) as warehouse:
        yield warehouse


@pytest.fixture
def remote(local: LocalWarehouse, socket: Path) -> Iterator[RemoteWarehouse]:
    with (
        closing(FlightServer(socket, local.query, local.actions())),
        closing(RemoteWarehouse(FlightClient(socket))) as warehouse,
    ):
        yield warehouse


@pytest.fixture(params=["local", "remote"])
def warehouse(store: Store, request: pytest.FixtureRequest) -> Warehouse:
    found: Warehouse = request.getfixturevalue(request.param)
    return found


def test_it_syncs_answers_and_rebuilds_here_and_over_the_socket(
    store: Store, warehouse: Warehouse
) -> None:
    store.add_events(3, fragment_id=4)
    result = warehouse.sync(store.shop_id)
    assert (result.after, result.change, result.rows) == (0, 1, 3)
    assert warehouse.query(store.shop_id, COUNT, [4]).column("n").to_pylist() == [3]
    assert warehouse.rebuild(store.shop_id).rows == 3


def test_its_errors_are_the_same_here_and_over_the_socket(warehouse: Warehouse) -> None:
    with pytest.raises(ShopNotFound):
        warehouse.sync(99)


def test_its_status_says_how_fresh_it_is_and_what_it_holds(
    store: Store, warehouse: Warehouse
) -> None:
    store.add_events(3)
    warehouse.sync(store.shop_id)
    store.add_events(1)
    store.put(sessions, **session_row(1))
    told = status(store.database, warehouse, SCHEMA, store.shop_id)
    assert (told.change, told.copied, told.behind) == (3, 1, 2)
    assert told.rows["event_facts"] == 3
    assert told.rows["sessions"] == 0
    assert told.size_bytes >= 0


def test_a_shop_without_changes_needs_no_open_file(store: Store, tmp_path: Path) -> None:
    engine = Counting(tmp_path / "warehouse", partial(prepare, SCHEMA))
    warehouse = LocalWarehouse(store.database, engine, SCHEMA)
    store.add_events(1)
    with closing(engine):
        warehouse.sync(store.shop_id)
        before = engine.transactions
        for _ in range(5):
            assert warehouse.sync(store.shop_id).rows == 0
        assert engine.transactions == before
        store.add_events(1)
        assert warehouse.sync(store.shop_id).rows == 1
        warehouse.forget(store.shop_id)
        assert warehouse.sync(store.shop_id).rows == 2


def test_a_command_asks_the_worker_and_without_one_opens_the_files(
    store: Store, socket: Path, tmp_path: Path
) -> None:
    store.add_events(2, fragment_id=4)

    def command() -> EitherWarehouse:
        mine = LocalWarehouse(store.database, open_engine(tmp_path / "warehouse"), SCHEMA)
        return EitherWarehouse(mine, RemoteWarehouse(FlightClient(socket)))

    with closing(command()) as warehouse:
        assert warehouse.sync(store.shop_id).rows == 2
    worker = LocalWarehouse(store.database, open_engine(tmp_path / "warehouse"), SCHEMA)
    with closing(worker), closing(FlightServer(socket, counted(worker), worker.actions())):
        with closing(command()) as warehouse:
            assert warehouse.query(store.shop_id, COUNT, [4]).column("n").to_pylist() == [2]
            assert warehouse.rebuild(store.shop_id).rows == 2
        assert asked == [store.shop_id]
    with closing(command()) as warehouse:
        assert warehouse.query(store.shop_id, COUNT, [4]).column("n").to_pylist() == [2]


def test_a_server_without_a_worker_says_so(socket: Path) -> None:
    with (
        closing(RemoteWarehouse(FlightClient(socket))) as warehouse,
        pytest.raises(WorkerUnreachable, match="c360 worker"),
    ):
        warehouse.query(1, "select 1")


def test_a_command_turns_to_a_worker_that_starts_while_it_asks(
    store: Store, local: LocalWarehouse, socket: Path
) -> None:
    servers: list[FlightServer] = []

    class JustTaken(DuckDBEngine):
        def query(self, *_of: Any) -> pa.Table:
            servers.append(FlightServer(socket, local.query, local.actions()))
            raise WarehouseBusy

    busy = LocalWarehouse(store.database, JustTaken(socket.parent / "unused"), SCHEMA)
    with closing(EitherWarehouse(busy, RemoteWarehouse(FlightClient(socket)))) as warehouse:
        assert warehouse.query(store.shop_id, COUNT, [4]).column("n").to_pylist() == [0]
    servers.pop().close()


def test_a_round_trip_takes_milliseconds(
    store: Store, local: LocalWarehouse, remote: RemoteWarehouse
) -> None:
    local.sync(store.shop_id)
    took = []
    for _ in range(30):
        began = time.perf_counter()
        remote.query(store.shop_id, COUNT, [4])
        took.append(time.perf_counter() - began)
    assert sorted(took)[5] < 0.05


asked: list[int] = []


def counted(warehouse: LocalWarehouse) -> Any:
    asked.clear()

    def query(shop_id: int, sql: str, params: Any) -> pa.Table:
        asked.append(shop_id)
        return warehouse.query(shop_id, sql, params)

    return query


class Counting(DuckDBEngine):
    """Counts the transactions that were opened."""

    transactions = 0

    def transaction(self, shop_id: int) -> Any:
        self.transactions += 1
        return super().transaction(shop_id)
