"""The revisions make exactly the tables that the code says, on both engines, however many run them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from customer360.migrations import HEAD, NewerDatabase, catalogue, configuration, revision, upgrade
from customer360.migrations.catalogue import metadata
from customer360.storage.database import Database

PACKAGE = Path(catalogue.__file__).parent.parent


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A profile store that the revisions have made."""
    with closing(Database(database_url)) as opened:
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """A profile store without tables."""
    with closing(Database(f"sqlite:///{tmp_path}/empty.sqlite")) as opened:
        yield opened


def test_the_revisions_make_the_tables(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_revisions_cluster_the_same_tables_by_key(empty: Database) -> None:
    """Alembic does not compare this: a table without rowid is stored in the order of its key."""
    upgrade(empty)
    with empty.read() as connection:
        made = {
            name: "WITHOUT ROWID" in sql.upper()
            for name, sql in connection.execute(
                text("select name, sql from sqlite_master where type = 'table'")
            )
        }
    for ours in ("alembic_version", "sqlite_stat1"):
        made.pop(ours)
    wanted = {
        table.name: table.dialect_options["sqlite"]["with_rowid"] is False
        for table in metadata.sorted_tables
    }
    assert made == wanted


def test_every_module_of_tables_is_in_the_catalogue() -> None:
    listed = {Path(str(module.__file__)) for module in catalogue.MODULES}
    assert listed == set(PACKAGE.rglob("tables.py"))


def test_every_column_says_what_an_erasure_does_with_it() -> None:
    unlabelled = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if column.info.get("personal") not in ("keep", "null", "delete")
    ]
    assert unlabelled == []


def test_every_table_of_a_shop_has_the_shop_first_in_its_key() -> None:
    """Users and their sign-ins belong to no shop; so does what joins them to an organisation."""
    keys = {table.name: [c.name for c in table.primary_key] for table in metadata.sorted_tables}
    shared = {name for name, key in keys.items() if key[0] != "shop_id"}
    assert shared == {
        "organisations",
        "organisation_members",
        "users",
        "sign_in_links",
        "sign_in_attempts",
        "web_sessions",
    }


def test_the_newest_revision_is_known_without_alembic(database: Database) -> None:
    with database.read() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        assert revision(connection) == HEAD
    assert scripts.get_heads() == [HEAD]


def test_an_upgrade_runs_once(empty: Database) -> None:
    assert upgrade(empty) is True
    assert upgrade(empty) is False


def test_an_upgrade_that_fails_leaves_nothing_behind(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    original = command.upgrade

    def fail_at_the_end(*arguments: Any) -> None:
        original(*arguments)
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(command, "upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError):
        upgrade(empty)
    with empty.read() as connection:
        assert inspect(connection).get_table_names() == []
    monkeypatch.undo()
    assert upgrade(empty) is True


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(NewerDatabase):
        upgrade(database)


UPGRADE = """
import sys
from customer360.migrations import upgrade
from customer360.storage.database import Database
print(upgrade(Database(sys.argv[1])))
"""


def upgraded_by_many(url: str) -> list[str]:
    """What three processes say that all upgrade the same database at once."""
    running = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate()[0].strip() for process in running]
    assert [process.returncode for process in running] == [0] * 3
    return sorted(answers)


def test_of_many_processes_on_a_new_file_one_upgrades(tmp_path: Path) -> None:
    answers = upgraded_by_many(f"sqlite:///{tmp_path}/new.sqlite")
    assert answers == ["False", "False", "True"]


def test_of_many_processes_on_a_new_postgresql_database_one_upgrades(postgres: Path) -> None:
    from tests.postgres import administrator, url_of

    with administrator(postgres) as connection:
        connection.execute("create database upgraded_by_many")
    answers = upgraded_by_many(url_of(postgres, "upgraded_by_many"))
    assert answers == ["False", "False", "True"]
