"""What commands work on: the settings, the up-to-date profile store, the whole app, the shop that was named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from customer360.cli.log import begin_log
from customer360.errors import ShopNotFound, Unavailable
from customer360.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from customer360.access.shops import Shop
    from customer360.app import App
    from customer360.storage.database import Database

ShopOption = Annotated[str, typer.Option("--shop", help="The shop's id, or its name.")]
AnyShopOption = Annotated[
    str | None, typer.Option("--shop", help="The shop's id or name; all shops without it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class StoreUnreachable(Unavailable):
    """The profile store cannot be used; check C360_DATABASE_URL and its server, or `c360 restore`."""


def read_settings() -> Settings:
    """The settings of the environment; the data folder is made, for its owner's eyes alone."""
    settings = Settings.from_environment()
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The data folder {settings.data_dir} cannot be made ({error.strerror}); set C360_DATA_DIR."
        ) from error
    return settings


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """The profile store, upgraded first where it is empty or behind."""
    from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

    from customer360.errors import InvalidSetting
    from customer360.migrations import upgrade
    from customer360.storage.database import Database

    try:
        database = Database(settings.resolved_database_url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise InvalidSetting(
            "C360_DATABASE_URL must be empty or begin with postgresql://, which needs the extra"
            " customer360[postgres]."
        ) from error
    with closing(database):
        try:
            upgrade(database)
        except DatabaseError as error:
            # SQLite tells of a damaged file with the bare class; its others would be our own mistakes.
            if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
                raise
            reason = str(error.orig).strip().splitlines()[0]
            raise StoreUnreachable(f"{StoreUnreachable.__doc__} It says: {reason}") from error
        yield database


@contextmanager
def opened_app(
    role: Literal["server", "worker", "cli"], settings: Settings | None = None
) -> Iterator[App]:
    """Everything built from the settings, on an up-to-date profile store, with the log begun."""
    from customer360.app import build_app

    settings = settings or read_settings()
    begin_log(settings.log_level)
    with opened_database(settings):
        pass
    with closing(build_app(settings, role=role)) as app:
        yield app


def named_shop(connection: Connection, text: str) -> Shop:
    """The shop that `--shop` names, by id or by a name that only one has; raises ShopNotFound."""
    from customer360.access.shops import find_shop, list_shops
    from customer360.values import parse_id

    number = parse_id(text)
    found = None if number is None else find_shop(connection, number)
    if found is not None:
        return found
    named = [shop for shop in list_shops(connection) if shop.name.casefold() == text.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise ShopNotFound(f"{len(named)} shops are named {text!r}; give the id instead.")
    raise ShopNotFound(f"No shop has the id or name {text!r}; `c360 shop list` shows the shops.")


def named_shops(connection: Connection, text: str | None) -> list[Shop]:
    """The shop that is named, or else all."""
    from customer360.access.shops import list_shops

    return list_shops(connection) if text is None else [named_shop(connection, text)]
