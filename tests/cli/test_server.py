"""`c360 serve`, `worker` and `drain`, as processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from customer360.storage.database import Database
from tests.cli.conftest import Run, create_shop, said

Found = TypeVar("Found")

PATIENCE_SECONDS = 40.0


@pytest.fixture
def started(data_dir: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a `c360` command as a process; whatever still runs is ended after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "output").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "customer360.cli", *arguments],
                stdout=output,
                stderr=output,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def eventually(look: Callable[[], Found | None], output: Path) -> Found:
    """What is found, as soon as it is; fails with the processes' output when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
    return found


def children(process_id: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{process_id}/task")
    listed = (task.read_text().split() for task in tasks.glob("*/children"))
    return [int(child) for task in listed for child in task]


def both_halves(server_id: int) -> list[int] | None:
    """The two processes of a server's worker, once both run."""
    found = children(server_id)
    return found if len(found) == 2 else None


def is_gone(process_id: int) -> bool | None:
    return True if not Path(f"/proc/{process_id}").exists() else None


def address(output: Path) -> str:
    """Where the server says it answers, once it does."""

    def look() -> str | None:
        found = re.search(r"answers at (http://\S+)", output.read_text())
        try:
            return found[1] if found and httpx.get(f"{found[1]}/healthz").is_success else None
        except httpx.TransportError:
            return None

    return eventually(look, output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_and_its_worker_in_good_order(
    started: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: signal.Signals
) -> None:
    server = started("serve", "--port", "0")
    address(tmp_path / "output")
    halves = eventually(lambda: both_halves(server.pid), tmp_path / "output")

    server.send_signal(number)

    assert server.wait(PATIENCE_SECONDS) == 0
    assert all(is_gone(half) for half in halves)
    assert "Stopped." in (tmp_path / "output").read_text()
    assert "Traceback" not in (tmp_path / "output").read_text()


def test_the_log_has_a_line_for_each_request_and_nothing_of_what_it_says(
    shop: dict[str, str],
    started: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    output = tmp_path / "output"
    server = started("serve", "--port", "0")
    url = address(output)
    event = {"event": "A", "anonymousId": "secret-cookie", "messageId": "m1"}
    httpx.post(f"{url}/v1/track?from=secret", json=event, auth=(shop["write_key"], ""))
    httpx.get(f"{url}/shops/{shop['shop_id']}/customers?q=secret-name")
    profile = f"{url}/api/v1/profiles/1234567"
    httpx.get(profile, headers={"Authorization": f"Bearer {shop['api_key']}"})
    half = eventually(lambda: both_halves(server.pid), output)[0]
    os.kill(half, signal.SIGKILL)
    ended = "WARNING customer360.cli.processes The worker ended (code -9)"
    eventually(lambda: ended in output.read_text() or None, output)

    told = output.read_text()

    stamp = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
    for line in (
        r"INFO customer360\.access POST /v1/track 200 \d+\.\d ms$",
        r"INFO customer360\.access GET /shops/\{shop_id\}/customers 303 \d+\.\d ms$",
        r"INFO customer360\.access GET /api/v1/profiles/\{profile_id\} 404 \d+\.\d ms$",
    ):
        assert len(re.findall(stamp + line, told, re.MULTILINE)) == 1, told
    for secret in ("secret", "1234567", shop["shop_id"], shop["write_key"], shop["api_key"]):
        assert secret not in told


def test_the_worker_of_a_killed_server_ends(
    started: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    server = started("serve", "--port", "0")
    address(tmp_path / "output")
    halves = eventually(lambda: both_halves(server.pid), tmp_path / "output")

    server.kill()
    server.wait()

    eventually(lambda: all(is_gone(half) for half in halves) or None, tmp_path / "output")


def test_what_a_server_takes_its_worker_processes(
    c360: Run,
    database: Database,
    shop: dict[str, str],
    started: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    started("serve", "--port", "0")
    event = {"event": "Product Viewed", "anonymousId": "a1", "messageId": "m1"}
    url = f"{address(tmp_path / 'output')}/v1/track"
    httpx.post(url, json=event, auth=(shop["write_key"], "")).raise_for_status()

    def stored() -> int | None:
        (row,) = said(c360("status", "--json"))["shops"]
        return row["balance"]["stored"] or None

    assert eventually(stored, tmp_path / "output") == 1


def test_what_a_server_without_a_worker_takes_waits_for_a_drain(
    c360: Run,
    shop: dict[str, str],
    started: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    server = started("serve", "--port", "0", "--no-worker")
    event = {"event": "Product Viewed", "anonymousId": "a1", "messageId": "m1"}
    url = f"{address(tmp_path / 'output')}/v1/track"
    httpx.post(url, json=event, auth=(shop["write_key"], "")).raise_for_status()
    assert children(server.pid) == []
    (row,) = said(c360("status", "--json"))["shops"]
    assert row["balance"]["waiting"] == 1

    assert "Processed 1 signal;" in c360("drain", "--shop", shop["shop_id"]).stdout

    (row,) = said(c360("status", "--json"))["shops"]
    assert (row["balance"]["stored"], row["balance"]["waiting"]) == (1, 0)


def test_a_drain_of_an_empty_inbox_returns_at_once(c360: Run, data_dir: Path) -> None:
    create_shop(c360)
    assert "Processed 0 signals" in c360("drain").stdout
    assert "c360 shop list" in c360("drain", "--shop", "nobody's", code=1).stderr


def test_a_worker_alone_stops_when_asked(
    started: Callable[..., subprocess.Popen[bytes]], c360: Run, shop: dict[str, str]
) -> None:
    worker = started("worker")
    # It is ready for the signal once it has replaced the default, which would end it with -15.
    eventually(lambda: catches_sigterm(worker.pid), Path(os.devnull))
    worker.terminate()
    assert worker.wait(PATIENCE_SECONDS) == 0


def catches_sigterm(process_id: int) -> bool | None:
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)  # type: ignore[index]
    return True if caught >> (signal.SIGTERM - 1) & 1 else None


@pytest.mark.parametrize("port", ["taken", "70000"])
def test_a_port_that_cannot_be_had_is_told_in_one_line(c360: Run, port: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = str(other.getsockname()[1]) if port == "taken" else port
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        try:
            result = c360("serve", "--port", number, code=1)
        finally:
            signal.signal(signal.SIGTERM, before[0])
            signal.signal(signal.SIGINT, before[1])
    assert "--port" in result.stderr
    assert len(result.stderr.splitlines()) == 1
