"""`c360 explain`: what holds a profile together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    JsonOption,
    ShopOption,
    named_shop,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json
from customer360.errors import ProfileNotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from customer360.access.shops import Shop
    from customer360.identities.evidence import Evidence


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    who: Annotated[
        str, typer.Argument(help="An identifier, for example email:ann@x.com, or a profile's id.")
    ],
    shop: ShopOption,
    as_json: JsonOption = False,
) -> None:
    """Say which events and decisions make the parts of a profile one person, oldest first."""
    from customer360.identities.evidence import evidence_of

    with opened_database(read_settings()) as database, database.read() as connection:
        found = named_shop(connection, shop)
        profile_id = _profile(connection, found, who)
        links = evidence_of(connection, found.shop_id, profile_id)
    if as_json:
        print_json({"profile_id": str(profile_id), "links": [_described(link) for link in links]})
        return
    typer.echo(f"profile {profile_id}")
    for link in links:
        typer.echo(f"  {link.sentence}{f' ({link.source})' if link.source else ''}")
    if not links:
        typer.echo("  All of it was told by the same evidence; there is nothing to hold together.")


def _profile(connection: Connection, shop: Shop, who: str) -> int:
    """The profile as it is now; raises ProfileNotFound."""
    from customer360.identities.merges import present_id
    from customer360.profiles.hydrate import find_by_identifier
    from customer360.values import parse_id

    number = parse_id(who)
    if number is not None:
        return present_id(connection, shop.shop_id, number)
    kind, _, value = who.partition(":")
    profile_id = find_by_identifier(connection, shop.shop_id, shop.country, kind, value)
    if profile_id is None:
        raise ProfileNotFound("Nobody has this identifier; write it as type:value, email:ann@x.com")
    return profile_id


def _described(link: Evidence) -> dict[str, Any]:
    from customer360.clock import to_iso

    return {
        "kind": link.kind,
        "at": to_iso(link.at),
        "text": link.sentence,
        "identifiers": [f"{one.type}:{one.value}" for one in link.identifiers],
        "event_id": None if link.event_id is None else str(link.event_id),
        "source": link.source or None,
        "actor": link.actor or None,
    }
