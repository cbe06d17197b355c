"""How long do reports and the list of customers take on a large shop, beside the bare query on the same file?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa

from customer360.bench.reader import Reader
from customer360.bench.result import Result, percentile
from customer360.bench.segments import (
    DEFAULT_EVENTS,
    DEFAULT_PROFILES,
    TIMEZONE,
    fill_store,
    opened,
    store_name,
)
from customer360.bench.served import serving
from customer360.bench.store import Progress, Store, prepared
from customer360.clock import Instant, SystemClock
from customer360.profiles.stages import ShopCalendar
from customer360.reports import REPORTS
from customer360.reports.ask import ask
from customer360.reports.asking import read_filter
from customer360.reports.model import Question, Report
from customer360.settings import Settings

DEFAULT_ROUNDS = 12
RANGES = ("90d", "13m")
_PAGES = ("/overview", "/customers", "/customers?sort=-total_spend")


class _Listening:
    """Answers a report's questions, and remembers them."""

    def __init__(self, asked: Any) -> None:
        self._asked = asked
        self.questions: list[tuple[str, Sequence[Any]]] = []

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        self.questions.append((sql, list(params)))
        return self._asked.query(shop_id, sql, params)


def bench_reports(
    *,
    profiles: int = DEFAULT_PROFILES,
    events: int = DEFAULT_EVENTS,
    rounds: int = DEFAULT_ROUNDS,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Read each report over 90 days and 13 months, and some lists; the figure is the slowest report over 90 days."""
    now = SystemClock().now()
    fill = partial(fill_store, profiles=profiles, events=events, now=now, progress=progress)
    with prepared(kept_in, store_name(profiles, events, now), fill) as store:
        bare = _bare(store, now, rounds, progress)
        pages = _pages(store, rounds, progress)
    told: dict[str, dict[str, Any]] = {}
    for (name, range_name), limit in bare.items():
        times = pages[f"/reports/{name}?range={range_name}"]
        told.setdefault(name, {})[range_name] = _spread(times, limit)
    told |= {path: _spread(pages[path], None) for path in _PAGES}
    slowest = max(REPORTS, key=lambda one: told[one.name]["90d"]["p95"]).name
    found = told[slowest]["90d"]
    return Result(
        "reports",
        found["p95"],
        "ms",
        found["bare"],
        f"the bare query of {slowest} over 90 days, of which this is the 95th percentile",
        found["p95"] / found["bare"],
        {"profiles": profiles, "events": events, **told},
    )


def _spread(seconds: Sequence[float], bare: float | None) -> dict[str, float]:
    """Milliseconds of a page, and how many times as long as its bare query the median one took."""
    told = {
        "p50": round(median(seconds) * 1000, 1),
        "p95": round(percentile(seconds, 0.95) * 1000, 1),
    }
    if bare is None:
        return told
    return {**told, "bare": round(bare * 1000, 1), "ratio": round(median(seconds) / bare, 2)}


def _pages(store: Store, rounds: int, progress: Progress) -> dict[str, list[float]]:
    """Seconds until each page was here, in turns; the first of each is no one's."""
    paths = [f"/reports/{one.name}?range={name}" for one in REPORTS for name in RANGES]
    found: dict[str, list[float]] = {path: [] for path in (*paths, *_PAGES)}
    with serving(store.path) as port, closing(Reader(store, port)) as reader:
        for number in range(rounds + 1):
            progress("Reading pages", number, rounds)
            for path, times in found.items():
                seconds = reader.page(_canonical(path))
                if number:
                    times.append(seconds)
    return found


def _canonical(path: str) -> str:
    """The address as its page writes it: a report's own range goes without saying, and one of now has none."""
    bare, _, range_name = path.partition("?range=")
    report = next((one for one in REPORTS if bare == f"/reports/{one.name}"), None)
    goes_without = report is not None and (report.is_of_now or report.usual_range == range_name)
    return bare if goes_without else path


def _bare(
    store: Store, now: Instant, rounds: int, progress: Progress
) -> dict[tuple[str, str], float]:
    """Median seconds of what each report asks, asked of DuckDB itself on the same file."""
    with opened(store) as (_, warehouse):
        asked = {
            (one.name, name): _questions(one, name, warehouse, store, now)
            for one in REPORTS
            for name in RANGES
        }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in asked}
    folder = Settings(data_dir=store.path).warehouse_dir
    with duckdb.connect(folder / f"{store.shop_id}.duckdb", read_only=True) as connection:
        for number in range(rounds + 1):
            progress("Asking DuckDB", number, rounds)
            for key, questions in asked.items():
                started = time.perf_counter()
                for sql, params in questions:
                    connection.execute(sql, params).fetchall()
                if number:
                    times[key].append(time.perf_counter() - started)
    return {key: median(found) for key, found in times.items()}


def _questions(
    report: Report, range_name: str, warehouse: Any, store: Store, now: Instant
) -> list[tuple[str, Sequence[Any]]]:
    """What a report asks of the warehouse."""
    listening = _Listening(warehouse)
    chosen = read_filter({"range": range_name}, report, now, TIMEZONE)
    ask(report, Question(listening, store.shop_id, ShopCalendar(TIMEZONE), now, chosen))
    return listening.questions
