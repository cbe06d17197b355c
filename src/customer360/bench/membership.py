"""How soon does an event move somebody into a segment, and out of it, beside hundreds of others and steady traffic?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from sqlalchemy import func, select

from customer360.bench.freshness import POLL_SECONDS, Freshness, Steady
from customer360.bench.reader import Reader
from customer360.bench.result import Result, percentile, spread_ms
from customer360.bench.served import serving
from customer360.bench.store import Progress, Store, fill_with_events, prepared
from customer360.clock import SystemClock, to_iso
from customer360.identities.tables import profiles
from customer360.segments.model import Segment
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment, stored_segments

DEFAULT_PRELOAD = 5_000_000
DEFAULT_SEGMENTS = 300
_STEADY = Steady(events_per_second=500, seconds=120)
_PROBERS = 2
# What a segment may take until its members are found, before the benchmark gives up.
_SECONDS_A_SEGMENT = 30
_PROBED = (
    "product_viewed MATCHES (product_id = 'probe-{0}')"
    " AND added_to_cart NOT MATCHES (product_id = 'probe-{0}')"
)
_MADE_OF = (
    "product_viewed MATCHES (product_id = '{product}', date >= -{days}d, count >= {few})",
    "product_viewed MATCHES (vendor = 'Vendor {few}', date >= -{days}d)",
    "order_placed MATCHES (date >= -{days}d, count >= {few})",
    "order_placed MATCHES (sum_total >= {amount}, date >= -{days}d)",
    "order_placed MATCHES (product_id = '{product}')",
    "added_to_cart MATCHES (date >= -{days}d) AND order_placed NOT MATCHES (date >= -{days}d)",
    "added_to_cart MATCHES (sum_total >= {amount})",
    "visited_site MATCHES (touch_source = 'newsletter', date >= -{days}d)",
)
_AND = (
    "total_spend >= {amount}",
    "orders_count >= {few}",
    "last_order_at IN LAST {days} DAYS",
    "last_seen_at IN LAST {days} DAYS",
    "email_domain = 'example.com'",
    "first_touch_source = 'google'",
)


def bench_membership(
    *,
    preload: int = DEFAULT_PRELOAD,
    segments: int = DEFAULT_SEGMENTS,
    kept_in: Path | None = None,
    steady: Steady = _STEADY,
    progress: Progress,
) -> Result:
    """Measure on a store that holds `preload` events; its people are found for so many segments first."""
    fill = partial(fill_with_events, count=preload, progress=progress)
    with prepared(kept_in, f"ingest-{preload}", fill) as store:
        probed = _make_segments(store, segments)
        with serving(store.path) as port:
            found_after = _wait_for_members(store, progress)
            probes = _Probes(store, port, probed)
            fresh = Freshness(store, port, steady, tuple(map(probes.job, range(_PROBERS))))
            told = fresh.measure(progress)
        people, members = _crowd(store)
    moved = percentile(probes.entered + probes.left, 0.99) * 1000
    limit: float = told["visible_ms"]["p99"]
    more: dict[str, Any] = {
        "store_events": preload,
        "profiles": people,
        "segments": segments,
        "members": members,
        "members_found_after_seconds": round(found_after, 1),
        "in_ms": spread_ms(probes.entered),
        "out_ms": spread_ms(probes.left),
        "moves": len(probes.entered) + len(probes.left),
        **told,
    }
    limit_is = "p99 until an event is on its profile, in the same run"
    return Result("membership", moved, "ms p99", limit, limit_is, limit / moved, more)


def queries(count: int) -> Iterator[str]:
    """So many different rules of two or three parts, the same ones every time."""
    rng, told = Random("segments"), set[str]()
    while len(told) < count:
        parts = (rng.choice(_MADE_OF), *rng.sample(_AND, rng.randrange(1, 3)))
        query = " AND ".join(parts).format(
            product=rng.randrange(400),
            days=rng.choice((7, 14, 30, 60, 90)),
            few=rng.randrange(1, 4),
            amount=rng.choice((20, 50, 100, 200, 500)),
        )
        if query not in told:
            told.add(query)
            yield query


@dataclass(slots=True)
class _Probes:
    """People of whom each moves into a segment by one event and out by another."""

    store: Store
    port: int
    segments: list[Segment]
    entered: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)

    def job(self, number: int) -> Callable[[threading.Event], None]:
        """What a thread does until everything is sent."""
        return partial(self._probe, number)

    def _probe(self, number: int, ended: threading.Event) -> None:
        path = f"/segments/{self.segments[number].segment_id}/changes?after="
        serial = seen = 0
        with closing(Reader(self.store, self.port)) as reader:
            while not ended.is_set():
                serial += 1
                for event, times in (("Viewed", self.entered), ("Added", self.left)):
                    posted = time.monotonic()
                    reader.post(_probe_body(number, serial, event))
                    while not (moves := reader.api(f"{path}{seen}")[1]["items"]):
                        time.sleep(POLL_SECONDS)
                    times.append(time.monotonic() - posted)
                    seen = moves[-1]["change"]


def _make_segments(store: Store, count: int) -> list[Segment]:
    """Make so many segments; gives those of them that are for the probes."""
    now = SystemClock().now()
    rules = [parse_query(_PROBED.format(number)) for number in range(_PROBERS)]
    rules = [msgspec.structs.replace(one, include_visitors=True) for one in rules]
    rules += map(parse_query, queries(count - _PROBERS))
    with closing(store.database()) as database, database.write() as connection:
        made = [
            create_segment(connection, store.shop_id, f"No. {number}", rule, now, limit=None)
            for number, rule in enumerate(rules, 1)
        ]
    return made[:_PROBERS]


def _wait_for_members(store: Store, progress: Progress) -> float:
    """Seconds until the members of all segments are found."""
    started = time.monotonic()
    with closing(store.database()) as database:
        while True:
            with database.read() as connection:
                states = [one.state for one in stored_segments(connection, store.shop_id)]
            found, seconds = states.count("updated"), time.monotonic() - started
            progress("Finding members", found, len(states))
            if found == len(states):
                return seconds
            if "failed" in states or seconds > len(states) * _SECONDS_A_SEGMENT:
                raise TimeoutError(f"The members of {len(states) - found} segments were not found")
            time.sleep(POLL_SECONDS)


def _crowd(store: Store) -> tuple[int, int]:
    """How many profiles there are, and in how many segments they are in all."""
    people = select(func.count()).where(
        profiles.c.shop_id == store.shop_id, profiles.c.merged_into.is_(None)
    )
    with closing(store.database()) as database, database.read() as connection:
        found = stored_segments(connection, store.shop_id)
        return connection.execute(people).scalar_one(), sum(one.members for one in found)


def _probe_body(number: int, serial: int, event: str) -> bytes:
    now = SystemClock().now()
    body = {
        "type": "track",
        "event": f"Product {event}",
        "messageId": f"member-{number}-{serial}-{event}-{now}",
        "anonymousId": f"member-{number}-{serial}",
        "timestamp": to_iso(now),
        "properties": {"product_id": f"probe-{number}"},
    }
    return msgspec.json.encode({"batch": [body]})
