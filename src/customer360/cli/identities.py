"""`c360 identities`: is everybody who they would be, resolved anew? And the rules by which they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    ShopOption,
    named_shop,
    named_shops,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json, print_pairs
from customer360.errors import InvalidInput

if TYPE_CHECKING:
    from customer360.access.shops import Shop
    from customer360.identities.differences import Findings
    from customer360.identities.rules import Version

identities = typer.Typer(help="Who is who, and by which rules.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(identities, name="identities")


@identities.command("check")
def check(shop: AnyShopOption = None, as_json: JsonOption = False) -> None:
    """Resolve everybody anew in memory and compare; ends with 1 where anything that is stored differs."""
    from customer360.intake.resolving import check_shop

    found: list[tuple[Shop, Findings]] = []
    with opened_database(read_settings()) as database:
        with database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            found.append((each, check_shop(database, each.shop_id)))
            if not as_json:
                _say(*found[-1])
    if as_json:
        print_json([_described(each, findings) for each, findings in found])
    if any(findings.differing for _, findings in found):
        raise typer.Exit(1)


@identities.command("resolve")
def resolve(shop: AnyShopOption = None, as_json: JsonOption = False) -> None:
    """Resolve everybody anew and write what differs, a little at a time; everything else goes on meanwhile."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from customer360.clock import SystemClock
    from customer360.intake.resolving import resolve_shop

    # A shop may be called "Tea [/b]".
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    found: list[tuple[Shop, Findings]] = []
    with (
        opened_database(read_settings()) as database,
        Progress(*columns, console=Console(stderr=True, quiet=as_json)) as bars,
    ):
        with database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            task = bars.add_task(each.name, total=None)
            for step in resolve_shop(database, SystemClock(), each.shop_id):
                bars.update(task, completed=step.done, total=step.total)
            found.append((each, step.findings))
    if as_json:
        print_json([_described(each, findings) for each, findings in found])
    else:
        for each, findings in found:
            _say(each, findings, "were resolved anew")


@identities.command("rules")
def rules(
    shop: ShopOption,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="For example email=3; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the shop's rules and who changed them, or change some: the worker then resolves everybody anew."""
    from customer360.clock import SystemClock
    from customer360.identities.rules import (
        change_rules,
        choice_told,
        present_version,
        versions_of,
    )

    with opened_database(read_settings()) as database, database.write() as connection:
        found = named_shop(connection, shop)
        if set_:
            before = present_version(connection, found.shop_id).choice
            change_rules(
                connection,
                found.shop_id,
                choice_told(before, dict(_pair(text) for text in set_)),
                found.country,
                actor="command line",
                now=SystemClock().now(),
            )
        versions = versions_of(connection, found.shop_id)
    if as_json:
        print_json(_as_json(versions))
    else:
        _print(versions)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is no NAME=VALUE, for example email=3.", "set")
    return name.strip(), value


def _say(shop: Shop, findings: Findings, did: str = "differ from what is stored") -> None:
    typer.echo(
        f"{shop.name}: {findings.observations:,} observations in {findings.components:,} components, of which"
        f" {findings.replayed:,} were replayed; {len(findings.differing):,} {did}."
    )
    if findings.too_large:
        typer.secho(
            f"  Note: {findings.too_large:,} are too large to be resolved anew. Where one value links everybody,"
            " `c360 identities rules --set placeholders=…` keeps out of them what comes from now on.",
            fg="yellow",
        )


def _described(shop: Shop, findings: Findings) -> dict[str, Any]:
    return {
        "shop_id": str(shop.shop_id),
        "name": shop.name,
        "observations": findings.observations,
        "components": findings.components,
        "replayed": findings.replayed,
        "too_large": findings.too_large,
        "differing": len(findings.differing),
    }


def _as_json(versions: list[Version]) -> dict[str, Any]:
    from customer360.clock import to_iso
    from customer360.identities.rules import as_told, changes_of

    present, *_ = versions
    return {
        "rules": as_told(present.choice),
        "version": present.version,
        "resolved": present.resolved_at is not None,
        "changes": [
            {"name": change.name, "from": change.before, "to": change.after, "by": change.actor}
            | {"at": to_iso(change.at)}
            for change in changes_of(versions)
        ],
    }


def _print(versions: list[Version]) -> None:
    told = _as_json(versions)
    print_pairs([(name, value or "none") for name, value in told["rules"].items()])
    for change in told["changes"]:
        typer.echo(
            f"{change['at']}  {change['by']}: {change['name']} from {change['from'] or 'none'}"
            f" to {change['to'] or 'none'}"
        )
    present, *_ = versions
    if present.resolved_at is None:
        typer.echo(
            f"Everybody is being resolved by these rules: {present.done:,} of {present.total:,} components."
        )
