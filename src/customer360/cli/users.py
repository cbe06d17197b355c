"""`c360 user`: who may sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shop,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json

user = typer.Typer(help="Let people sign in.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(user, name="user")


# A group of one command would otherwise be that command.
@user.callback()
def group() -> None:
    """Let people sign in."""


@user.command("create")
def create(
    email: Annotated[str, typer.Option(help="The address they are known by.")],
    role: Annotated[str, typer.Option(help="What they may do: owner.")] = "owner",
    shop: AnyShopOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a user, or find the one there is, and print a link that signs them in once, within a day."""
    from customer360.access.shops import first_organisation
    from customer360.access.sign_in import LINK_LIFETIME, make_link
    from customer360.access.users import (
        checked_role,
        ensure_user,
        join_organisation,
        join_shop,
    )
    from customer360.clock import SystemClock, to_iso

    settings, now = read_settings(), SystemClock().now()
    with opened_database(settings) as database, database.write() as connection:
        found = ensure_user(connection, email, now)
        if shop is None:
            organisation_id = first_organisation(connection, now)
            join_organisation(connection, found.user_id, organisation_id, checked_role(role), now)
        else:
            shop_id = named_shop(connection, shop).shop_id
            join_shop(connection, found.user_id, shop_id, checked_role(role), now)
        token = make_link(connection, found.user_id, now)
    link = f"{settings.resolved_public_url}/sign-in/link/{token}"
    if as_json:
        expires_at = to_iso(now + LINK_LIFETIME)
        answer = {"user_id": str(found.user_id), "email": found.email, "link": link}
        print_json(answer | {"expires_at": expires_at})
    else:
        typer.echo(f"{found.email} signs in once with this link, within a day:")
        typer.echo(link)
