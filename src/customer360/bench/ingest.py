"""How many events a second go the whole way, and how soon is an event on its profile?

First as fast as the server takes them: from the first batch posted until everything is acknowledged, on its
profile and in the warehouse. Then at a steady pace while people read pages: the time until an event can be read.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from customer360.bench.freshness import Freshness, Steady
from customer360.bench.limits import event_rows, inserts_per_second
from customer360.bench.load import Load, events_of, ready_to_send
from customer360.bench.result import Result, spread_ms
from customer360.bench.served import serving
from customer360.bench.store import (
    Progress,
    Store,
    fill_with_events,
    prepared,
    wait_until_settled,
)

DEFAULT_EVENTS = 300_000
DEFAULT_PRELOAD = 5_000_000
# What the limit inserts at most: more rows take longer and tell the same.
_MOST_LIMIT_ROWS = 200_000
_STEADY = Steady(events_per_second=2000, seconds=30)
# Slower than this many events a second, the benchmark gives up waiting.
_SLOWEST = 200


def bench_ingest(
    *,
    events: int = DEFAULT_EVENTS,
    preload: int = DEFAULT_PRELOAD,
    kept_in: Path | None = None,
    steady: Steady = _STEADY,
    progress: Progress,
) -> Result:
    """Measure the way of an event, on a store that holds `preload` events already."""
    fill = partial(fill_with_events, count=preload, progress=progress)
    with prepared(kept_in, f"ingest-{preload}", fill) as store:
        limit = _limit(store, min(events, _MOST_LIMIT_ROWS), progress)
        with serving(store.path) as port:
            # A server that has run for a while knows what this one learns in its first seconds.
            _flood(
                store, Load(port, store.write_key, "first", store.visitors, events // 10), progress
            )
            load = Load(port, store.write_key, "flood", store.visitors, events)
            seconds, acknowledged, answers = _flood(store, load, progress)
            fresh = Freshness(store, port, steady).measure(progress)
    rate = events / seconds
    more: dict[str, Any] = {
        "events": events,
        "store_events": preload,
        "seconds": round(seconds, 2),
        "acknowledged_after_seconds": round(acknowledged, 2),
        "acknowledgement_ms": spread_ms(answers),
        **fresh,
    }
    limit_is = "sqlite3.executemany of the same events into one table"
    return Result("ingest", rate, "events/s", limit, limit_is, rate / limit, more)


def _limit(store: Store, rows: int, progress: Progress) -> float:
    progress("Measuring the limit", 0, 1)
    events = events_of(Load(0, "", "flood", store.visitors, rows))
    with tempfile.TemporaryDirectory(dir=store.path) as folder:
        limit = inserts_per_second(Path(folder), event_rows(store.shop_id, events))
    progress("Measuring the limit", 1, 1)
    return limit


def _flood(store: Store, load: Load, progress: Progress) -> tuple[float, float, list[float]]:
    """Seconds until everything is in the warehouse, until the last answer, and of each answer."""
    with ready_to_send(load) as sender:
        progress("Sending at full speed", 0, load.events)
        sender.go()
        sent = sender.wait()
    progress("Sending at full speed", load.events, load.events)
    wait_until_settled(store, 60 + load.events / _SLOWEST)
    return time.monotonic() - sent.started, sent.ended - sent.started, sent.seconds
