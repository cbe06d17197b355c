"""`c360 dead-letters`: signals that could not be used, and another try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    JsonOption,
    named_shops,
    opened_database,
    read_settings,
)
from customer360.cli.output import print_json, print_table
from customer360.errors import InvalidInput

if TYPE_CHECKING:
    from customer360.intake.dead_letters import DeadLetter

dead_letters = typer.Typer(help="Signals that could not be used.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(dead_letters, name="dead-letters")


@dead_letters.command("list")
def list_all(
    shop: AnyShopOption = None,
    source: Annotated[str | None, typer.Option(help="Only from this source.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each shop.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """The newest dead letters with their reason; bodies, which hold personal data, only in JSON."""
    from customer360.intake.dead_letters import list_letters

    with opened_database(read_settings()) as database, database.read() as connection:
        rows = [
            _described(found.shop_id, letter)
            for found in named_shops(connection, shop)
            for letter in list_letters(
                connection, found.shop_id, source=source, reason=reason, limit=limit
            )
        ]
    if as_json:
        print_json(rows)
    elif not rows:
        typer.echo("There are no dead letters.")
    else:
        columns = ("id", "source", "reason", "failed_at", "attempts", "detail")
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])


@dead_letters.command("replay")
def replay(
    shop: AnyShopOption = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Only this one; may be given several times.")
    ] = None,
) -> None:
    """Put dead letters back into the inbox, where they wait to be processed like new ones."""
    from customer360.clock import SystemClock
    from customer360.intake.dead_letters import replay as replay_letters
    from customer360.values import counted

    if ids and shop is None:
        raise InvalidInput("Say with --shop which shop the ids belong to.", "shop")
    wanted = [_id(text) for text in ids] if ids else None
    settings, moved, large = read_settings(), 0, 0
    with opened_database(settings) as database:
        with database.read() as connection:
            found = named_shops(connection, shop)
        for each in found:
            with database.write() as connection:
                done = replay_letters(
                    connection,
                    each.shop_id,
                    wanted,
                    SystemClock().now(),
                    most_event_bytes=settings.max_event_bytes,
                )
            moved, large = moved + done.waiting, large + done.too_large
    typer.echo(
        f"{counted(moved, 'dead letter waits', 'dead letters wait')} in the inbox again; the worker or `c360 drain`"
        " takes them."
    )
    if large:
        typer.echo(
            f"{counted(large, 'stays', 'stay')}, larger than C360_MAX_EVENT_BYTES still; raise it, then replay again."
        )


def _described(shop_id: int, letter: DeadLetter) -> dict[str, Any]:
    from customer360.clock import to_iso

    return {
        "id": str(letter.dead_letter_id),
        "shop_id": str(shop_id),
        "source": letter.source,
        "reason": letter.reason,
        "detail": letter.detail,
        "received_at": to_iso(letter.received_at),
        "failed_at": to_iso(letter.failed_at),
        "attempts": letter.attempts,
        "retry_at": to_iso(letter.retry_at),
        "excerpt": letter.excerpt,
    }


def _id(text: str) -> int:
    from customer360.values import parse_id

    number = parse_id(text)
    if number is None:
        raise InvalidInput(f"{text!r} is no id of a dead letter.", "id")
    return number
