"""`c360 warehouse`: is the analytics copy fresh, and make it anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shops,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json, print_table, size

if TYPE_CHECKING:
    from customer360.storage.database import Database
    from customer360.warehouse.query import EitherWarehouse, WarehouseStatus

warehouse = typer.Typer(help="The analytics copy of each shop.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(warehouse, name="warehouse")


@warehouse.command("rebuild")
def rebuild(shop: AnyShopOption = None) -> None:
    """Make the warehouse anew from the profile store; questions go to the old one until the new one is complete."""
    from customer360.values import counted

    with _opened() as (database, answering):
        with database.read() as connection:
            found = named_shops(connection, shop)
        for each in found:
            began = time.monotonic()
            result = answering.rebuild(each.shop_id)
            seconds = time.monotonic() - began
            typer.echo(
                f"{each.name}: {counted(result.rows, 'row')} in {seconds:.1f} s, up to change {result.change:,}."
            )


@warehouse.command("status")
def status(shop: AnyShopOption = None, as_json: JsonOption = False) -> None:
    """How fresh and how large each shop's warehouse is."""
    from customer360.app import SCHEMA
    from customer360.warehouse.query import status as status_of

    with _opened() as (database, answering):
        with database.read() as connection:
            found = named_shops(connection, shop)
        answers = [
            (each.name, status_of(database, answering, SCHEMA, each.shop_id)) for each in found
        ]
    if as_json:
        print_json([_described(name, answer) for name, answer in answers])
        return
    columns = ("shop_id", "name", "events#", "profiles#", "orders#", "behind#", "size#")
    print_table(columns, [_row(name, answer) for name, answer in answers])


def _row(name: str, answer: WarehouseStatus) -> list[str]:
    counts = [f"{answer.rows.get(table, 0):,}" for table in ("event_facts", "profiles", "orders")]
    return [str(answer.shop_id), name, *counts, f"{answer.behind:,}", size(answer.size_bytes)]


def _described(name: str, answer: WarehouseStatus) -> dict[str, Any]:
    return {
        "shop_id": str(answer.shop_id),
        "name": name,
        "change": answer.change,
        "copied": answer.copied,
        "behind": answer.behind,
        "rows": answer.rows,
        "size_bytes": answer.size_bytes,
    }


@contextmanager
def _opened() -> Iterator[tuple[Database, EitherWarehouse]]:
    """The profile store and the warehouse, asked through the worker where one runs."""
    from functools import partial

    from customer360.app import SCHEMA
    from customer360.storage.engines.duckdb import DuckDBEngine
    from customer360.storage.flight import FlightClient
    from customer360.warehouse.query import EitherWarehouse, LocalWarehouse, RemoteWarehouse
    from customer360.warehouse.schema import prepare

    settings = read_settings()
    with opened_database(settings) as database:
        engine = DuckDBEngine(settings.warehouse_dir, partial(prepare, SCHEMA))
        answering = EitherWarehouse(
            LocalWarehouse(database, engine, SCHEMA),
            RemoteWarehouse(FlightClient(settings.socket_path)),
        )
        with closing(answering):
            yield database, answering
