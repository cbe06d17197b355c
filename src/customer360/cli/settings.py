"""`c360 settings`: every setting, what it is now and why it is there."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, NamedTuple

import typer

from customer360.cli.opening import JsonOption
from customer360.cli.output import print_json, print_table
from customer360.settings import Settings, variable_of

_SECRET = frozenset({"secret_key"})


class Entry(NamedTuple):
    """One setting, as people read it."""

    variable: str
    value: str
    default: str
    reason: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("settings")(show)


def show(
    as_json: JsonOption = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/settings.md.")
    ] = False,
) -> None:
    """Show every C360_* variable, its value and its reason."""
    if as_markdown:
        typer.echo(markdown(), nl=False)
        return
    entries = described(Settings.from_environment())
    if as_json:
        print_json([entry._asdict() for entry in entries])
    else:
        print_table(("variable", "value", "default", "what it is"), entries)


def described(settings: Settings) -> list[Entry]:
    """Every setting in the order of `Settings`; what may hold a password shows none."""
    return [
        Entry(
            variable_of(field.name),
            _shown(field.name, getattr(settings, field.name)),
            str(field.default),
            field.metadata["doc"],
        )
        for field in fields(settings)
    ]


def markdown() -> str:
    """The page docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Customer 360 reads its settings once, when it starts, from these environment variables.",
        "`c360 settings` shows the values in force. This page is printed by",
        "`c360 settings --markdown`; a test compares the two.",
        "",
        "| Variable | Default | What it is |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{entry.variable}` | {f'`{entry.default}`' if entry.default else 'empty'} | {entry.reason} |"
        for entry in described(Settings())
    ]
    return "\n".join(lines) + "\n"


def _shown(name: str, value: Any) -> str:
    if name in _SECRET:
        return "(hidden)" if value else ""
    if name.endswith("_url") and "@" in str(value):
        from sqlalchemy.engine import make_url

        return make_url(value).render_as_string(hide_password=True)
    return str(value)
