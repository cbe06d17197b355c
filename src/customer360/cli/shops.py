"""`c360 shop`: make, list, link and delete shops."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from customer360.cli.opening import (
    JsonOption,
    ShopOption,
    named_shop,
    opened_database,
    read_settings,
)
from customer360.cli.output import ask, print_json, print_pairs, print_table
from customer360.errors import ShopNotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from customer360.access.shops import Shop

shop = typer.Typer(help="Make, list, link and delete shops.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(shop, name="shop")


@shop.command("create")
def create(
    name: Annotated[str, typer.Option(help="What people call the shop.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code, for example EUR.")],
    timezone: Annotated[str, typer.Option(help="IANA time zone, for example Europe/Dublin.")],
    country: Annotated[str, typer.Option(help="ISO 3166 code of two letters, for example IE.")],
    as_json: JsonOption = False,
) -> None:
    """Make a shop and print its keys, which are shown this once."""
    from customer360.access.shops import create_shop
    from customer360.clock import SystemClock

    with opened_database(read_settings()) as database, database.write() as connection:
        made = create_shop(
            connection,
            name=name,
            currency=currency,
            timezone=timezone,
            country=country,
            now=SystemClock().now(),
        )
    answer = {
        "shop_id": str(made.shop.shop_id),
        "pixel_key": made.pixel_key,
        "write_key": made.write_key,
        "api_key": made.api_key,
        "webhook_secret": made.webhook_secret,
    }
    if as_json:
        print_json(answer)
        return
    print_pairs(list(answer.items()))
    typer.echo(
        "\nKeep these now: all but the pixel key are stored as digests and never shown again."
    )


@shop.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """Every shop with its settings and state."""
    from customer360.access.shops import list_shops

    with opened_database(read_settings()) as database, database.read() as connection:
        rows = [_described(found) for found in list_shops(connection)]
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo("There is no shop yet; `c360 shop create` makes one, `c360 demo` a sample shop.")
    else:
        print_table(list(rows[0]), [list(row.values()) for row in rows])


@shop.command("link-shopify")
def link(
    shop: ShopOption,
    domain: Annotated[str, typer.Option(help="For example my-shop.myshopify.com.")],
    secret: Annotated[
        str,
        typer.Option(
            help="The app's client secret; asked for when left out, so that no shell remembers it.",
            prompt="Client secret of the app",
            hide_input=True,
        ),
    ],
) -> None:
    """Take the webhooks of a Shopify shop; with a new secret the old one works for another hour."""
    from customer360.access.shopify import link_shopify
    from customer360.clock import SystemClock
    from customer360.settings import secret_key

    settings = read_settings()
    with opened_database(settings) as database, database.write() as connection:
        found = named_shop(connection, shop)
        link_shopify(
            connection,
            found.shop_id,
            domain=domain,
            secret=secret,
            secret_key=secret_key(settings),
            now=SystemClock().now(),
        )
    typer.echo(f"{found.name} now takes the webhooks of {domain.strip().lower()}.")
    typer.echo(f"Send them to {settings.resolved_public_url}/webhooks/shopify")


@shop.command("delete")
def delete(
    shop: ShopOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a shop with everything known of its customers; only a backup brings it back."""
    from customer360.access.shops import close_shop, delete_some, find_shop

    settings = read_settings()
    with opened_database(settings) as database:
        with database.read() as connection:
            shop_id, name = _to_delete(connection, shop)
        ask(f"Delete {name} and every profile, event and order in it?", yes=yes)
        with database.write() as connection:
            if find_shop(connection, shop_id) is not None:
                close_shop(connection, shop_id)
        deleted = 1
        while deleted:
            # Many short transactions: the other shops' signals need not wait for all of it.
            with database.write() as connection:
                deleted = delete_some(connection, shop_id)
    scan = settings.data_dir / "duplicates" / str(shop_id)
    files = settings.warehouse_dir.glob(f"{shop_id}.*")
    for path in (*files, scan, scan.with_name(f"{shop_id}.lock")):
        # A folder is where DuckDB spills, or what a scan that was killed left.
        # A scan under way, which ends now, takes its own files away meanwhile.
        while path.is_dir():
            with suppress(FileNotFoundError):
                shutil.rmtree(path)
        path.unlink(missing_ok=True)
    typer.echo(f"Deleted {name}.")


def _to_delete(connection: Connection, text: str) -> tuple[int, str]:
    """The shop's id and name; also of one whose deletion was interrupted, which has only its id."""
    from customer360.access.shops import has_rows
    from customer360.values import parse_id

    try:
        found = named_shop(connection, text)
    except ShopNotFound:
        shop_id = parse_id(text)
        if shop_id is None or not has_rows(connection, shop_id):
            raise
        return shop_id, f"the rest of shop {shop_id}"
    return found.shop_id, found.name


def _described(found: Shop) -> dict[str, str]:
    from customer360.clock import to_iso

    return {
        "shop_id": str(found.shop_id),
        "name": found.name,
        "currency": found.currency,
        "timezone": found.timezone,
        "country": found.country,
        "plan": found.plan,
        "state": found.state,
        "created_at": to_iso(found.created_at) or "",
    }
