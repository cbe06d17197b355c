"""How commands answer: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer


def print_json(value: Any) -> None:
    """JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


# Where a program or a file reads, no line is folded.
_UNFOLDED = 10_000


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table. A column whose name ends in "#" holds numbers, which stand to the right; what is in
    the first one, to be copied, stays whole in the narrowest terminal.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for index, column in enumerate(columns):
        table.add_column(
            column.removesuffix("#"),
            justify="right" if column.endswith("#") else "left",
            overflow="fold",
            min_width=max((cell_len(row[0]) for row in rows), default=None) if index == 0 else None,
        )
    for row in rows:
        # As text: a shop may have brackets in its name, which Rich would take for markup.
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else _UNFOLDED).print(table)


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, one a line, values in one column; long values stay whole, to be copied."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        typer.echo(f"{typer.style(name.ljust(width), bold=True)}  {value}")


def ask(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone; a program, which cannot answer, has decided already."""
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True)


def size(count: int) -> str:
    """Bytes, as people read them."""
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


@contextmanager
def progress_bar(name: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error; called with the stage, and how much of how much is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    # On standard error, so that standard output has the report alone.
    with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as progress:
        task = progress.add_task(name, total=None, done="")

        def show(stage: str, done: int, total: int) -> None:
            progress.update(
                task,
                description=f"{name}: {stage}",
                completed=done,
                total=total or None,
                done=f"{done:,}" if done and not total else "",
            )

        yield show
