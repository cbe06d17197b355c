"""How long does a big profile take to open, and the list of all customers?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

from customer360.bench.reader import Reader
from customer360.bench.result import Result, percentile, spread_ms
from customer360.bench.served import serving
from customer360.bench.store import Progress, Store, feed, prepared, watching
from customer360.clock import DAY, HOUR, MINUTE, Instant, SystemClock, to_iso

DEFAULT_CUSTOMERS = 200_000
DEFAULT_EVENTS = 10_000
DEFAULT_TIMES = 100

# A page far down the list, where the list is that long.
_PAGE = 100
_ROWS_A_PAGE = 25

_COOKIE = "the-regular"
_ORDER_EVERY = 100
_CUSTOMERS_A_DAY = 500

_HEAD = '{"type":"%s","messageId":"%s-%d","timestamp":"%s",'
_VIEW = (
    '"anonymousId":"%s","event":"Product Viewed","properties":{"product_id":"%d","name":"Product no. %d",'
    '"price":9.90,"currency":"EUR"},"context":{"page":{"url":"https://shop.example/products/%d"}}}'
)
_ORDER = (
    '"event":"Order Completed","properties":{"order_id":"%s-%d","email":"%s","total":%d.90,"currency":"EUR",'
    '"products":[{"product_id":"%d","name":"Product no. %d","price":%d.90,"quantity":1}]}}'
)
_IDENTIFY = '"traits":{"email":"%s","first_name":"Customer","last_name":"No%d","country":"IE","city":"Cork"}}'


def bench_read(
    *,
    customers: int = DEFAULT_CUSTOMERS,
    events: int = DEFAULT_EVENTS,
    times: int = DEFAULT_TIMES,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Open a profile of so many events, and the list of so many customers, so many times each."""
    fill = partial(_fill, customers=customers, events=events, progress=progress)
    with prepared(kept_in, f"read-{customers}-{events}", fill) as store:
        limit = _limit(store, times)
        with serving(store.path) as port, closing(Reader(store, port)) as reader:
            measured = _measure(reader, min(_PAGE, 1 + customers // _ROWS_A_PAGE), times, progress)
    page = percentile(measured["profile page"], 0.95) * 1000
    more = {
        name.replace(" ", "_") + "_ms": spread_ms(seconds) for name, seconds in measured.items()
    }
    return Result(
        "read",
        page,
        "ms",
        limit,
        "sqlite3 reading the newest 50 events and the sums of the same profile",
        limit / page,
        {"customers": customers, "profile_events": events, **more},
    )


def _measure(reader: Reader, page: int, times: int, progress: Progress) -> dict[str, list[float]]:
    profile_id = reader.profile_of(f"cookie:{_COOKIE}")
    ways: dict[str, Callable[[], float]] = {
        "profile page": lambda: reader.page(f"/customers/{profile_id}"),
        "profile api": lambda: reader.api(f"/profiles/{profile_id}")[0],
        "timeline api": lambda: reader.api(f"/profiles/{profile_id}/timeline?limit=50")[0],
        "customers page": lambda: reader.page("/customers"),
        "customers by spend": lambda: reader.page("/customers?sort=-total_spend"),
        "customers far page": lambda: reader.page(f"/customers?page={page}"),
    }
    measured = {}
    for number, (name, read) in enumerate(ways.items()):
        progress("Reading", number, len(ways))
        read()
        measured[name] = [read() for _ in range(times)]
    progress("Reading", len(ways), len(ways))
    return measured


def _limit(store: Store, times: int) -> float:
    """Milliseconds that plain SQLite takes to read what a profile's page shows: its 95th percentile."""
    with watching(store) as watch:
        fragments = watch.fragments_of_biggest_profile()
        seconds = []
        for _ in range(times):
            started = time.perf_counter()
            watch.read_plainly(fragments)
            seconds.append(time.perf_counter() - started)
    return percentile(seconds, 0.95) * 1000


def _fill(store: Store, customers: int, events: int, progress: Progress) -> Store:
    """Customers with an order each, and one regular with as many events as asked."""
    now = SystemClock().now()
    first = now - DAY - customers * DAY // _CUSTOMERS_A_DAY
    everybody = chain(
        _customers(first, customers), _regular(now - 2 * HOUR - events * MINUTE, events)
    )
    feed(store, everybody, 2 * customers + events + 1, progress)
    return store


def _customers(first: Instant, count: int) -> Iterator[tuple[Instant, bytes]]:
    for number in range(count):
        at = first + number * DAY // _CUSTOMERS_A_DAY
        email, price = f"customer{number}@example.com", number % 80 + 5
        told = _HEAD % ("identify", "c", number, to_iso(at)) + _IDENTIFY % (email, number)
        yield at, told.encode()
        order = ("o", number, email, price, number % 400, number % 400, price)
        yield (
            at + MINUTE,
            (_HEAD % ("track", "o", number, to_iso(at + MINUTE)) + _ORDER % order).encode(),
        )


def _regular(first: Instant, count: int) -> Iterator[tuple[Instant, bytes]]:
    email = "regular@example.com"
    known = _IDENTIFY % (email, 0)
    told = _HEAD % ("identify", "r", 0, to_iso(first)) + f'"anonymousId":"{_COOKIE}",' + known
    yield first, told.encode()
    for number in range(1, count + 1):
        at = first + number * MINUTE
        if number % _ORDER_EVERY == 0:
            body = _ORDER % ("r", number, email, 25, number % 400, number % 400, 25)
        else:
            body = _VIEW % (_COOKIE, number % 400, number % 400, number % 400)
        yield at, (_HEAD % ("track", "r", number, to_iso(at)) + body).encode()
