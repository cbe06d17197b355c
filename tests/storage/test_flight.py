"""Server and command line ask the worker over a Unix socket, and get its answers and its errors."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from customer360.errors import (
    Customer360Error,
    NotFound,
    ShopNotFound,
    WarehouseBusy,
    WorkerUnreachable,
)
from customer360.storage.flight import (
    Action,
    FlightClient,
    FlightServer,
    socket_address,
    worker_answers,
)


def echo(shop_id: int, sql: str, params: Sequence[Any]) -> pa.Table:
    if sql == "no shop":
        raise ShopNotFound("Shop 7 is gone.")
    if sql == "a bug":
        raise ZeroDivisionError("of all things")
    if sql == "much":
        return pa.table({"n": pa.array(range(300_000), pa.int64())})
    return pa.table({"told": [repr((shop_id, sql, list(params)))]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "worker.sock"


@contextmanager
def serving(path: Path, **actions: Action) -> Iterator[None]:
    with closing(FlightServer(path, echo, actions)):
        yield


@pytest.fixture
def client(path: Path) -> Iterator[FlightClient]:
    with closing(FlightClient(path)) as client:
        yield client


@pytest.mark.parametrize(
    "params",
    [
        [],
        [1, "two", 3.5, None, True],
        [
            Decimal("19.9000"),
            date(2026, 1, 31),
            datetime.fromisoformat("2026-01-31T09:30:00.000001"),
        ],
        [datetime(2026, 1, 31, tzinfo=UTC)],
        [[1, 2, 3], ["a", "b"], []],
        [(1 << 63) - 1, -(1 << 63), "línea\n'quoted'"],
    ],
)
def test_a_question_arrives_as_it_was_asked(
    path: Path, client: FlightClient, params: list[Any]
) -> None:
    with serving(path):
        told = client.query(382_663_242_182_986_180, "select ?", params)
    wanted = repr((382_663_242_182_986_180, "select ?", params))
    assert (
        told.column("told")[0]
        .as_py()
        .replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc")
        == wanted
    )


def test_a_long_answer_arrives_whole(path: Path, client: FlightClient) -> None:
    with serving(path):
        told = client.query(1, "much")
    assert told.num_rows == 300_000
    assert told.column("n")[299_999].as_py() == 299_999


def test_an_error_of_ours_arrives_as_it_is(path: Path, client: FlightClient) -> None:
    with serving(path), pytest.raises(ShopNotFound, match=r"Shop 7 is gone\."):
        client.query(1, "no shop")


def test_a_bug_arrives_by_name_and_the_worker_goes_on(path: Path, client: FlightClient) -> None:
    with serving(path):
        with pytest.raises(Customer360Error, match="ZeroDivisionError"):
            client.query(1, "a bug")
        assert client.query(1, "fine").num_rows == 1


def test_a_step_is_taken_and_answers(path: Path, client: FlightClient) -> None:
    with serving(path, double=lambda body: body * 2):
        assert client.act("double", b"ab") == b"abab"
        assert client.act("double") == b""
        with pytest.raises(NotFound, match="triple"):
            client.act("triple")


def test_an_error_in_a_step_arrives_too(path: Path, client: FlightClient) -> None:
    def refuse(_body: bytes) -> bytes:
        raise WarehouseBusy

    with serving(path, refuse=refuse), pytest.raises(WarehouseBusy):
        client.act("refuse")


def test_without_a_worker_nobody_answers(path: Path, client: FlightClient) -> None:
    assert not worker_answers(path)
    with pytest.raises(WorkerUnreachable):
        client.query(1, "fine")
    with serving(path):
        assert worker_answers(path)
        client.query(1, "fine")
    assert not worker_answers(path)
    with pytest.raises(WorkerUnreachable):
        client.query(1, "fine")


def test_a_client_finds_the_worker_again_after_a_restart(path: Path, client: FlightClient) -> None:
    for _ in range(3):
        with serving(path):
            assert client.query(1, "fine").num_rows == 1
        assert not client.answers()


def test_a_worker_that_was_killed_leaves_the_way_free(path: Path, client: FlightClient) -> None:
    script = """
import sys, pyarrow as pa
from pathlib import Path
from customer360.storage.flight import FlightServer
server = FlightServer(Path(sys.argv[1]), lambda shop_id, sql, params: pa.table({"from": ["the first"]}))
print("ready", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert client.query(1, "fine").column("from").to_pylist() == ["the first"]
        with pytest.raises(WarehouseBusy), serving(path):
            pass
        worker.kill()
    assert path.exists(), "the socket of a killed worker stays behind"
    with pytest.raises(WorkerUnreachable):
        client.query(1, "fine")
    with serving(path):
        assert client.query(1, "fine").column_names == ["told"]


def test_only_the_owner_of_the_data_folder_reaches_the_socket(path: Path) -> None:
    path.parent.mkdir(mode=0o777, parents=True)
    path.parent.chmod(0o777)
    with serving(path):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_path_too_long_for_a_socket_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / ("deep " * 20) / "run" / "worker.sock"
    with closing(FlightClient(path)) as client:
        for _ in range(2):
            with serving(path):
                short = socket_address(path)
                assert len(os.fsencode(short)) < 108
                assert stat.S_IMODE(short.parent.stat().st_mode) == 0o700
                assert worker_answers(path)
                assert client.query(1, "fine").num_rows == 1
            assert not short.parent.exists()
            assert not worker_answers(path)


def test_a_path_with_blanks_and_signs_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a b%20ü#1" / "worker.sock"
    with serving(path), closing(FlightClient(path)) as client:
        assert client.query(1, "fine").num_rows == 1


def test_many_ask_at_once(path: Path, client: FlightClient) -> None:
    answers: list[int] = []

    def ask() -> None:
        for _ in range(10):
            answers.append(client.query(1, "much").num_rows)

    with serving(path):
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [300_000] * 40
