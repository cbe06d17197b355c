"""`c360 demo`: a sample shop through the real pipeline, then the server."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from customer360.cli.opening import opened_app, opened_database, read_settings
from customer360.settings import Settings

if TYPE_CHECKING:
    from customer360.demo.shop import DemoShop, Progress


_NEVER_MS = 24 * 3600 * 1000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    customers: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many to invent.")
    ] = 2000,
    port: Annotated[int | None, typer.Option(help="Port; C360_PORT. 0 takes a free one.")] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the sign-in link; open no browser.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another number invents another shop.")] = 1,
) -> None:
    """Make a sample shop through the real pipeline, serve it and sign you in.

    A second run finds the shop and serves it again.
    """
    from customer360.cli.server import run_server

    settings = read_settings()
    settings = replace(settings, port=settings.port if port is None else port)
    found = _shop(settings, customers, seed)
    if not found.complete:
        _fill(settings, found)
    path = _sign_in_path(settings, found)
    run_server(settings, with_worker=True, ready=lambda address: _show(address + path, no_open))


def _shop(settings: Settings, customers: int, seed: int) -> DemoShop:
    from customer360.clock import SystemClock
    from customer360.demo.history import Plan
    from customer360.demo.shop import find_or_make
    from customer360.values import counted

    wanted = Plan(SystemClock().now(), customers, seed)
    with opened_database(settings) as database, database.write() as connection:
        found = find_or_make(connection, wanted)
    if found.complete and (found.plan.customers, found.plan.seed) != (customers, seed):
        typer.echo(
            f"{found.shop.name} is here already, with {counted(found.plan.customers, 'customer')};"
            f" to make another, first: c360 shop delete --shop {found.shop.shop_id}"
        )
    return found


def _fill(settings: Settings, found: DemoShop) -> None:
    from customer360.demo.shop import fill
    from customer360.values import counted

    typer.echo(f"Inventing {counted(found.plan.customers, 'customer')} of {found.shop.name} …")
    # Nobody looks at the shop before it is complete, so the warehouse is filled once, in the end.
    settings = replace(settings, sync_interval_ms=_NEVER_MS)
    with opened_app("cli", settings) as app, _bars() as progress:
        fill(app, found, progress)


def _sign_in_path(settings: Settings, found: DemoShop) -> str:
    from customer360.clock import SystemClock
    from customer360.demo.shop import sign_in_path

    with opened_database(settings) as database, database.write() as connection:
        return sign_in_path(connection, found.shop, SystemClock().now())


@contextmanager
def _bars() -> Iterator[Progress]:
    """One progress bar for each step."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description:16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("signals"),
        TimeElapsedColumn(),
    )
    steps: dict[str, TaskID] = {}
    with Progress(*columns) as bars:

        def show(step: str, done: int, total: int) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step)
            bars.update(steps[step], completed=done, total=total)

        yield show


def _show(link: str, no_open: bool) -> None:
    typer.echo(f"\nSigned in through this link, which works once and within a day:\n{link}\n")
    typer.echo("Ctrl-C stops the server; `c360 demo` starts it again.")
    if not no_open and _has_screen():
        webbrowser.open(link)


def _has_screen() -> bool:
    """Without one, only a text browser could open, in the middle of our output."""
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
