"""The command line on a data folder of the test's own."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from customer360.cli import app
from customer360.storage.database import Database

Run = Callable[..., Result]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of an installation that has not started yet."""
    folder = tmp_path / "data"
    monkeypatch.setenv("C360_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def c360(data_dir: Path) -> Run:
    """Runs a command in this process and returns what it said."""

    def run(*arguments: str, answers: str | None = None, code: int = 0) -> Result:
        result = CliRunner().invoke(app, arguments, input=answers)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def shop(c360: Run) -> dict[str, str]:
    """A shop, as `c360 shop create --json` tells of it."""
    return create_shop(c360)


def create_shop(c360: Run, name: str = "Harbour Tea") -> dict[str, str]:
    """One more shop."""
    arguments = ["--name", name, "--currency", "EUR", "--country", "IE"]
    arguments += ["--timezone", "Europe/Dublin"]
    made: dict[str, str] = json.loads(c360("shop", "create", *arguments, "--json").stdout)
    return made


def said(result: Result) -> Any:
    """The JSON that a command printed."""
    return json.loads(result.stdout)


@pytest.fixture
def database(data_dir: Path) -> Iterator[Database]:
    """The profile store that the commands work on."""
    with closing(Database(f"sqlite:///{data_dir}/customer360.sqlite")) as opened:
        yield opened
