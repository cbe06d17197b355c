"""An import goes on behind its last acknowledged row, whatever happened, and counts every row once."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, update
from tests.house import House

from customer360.clock import FixedClock
from customer360.errors import Conflict, DiskNearlyFull, ImportNotFound, InvalidInput
from customer360.intake.balance import SourceBalance, balance
from customer360.intake.files.jobs import (
    Import,
    finish_imports,
    list_imports,
    load_import,
    read_import,
    rejection_reasons,
    start_import,
)
from customer360.intake.files.plan import Plan, plan_import, preview
from customer360.intake.tables import imports, inbox
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock

SHOP, OTHER = 7, 8
ROWS = 10_000
PAIRS = ["order_id=order", "placed_at=at"]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        with database.write() as connection:
            connection.execute(insert(shop_clock), [{"shop_id": SHOP}, {"shop_id": OTHER}])
        yield database


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Orders in some 3 transactions, with a broken row in each thousand."""
    path = tmp_path / "orders.csv"
    lines = [f"{n},2026-01-31" if n % 1000 else f"{n}" for n in range(1, ROWS + 1)]
    path.write_text("\n".join(["order,at", *lines]))
    return path


def plan_of(path: Path) -> Plan:
    return plan_import(path, "orders", "generic", PAIRS)


def start(database: Database, clock: FixedClock, path: Path, shop_id: int = SHOP) -> Import:
    return start_import(database, clock, shop_id, path, plan_of(path))


def orders_waiting(database: Database) -> list[str]:
    with database.read() as connection:
        bodies = connection.scalars(select(inbox.c.body).order_by(inbox.c.inbox_id))
        return [json.loads(body)["order_id"] for body in bodies]


def source_balance(database: Database) -> SourceBalance:
    with database.read() as connection:
        return balance(connection, SHOP).sources["orders_file"]


EXPECTED = [str(n) for n in range(1, ROWS + 1) if n % 1000]


def test_every_row_waits_or_is_rejected_and_is_counted(
    database: Database, clock: FixedClock, file: Path
) -> None:
    seen: list[tuple[int, int]] = []

    job = read_import(
        database,
        clock,
        start(database, clock, file),
        file,
        lambda now: seen.append((now.rows_read, now.bytes_read)),
    )

    assert (job.state, job.rows_read, job.rejected, job.waiting) == ("processing", ROWS, 10, 9990)
    assert job.bytes_read == job.bytes_total == file.stat().st_size
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert orders_waiting(database) == EXPECTED
    counted = source_balance(database)
    assert (counted.received, counted.waiting, counted.rejected) == (
        *(ROWS, 9990),
        {"too_few_columns": 10},
    )
    with database.read() as connection:
        assert rejection_reasons(connection, SHOP, job.import_id) == {"too_few_columns": 10}


@pytest.mark.parametrize("packed", [False, True])
def test_a_killed_import_goes_on_where_it_was(
    database: Database, clock: FixedClock, file: Path, database_url: str, packed: bool
) -> None:
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    child = f"""
import os, signal
from pathlib import Path
from customer360.clock import SystemClock
from customer360.intake.files.jobs import read_import, start_import
from customer360.intake.files.plan import plan_import
from customer360.storage.database import Database
database, file = Database({database_url!r}), Path({str(file)!r})
job = start_import(database, SystemClock(), {SHOP}, file, plan_import(file, "orders", "generic", {PAIRS}))
read_import(database, SystemClock(), job, file, lambda job: os.kill(os.getpid(), signal.SIGKILL))
"""
    ended = subprocess.run([sys.executable, "-c", child], check=False, env=os.environ)
    assert ended.returncode == -signal.SIGKILL

    resumed = start(database, clock, file)
    assert 0 < resumed.rows_read < ROWS
    job = read_import(database, clock, resumed, file)

    assert job.import_id == resumed.import_id
    assert orders_waiting(database) == EXPECTED
    assert source_balance(database).holds
    assert source_balance(database).received == ROWS


