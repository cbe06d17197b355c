"""The desk where programs ask: a shop with a few people in it, and a neighbour who should learn nothing of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from customer360.access.shops import NewShop, create_shop
from customer360.server import create_server
from tests.api.conftest import Client
from tests.house import House, at


@dataclass(frozen=True)
class Desk:
    """A house with its server, and the keys of a neighbour's shop."""

    house: House
    neighbour: NewShop
    server: FastAPI
    client: Client

    def ask(
        self, path: str, key: str | None = None, method: str = "GET", **options: Any
    ) -> httpx.Response:
        """The answer of `/api/v1` to the shop's own key, or another one."""
        headers = {"Authorization": f"Bearer {key or self.house.new_shop.api_key}"}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    def told(self, path: str, **options: Any) -> Any:
        """What a successful answer says."""
        answer = self.ask(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def search(self, **question: Any) -> httpx.Response:
        """The answer to a question in the body."""
        return self.ask("/profiles/search", method="POST", json=question)

    def page(self, path: str, **params: Any) -> dict[str, Any]:
        """A page of a list."""
        found: dict[str, Any] = self.told(path, params=params)
        assert set(found) == {"items", "next_cursor", "total"}
        return found

    def walk(self, path: str, **params: Any) -> list[Any]:
        """Every item of a list, page by page."""
        page = self.page(path, **params)
        items = page["items"]
        while page["next_cursor"] is not None:
            page = self.page(path, **params, cursor=page["next_cursor"])
            assert page["items"]
            items = items + page["items"]
        assert len(items) == page["total"]
        return items

    def problem(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        """The problem document of an answer."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        assert {"type", "title", "detail"} <= set(document)
        return document

    def refused(self, path: str, **params: Any) -> list[str]:
        """The paths of what is wrong in a request that is refused."""
        document = self.problem(self.ask(path, params=params), 422)
        return [error["path"] for error in document["errors"]]


def open_desk(url: str, folder: Path, portal: BlockingPortal, stack: ExitStack) -> Desk:
    """A desk without any data."""
    house = stack.enter_context(closing(House(url, folder, secret_key="test secret")))
    with house.app.database.write() as connection:
        neighbour = create_shop(
            connection,
            name="Elsewhere",
            currency="USD",
            timezone="America/New_York",
            country="US",
            now=house.clock.now(),
        )
    server = create_server(house.app)
    return Desk(house, neighbour, server, Client(server, portal))


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """Where asynchronous code runs."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def desk(database_url: str, tmp_path: Path, portal: BlockingPortal) -> Iterator[Desk]:
    """A desk without any data, on both profile stores."""
    with ExitStack() as stack:
        yield open_desk(database_url, tmp_path, portal, stack)


@pytest.fixture(scope="module")
def full_desk(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, portal: BlockingPortal
) -> Iterator[Desk]:
    """A filled desk on SQLite that a whole module reads and nobody changes."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{shutil.copy(sqlite_template, folder / 'customer360.sqlite')}"
    with ExitStack() as stack:
        desk = open_desk(url, folder, portal, stack)
        fill(desk)
        yield desk


@pytest.fixture
def quick_desk(sqlite_url: str, tmp_path: Path, portal: BlockingPortal) -> Iterator[Desk]:
    """A desk on SQLite alone, for what no profile store can change."""
    with ExitStack() as stack:
        yield open_desk(sqlite_url, tmp_path, portal, stack)


def order(user: str, number: str, total: str, minute: float, **properties: Any) -> dict[str, Any]:
    """A call that tells of an order."""
    return {
        "type": "track",
        "userId": user,
        "event": "Order Completed",
        "timestamp": at(minute),
        "properties": {
            "order_id": number,
            "total": total,
            "currency": "EUR",
            "products": [{"product_id": "tea", "name": "Tea", "price": total, "quantity": 1}],
            **properties,
        },
    }


def identify(user: str, minute: float = 0, **traits: Any) -> dict[str, Any]:
    """A call that says who somebody is."""
    return {"type": "identify", "userId": user, "timestamp": at(minute), "traits": traits}


def view(cookie: str, minute: float, **options: Any) -> dict[str, Any]:
    """A call that tells of a visitor who looked at a product."""
    return {
        "type": "track",
        "anonymousId": cookie,
        "event": "Product Viewed",
        "timestamp": at(minute),
        "properties": {"product_id": "tea"},
        **options,
    }


def known_by_many(user: str) -> list[dict[str, Any]]:
    """An account with so many identifiers that it links no further by itself."""
    ids = [[{"type": "klaviyo_id", "id": f"{user}-{number}"}] for number in range(50)]
    return [identify(user, 60) | {"context": {"externalIds": each}} for each in ids]


def fill(desk: Desk) -> None:
    """Three customers, of whom one has never bought, a visitor, and a dead letter."""
    desk.house.segment(
        identify(
            "u1",
            email="ann@x.example",
            phone="087 123 4567",
            first_name="Ann",
            last_name="Byrne",
            address={"street": "1 Quay Street", "city": "Galway", "country": "IE"},
        ),
        identify("u2", email="bob@y.example", name="Bob Carr", address={"country": "GB"}),
        identify("u3", email="eve@z.example", first_name="Eve"),
        order("u1", "1001", "20.00", 10),
        order("u1", "1002", "39.00", 20),
        order("u2", "1003", "19.90", 30, coupon="SPRING"),
        view("visitor-1", 40),
        {"type": "track", "userId": "u1", "event": 7},
    )
    desk.house.drain()
