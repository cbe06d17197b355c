"""The server as a process of its own: it dies without warning, and it is sent a gigabyte."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from customer360.access.shops import NewShop, create_shop
from customer360.clock import SystemClock
from customer360.intake.balance import balance
from customer360.intake.tables import inbox
from customer360.storage.database import Database

SENDERS = 4
BATCH = 20


@pytest.fixture
def shop(sqlite_url: str) -> NewShop:
    """The shop behind the server."""
    with closing(Database(sqlite_url)) as database, database.write() as connection:
        return create_shop(
            connection,
            name="Harbour Tea",
            currency="EUR",
            timezone="Europe/Dublin",
            country="IE",
            now=SystemClock().now(),
        )


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port."""
    command = [sys.executable, "-m", "customer360.cli", "serve", "--no-worker", "--port", "0"]
    environment = os.environ | {"C360_DATA_DIR": str(folder), "C360_LOG_LEVEL": "warning"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            found = re.search(r":(\d+)", greeting)
            assert found, greeting
            yield process, int(found[1])
        finally:
            process.kill()


def send_until_it_dies(port: int, key: str, sender: int, acknowledged: list[str]) -> None:
    """Send batches over one connection and note the events of those that were acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        for n in range(100_000):
            ids = [f"{sender}-{n}-{k}" for k in range(BATCH)]
            body = msgspec.json.encode(
                {"writeKey": key, "batch": [{"messageId": each} for each in ids]}
            )
            connection.request("POST", "/v1/batch", body)
            answer = connection.getresponse()
            if answer.status == 200 and b"success" in answer.read():
                acknowledged.extend(ids)


@pytest.mark.parametrize("seconds", [0.1, 0.6])
def test_what_was_acknowledged_survives_a_kill(
    tmp_path: Path, sqlite_url: str, shop: NewShop, seconds: float
) -> None:
    acknowledged: list[str] = []
    with served(tmp_path) as (process, port):
        threads = [
            threading.Thread(
                target=send_until_it_dies, args=(port, shop.write_key, n, acknowledged)
            )
            for n in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while not acknowledged and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with closing(Database(sqlite_url)) as database, database.read() as connection:
        bodies = connection.scalars(select(inbox.c.body)).all()
        total = balance(connection, shop.shop.shop_id).total
    stored = [msgspec.json.decode(body)["messageId"] for body in bodies]
    assert acknowledged
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    # Unacknowledged batches may be there too, but whole ones only.
    assert len(stored) % BATCH == 0
    assert total.holds
    assert total.received == len(stored)


def test_a_gigabyte_is_refused_after_half_a_megabyte(tmp_path: Path, shop: NewShop) -> None:
    with served(tmp_path) as (process, port):
        for announced in (True, False):
            answer, sent = send_gigabyte(port, shop.write_key, announced)
            assert answer.startswith(b"HTTP/1.1 413")
            assert b"payload-too-large" in answer
            assert sent < 64 * 1024**2
        assert resident_mib(process.pid) < 400


def send_gigabyte(port: int, key: str, announced: bool) -> tuple[bytes, int]:
    """Send until the server closes the connection; what it said, and how much was sent."""
    piece = b" " * 65536
    framing = f"Content-Length: {1024**3}" if announced else "Transfer-Encoding: chunked"
    head = f"POST /v1/batch HTTP/1.1\r\nHost: c360\r\nX-Write-Key: {key}\r\n{framing}\r\n\r\n"
    chunk = piece if announced else b"%x\r\n%s\r\n" % (len(piece), piece)
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head.encode())
        with suppress(ConnectionError):
            while sent < 1024**3:
                client.sendall(chunk)
                sent += len(piece)
        answer = b""
        with suppress(ConnectionError):
            while part := client.recv(65536):
                answer += part
    return answer, sent


def resident_mib(pid: int) -> float:
    """How much memory a process holds, where the system tells."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    return int(found[1]) / 1024 if found else 0
