"""The jobs of each shop's night, and those asked for: each in a process of its own that others go before."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from customer360.access.shops import Shop, list_shops
from customer360.app import App
from customer360.clock import Instant
from customer360.enrichment.run import ENRICHMENT
from customer360.errors import RunUnderWay, place_of
from customer360.identities.scan_log import SCAN
from customer360.identities.similarity.scratch import own_folder
from customer360.jobs.log import (
    any_interrupted,
    due_night,
    fail_interrupted,
    fail_running,
    last_run,
    shops_that_ask,
)
from customer360.settings import Settings

_log = logging.getLogger(__name__)

Command = Callable[[int, Instant | None], list[str]]
"""The command line that does a job for a shop, in the night that began then, or because somebody asked for it."""

_LOOK_EVERY_SECONDS = 60.0
_ANSWER_EVERY_SECONDS = 1.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """What is done by night: its kind in the log, its command and the setting of its hour.

    changed: only where the shop changed since.
    """

    kind: str
    command: tuple[str, ...]
    hour: Callable[[Settings], str]
    changed: bool = True

    def command_line(self, shop_id: int, night: Instant | None) -> list[str]:
        """The command line that does it for a shop."""
        at = ["--night", str(night)] if night is not None else []
        command = [sys.executable, "-m", "customer360.cli", *self.command]
        return [*command, "--shop", str(shop_id), *at, "--parent", str(os.getpid())]


SCANNING = Job(SCAN, ("duplicates", "scan"), lambda settings: settings.duplicate_scan_hour)
ENRICHING = Job(ENRICHMENT, ("enrich",), lambda settings: settings.enrichment_hour, changed=False)


class Nights:
    """Looks whether the time of a job has come for a shop, while the `with` block lasts; does it for one at a time."""

    def __init__(
        self,
        app: App,
        job: Job,
        *,
        command: Command | None = None,
        look_every_seconds: float = _LOOK_EVERY_SECONDS,
    ) -> None:
        self._app = app
        self._job = job
        self._command = command or job.command_line
        self._look_every_seconds = look_every_seconds
        self._stopping = threading.Event()
        # A child ends with the thread that started it, so this one lasts as long as we do.
        self._thread = threading.Thread(target=self._watch, name=job.kind, daemon=True)

    def __enter__(self) -> Nights:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End a run under way; the next night begins it anew."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        looked_at = time.monotonic()
        while not self._stopping.wait(min(_ANSWER_EVERY_SECONDS, self._look_every_seconds)):
            try:
                self.answer()
                if time.monotonic() >= looked_at + self._look_every_seconds:
                    self.recover()
                    self.look()
                    looked_at = time.monotonic()
            except Exception as error:
                # A database that is away for a while is looked at again.
                _log.warning("The %s of the night waits: %s", self._job.kind, place_of(error))

    def recover(self) -> None:
        """Note of runs that were killed with their worker, on any machine, that they go on no more.

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

    def answer(self) -> None:
        """Do the job for every shop for which somebody asked."""
        with self._app.database.read() as connection:
            asked = shops_that_ask(connection, self._job.kind)
        if not asked:
            return
        with self._only_one() as alone:
            for shop_id in asked if alone else ():
                if not self._stopping.is_set():
                    self._do(shop_id, None)

    def look(self) -> None:
        """Do the job for every shop whose night has come, one after the other, unless another worker does."""
        app, hour = self._app, self._job.hour(self._app.settings)
        if hour == "off":
            return
        with self._only_one() as alone:
            if not alone:
                return
            with app.database.read() as connection:
                shops = list_shops(connection)
            for shop in shops:
                night = self._due(shop, int(hour)) if shop.state == "active" else None
                if night is not None and not self._stopping.is_set():
                    self._do(shop.shop_id, night)

    def _due(self, shop: Shop, hour: int) -> Instant | None:
        app, job = self._app, self._job
        with app.database.read() as connection:
            return due_night(
                connection,
                shop.shop_id,
                job.kind,
                hour,
                shop.timezone,
                app.clock.now(),
                changed=job.changed,
            )

    def _do(self, shop_id: int, night: Instant | None) -> None:
        app, kind = self._app, self._job.kind
        _log.info("shop %d: the %s begins", shop_id, kind)
        reason = self._run(self._command(shop_id, night))
        _clear(self._folder / str(shop_id))
        if not reason:
            return
        with app.database.write() as connection:
            fail_running(connection, shop_id, kind, reason, app.clock.now(), night=night)
            last = last_run(connection, shop_id, kind)
        if last is not None and last.state == "failed":
            _log.warning("shop %d: the %s failed: %s", shop_id, kind, last.reason)

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
        return self._app.settings.data_dir / self._job.kind

    @contextmanager
    def _only_one(self) -> Iterator[bool]:
        """Whether no other worker of this data folder does the job right now; none begins until this ends."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self._folder / "nights.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _is_ours(lock)
        finally:
            os.close(lock)


def _clear(folder: Path) -> None:
    """Remove what a run that was killed left: names and addresses."""
    if folder.exists():
        with suppress(RunUnderWay), own_folder(folder):
            pass


def _is_ours(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
