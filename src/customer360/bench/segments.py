"""How long do segments take over a whole shop, beside ClickHouse's engine, and over the few people who changed?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from customer360.app import SCHEMA, App, build_app
from customer360.bench.reader import Reader
from customer360.bench.result import Result, spread_ms
from customer360.bench.segment_shop import fill_warehouse
from customer360.bench.served import serving
from customer360.bench.store import Progress, Store, prepared
from customer360.clock import Instant, SystemClock, local_date
from customer360.errors import NotFound
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import Rule
from customer360.segments.changed import Question
from customer360.segments.parse import parse_query
from customer360.segments.refresh import Refresher
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.store import create_segment, list_segments
from customer360.segments.to_sql import Compiled, select_members
from customer360.settings import Settings
from customer360.storage.engines.clickhouse import ClickHouse, translated
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.storage.mirror import Mirror
from customer360.warehouse.query import LocalWarehouse

DEFAULT_PROFILES = 1_000_000
DEFAULT_EVENTS = 20_000_000
DEFAULT_ROUNDS = 7
DEFAULT_SEGMENTS = 300
"""So many has a large shop."""
_RULES = Path(__file__).parents[3] / "benchmarks" / "segments"
TIMEZONE = "Europe/Dublin"
_CALENDAR = ShopCalendar(TIMEZONE)
_ROWS_AT_ONCE = 500_000
# So many people change within a second or two of 500 events a second.
_CHANGED = 1000
# So many segments are looked at as a whole, as on a shop's first day.
_MOST_WHOLE = 100

_PARTS = (
    "product_viewed MATCHES (product_id = 'p{n}', date >= -{days}d, count >= 2)",
    "order_placed MATCHES (date >= -{days}d, count >= 2) AND total_spend >= {n}",
    "order_placed MATCHES (product_id = 'p{n}') AND country = 'IE'",
    "added_to_cart MATCHES (date >= -{days}d) AND order_placed NOT MATCHES (date >= -{days}d)",
    "collection_viewed MATCHES (collection_id = 'c{n}', date >= -{days}d) AND tags CONTAINS 'VIP'",
    "email_opened MATCHES (date >= -{days}d, count >= 2) AND consent_email = 'granted'",
    "searched MATCHES (search_term = 'term {n}') OR last_order_at IN LAST {days} DAYS",
    "order_placed MATCHES (sum_total >= {n}, date >= -{days}d) AND orders_count >= 2",
    "visited_site MATCHES (touch_source = 'google', date >= -{days}d) AND NOT country = 'US'",
    "event('Quiz finished') MATCHES (property('score') >= 7, date >= -{days}d) AND total_spend > {n}",
)
"""What the many segments are made of."""


class NoRules(NotFound):
    """The rules are not here: run this benchmark in a clone of the repository."""


def named_rules() -> dict[str, Rule]:
    """The rules of `benchmarks/segments` by name."""
    paths = sorted(_RULES.glob("*.json"))
    if not paths:
        raise NoRules
    return {path.stem: read_rule(msgspec.json.decode(path.read_bytes())["rule"]) for path in paths}


def many_rules(count: int) -> list[Rule]:
    """So many rules of a large shop, no two alike."""
    return [
        parse_query(_PARTS[number % len(_PARTS)].format(n=number % 60, days=7 + number % 90))
        for number in range(count)
    ]


def bench_segments(
    *,
    profiles: int = DEFAULT_PROFILES,
    events: int = DEFAULT_EVENTS,
    rounds: int = DEFAULT_ROUNDS,
    segments: int = DEFAULT_SEGMENTS,
    clickhouse: bool | None = None,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Ask each rule of a shop of so many profiles and events, of DuckDB and, where it is installed, of ClickHouse."""
    if clickhouse is None:
        clickhouse = find_spec("chdb") is not None
    rules, now = named_rules(), SystemClock().now()
    name = store_name(profiles, events, now)
    fill = partial(fill_store, profiles=profiles, events=events, now=now, progress=progress)
    with prepared(kept_in, name, fill) as store:
        beside = (kept_in or store.path.parent) / f"{name}-clickhouse" if clickhouse else None
        with opened(store) as (app, warehouse):
            asked = {name: select_members(rule, now, _CALENDAR) for name, rule in rules.items()}
            times = _beside_clickhouse(store, warehouse, asked, beside, rounds, progress)
            changes = _changes(store, warehouse, many_rules(segments), now, rounds)
        previews = _previews(store, rules, rounds, progress)
        with opened(store) as (app, warehouse):
            whole = _whole(store, app, warehouse, many_rules(min(segments, _MOST_WHOLE)), progress)
    more = {
        "preview_ms": spread_ms(previews),
        "changed": {"people": _CHANGED, "segments": segments, "ms": spread_ms(changes)},
        "whole": whole,
    }
    return _result(profiles, events, times, more)


