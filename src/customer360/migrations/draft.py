"""Writes the next revision: what the tables say and the newest one does not yet. For developers.

    python -m customer360.migrations.draft "Add segments"     the next revision
    python -m customer360.migrations.draft --first            0001 again, until it is released

Read what it wrote, set `HEAD` in migrations/__init__.py, and run the tests of tests/migrations.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import Connection

from customer360.migrations import HEAD, configuration, upgrade
from customer360.storage.database import Database

VERSIONS = Path(__file__).parent / "versions"
FIRST = "0001"


def draft(message: str, *, first: bool = False) -> Path:
    """Write a revision against a SQLite database at the newest one (or none); returns its path."""
    if first:
        for path in VERSIONS.glob(f"{FIRST}_*.py"):
            path.unlink()
    with (
        TemporaryDirectory() as folder,
        closing(Database(f"sqlite:///{folder}/draft.sqlite")) as database,
    ):
        if not first:
            upgrade(database)
        with database.write() as connection:
            path = _write(connection, message, FIRST if first else f"{int(HEAD) + 1:04d}")
    _tidy(path)
    return path


def _write(connection: Connection, message: str, number: str) -> Path:
    config = configuration(connection)
    config.attributes["alters"] = number != FIRST
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")
    config.set_main_option("file_template", f"{number}_{slug}")
    command.revision(config, message, autogenerate=True, rev_id=number)
    return VERSIONS / f"{number}_{slug}.py"


def _tidy(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith("# ###")))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)


if __name__ == "__main__":
    argument = " ".join(sys.argv[1:])
    if not argument:
        sys.exit(__doc__)
    wanted = draft("Spine", first=True) if argument == "--first" else draft(argument)
    sys.stdout.write(f"{wanted}\n")
