"""`c360 duplicates`: look for profiles that may be one person."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shops,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json, progress_bar
from customer360.cli.processes import become_child
from customer360.errors import RunUnderWay

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
    if parent is not None:
        become_child(settings, parent)
    found: list[tuple[Shop, Report]] = []
    with opened_database(settings) as database:
        with database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            # Of two machines one scans in a night, and the other lets it.
            with (
                suppress(*(() if night is None else (RunUnderWay,))),
                progress_bar(each.name, quiet=as_json or parent is not None) as show,
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
                if not as_json and parent is None:
                    _say(each, report)
    if as_json:
        print_json([_described(each, report) for each, report in found])


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