def store_name(profiles: int, events: int, now: Instant) -> str:
    """What a kept store of this shop is called."""
    # The server goes by the real time, so a shop serves for the day on which it was filled.
    return f"segments-{profiles}-{events}-{local_date(now, TIMEZONE)}"


def _result(
    profiles: int, events: int, times: Mapping[str, Mapping[str, float]], more: dict[str, Any]
) -> Result:
    """The median over the rules; the ratio is that of each rule's own times, and its median."""
    ours, theirs = times["duckdb"], times.get("clickhouse", {})
    each = {
        name: {engine: round(found[name] * 1000, 1) for engine, found in times.items()}
        for name in ours
    }
    return Result(
        "segments",
        median(ours.values()) * 1000,
        "ms",
        median(theirs.values()) * 1000 if theirs else 0.0,
        "the same rules on ClickHouse's engine"
        if theirs
        else "left out: pip install 'customer360[clickhouse]'",
        median(ours[name] / theirs[name] for name in ours) if theirs else 0.0,
        {"profiles": profiles, "events": events, **each, **more},
    )


def fill_store(store: Store, profiles: int, events: int, now: Instant, progress: Progress) -> Store:
    """The warehouse alone has people: what is asked here is answered by it."""
    with opened(store) as (_, warehouse):
        # From now on it has whatever the profile store knows, so nothing takes out what is filled in.
        warehouse.sync(store.shop_id)
    with closing(DuckDBEngine(Settings(data_dir=store.path).warehouse_dir)) as engine:
        fill_warehouse(
            engine, store.shop_id, profiles=profiles, events=events, now=now, progress=progress
        )
    return store


@contextmanager
def opened(store: Store) -> Iterator[tuple[App, LocalWarehouse]]:
    """The product as its worker opens it, and its warehouse."""
    with closing(build_app(Settings(data_dir=store.path), role="worker")) as app:
        assert isinstance(app.warehouse, LocalWarehouse)
        yield app, app.warehouse


def _beside_clickhouse(
    store: Store,
    warehouse: LocalWarehouse,
    asked: Mapping[str, Compiled],
    folder: Path | None,
    rounds: int,
    progress: Progress,
) -> dict[str, dict[str, float]]:
    """Median seconds by engine and rule; ClickHouse's tables are in a folder, or it is left out."""

    def ask(one: Compiled) -> int:
        return int(warehouse.query(store.shop_id, one.sql(), one.values).num_rows)

    ways = {"duckdb": {name: partial(ask, one) for name, one in asked.items()}}
    if folder is None:
        return _in_turns(ways, rounds, progress)
    with closing(_clickhouse(folder, store, warehouse, progress)) as other:
        theirs = {
            name: partial(other.ask, translated(one.query, one.values), one.values)
            for name, one in asked.items()
        }
        return _in_turns({**ways, "clickhouse": theirs}, rounds, progress)


