"""How fast are people told apart: in bulk, as events stream in, and one of them at a time?"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from customer360.bench.crowd import crowd
from customer360.bench.linking import linked_per_second
from customer360.bench.persons import measure_persons
from customer360.bench.result import Result
from customer360.bench.store import Progress, new_store
from customer360.identities.bulk import components_alone, resolve_in_bulk

DEFAULT_PAIRS = 10_000_000
DEFAULT_EVENTS = 300_000
DEFAULT_FRAGMENTS = 1000
DEFAULT_TIMES = 30


def bench_identity(
    *,
    pairs: int = DEFAULT_PAIRS,
    events: int = DEFAULT_EVENTS,
    fragments: int = DEFAULT_FRAGMENTS,
    times: int = DEFAULT_TIMES,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Resolve so many pairs of observation and identifier in bulk, then so many events and a few people."""
    seconds, limit, more = _in_bulk(pairs, progress)
    with tempfile.TemporaryDirectory(prefix="c360-bench-", dir=kept_in) as folder:
        progress("Linking events", 0, events)
        more["linked"] = linked_per_second(new_store(Path(folder) / "stream"), events, progress)
        store = new_store(Path(folder) / "persons")
        more |= measure_persons(store, fragments, times, progress)
    limit_is = "scipy's connected components of the same pairs"
    return Result("identity", seconds, "s", limit, limit_is, limit / seconds, more)


def _in_bulk(pairs: int, progress: Progress) -> tuple[float, float, dict[str, Any]]:
    """Seconds to resolve in bulk, those of scipy alone, and what was resolved."""
    progress("Resolving in bulk", 0, 3)
    people = crowd(pairs)
    progress("Resolving in bulk", 1, 3)
    started = time.perf_counter()
    components_alone(people.observed)
    limit = time.perf_counter() - started
    progress("Resolving in bulk", 2, 3)
    started, began = time.perf_counter(), time.process_time()
    found = resolve_in_bulk(people.observed, people.tell)
    seconds, processor = time.perf_counter() - started, time.process_time() - began
    progress("Resolving in bulk", 3, 3)
    more = {
        "pairs": len(people.observed.carrier),
        "observations": len(people.observed.first_at),
        "components": len(found.components.simple),
        "replayed": len(found.replayed),
        "profiles": int(found.profile.max()) + 1,
        "processor_seconds": round(processor, 2),
        "peak_memory_mib": _peak_bytes() // 2**20,
    }
    return seconds, limit, more


def _peak_bytes() -> int:
    # macOS tells bytes, Linux KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
