"""Brings a profile store to the tables of this version, however old or new it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from customer360.errors import Conflict
from customer360.storage.database import Database
from customer360.storage.planner import teach_planner

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The newest revision; known without Alembic, whose import would make every command wait."""

# Any number does, as long as every process that upgrades takes the same.
_ADVISORY_LOCK = 360_360_360


class NewerDatabase(Conflict):
    """A newer version of Customer 360 made this database; install that one or restore a backup."""


def upgrade(database: Database) -> bool:
    """Run the revisions that the database lacks, in one transaction; says whether there were any.

    Safe when several processes start at once: one upgrades, the others wait and find nothing to do.
    """
    with database.read() as connection:
        if revision(connection) == HEAD:
            return False
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
        if revision(connection) == HEAD:
            return False
        _run(connection)
        if database.dialect == "sqlite":
            teach_planner(connection)
    return True


def revision(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def configuration(connection: Connection) -> Config:
    """Alembic's configuration; there is no alembic.ini, so an installed package can upgrade too."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise NewerDatabase from error
        raise