def _in_turns(
    ways: Mapping[str, Mapping[str, Callable[[], Any]]], rounds: int, progress: Progress
) -> dict[str, dict[str, float]]:
    """Median seconds by engine and rule, warm: what else the machine does meets both engines alike."""
    times: dict[str, dict[str, list[float]]] = {
        engine: {name: [] for name in rules} for engine, rules in ways.items()
    }
    for number in range(rounds + 1):
        progress("Asking", number, rounds)
        for name in ways["duckdb"]:
            for engine, rules in ways.items():
                seconds = _seconds(rules[name])
                if number:
                    times[engine][name].append(seconds)
    return {
        engine: {name: median(found) for name, found in rules.items()}
        for engine, rules in times.items()
    }


def _previews(
    store: Store, rules: Mapping[str, Rule], rounds: int, progress: Progress
) -> list[float]:
    """Seconds until the server answered what the builder asks while somebody builds a rule; the first is no one's."""
    with serving(store.path) as port, closing(Reader(store, port)) as reader:
        seconds = []
        for number in range(rounds + 1):
            progress("Previewing", number, rounds)
            seconds.append(
                [
                    reader.ask("/segments/preview", {"rule": write_rule(rule)})
                    for rule in rules.values()
                ]
            )
    return [one for each in seconds[1:] for one in each]


def _changes(
    store: Store, warehouse: LocalWarehouse, rules: Sequence[Rule], now: Instant, rounds: int
) -> list[float]:
    """Seconds until all of many segments are answered for people who changed."""
    question = Question(dict(enumerate(rules)), now, _CALENDAR)
    people = "select profile_id from profiles where sessions_count > 0 order by hash(profile_id + {}) limit {}"
    seconds = []
    for number in range(rounds + 1):
        found = warehouse.query(store.shop_id, people.format(number, _CHANGED))
        started = time.perf_counter()
        with warehouse.session(store.shop_id) as session:
            question.memberships(session, found["profile_id"].to_pylist())
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def _whole(
    store: Store,
    app: App,
    warehouse: LocalWarehouse,
    rules: Sequence[Rule],
    progress: Progress,
) -> dict[str, float]:
    """Seconds until many new segments have their members, in the profile store and in the warehouse."""
    shop = app.directory.by_id(store.shop_id)
    assert shop is not None
    with app.database.write() as connection:
        for number, rule in enumerate(rules):
            create_segment(
                connection, shop.shop_id, f"Segment {number}", rule, app.clock.now(), limit=None
            )
    progress("Finding members", 0, len(rules))
    seconds = _seconds(partial(Refresher(app.database, warehouse, app.clock).finish, shop))
    progress("Finding members", len(rules), len(rules))
    with app.database.read() as connection:
        made = [one for one in list_segments(connection, shop.shop_id) if not one.built_in]
    assert all(one.state == "updated" for one in made)
    members = sum(one.members for one in made)
    return {"segments": len(made), "members": members, "seconds": round(seconds, 1)}


def _seconds(question: Callable[[], Any]) -> float:
    started = time.perf_counter()
    question()
    return time.perf_counter() - started


def _clickhouse(
    folder: Path, store: Store, warehouse: LocalWarehouse, progress: Progress
) -> ClickHouse:
    """The same rows in tables of its own, sorted as rules ask for them."""
    marker, name = folder / "filled", "shop"
    engine = ClickHouse(folder)
    if marker.exists():
        engine.execute(f"use {name}")
        return engine
    engine.make(SCHEMA, name)
    for number, mirror in enumerate(SCHEMA.mirrors):
        progress("Copying to ClickHouse", number, len(SCHEMA.mirrors))
        _copy(mirror, partial(warehouse.query, store.shop_id), engine)
    progress("Copying to ClickHouse", len(SCHEMA.mirrors), len(SCHEMA.mirrors))
    for mirror in SCHEMA.mirrors:
        engine.execute(f"optimize table {mirror.table} final")
    marker.touch()
    return engine


def _copy(mirror: Mirror, query: Callable[..., Any], target: ClickHouse) -> None:
    columns = ", ".join(one.name for one in mirror.fields)
    part = f"select {columns} from {mirror.table} where rowid >= ? and rowid < ?"
    first = 0
    while (rows := query(part, (first, first + _ROWS_AT_ONCE))).num_rows:
        target.append(mirror.table, rows)
        first += _ROWS_AT_ONCE
