"""A run from its beginning to its end: it says every minute that it goes on, and why it failed if it does."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from customer360.clock import Clock, Instant
from customer360.errors import Customer360Error, RunUnderWay, ShopNotFound, place_of
from customer360.jobs.log import (
    begin_run,
    end_run,
    fail_running,
    is_deleted,
    note_moved,
    note_progress,
)
from customer360.storage.database import Database

_BEAT_SECONDS = 60.0
_TELL_SECONDS = 1.0


class UnderWay:
    """A run in the log, while the `with` block lasts. An error that leaves the block is why it failed.

    Raises ShopNotFound in place of any error where the shop was deleted meanwhile.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shop_id: int,
        kind: str,
        night: Instant | None = None,
        beat_seconds: float = _BEAT_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._shop_id = shop_id
        self._kind = kind
        self._night = night
        self._run_id = 0
        self.change = 0
        """Up to which of the shop's changes it sees all."""
        self._beat_seconds = beat_seconds
        self._stage = ""
        self._told_at = 0.0
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=kind, daemon=True)

    def begin(self) -> None:
        """Note that it begins; raises RunUnderWay, and ShopNotFound."""
        with self._database.write() as connection:
            self._run_id, self.change = begin_run(
                connection, self._shop_id, self._kind, self._clock.now(), self._night
            )
        self._beating.start()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Note how far it is, once a second; a new stage at once."""
        now = time.monotonic()
        if stage == self._stage and now < self._told_at + _TELL_SECONDS:
            return
        self._stage, self._told_at = stage, now
        with self._database.write() as connection:
            note_progress(
                connection, self._shop_id, self._run_id, self._clock.now(), (stage, done, total)
            )

    def end(self, connection: Connection, report: msgspec.Struct, written: int = 0) -> None:
        """Note what came of it; the `written` changes that it made itself are no news to the next one."""
        end_run(
            connection,
            self._shop_id,
            self._run_id,
            report,
            self.change + written,
            self._clock.now(),
        )

    def __enter__(self) -> UnderWay:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._beating.is_alive():
            self._beating.join()
        if error is not None and not isinstance(error, RunUnderWay):
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._database.write() as connection:
            if is_deleted(connection, self._shop_id):
                raise ShopNotFound(
                    f"The shop was deleted, so its run of {self._kind} has ended."
                ) from error
            reason, now = reason_of(error), self._clock.now()
            fail_running(connection, self._shop_id, self._kind, reason, now, run_id=self._run_id)

    def _beat(self) -> None:
        while not self._ended.wait(self._beat_seconds):
            # A database that is away for a while is told a minute later.
            with suppress(SQLAlchemyError), self._database.write() as connection:
                note_moved(connection, self._shop_id, self._run_id, self._clock.now())


def reason_of(error: BaseException) -> str:
    """Why a run failed, without what anybody told us."""
    if isinstance(error, Customer360Error):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Somebody stopped it."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return "It ran out of memory."
    return place_of(error)
