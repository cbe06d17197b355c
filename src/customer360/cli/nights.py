"""The scan for duplicates of each shop's night: one at a time, in a process of its own that others go before."""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from customer360.access.shops import list_shops
from customer360.app import App
from customer360.cli.processes import give_way
from customer360.clock import Instant
from customer360.errors import ScanUnderWay, place_of
from customer360.identities.scan_log import (
    any_interrupted,
    due_night,
    fail_interrupted,
    fail_running,
    last_scan,
)
from customer360.identities.similarity.scratch import own_folder

_log = logging.getLogger(__name__)

Command = Callable[[int, Instant], list[str]]
"""The command line that scans a shop in the night that began then."""

_LOOK_EVERY_SECONDS = 60.0
# What waits for a processor goes first, and yet the scan's short transactions, for which others wait, end soon.
_NICENESS = 10
# What a scan of a million people takes, and some air; above it the scan fails, and nothing else.
_MEMORY_BYTES = 4 * 1024**3
_MOST_KILLABLE = 1000
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.2


def night_command(shop_id: int, night: Instant) -> list[str]:
    """The command line of the scan of a night."""
    command = [sys.executable, "-m", "customer360.cli", "duplicates", "scan"]
    return [*command, "--shop", str(shop_id), "--night", str(night), "--parent", str(os.getpid())]


def step_back() -> None:
    """Let every other process go before this one, and this one die first when memory runs out."""
    give_way(_NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    if sys.platform == "linux":
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write(str(_MOST_KILLABLE))


class Nights:
    """Looks every minute whether a shop's night has come, while the `with` block lasts."""

    def __init__(
        self,
        app: App,
        *,
        command: Command = night_command,
        look_every_seconds: float = _LOOK_EVERY_SECONDS,
    ) -> None:
        self._app = app
        self._command = command
        self._look_every_seconds = look_every_seconds
        self._stopping = threading.Event()
        # A child ends with the thread that started it, so this one lasts as long as we do.
        self._thread = threading.Thread(target=self._watch, name="nights", daemon=True)

    def __enter__(self) -> Nights:
        if self._app.settings.duplicate_scan_hour != "off":
            self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End a scan under way; the next night begins it anew."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(self._look_every_seconds):
            try:
                self.recover()
                self.look()
            except Exception as error:
                # A database that is away for a while is looked at again in a minute.
                _log.warning("The scans of the night wait: %s", place_of(error))

    def recover(self) -> None:
        """Note of scans that were killed with their worker, on any machine, that they run no more.

        What they left here is removed at once, and by each machine of its own.
        """
        database, now = self._app.database, self._app.clock.now()
        with self._only_one() as alone:
            for left in self._folder.iterdir() if alone else ():
                if left.is_dir():
                    _clear(left)
        with database.read() as connection:
            interrupted = any_interrupted(connection, now)
        if interrupted:
            with database.write() as connection:
                fail_interrupted(connection, now)

    def look(self) -> None:
        """Scan every shop whose scan is due, one after the other, unless another worker does."""
        app, hour = self._app, int(self._app.settings.duplicate_scan_hour)
        with self._only_one() as alone:
            if not alone:
                return
            with app.database.read() as connection:
                shops = list_shops(connection)
            for shop in shops:
                with app.database.read() as connection:
                    night = due_night(connection, shop, hour, app.clock.now())
                if night is not None and not self._stopping.is_set():
                    self._scan(shop.shop_id, night)

    def _scan(self, shop_id: int, night: Instant) -> None:
        app = self._app
        _log.info("shop %d: the scan of the night begins", shop_id)
        reason = self._run(self._command(shop_id, night))
        _clear(self._folder / str(shop_id))
        if not reason:
            return
        with app.database.write() as connection:
            fail_running(connection, shop_id, reason, app.clock.now(), night=night)
            last = last_scan(connection, shop_id)
        if last is not None and last.state == "failed":
            _log.warning("shop %d: the scan of the night failed: %s", shop_id, last.reason)

    def _run(self, command: list[str]) -> str:
        """Run the child to its end, or to ours; returns why it failed, should it have, and not have said so itself."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None:
            if self._stopping.wait(_POLL_SECONDS):
                process.terminate()
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                return "The worker was stopped."
        if process.returncode == -signal.SIGKILL:
            return "It was killed, most likely because memory ran out."
        return f"It ended with code {process.returncode}." if process.returncode else ""

    @property
    def _folder(self) -> Path:
        return self._app.settings.data_dir / "duplicates"

    @contextmanager
    def _only_one(self) -> Iterator[bool]:
        """Whether no other worker of this data folder scans right now; none begins until this ends."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._folder / "nights.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _is_ours(lock)
        finally:
            os.close(lock)


def _clear(folder: Path) -> None:
    """Remove what a scan that was killed left: names and addresses."""
    if folder.exists():
        with suppress(ScanUnderWay), own_folder(folder):
            pass


def _is_ours(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
