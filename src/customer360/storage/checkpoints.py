"""Keeps SQLite's write-ahead log short, in a thread of its own: copying it waits for the disk."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from customer360.storage.database import Database

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 2.0


@contextmanager
def short_log(database: Database) -> Iterator[None]:
    """Copy the log into the database again and again meanwhile; where that fails, the log stays long for now."""
    ended = threading.Event()

    def copy() -> None:
        while not ended.wait(_EVERY_SECONDS):
            try:
                database.checkpoint()
            except (DBAPIError, sqlite3.Error, OSError) as error:
                logger.warning("the write-ahead log stays long: %s", type(error).__name__)

    thread = threading.Thread(target=copy, name="checkpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
