"""How long does a shop's enrichment take, and how much faster are models fitted than by `lifetimes`?"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from customer360.app import SCHEMA, build_app
from customer360.bench.buyers import DAYS, fill_with_buyers, made_up
from customer360.bench.result import Result
from customer360.bench.served import Ended, ended, serving
from customer360.bench.store import Progress, Store, prepared
from customer360.clock import Instant, SystemClock, local_date
from customer360.enrichment.bgnbd import DAYS_PER_WEEK, BgNbd, fit_bgnbd
from customer360.enrichment.model import OrderHistory
from customer360.enrichment.tables import scores
from customer360.settings import Settings
from customer360.storage.database import Database
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.warehouse.schema import fingerprint

DEFAULT_BUYERS = 1_000_000
DEFAULT_ROUNDS = 3
_TIMEZONE = "Europe/Dublin"


def bench_enrich(
    *,
    buyers: int = DEFAULT_BUYERS,
    rounds: int = DEFAULT_ROUNDS,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Enrich a shop of so many buyers for the first time, once more with nothing new, and fit beside `lifetimes`."""
    now = SystemClock().now()
    # Scores are of a day, so a shop serves for the day on which it was filled; one of another schema would be emptied.
    name = f"enrich-{buyers}-{local_date(now, _TIMEZONE)}-{fingerprint(SCHEMA):x}"
    fill = partial(_fill, buyers=buyers, now=now, progress=progress)
    with prepared(kept_in, name, fill) as store, serving(store.path):
        progress("Enriching", 0, 2)
        first, told = _enrich(store)
        progress("Enriching", 1, 2)
        again, nothing = _enrich(store)
        progress("Enriching", 2, 2)
        limit = _limit(store)
    more = {
        "buyers": buyers,
        "orders": told["card"]["data"]["orders"],
        "written": told["written"],
        "processor_seconds": round(first.processor_seconds, 2),
        "peak_memory_mib": first.peak_bytes // 2**20,
        "again": {"seconds": round(again.seconds, 2), "written": nothing["written"]},
        "fit": _fit(made_up(buyers).by_day().history(DAYS), rounds, progress),
    }
    limit_is = "sqlite3.executemany of the same scores into one table"
    return Result("enrich", first.seconds, "s", limit, limit_is, limit / first.seconds, more)


def _fill(store: Store, buyers: int, now: Instant, progress: Progress) -> Store:
    """The warehouse alone has people: it is all that a run reads."""
    progress("Inventing buyers", 0, 1)
    with closing(build_app(Settings(data_dir=store.path), role="worker")) as app:
        # From now on it has whatever the profile store knows, so nothing takes out what is filled in.
        app.warehouse.sync(store.shop_id)
    with closing(DuckDBEngine(Settings(data_dir=store.path).warehouse_dir)) as engine:
        fill_with_buyers(engine, store.shop_id, buyers=buyers, now=now)
    progress("Inventing buyers", 1, 1)
    return store


def _enrich(store: Store) -> tuple[Ended, dict[str, Any]]:
    """`c360 enrich` beside the worker that keeps the warehouse, and what it reports."""
    found = ended(store.path, "enrich", "--shop", str(store.shop_id), "--json")
    return found, msgspec.json.decode(found.output)[0]


def _limit(store: Store) -> float:
    """Seconds that plain SQLite takes to put the scores into one table, the reading of them included."""
    with (
        tempfile.TemporaryDirectory(prefix="c360-bench-", dir=store.path) as folder,
        closing(Database(f"sqlite:///{folder}/limit.sqlite")) as database,
        closing(sqlite3.connect(f"file:{store.database().path}?mode=ro", uri=True)) as known,
    ):
        columns = [column.name for column in scores.columns]
        rows = known.execute(f"select {', '.join(columns)} from scores")
        started = time.perf_counter()
        with database.write() as connection:
            connection.exec_driver_sql(f"create table scores ({', '.join(columns)})")
            plain: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            plain.executemany(f"insert into scores values ({', '.join('?' * len(columns))})", rows)
        return time.perf_counter() - started


def _fit(history: OrderHistory, rounds: int, progress: Progress) -> dict[str, Any]:
    """Median seconds of fits by turns, here and by `lifetimes` where it is installed, and by how much they differ."""
    weeks = (history.recency_days / DAYS_PER_WEEK, history.age_days / DAYS_PER_WEEK)
    ways: dict[str, Callable[[], Any]] = {"here": lambda: fit_bgnbd(*history.counted())}
    if find_spec("lifetimes"):
        fitter = import_module("lifetimes").BetaGeoFitter
        ways["lifetimes"] = lambda: fitter().fit(history.repeat_orders, *weeks)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    fitted: dict[str, Any] = {}
    for number in range(rounds):
        progress("Fitting", number, rounds)
        for name, way in ways.items():
            started = time.perf_counter()
            fitted[name] = way()
            seconds[name].append(time.perf_counter() - started)
    progress("Fitting", rounds, rounds)
    told: dict[str, Any] = {f"{name}_s": round(median(one), 2) for name, one in seconds.items()}
    if "lifetimes" not in fitted:
        return told
    here: BgNbd = fitted["here"]
    theirs = fitted["lifetimes"].params_
    apart = max(abs(getattr(here, name) - theirs[name]) for name in ("r", "alpha", "a", "b"))
    ratio = median(seconds["lifetimes"]) / median(seconds["here"])
    return {**told, "times_as_fast": round(ratio, 1), "parameters_apart": float(f"{apart:.1e}")}
