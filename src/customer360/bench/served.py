"""Customer 360 as a benchmark meets it: `c360 serve` in processes of its own, on a free port of this machine."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from customer360.errors import Unavailable
from customer360.settings import variable_of

HOST = "127.0.0.1"
_START_SECONDS = 60
_STOP_SECONDS = 30
# The limit that protects a shop from its own scripts is not what is measured.
_ANY_RATE = "1000000"


class DidNotStart(Unavailable):
    """The server of the benchmark did not start; what it said stands above."""


@contextmanager
def serving(data_dir: Path) -> Iterator[int]:
    """Run `c360 serve` on the data of this folder; gives the port once it answers."""
    port = _free_port()
    with running(data_dir, "serve", "--host", HOST, "--port", str(port)) as process:
        _wait_until_ready(process, port)
        yield port


@contextmanager
def working(data_dir: Path) -> Iterator[None]:
    """Run `c360 worker` alone on the data of this folder."""
    with running(data_dir, "worker"):
        yield


class Failed(Unavailable):
    """A command of the benchmark failed; what it said stands above."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed, how long it took, how much of the processors' time, and its most memory."""

    output: bytes
    seconds: float
    processor_seconds: float
    peak_bytes: int


def ended(data_dir: Path, *arguments: str) -> Ended:
    """Run a `c360` command to its end on the data of this folder."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "customer360.cli", *arguments],
        env=os.environ | {variable_of("data_dir"): str(data_dir)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout as told:
        output = told.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed
    seconds = time.perf_counter() - started
    # macOS tells bytes, Linux KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return Ended(output, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


@contextmanager
def running(data_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `c360` process on the data of this folder; it is asked to stop in the end."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("C360_")}
    environment[variable_of("data_dir")] = str(data_dir)
    environment[variable_of("log_level")] = "warning"
    environment[variable_of("rate_limit_events_per_second")] = _ANY_RATE
    environment[variable_of("duplicate_scan_hour")] = "off"
    environment[variable_of("enrichment_hour")] = "off"
    process = subprocess.Popen(
        [sys.executable, "-m", "customer360.cli", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise DidNotStart