def test_an_import_interrupted_at_any_row_counts_each_row_once(
    database: Database, clock: FixedClock, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    tried = 0

    def fail(_job: Import) -> None:
        if chance.random() < 0.2:
            raise KeyboardInterrupt

    monkeypatch.setattr("customer360.intake.files.jobs._BATCH_ROWS", 501)
    while True:
        tried += 1
        try:
            job = read_import(database, clock, start(database, clock, file), file, fail)
            break
        except KeyboardInterrupt:
            continue

    assert tried > 2
    assert job.rows_read == ROWS
    assert orders_waiting(database) == EXPECTED
    assert source_balance(database).received == ROWS


def test_two_readers_of_one_file_do_not_put_a_row_in_twice(
    database: Database, clock: FixedClock, file: Path
) -> None:
    mine = start(database, clock, file)
    their = start(database, clock, file)
    read_import(database, clock, their, file)

    with pytest.raises(Conflict):
        read_import(database, clock, mine, file)

    assert orders_waiting(database) == EXPECTED


def test_another_file_shop_or_mapping_is_another_import(
    database: Database, clock: FixedClock, file: Path, tmp_path: Path
) -> None:
    first = start(database, clock, file)
    changed = tmp_path / "changed.csv"
    changed.write_text(file.read_text() + "\n7,2026-01-31")
    other_plan = plan_import(file, "orders", "generic", [*PAIRS, "title=at"])

    others = [
        start(database, clock, changed),
        start(database, clock, file, OTHER),
        start_import(database, clock, SHOP, file, other_plan),
    ]

    assert len({job.import_id for job in [first, *others]}) == 4
    assert start(database, clock, file).import_id == first.import_id
    with database.read() as connection:
        assert [job.import_id for job in list_imports(connection, SHOP)] == sorted(
            (first.import_id, others[0].import_id, others[2].import_id), reverse=True
        )
        with pytest.raises(ImportNotFound):
            load_import(connection, OTHER, first.import_id)


def test_a_finished_import_is_not_gone_on_with(
    database: Database, clock: FixedClock, file: Path
) -> None:
    first = read_import(database, clock, start(database, clock, file), file)

    assert start(database, clock, file).import_id != first.import_id


def test_a_row_that_is_rejected_again_takes_the_place_of_its_dead_letter(
    database: Database, clock: FixedClock, file: Path
) -> None:
    first = read_import(database, clock, start(database, clock, file), file)

    second = read_import(database, clock, start(database, clock, file), file)

    counted = source_balance(database)
    assert counted.holds
    assert (counted.received, counted.duplicate, counted.rejected) == (
        *(2 * ROWS, 10),
        {"too_few_columns": 10},
    )
    assert second.rejected == 10
    with database.read() as connection:
        former = load_import(connection, SHOP, first.import_id)
        assert rejection_reasons(connection, SHOP, first.import_id) == {}
        assert rejection_reasons(connection, SHOP, second.import_id) == {"too_few_columns": 10}
    assert (former.rejected, former.duplicate) == (0, 10)


def test_a_row_that_was_rejected_before_is_known_in_another_file_and_under_another_mapping(
    house: House, tmp_path: Path
) -> None:
    app, shop_id = house.app, house.shop.shop_id
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    # Equal rows of one file all count.
    files[0].write_text("order,at,bought\n1,never,2026-01-31\n1,never,2026-01-31\n")
    files[1].write_text("order,at,bought\n9,never,2026-01-31\n1,never,2026-01-31\n")
    rejected = []
    for path, at in ((files[0], "at"), (files[0], "at"), (files[1], "at"), (files[0], "bought")):
        pairs = ["order_id=order", f"placed_at={at}", "title=order", "unit_price=order"]
        plan = plan_import(path, "orders", "generic", pairs)
        job = start_import(app.database, app.clock, shop_id, path, plan)
        read_import(app.database, app.clock, job, path)
        house.work_off()
        with app.database.read() as connection:
            of_file = balance(connection, shop_id).sources["orders_file"]
        assert of_file.holds
        rejected.append(sum(of_file.rejected.values()))

    assert rejected == [2, 2, 3, 1]


def test_a_file_that_changed_meanwhile_is_refused(
    database: Database, clock: FixedClock, file: Path
) -> None:
    job = start(database, clock, file)
    with database.write() as connection:
        connection.execute(update(imports).values(rows_read=100))
    file.write_text(file.read_text().replace("2026", "2025"))

    with pytest.raises(InvalidInput, match="has changed"):
        read_import(database, clock, replace_rows(job), file)


def replace_rows(job: Import) -> Import:
    """The import as another process finds it, after a hundred rows."""
    return Import(
        **{name: getattr(job, name) for name in job.__struct_fields__} | {"rows_read": 100}
    )


def test_a_damaged_file_fails_after_the_rows_that_could_be_read(
    database: Database, clock: FixedClock, file: Path
) -> None:
    # The accent tells the encoding at once, so that nothing reads to the end before the import does.
    lines = [f"é{n},{random.Random(n).random()}" for n in range(60_000)]
    file.write_bytes(gzip.compress("\n".join(["order,at", *lines]).encode())[:-50_000])
    job = start(database, clock, file)

    with pytest.raises(InvalidInput, match=r"damaged after row \d"):
        read_import(database, clock, job, file)

    with database.read() as connection:
        failed = load_import(connection, SHOP, job.import_id)
    assert failed.state == "failed"
    assert "damaged" in failed.error
    assert failed.rows_read == source_balance(database).received > 0


def test_an_import_stops_before_the_disk_is_full(
    database: Database, clock: FixedClock, file: Path
) -> None:
    if database.path is None:
        pytest.skip("PostgreSQL's disk is not ours to measure")
    job = start(database, clock, file)

    with pytest.raises(DiskNearlyFull):
        read_import(database, clock, job, file, min_free_bytes=1 << 62)
    done = read_import(database, clock, start(database, clock, file), file)

    assert (done.import_id, done.rows_read) == (job.import_id, ROWS)


def test_an_import_is_done_when_its_last_row_has_left_the_inbox(
    database: Database, clock: FixedClock, file: Path
) -> None:
    job = read_import(database, clock, start(database, clock, file), file)
    with database.write() as connection:
        assert finish_imports(connection, SHOP, clock.now()) == 0
        connection.execute(delete(inbox))
        assert finish_imports(connection, SHOP, clock.now()) == 1
        assert load_import(connection, SHOP, job.import_id).state == "done"


@pytest.mark.parametrize("content", ["order,at\n", "order,at\n1\n2\n"])
def test_an_import_without_a_usable_row_is_done_at_once(
    database: Database, clock: FixedClock, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(content)

    job = read_import(database, clock, start(database, clock, path), path)

    assert (job.state, job.finished_at) == ("done", clock.now())
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(inbox)) == 0


@pytest.mark.parametrize(
    ("kind", "asked", "pairs", "message"),
    [
        ("orders", "shopify", [], "no Shopify export"),
        ("customers", "klaviyo", [], "no Klaviyo export"),
        ("events", None, PAIRS, "leave --map out"),
        ("events", "generic", [], "events come as segment"),
        ("orders", "generic", ["order_id=nr"], "no column nr"),
        ("customers", None, [], "which column is the email"),
    ],
)
def test_a_plan_that_does_not_fit_the_file_is_refused(
    file: Path, kind: str, asked: str | None, pairs: list[str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        plan_import(file, kind, asked, pairs)  # type: ignore[arg-type]


def test_the_preview_shows_the_beginning_and_a_guess(file: Path) -> None:
    seen = preview(file, "orders")

    assert (seen.header, seen.format, seen.delimiter, seen.encoding) == (
        *(("order", "at"), "generic"),
        *(",", "utf-8"),
    )
    assert seen.rows[:2] == (("1", "2026-01-31"), ("2", "2026-01-31"))
    assert seen.mapping == {"order_id": ("order",)}
