"""`c360 db`, `c360 backup`, `c360 restore`: the profile store itself."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import opened_database, read_settings
from customer360.cli.output import ask, size
from customer360.errors import Conflict, InvalidInput
from customer360.settings import Settings

if TYPE_CHECKING:
    from customer360.storage.database import Database

db = typer.Typer(help="The profile store's tables.", no_args_is_help=True)

# Few enough to draw a bar that moves, many enough that drawing it costs nothing: 16 MiB.
_PAGES_A_STEP = 4096


class NotSqlite(Conflict):
    """The profile store is PostgreSQL: back it up with `pg_dump --format=custom`, and restore it with
    `pg_restore --clean` and `c360 warehouse rebuild`."""


class NotABackup(InvalidInput):
    """This file is no whole backup of a profile store."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(db, name="db")
    app.command("backup")(backup)
    app.command("restore")(restore)


@db.callback()
def group() -> None:
    """The profile store's tables."""


@db.command("upgrade")
def upgrade() -> None:
    """Bring the tables to this version; every other command does so too."""
    from customer360.migrations import HEAD

    with opened_database(read_settings()) as database:
        typer.echo(f"The {database.dialect} profile store is at revision {HEAD}.")


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write the profile store to one file, while all goes on.

    The warehouse is not in it: it is made anew from the profile store.
    """
    settings = read_settings()
    if file.exists() and not overwrite:
        raise Conflict(f"{file} is there already; choose another name or add --overwrite.")
    with opened_database(settings) as database:
        source = _sqlite_path(database)
        partial = file.with_name(f"{file.name}.partial")
        _copy(source, partial, "Backing up")
    partial.replace(file)
    typer.echo(f"Wrote {file} ({size(file.stat().st_size)}).")
    typer.echo(
        "Keep the secret key apart from it: C360_SECRET_KEY, or secret.key in the data folder."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `c360 backup` wrote.", exists=True)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Replace the profile store by a backup."""
    from customer360.storage.database import Database

    settings = read_settings()
    _check_backup(file)
    # Not opened: what is replaced may be damaged, or of a newer version.
    with closing(Database(settings.resolved_database_url)) as database:
        path = _sqlite_path(database)
    ask(f"Replace everything in {path} by {file}?", yes=yes)
    _check_unused(path)
    partial = path.with_name(f"{path.name}.partial")
    _copy(file, partial, "Restoring")
    for log in ("-wal", "-shm"):
        path.with_name(path.name + log).unlink(missing_ok=True)
    partial.replace(path)
    _start_anew(settings)
    typer.echo(f"Restored {file}. The warehouse fills again when the worker runs.")


def _sqlite_path(database: Database) -> Path:
    if database.path is None:
        raise NotSqlite
    return database.path


def _check_backup(file: Path) -> None:
    """Read all of it before anything is replaced; raises NotABackup."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("select version_num from alembic_version").fetchone()
            verdict = connection.execute("pragma quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise NotABackup(f"{file} is no backup of a profile store ({error}).") from error
    if verdict != "ok":
        raise NotABackup(f"{file} is damaged: {verdict}.")


def _check_unused(path: Path) -> None:
    """Raises Conflict while another process has the database open."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            # Whoever has a database with a write-ahead log open holds a lock that this one excludes.
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("begin exclusive")
            connection.execute("rollback")
    except sqlite3.OperationalError as error:
        raise Conflict(
            f"{path} is in use ({error}); stop `c360 serve` and `c360 worker` first."
        ) from error
    except sqlite3.DatabaseError:
        return  # damaged: reason enough to replace it


def _copy(source: Path, target: Path, title: str) -> None:
    """Copy a database, as it is at one moment, into a new file that is its owner's alone."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as writing,
        typer.progressbar(length=1, label=title) as bar,
    ):
        # The open transaction pins the moment; without it every write would start the copy again.
        reading.execute("begin")
        reading.execute("select count(*) from sqlite_master").fetchone()
        reading.backup(writing, pages=_PAGES_A_STEP, progress=_mover(bar))
        # One file that needs no log beside it.
        writing.execute("pragma journal_mode = delete")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _mover(bar: Any) -> Callable[[int, int, int], None]:
    def move(_status: int, remaining: int, total: int) -> None:
        bar.length = max(total, 1)
        bar.update(total - remaining - bar.pos)

    return move


def _start_anew(settings: Settings) -> None:
    """Upgrade what an older version wrote, end the leases of then, and drop the warehouse of now."""
    from sqlalchemy import update

    from customer360.storage.metadata import shop_clock

    with opened_database(settings) as database, database.write() as connection:
        epoch = shop_clock.c.lease_epoch + 1
        connection.execute(
            update(shop_clock).values(synced=0, lease_epoch=epoch, lease_owner=None, lease_until=0)
        )
    for path in settings.warehouse_dir.glob("*.duckdb*"):
        path.unlink(missing_ok=True)
