"""The log: one line an entry on standard error, with its time, its level and who says it.

Personal data is in no line at any level. Our own entries are written so; an exception is told by its place in the
code, for its message may quote what a customer sent; and of other people's packages only warnings come through.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

from customer360.errors import place_of

_OURS = ("customer360", "uvicorn")


def begin_log(level: str) -> None:
    """Log from now on what is of this level or above; a second call changes the level alone."""
    root = logging.getLogger()
    if not any(isinstance(handler, _OnStandardError) for handler in root.handlers):
        handler = _OnStandardError()
        handler.setFormatter(_OneLine())
        root.addHandler(handler)
        # What the interpreter and packages warn of comes the same way.
        logging.captureWarnings(True)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())


class _OnStandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error now, which a test or a terminal program may have replaced."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _OneLine(logging.Formatter):
    """2026-01-31T09:30:00.123Z INFO customer360.access GET /api/v1/profiles/{profile_id} 200 3.1 ms"""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {place_of(record.exc_info[1])}"
        line = f"{seconds}.{int(record.msecs):03d}Z {record.levelname} {record.name} {text}"
        return " ".join(line.splitlines())
