"""The worker as a child of the server: started again when it dies, ended when the server ends, however that ends."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from customer360.cli.log import begin_log
from customer360.settings import Settings, variable_of

_log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1

# What waits for a processor goes first, and yet a job's short transactions, for which others wait, end soon.
_NICENESS = 10
# What a job for a million people takes, and some air; above it the job fails, and nothing else.
_MEMORY_BYTES = 4 * 1024**3
_MOST_KILLABLE = 1000
# The worker's steps are short; a step that has not ended by then is repeated after the next start.
_STOP_SECONDS = 15.0
# A worker that lived so long is started again at once; one that dies at once must not spin.
_HEALTHY_SECONDS = 60.0
_FIRST_DELAY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 30.0
_POLL_SECONDS = 1.0


class KeptWorker:
    """Runs `c360 worker` while the `with` block lasts."""

    def __init__(self, settings: Settings, command: list[str]) -> None:
        self._command = [*command, "--parent", str(os.getpid())]
        self._environment = os.environ | {
            variable_of("host"): settings.host,
            variable_of("port"): str(settings.port),
        }
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # Linux counts a child's parent by thread; this one lasts as long as the process needs the worker.
        self._thread = threading.Thread(target=self._keep, name="kept-worker", daemon=True)

    def __enter__(self) -> KeptWorker:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Let the worker finish its step; kill it when that takes too long."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()

    def _keep(self) -> None:
        delay_seconds = _FIRST_DELAY_SECONDS
        while (process := self._start()) is not None:
            started = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > _HEALTHY_SECONDS:
                delay_seconds = _FIRST_DELAY_SECONDS
            _log.warning(
                "The worker ended (code %d); it starts again in %.0f s", code, delay_seconds
            )
            self._stopping.wait(delay_seconds)
            delay_seconds = min(2 * delay_seconds, _LONGEST_DELAY_SECONDS)

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C is for the server, which then stops the worker in good order.
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            return self._process


def end_with(parent: int) -> None:
    """Make this process end when its parent does, even when the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # The kernel does not tell of a parent that was gone before, nor does every system have this call.
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def give_way(niceness: int) -> None:
    """Let other processes have the processors first, the more the higher, for work that nobody waits for."""
    os.nice(niceness)
    # Linux weighs whole sessions against each other before their processes, and each kept process has one.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))


def step_back() -> None:
    """Let every other process go before this one, and this one die first when memory runs out."""
    give_way(_NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    if sys.platform == "linux":
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write(str(_MOST_KILLABLE))


def become_child(settings: Settings, parent: int) -> None:
    """Do a job of a worker: log as it does, end with it, and let everybody else go first."""
    begin_log(settings.log_level)
    end_with(parent)
    step_back()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_SECONDS)
    os._exit(1)
