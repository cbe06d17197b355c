"""`c360 duplicates`: look for profiles that may be one person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shops,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json
from customer360.errors import ScanUnderWay
from customer360.settings import Settings

if TYPE_CHECKING:
    from customer360.access.shops import Shop
    from customer360.profiles.duplicates import Report

duplicates = typer.Typer(help="Profiles that may be one person.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(duplicates, name="duplicates")


@duplicates.command("scan")
def scan(
    shop: AnyShopOption = None,
    as_json: JsonOption = False,
    night: Annotated[int | None, typer.Option(hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Suggest pairs by names, addresses, phones and e-mail names; nothing is merged, people decide on each."""
    from customer360.clock import SystemClock
    from customer360.profiles.duplicates import scan_for_duplicates

    settings = read_settings()
    if night is not None and parent is not None:
        _go_last(settings, parent)
    found: list[tuple[Shop, Report]] = []
    with opened_database(settings) as database:
        with database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            # Of two machines one scans in a night, and the other lets it.
            with (
                suppress(*(() if night is None else (ScanUnderWay,))),
                _progress(each.name, quiet=as_json or night is not None) as show,
            ):
                report = scan_for_duplicates(
                    database,
                    SystemClock(),
                    each.shop_id,
                    settings.data_dir / "duplicates",
                    progress=show,
                    night=night,
                )
                found.append((each, report))
                if not as_json and night is None:
                    _say(each, report)
    if as_json:
        print_json([_described(each, report) for each, report in found])


def _go_last(settings: Settings, parent: int) -> None:
    """As the child of a worker: end with it, and let everybody else go first."""
    from customer360.cli.log import begin_log
    from customer360.cli.nights import step_back
    from customer360.cli.processes import end_with

    begin_log(settings.log_level)
    end_with(parent)
    step_back()


@contextmanager
def _progress(name: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
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


def _say(shop: Shop, report: Report) -> None:
    from customer360.values import counted

    scan = report.scan
    typer.echo(
        f"{shop.name}: {counted(scan.people, 'person', 'people')} compared in {counted(scan.pairs, 'pair')};"
        f" {report.candidates:,} may be duplicates, {report.new:,} of them new;"
        f" {counted(report.ended, 'earlier suggestion')} ended."
    )
    for warning in report.scan.warnings:
        typer.secho(f"  Note: {warning}", fg="yellow")


def _described(shop: Shop, report: Report) -> dict[str, Any]:
    return {
        "shop_id": str(shop.shop_id),
        "name": shop.name,
        "people": report.scan.people,
        "pairs": report.scan.pairs,
        "candidates": report.candidates,
        "new": report.new,
        "ended": report.ended,
        "learned": report.scan.learned,
        "traits": list(report.scan.traits),
        "warnings": list(report.scan.warnings),
    }
