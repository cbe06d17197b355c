"""`c360 settings`, `db`, `status`, `dead-letters`, `backup` and `restore`."""

import os
import socket
import sqlite3
import stat
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import select, update

from customer360.access.shops import create_shop as create_shop_row
from customer360.access.tables import shops
from customer360.clock import MINUTE, SystemClock
from customer360.intake.balance import add_counts
from customer360.intake.tables import dead_letters, inbox
from customer360.settings import Settings, variable_of
from customer360.storage.database import Database
from customer360.storage.metadata import shop_clock
from tests.cli.conftest import Run, create_shop, said


def test_every_setting_is_shown_and_no_secret(c360: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C360_SECRET_KEY", "hush-hush")
    monkeypatch.setenv("C360_DATABASE_URL", "postgresql://ann:hush-hush@db/c360")
    listed = said(c360("settings", "--json"))
    assert [row["variable"] for row in listed] == [variable_of(f.name) for f in fields(Settings)]
    values = {row["variable"]: row["value"] for row in listed}
    assert values["C360_SECRET_KEY"] == "(hidden)"
    assert values["C360_DATABASE_URL"] == "postgresql://ann:***@db/c360"
    assert "hush-hush" not in c360("settings").stdout


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("C360_PORT", "http", "C360_PORT must be a whole number"),
        ("C360_BATCH_EVENTS", "0", "C360_BATCH_EVENTS must be from 1"),
        ("C360_LOG_LEVEL", "bogus", "C360_LOG_LEVEL must be one of"),
        ("C360_WAREHOUSE_URL", "spark://nowhere:7077", "C360_WAREHOUSE_URL must be empty"),
        ("C360_DATABASE_URL", "mysql://x/y", "C360_DATABASE_URL"),
        ("C360_DATABASE_URL", "nonsense", "C360_DATABASE_URL"),
    ],
)
def test_a_setting_that_cannot_be_is_told_by_name(
    c360: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert told in c360("status", code=2).stderr


def test_a_database_that_does_not_answer_is_told_in_one_line(
    c360: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C360_DATABASE_URL", "postgresql://ann:hush@127.0.0.1:1/c360")
    result = c360("status", code=1)
    assert "C360_DATABASE_URL" in result.stderr
    assert "hush" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_damaged_store_is_told_with_a_way_on(
    c360: Run, data_dir: Path, shop: dict[str, str]
) -> None:
    (data_dir / "customer360.sqlite").write_bytes(b"\x00nonsense" * 1000)
    result = c360("status", code=1)
    assert "c360 restore" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_data_folder_that_cannot_be_made_is_told(
    c360: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("C360_DATA_DIR", str(tmp_path / "file" / "data"))
    assert "C360_DATA_DIR" in c360("status", code=1).stderr


def test_the_data_folder_is_its_owners_alone(c360: Run, data_dir: Path) -> None:
    c360("db", "upgrade")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_an_upgrade_says_where_it_is_and_may_be_repeated(c360: Run) -> None:
    assert c360("db", "upgrade").stdout == c360("db", "upgrade").stdout
    assert "revision" in c360("db", "upgrade").stdout


def test_the_commands_work_on_postgresql_too(
    c360: Run, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    url = postgresql_url.replace("postgresql+psycopg://", "postgresql://")
    monkeypatch.setenv("C360_DATABASE_URL", url)
    made = create_shop(c360)
    answer = said(c360("status", "--json"))
    assert answer["database"] == "postgresql"
    assert [row["shop_id"] for row in answer["shops"]] == [made["shop_id"]]
    assert "pg_dump" in c360("backup", "copy", code=1).stderr
    c360("shop", "delete", "--shop", made["shop_id"])


def signal(table_id: str, shop_id: str, received_at: int) -> dict[str, object]:
    """A row for the inbox or for the dead letters."""
    return {
        "shop_id": int(shop_id),
        table_id: 1,
        "source": "segment",
        "trust": 1,
        "rank": 1,
        "received_at": received_at,
        "body": b"{",
    }


def test_the_status_of_an_empty_installation_says_what_to_do(c360: Run) -> None:
    assert "c360 shop create" in c360("status").stdout
    answer = said(c360("status", "--json"))
    assert (answer["shops"], answer["worker_running"]) == ([], False)


def test_the_status_tells_what_waits_and_what_was_rejected(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    now, shop_id = SystemClock().now(), int(shop["shop_id"])
    with database.write() as connection:
        connection.execute(
            inbox.insert().values(signal("inbox_id", shop["shop_id"], now - 2 * MINUTE))
        )
        letter = signal("dead_letter_id", shop["shop_id"], now)
        connection.execute(
            dead_letters.insert().values(
                **letter, failed_at=now, reason="malformed_json", detail="at 1", attempts=1
            )
        )
        counts = {
            (shop_id, "segment", "received", ""): 5,
            (shop_id, "segment", "stored", ""): 3,
            (shop_id, "segment", "rejected", "malformed_json"): 1,
        }
        add_counts(connection, counts, now)
        connection.execute(update(shop_clock).values(change=7, synced=4))

    (row,) = said(c360("status", "--json"))["shops"]

    assert row["balance"] == {
        "received": 5,
        "stored": 3,
        "duplicate": 0,
        "rejected": {"malformed_json": 1},
        "waiting": 1,
    }
    assert row["balance_holds"] is True
    assert (row["dead_letters"], row["changes_to_sync"]) == (1, 3)
    assert 120 <= row["oldest_waiting_seconds"] < 180
    told = c360("status").stdout
    assert "received 5 = stored 3 + duplicate 0 + rejected 1 + waiting 1" in told
    assert "the warehouse lacks 3 changes" in told


def test_dead_letters_are_listed_and_replayed(
    c360: Run, database: Database, shop: dict[str, str]
) -> None:
    now = SystemClock().now()
    with database.write() as connection:
        letter = signal("dead_letter_id", shop["shop_id"], now)
        connection.execute(
            dead_letters.insert().values(
                **letter, failed_at=now, reason="malformed_json", detail="at 1", attempts=1
            )
        )
    (listed,) = said(c360("dead-letters", "list", "--json"))
    assert (listed["reason"], listed["excerpt"], listed["id"]) == ("malformed_json", "{", "1")
    assert said(c360("dead-letters", "list", "--json", "--reason", "other")) == []

    c360("dead-letters", "replay", "--id", "1", code=2)
    c360("dead-letters", "replay", "--shop", shop["shop_id"], "--id", "x", code=2)
    c360("dead-letters", "replay", "--shop", shop["shop_id"], "--id", "2", code=1)
    c360("dead-letters", "replay", "--shop", shop["shop_id"], "--id", "1")

    assert "no dead letters" in c360("dead-letters", "list").stdout
    with database.read() as connection:
        assert connection.execute(select(inbox.c.body)).scalar_one() == b"{"


def test_an_event_over_the_limit_is_not_replayed(
    c360: Run, database: Database, shop: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = SystemClock().now()
    with database.write() as connection:
        letter = signal("dead_letter_id", shop["shop_id"], now) | {"body": b"x" * 40_000}
        connection.execute(
            dead_letters.insert().values(
                **letter, failed_at=now, reason="too_large", detail="", attempts=0
            )
        )
    assert "1 stays, larger than C360_MAX_EVENT_BYTES" in c360("dead-letters", "replay").stdout
    one = ["dead-letters", "replay", "--shop", shop["shop_id"], "--id", "1"]
    assert "raise the limit" in c360(*one, code=1).stderr
    monkeypatch.setenv("C360_MAX_EVENT_BYTES", "40000")
    assert "1 dead letter waits" in c360(*one).stdout


def test_a_backup_brings_back_what_was_there_and_nothing_else(
    c360: Run, data_dir: Path, tmp_path: Path, shop: dict[str, str]
) -> None:
    file = tmp_path / "copy.c360"
    c360("backup", str(file))
    create_shop(c360, "Harbour Coffee")
    warehouse = data_dir / "warehouse"
    warehouse.mkdir(exist_ok=True)
    (warehouse / "1.duckdb").touch()

    c360("restore", str(file))

    assert [row["shop_id"] for row in said(c360("shop", "list", "--json"))] == [shop["shop_id"]]
    assert list(warehouse.iterdir()) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.c360"]


def test_a_backup_replaces_no_file_unasked(c360: Run, tmp_path: Path, shop: dict[str, str]) -> None:
    file = tmp_path / "precious"
    file.write_text("do not lose me")
    assert "--overwrite" in c360("backup", str(file), code=1).stderr
    assert file.read_text() == "do not lose me"
    c360("backup", str(file), "--overwrite")
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_a_backup_is_the_moment_it_began_whoever_writes_meanwhile(
    c360: Run,
    database: Database,
    tmp_path: Path,
    shop: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = 0

    def write(*_progress: int) -> None:
        nonlocal written
        written += 1
        if written <= 20:
            with database.write() as connection:
                create_shop_row(
                    connection, name="Tea", currency="EUR", timezone="UTC", country="IE", now=0
                )

    monkeypatch.setattr("customer360.cli.database._PAGES_A_STEP", 1)
    monkeypatch.setattr("customer360.cli.database._mover", lambda _bar: write)

    c360("backup", str(tmp_path / "copy"))

    assert written > 20
    with closing(sqlite3.connect(tmp_path / "copy")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from shops").fetchone() == (1,)


@pytest.mark.parametrize("damage", ["truncated", "text", "another database"])
def test_what_is_no_backup_replaces_nothing(
    c360: Run, database: Database, tmp_path: Path, shop: dict[str, str], damage: str
) -> None:
    file = tmp_path / "copy"
    if damage == "truncated":
        c360("backup", str(file))
        os.truncate(file, file.stat().st_size // 2)
    elif damage == "text":
        file.write_text("not a database" * 100)
    else:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("create table t (a)")
    assert c360("restore", str(file), code=2).stderr.startswith("Error: ")
    with database.read() as connection:
        assert connection.execute(select(shops.c.name)).scalar_one() == "Harbour Tea"


def test_nothing_is_restored_while_the_store_is_in_use(
    c360: Run, database: Database, tmp_path: Path, shop: dict[str, str]
) -> None:
    c360("backup", str(tmp_path / "copy"))
    with database.read():
        assert "stop" in c360("restore", str(tmp_path / "copy"), code=1).stderr
    # A server between two requests has nothing open but its connections.
    assert "stop" in c360("restore", str(tmp_path / "copy"), code=1).stderr
    database.close()
    c360("restore", str(tmp_path / "copy"))


@pytest.mark.parametrize("damage", ["missing", "overwritten", "newer"])
def test_a_store_that_no_other_command_can_open_is_restored(
    c360: Run, data_dir: Path, tmp_path: Path, shop: dict[str, str], damage: str
) -> None:
    c360("backup", str(tmp_path / "copy"))
    path = data_dir / "customer360.sqlite"
    if damage == "missing":
        path.unlink()
    elif damage == "overwritten":
        path.write_bytes(b"\x00nonsense" * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("update alembic_version set version_num = '9999'")

    c360("restore", str(tmp_path / "copy"))

    assert [row["shop_id"] for row in said(c360("shop", "list", "--json"))] == [shop["shop_id"]]


def test_a_worker_that_listens_is_running(c360: Run, data_dir: Path) -> None:
    path = Settings.from_environment().socket_path
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as worker:
        worker.bind(str(path))
        worker.listen()
        assert said(c360("status", "--json"))["worker_running"] is True
    assert said(c360("status", "--json"))["worker_running"] is False


def test_a_restored_store_fences_the_leases_of_its_time(
    c360: Run, database: Database, tmp_path: Path, shop: dict[str, str]
) -> None:
    with database.write() as connection:
        connection.execute(
            update(shop_clock).values(lease_epoch=3, lease_owner=9, lease_until=10**18, synced=5)
        )
    c360("backup", str(tmp_path / "copy"))
    database.close()
    c360("restore", str(tmp_path / "copy"))
    with database.read() as connection:
        row = connection.execute(select(shop_clock)).one()
    assert (row.lease_epoch, row.lease_owner, row.lease_until, row.synced) == (4, None, 0, 0)
