"""How long does a file of orders take to be profiles, and how much memory?"""

from __future__ import annotations

import csv
import gzip
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TextIO

from customer360.bench.result import Result
from customer360.bench.served import ended
from customer360.bench.store import Progress, new_store
from customer360.storage.database import Database

# As many as a year of a wholesaler of gifts.
DEFAULT_LINES = 525_000
_HEADER = (
    "Invoice",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "Price",
    "Customer ID",
    "Country",
)
_MAPPING = (
    "order_id=Invoice",
    "product_id=StockCode",
    "title=Description",
    "quantity=Quantity",
    "placed_at=InvoiceDate",
    "unit_price=Price",
    "customer_id=Customer ID",
    "country=Country",
)
_COUNTRIES = ("United Kingdom", "Germany", "France", "Ireland", "Spain", "Netherlands")
_START = datetime(2025, 1, 2, 8, tzinfo=UTC)


def bench_import(
    *,
    lines: int = DEFAULT_LINES,
    file: Path | None = None,
    kept_in: Path | None = None,
    progress: Progress,
) -> Result:
    """Import a file of order lines into a new shop, as `c360 import` does, and wait until it is profiles."""
    with tempfile.TemporaryDirectory(prefix="c360-bench-", dir=kept_in) as temporary:
        folder = Path(temporary)
        progress("Preparing the file", 0, 1)
        source = file or write_lines(folder / "orders.csv.gz", lines)
        count, limit = _limit(folder, source)
        progress("Preparing the file", 1, 1)
        store = new_store(folder / "data")
        progress("Importing", 0, count)
        seconds, peak_bytes = _import(store.path, store.shop_id, source)
        progress("Importing", count, count)
    rate = count / seconds
    more = {"lines": count, "seconds": round(seconds, 2), "peak_memory_mib": peak_bytes // 2**20}
    limit_is = "sqlite3.executemany of the same lines into one table"
    return Result("import", rate, "lines/s", limit, limit_is, rate / limit, more)


def write_lines(path: Path, count: int) -> Path:
    """A file of order lines as wholesalers have them: long orders, returns, a fifth without a customer."""
    with gzip.open(path, "wt", compresslevel=1, newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(_HEADER)
        writer.writerows(_lines(Random("lines"), count))
    return path


def _lines(rng: Random, count: int) -> Iterator[tuple[object, ...]]:
    invoice, at, left = 489_000, _START, 0
    customer: object = ""
    country = prefix = ""
    for _ in range(count):
        if not left:
            invoice, at = invoice + 1, at + timedelta(minutes=rng.randrange(1, 25))
            left = min(200, int(rng.expovariate(1 / 20)) + 1)
            customer = "" if rng.random() < 0.2 else 12_000 + int(6000 * rng.random() ** 2)
            country = rng.choices(_COUNTRIES, (88, 4, 3, 2, 2, 1))[0]
            prefix = "C" if rng.random() < 0.02 else ""
        left -= 1
        stock = 20_000 + int(4000 * rng.random() ** 2)
        quantity = rng.choice((1, 1, 2, 3, 4, 6, 12, 24)) * (-1 if prefix else 1)
        price = f"{(stock * 37 % 1995) / 100 + 0.19:.2f}"
        yield (
            f"{prefix}{invoice}", stock, f"ARTICLE NO {stock}", quantity,
            f"{at:%Y-%m-%d %H:%M:%S}", price, customer, country,
        )  # fmt: skip


def _text_of(source: Path) -> TextIO:
    if source.suffix == ".gz":
        return gzip.open(source, "rt", newline="", encoding="utf-8", errors="replace")
    return source.open(newline="", encoding="utf-8", errors="replace")


def _limit(folder: Path, source: Path) -> tuple[int, float]:
    """How many lines the file has, and how many a second go into one table, the reading of the file included."""
    with (
        _text_of(source) as text,
        closing(Database(f"sqlite:///{folder / 'limit.sqlite'}")) as database,
    ):
        rows = csv.reader(text)
        width = len(next(rows))
        started = time.perf_counter()
        with database.write() as connection:
            columns = ", ".join(f"column_{number}" for number in range(width))
            connection.exec_driver_sql(f"create table lines ({columns})")
            plain: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            marks = ", ".join("?" * width)
            count = plain.executemany(f"insert into lines values ({marks})", rows).rowcount
        return count, count / (time.perf_counter() - started)


def _import(data_dir: Path, shop_id: int, source: Path) -> tuple[float, int]:
    """Seconds and the most memory in bytes that `c360 import` took."""
    command = ["import", "orders", str(source), "--shop", str(shop_id), "--format", "generic"]
    for pair in _MAPPING:
        command += ["--map", pair]
    found = ended(data_dir, *command, "--json")
    return found.seconds, found.peak_bytes
