"""The command line explains itself, quickly, and the documents say the same."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from customer360.cli import app, create_app
from customer360.cli.settings import markdown
from customer360.settings import Settings, variable_of
from tests.cli.conftest import Run

DOCS = Path(__file__).parents[2] / "docs"

# Each of these costs more than the whole help may.
SLOW = ("alembic", "argon2", "babel", "cryptography", "duckdb", "fastapi", "httpx", "numpy")
SLOW += ("phonenumbers", "pyarrow", "pydantic", "scipy", "sqlalchemy", "sqlglot", "uvicorn")


def commands(group: Any, path: str = "c360") -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


COMMANDS = dict(commands(get_command(app)))


def section(title: str) -> str:
    """A command's section of docs/commands.md."""
    _, _, rest = (DOCS / "commands.md").read_text().partition(f"\n### `{title}`\n")
    return rest.partition("\n##")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_its_options(name: str) -> None:
    text = section(name)
    assert text, f"docs/commands.md has no section ### `{name}`"
    for parameter in COMMANDS[name].params:
        if parameter.name != "help" and not getattr(parameter, "hidden", False):
            word = (
                parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name.upper()
            )
            assert word in text, f"{name}: {word}"


def test_no_command_is_documented_that_is_not_there() -> None:
    lines = (DOCS / "commands.md").read_text().splitlines()
    titles = {line.split("`")[1] for line in lines if line.startswith("### `")}
    assert titles <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_have_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "hidden", False) or parameter.help, parameter.name


def test_the_settings_page_is_the_settings() -> None:
    assert (DOCS / "settings.md").read_text() == markdown(), "c360 settings --markdown prints it"
    for field in fields(Settings):
        assert f"`{variable_of(field.name)}`" in markdown()


def test_the_help_loads_nothing_slow() -> None:
    code = "import sys, customer360.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "typer" in loaded
    assert set(loaded).isdisjoint(SLOW)


def test_no_arguments_show_the_commands(c360: Run) -> None:
    told = c360(code=2).output
    assert all(name.split()[1] in told for name in COMMANDS)


def test_a_mistyped_command_says_what_may_be_meant(c360: Run) -> None:
    assert "status" in c360("statsu", code=2).stderr


def test_an_error_that_is_not_ours_shows_its_traceback(
    c360: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customer360.cli.status.read_settings", lambda: 1 / 0)
    assert isinstance(c360("status", code=1).exception, ZeroDivisionError)


def test_a_misspelt_module_of_commands_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customer360.cli.MODULES", ("serverr",))
    with pytest.raises(ModuleNotFoundError, match="serverr"):
        create_app()
