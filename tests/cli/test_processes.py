"""The worker lives as long as its server, whatever happens to either of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from customer360.cli import processes
from customer360.cli.processes import KeptWorker
from customer360.settings import Settings

PATIENCE_SECONDS = 20.0

# Writes its process id when it begins, and goes on until it is told to end.
WORKER = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""

# The same, but it ends with its parent.
ENDING_WORKER = """
import os, sys, time
from customer360.cli.processes import end_with
end_with(int(sys.argv[-1]))
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""

# As WORKER, but it does not end when it is asked to.
STUBBORN_WORKER = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WORKER

SERVER = """
import sys, time
from customer360.cli.processes import KeptWorker
from customer360.settings import Settings
with KeptWorker(Settings(), sys.argv[1:]):
    time.sleep(600)
"""


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers(log: Path) -> list[int]:
    """The process ids of every worker so far."""
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def command(worker: str, log: Path) -> list[str]:
    return [sys.executable, "-c", worker, str(log)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long in these tests."""
    monkeypatch.setattr(processes, "_FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(processes, "_STOP_SECONDS", 1.0)


def test_a_worker_that_dies_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "log"
    with KeptWorker(Settings(), command(WORKER, log)):
        until(lambda: len(workers(log)) == 1)
        os.kill(workers(log)[0], signal.SIGKILL)
        until(lambda: len(workers(log)) == 2)
        assert is_alive(workers(log)[1])
    assert not any(is_alive(worker) for worker in workers(log))
    assert "The worker ended (code -9)" in caplog.text


def test_a_worker_that_dies_at_once_is_not_started_in_a_frenzy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_FIRST_DELAY_SECONDS", 0.5)
    log = tmp_path / "log"
    dying = WORKER.replace("time.sleep(600)", "sys.exit(3)")
    with KeptWorker(Settings(), command(dying, log)):
        until(lambda: len(workers(log)) >= 1)
        time.sleep(1)
    assert len(workers(log)) <= 3


def test_a_worker_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with KeptWorker(Settings(), command(STUBBORN_WORKER, log)):
        until(lambda: len(workers(log)) == 1)
    assert not is_alive(workers(log)[0])


def test_a_worker_ends_when_its_server_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = subprocess.Popen([sys.executable, "-c", SERVER, *command(ENDING_WORKER, log)])
    try:
        until(lambda: len(workers(log)) == 1)
        server.kill()
        server.wait()
        until(lambda: not is_alive(workers(log)[0]))
    finally:
        server.kill()
        server.wait()


def test_a_worker_ends_even_where_the_kernel_does_not_tell_it(tmp_path: Path) -> None:
    """As on systems without prctl: it looks at its parent now and then."""
    log = tmp_path / "log"
    blind = ENDING_WORKER.replace("end_with(int", "sys.platform = 'other'\nend_with(int")
    server = subprocess.Popen([sys.executable, "-c", SERVER, *command(blind, log)])
    try:
        until(lambda: len(workers(log)) == 1)
        server.kill()
        server.wait()
        until(lambda: not is_alive(workers(log)[0]))
    finally:
        server.kill()
        server.wait()


GIVES_WAY = """
import os
from pathlib import Path
from customer360.cli.processes import give_way
before = os.nice(0)
give_way(5)
group = Path("/proc/self/autogroup")
print(os.nice(0) == min(before + 5, 19), group.read_text().split()[-1] if group.exists() else 5)
"""


def test_a_process_that_gives_way_does_so_beyond_its_own_session() -> None:
    told = subprocess.run(
        [sys.executable, "-c", GIVES_WAY],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["True", "5"]
