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
    from sqlalchemy import Connection

    from customer360.access.shops import Shop
    from customer360.identities.differences import Findings
    from customer360.identities.rules import Version
    from customer360.intake.resolving import Step

identities = typer.Typer(help="Who is who, and by which rules.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(identities, name="identities")


@identities.command("check")
def check(shop: AnyShopOption = None, as_json: JsonOption = False) -> None:
    """Resolve everybody anew in memory and compare; ends with 1 where anything that is stored differs."""
    from customer360.intake.resolving import check_shop
    from customer360.values import counted

    found: list[tuple[Shop, Findings]] = []
    with opened_database(read_settings()) as database:
        with database.read() as connection:
            shops = named_shops(connection, shop)
        for each in shops:
            findings = check_shop(database, each.shop_id)
            found.append((each, findings))
            if not as_json:
                differing = counted(len(findings.differing), "differs", "differ")
                _say(each, findings, f"{differing} from what is stored")
    if as_json:
        print_json([_described(each, findings) for each, findings in found])
    if any(findings.differing for _, findings in found):
        raise typer.Exit(1)


@identities.command("resolve")
def resolve(shop: AnyShopOption = None, as_json: JsonOption = False) -> None:
    """Resolve everybody anew and write what differs, a little at a time; everything else goes on meanwhile.

    Ends with 1 where the rules of a shop were changed meanwhile: then the worker resolves everybody by the new ones.
    """
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
    found: list[tuple[Shop, Step]] = []
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
            found.append((each, step))
    if as_json:
        print_json(
            [_described(each, step.findings) | {"resolved": step.done} for each, step in found]
        )
    else:
        for each, step in found:
            _say(each, step.findings, _resolved(step))
    if any(step.done < step.total for _, step in found):
        raise typer.Exit(1)


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
    from customer360.identities.rules import versions_of

    told = dict(_pair(text) for text in set_ or ())
    with (
        opened_database(read_settings()) as database,
        # Whoever only looks makes nobody wait.
        database.write() if told else database.read() as connection,
    ):
        found = named_shop(connection, shop)
        if told:
            _change(connection, found, told)
        versions = versions_of(connection, found.shop_id)
    if as_json:
        print_json(_as_json(versions))
    else:
        _print(versions)


def _change(connection: Connection, shop: Shop, told: dict[str, str]) -> None:
    """Let these rules hold from now on; raises InvalidInput by the name of the rule."""
    from customer360.clock import SystemClock
    from customer360.identities.rules import change_rules, choice_told, present_version

    before = present_version(connection, shop.shop_id).choice
    try:
        change_rules(
            connection,
            shop.shop_id,
            choice_told(before, told),
            shop.country,
            actor="command line",
            now=SystemClock().now(),
        )
    except InvalidInput as error:
        raise InvalidInput(f"{error.path}: {error}", error.path) from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"{text!r} is no NAME=VALUE, for example email=3.", "set")
    return name.strip(), value


def _resolved(step: Step) -> str:
    from customer360.values import counted

    done = f"{counted(step.done, 'was', 'were')} resolved anew"
    if step.done == step.total:
        return done
    return f"of {step.total:,} that differed, {done}: the rules were changed meanwhile, so the worker begins again"


def _say(shop: Shop, findings: Findings, end: str) -> None:
    from customer360.values import counted

    typer.echo(
        f"{shop.name}: {counted(findings.observations, 'observation')}"
        f" in {counted(findings.components, 'component')}, of which"
        f" {counted(findings.replayed, 'was', 'were')} replayed; {end}."
    )
    if findings.too_large:
        typer.secho(
            f"  Note: {counted(findings.too_large, 'is', 'are')} too large to be resolved anew. Where one value links"
            " `c360 identities rules --set placeholders=…` has all of them resolved without it.",
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
    from customer360.values import counted

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
            f"Everybody is being resolved by these rules: {present.done:,} of"
            f" {counted(present.total, 'component')}."
        )
