"""When to say "not now": too many events of one key, or too little disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path

from customer360.errors import DiskNearlyFull, TooManyRequests

_SECONDS_BETWEEN_LOOKS = 1.0


class RateLimit:
    """A bucket of one second's events per key.

    A batch is taken whole while anything is left, and the debt is waited for afterwards: a limit below the
    size of a batch then slows its sender down instead of shutting it out. A rate of 0 is no limit.
    """

    def __init__(
        self, events_per_second: int, elapsed_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = events_per_second
        self._elapsed_seconds = elapsed_seconds
        self._buckets: dict[object, tuple[float, float]] = {}

    def take(self, key: object, events: int) -> None:
        """Count so many events; raises TooManyRequests with the seconds to wait."""
        if not self._rate:
            return
        now = self._elapsed_seconds()
        left, at = self._buckets.get(key, (float(self._rate), now))
        left = min(left + (now - at) * self._rate, float(self._rate))
        if left < 1:
            raise TooManyRequests(retry_after_seconds=max(1, ceil((1 - left) / self._rate)))
        self._buckets[key] = (left - events, now)


class DiskGuard:
    """Refuses while the disk is nearly full; looks once a second."""

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        elapsed_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._free_bytes = free_bytes
        self._elapsed_seconds = elapsed_seconds
        self._looked_at = float("-inf")
        self._full = False

    def check(self) -> None:
        """Raises DiskNearlyFull."""
        now = self._elapsed_seconds()
        if now - self._looked_at >= _SECONDS_BETWEEN_LOOKS:
            self._looked_at = now
            self._full = self._free_bytes(self._folder) < self._min_free_bytes
        if self._full:
            raise DiskNearlyFull
