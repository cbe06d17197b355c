"""DuckDB as an engine: one locked-down file per shop, opened when asked, replaced as a whole."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from customer360.errors import QueryTooLong, Unavailable, WarehouseBusy
from customer360.storage.engines.duckdb import DuckDBEngine, DuckDBOptions
from customer360.storage.engines.engine import Engine, Transaction

SHOP = 42


def prepare(transaction: Transaction) -> None:
    transaction.execute("create table if not exists facts (id bigint, word varchar)")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with closing(DuckDBEngine(tmp_path / "warehouse", prepare)) as engine:
        yield engine


def put(engine: Engine, *ids: int, shop_id: int = SHOP) -> None:
    with engine.transaction(shop_id) as transaction:
        words = [f"word {one}" for one in ids]
        rows = pa.table({"word": words, "id": pa.array(ids, pa.int64())})
        transaction.append("facts", rows)


def ids(engine: Engine, shop_id: int = SHOP) -> list[int]:
    found = engine.query(shop_id, "select id from facts order by id")
    return list(found.column("id").to_pylist())


def test_an_engine_meets_the_port(engine: DuckDBEngine) -> None:
    port: Engine = engine
    put(port, 2, 1)
    assert ids(port) == [1, 2]


def test_rows_are_matched_by_column_name_and_deleted_by_key(engine: DuckDBEngine) -> None:
    put(engine, 1, 2, 3)
    with engine.transaction(SHOP) as transaction:
        transaction.delete("facts", "id", pa.array([1, 3, 99], pa.int64()))
    found = engine.query(SHOP, "select id, word from facts").to_pylist()
    assert found == [{"id": 2, "word": "word 2"}]


def test_values_are_bound_by_place_and_by_name(engine: DuckDBEngine) -> None:
    put(engine, 1, 2, 3)
    by_place = engine.query(SHOP, "select id from facts where id > ? and word = ?", [1, "word 3"])
    by_name = engine.query(
        SHOP, "select id from facts where id in (select unnest($ids))", {"ids": [1]}
    )
    assert by_place.column("id").to_pylist() == [3]
    assert by_name.column("id").to_pylist() == [1]


def test_the_order_that_a_query_asks_for_is_kept(engine: DuckDBEngine) -> None:
    put(engine, *range(5000))
    found = engine.query(SHOP, "select id from facts order by id desc limit 3 offset 1")
    assert found.column("id").to_pylist() == [4998, 4997, 4996]


def test_a_transaction_that_fails_leaves_nothing(engine: DuckDBEngine) -> None:
    put(engine, 1)

    def fail() -> None:
        with engine.transaction(SHOP) as transaction:
            transaction.execute("delete from facts")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ids(engine) == [1]
    put(engine, 2)
    assert ids(engine) == [1, 2]


def test_a_query_cannot_change_anything(engine: DuckDBEngine) -> None:
    put(engine, 1)
    for sql in ("delete from facts", "select 1; delete from facts", "create table more (id int)"):
        with pytest.raises(duckdb.Error):
            engine.query(SHOP, sql)
    assert ids(engine) == [1]


def test_a_query_sees_one_snapshot_while_others_write(engine: DuckDBEngine) -> None:
    put(engine, 1)
    with engine.transaction(SHOP) as transaction:
        transaction.append("facts", pa.table({"id": [2], "word": ["two"]}))
        assert ids(engine) == [1]
    assert ids(engine) == [1, 2]


@pytest.mark.parametrize(
    "sql",
    [
        "select content from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "copy (select 1) to '/tmp/customer360-leak.csv'",
        "attach '/tmp/customer360-other.duckdb' as other",
        "export database '/tmp/customer360-leak'",
        "install httpfs",
        "load httpfs",
        "install h3 from community",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset allowed_directories",
        "set memory_limit = '100GB'",
    ],
)
def test_a_file_is_locked_down(engine: DuckDBEngine, sql: str) -> None:
    with pytest.raises(duckdb.Error), engine.transaction(SHOP) as transaction:
        transaction.execute(sql)
    with pytest.raises(duckdb.Error):
        engine.query(SHOP, sql)


def test_a_query_cannot_name_a_variable_of_the_program(engine: DuckDBEngine) -> None:
    name = "python_enable_replacements"
    found = engine.query(SHOP, "select value from duckdb_settings() where name = ?", [name])
    assert found.column("value").to_pylist() == ["false"]


def test_one_shop_cannot_read_the_file_of_another(engine: DuckDBEngine, tmp_path: Path) -> None:
    put(engine, 1, shop_id=1)
    put(engine, 2, shop_id=2)
    other = tmp_path / "warehouse" / "2.duckdb"
    for sql in (f"select * from read_blob('{other}')", f"attach '{other}' as other"):
        with pytest.raises(duckdb.Error), engine.transaction(1) as transaction:
            transaction.execute(sql)


def test_what_does_not_fit_in_memory_is_sorted_on_disk(tmp_path: Path) -> None:
    options = DuckDBOptions(memory_mib=60, threads=1)
    with closing(DuckDBEngine(tmp_path, options=options)) as engine:
        found = engine.query(
            SHOP,
            "select count(*) as n from (select hash(i)::varchar || repeat('x', 60) as word"
            " from range(1_500_000) as numbers (i) order by word)",
        )
    assert found.column("n").to_pylist() == [1_500_000]


def test_what_a_session_keeps_is_its_own(engine: DuckDBEngine) -> None:
    put(engine, 1, 2, 3)
    with engine.session(SHOP) as session:
        session.keep("found", "select id from facts where id > ?", [1])
        session.keep("found", "select max(id) as id from found")
        assert session.query("select id from found").to_pylist() == [{"id": 3}]
    with pytest.raises(duckdb.CatalogException):
        engine.query(SHOP, "select id from found")


def test_a_question_that_takes_too_much_memory_is_told_apart(tmp_path: Path) -> None:
    sql = "select list(hash(i)) as all from range(20_000_000) as numbers (i)"
    options = DuckDBOptions(memory_mib=30, threads=1)
    with (
        closing(DuckDBEngine(tmp_path, options=options)) as engine,
        engine.session(SHOP) as session,
        pytest.raises(Unavailable, match="memory"),
    ):
        session.keep("hashes", sql)


def test_a_question_that_takes_too_long_ends_and_the_next_is_answered(tmp_path: Path) -> None:
    endless = "select max(hash(i)) as found from range(1_000_000_000_000) as numbers (i)"
    options = DuckDBOptions(query_seconds=0.2)
    with closing(DuckDBEngine(tmp_path, options=options)) as engine:
        with pytest.raises(QueryTooLong):
            engine.query(SHOP, endless)
        with engine.session(SHOP) as session, pytest.raises(QueryTooLong):
            session.keep("found", endless)
        assert engine.query(SHOP, "select 1 as n").to_pylist() == [{"n": 1}]


def test_the_session_is_in_utc(engine: DuckDBEngine) -> None:
    found = engine.query(SHOP, "select current_setting('TimeZone') as zone")
    assert found.column("zone").to_pylist() == ["UTC"]


def test_a_file_that_another_process_holds_is_busy(engine: DuckDBEngine, tmp_path: Path) -> None:
    put(engine, 1)
    engine.close()
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    path = tmp_path / "warehouse" / f"{SHOP}.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", script, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(WarehouseBusy):
            ids(engine)
        with pytest.raises(WarehouseBusy), engine.rebuilding(SHOP):
            pass
        other.communicate(b"")
    assert ids(engine) == [1]


def test_two_engines_in_one_process_do_not_share_a_file(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    put(engine, 1)
    different = DuckDBOptions(threads=1)
    with (
        closing(DuckDBEngine(tmp_path / "warehouse", options=different)) as second,
        pytest.raises(WarehouseBusy),
    ):
        ids(second)


def test_a_draft_takes_the_place_of_the_old_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    put(engine, 1)
    with engine.rebuilding(SHOP) as draft:
        with draft.transaction() as transaction:
            transaction.append("facts", pa.table({"id": [7], "word": ["seven"]}))
        assert ids(engine) == [1], "the old file answers until the new one is complete"
    assert ids(engine) == [7]
    put(engine, 8)
    engine.close()
    assert ids(engine) == [7, 8]
    files = sorted(path.name for path in (tmp_path / "warehouse").iterdir())
    assert files == [f"{SHOP}.duckdb", f"{SHOP}.tmp"]


def test_a_draft_that_fails_leaves_the_old_file(engine: DuckDBEngine, tmp_path: Path) -> None:
    put(engine, 1)

    def fail() -> None:
        with engine.rebuilding(SHOP) as draft:
            with draft.transaction() as transaction:
                transaction.execute("delete from facts")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ids(engine) == [1]
    assert not list((tmp_path / "warehouse").glob("*.new.*"))


def test_a_damaged_file_can_be_rebuilt(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "warehouse" / f"{SHOP}.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(duckdb.Error):
        ids(engine)
    with engine.rebuilding(SHOP) as draft, draft.transaction() as transaction:
        transaction.append("facts", pa.table({"id": [1], "word": ["one"]}))
    assert ids(engine) == [1]


def test_a_rebuild_waits_for_the_questions_under_way(engine: DuckDBEngine) -> None:
    put(engine, *range(100))
    answers: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found = engine.query(SHOP, "select count(*) as n from facts, range(2000)")
            answers.append(found.column("n").to_pylist()[0])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for size in (10, 20, 30):
        with engine.rebuilding(SHOP) as draft, draft.transaction() as transaction:
            rows = pa.table({"id": list(range(size)), "word": [""] * size})
            transaction.append("facts", rows)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200_000, 20_000, 40_000, 60_000}
    assert ids(engine) == list(range(30))


def test_deleting_a_shop_removes_its_files_and_no_others(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    put(engine, 1, shop_id=1)
    put(engine, 2, shop_id=2)
    engine.delete(1)
    engine.delete(1)
    assert [path.name for path in (tmp_path / "warehouse").glob("1.*")] == []
    assert ids(engine, 2) == [2]
    assert ids(engine, 1) == []


def test_a_shop_says_how_large_it_is(engine: DuckDBEngine) -> None:
    assert engine.size_bytes(SHOP) == 0
    put(engine, 1)
    assert engine.size_bytes(SHOP) > 1000


def test_a_rest_empties_the_log_and_closes_what_was_long_unused(tmp_path: Path) -> None:
    now = [0.0]
    engine = DuckDBEngine(
        tmp_path, prepare, options=DuckDBOptions(idle_seconds=60), monotonic=lambda: now[0]
    )
    log = tmp_path / f"{SHOP}.duckdb.wal"
    with closing(engine):
        put(engine, 1)
        assert log.stat().st_size > 0
        engine.rest()
        assert not log.exists() or log.stat().st_size == 0
        assert opened_by_this_process(tmp_path)
        now[0] = 61
        engine.rest()
        assert not opened_by_this_process(tmp_path)
        assert ids(engine) == [1]


def test_forty_shops_share_a_few_open_files(tmp_path: Path) -> None:
    options = DuckDBOptions(open_files=8, threads=1)
    with closing(DuckDBEngine(tmp_path, prepare, options=options)) as engine:
        for shop_id in range(1, 41):
            put(engine, shop_id, shop_id=shop_id)
            assert len(opened_by_this_process(tmp_path)) <= 8
        for shop_id in range(1, 41, 3):
            assert ids(engine, shop_id) == [shop_id]


def test_many_threads_ask_and_write_at_once(tmp_path: Path) -> None:
    options = DuckDBOptions(open_files=2, threads=1)
    with closing(DuckDBEngine(tmp_path, prepare, options=options)) as engine:

        def work(number: int) -> None:
            for step in range(10):
                put(engine, number * 100 + step, shop_id=step % 4)
                ids(engine, (step + number) % 4)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = sorted(one for shop_id in range(4) for one in ids(engine, shop_id))
    assert kept == sorted(number * 100 + step for number in range(6) for step in range(10))


def opened_by_this_process(folder: Path) -> set[str]:
    opened = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith(".duckdb"):
            opened.add(target)
    return opened
