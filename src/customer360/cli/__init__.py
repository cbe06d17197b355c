"""The `c360` command: a registry of the modules that add commands, and errors told in one line."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from customer360.errors import Customer360Error, InvalidInput

# In the order of the help. Each has `register(app)` and imports what is slow inside its commands.
MODULES = (
    "demo",
    "server",
    "shops",
    "users",
    "imports",
    "dead_letters",
    "duplicates",
    "enrich",
    "identities",
    "explain",
    "segments",
    "warehouse",
    "status",
    "database",
    "settings",
    "bench",
)


class Commands(TyperGroup):
    """Tells an error of ours in one line, without a traceback: 2 when the input was wrong, else 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; anything that is not ours remains a bug and shows its traceback."""
        try:
            return super().invoke(ctx)
        except Customer360Error as error:
            typer.secho(f"Error: {' '.join(str(error).split())}", err=True, fg="red")
            raise typer.Exit(2 if isinstance(error, InvalidInput) else 1) from error


def create_app() -> typer.Typer:
    """The command line with every command of this installation."""
    made = typer.Typer(
        name="c360",
        cls=Commands,
        help="Customer 360: one profile per person, from every signal of your shop.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in MODULES:
        import_module(f"{__name__}.{name}").register(made)
    return made


app = create_app()


def main() -> None:
    """Entry point of the `c360` program."""
    app()
