"""The doors on a real profile store, with one shop behind them."""

import asyncio
import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from sqlalchemy import Row, select

from customer360.access.directory import Directory
from customer360.access.shops import NewShop, create_shop
from customer360.api.create import create_api
from customer360.clock import Clock, FixedClock
from customer360.intake.balance import SourceBalance, balance
from customer360.intake.inbox import Inbox
from customer360.intake.tables import dead_letters, inbox
from customer360.settings import Settings
from customer360.storage.database import Database


class Client:
    """Talks to an application in this process as a program would over the network."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://c360.test")
        self.portal = portal

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """The answer."""
        return self.portal.call(partial(self._client.request, method, url, **options))

    def together(self, requests: Sequence[dict[str, Any]]) -> list[httpx.Response]:
        """The answers to many requests that are under way at the same time."""

        async def send() -> list[httpx.Response]:
            return await asyncio.gather(*[self._client.request(**each) for each in requests])

        return self.portal.call(send)

    def get(self, url: str, **options: Any) -> httpx.Response:
        """The answer to a GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """The answer to a POST."""
        return self.request("POST", url, **options)


@dataclass(frozen=True)
class Street:
    """What the doors need, and what a test wants to look at."""

    settings: Settings
    clock: Clock
    database: Database
    directory: Directory
    inbox: Inbox
    shop: NewShop
    client: Client

    def basic(self, key: str | None = None) -> dict[str, str]:
        """The header of a key as user without a password; the write key unless another is given."""
        user = base64.b64encode(f"{key or self.shop.write_key}:".encode()).decode()
        return {"Authorization": f"Basic {user}"}

    def waiting(self) -> list[Row[Any]]:
        """The rows of the inbox."""
        with self.database.read() as connection:
            return list(connection.execute(select(inbox).order_by(inbox.c.inbox_id)))

    def bodies(self) -> list[Any]:
        """What waits, decoded."""
        return [msgspec.json.decode(row.body) for row in self.waiting()]

    def letters(self) -> list[Row[Any]]:
        """The dead letters."""
        with self.database.read() as connection:
            return list(
                connection.execute(select(dead_letters).order_by(dead_letters.c.dead_letter_id))
            )

    def total(self) -> SourceBalance:
        """The shop's balance."""
        with self.database.read() as connection:
            return balance(connection, self.shop.shop.shop_id).total


Open = Callable[..., Street]


@pytest.fixture
def open_street(sqlite_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Open]:
    """Opens the doors with settings of the test's choice."""
    with ExitStack() as stack:

        def open_with(**settings: Any) -> Street:
            chosen = Settings(data_dir=tmp_path, secret_key="test secret", **settings)
            database = stack.enter_context(closing(Database(sqlite_url)))
            with database.write() as connection:
                shop = create_shop(
                    connection,
                    name="Harbour Tea",
                    currency="EUR",
                    timezone="Europe/Dublin",
                    country="IE",
                    now=clock.now(),
                )
            directory = Directory(database, ttl_seconds=0)
            box = stack.enter_context(closing(Inbox(database, clock)))
            street = Street(chosen, clock, database, directory, box, shop, None)  # type: ignore[arg-type]
            portal = stack.enter_context(start_blocking_portal())
            return replace(street, client=Client(create_api(street), portal))

        yield open_with


@pytest.fixture
def street(open_street: Open) -> Street:
    """The doors with the default settings."""
    return open_street()
