"""The pages on a real shop, and a browser without scripts to walk through them."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from customer360.access.shops import Shop, create_shop
from customer360.access.sign_in import begin_session, make_link
from customer360.access.users import ensure_user, hash_password, join_shop, set_password
from customer360.app import App
from customer360.web import create_web
from tests.house import House

EMAIL = "ann@shop.example"
PASSWORD = "correct horse battery"


class Visitor:
    """A browser with cookies of its own that sends forms with their tokens, as pages do."""

    def __init__(self, pages: FastAPI, portal: BlockingPortal) -> None:
        transport = httpx.ASGITransport(pages, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://c360.test")
        self._portal = portal

    @property
    def cookies(self) -> httpx.Cookies:
        """What the browser remembers."""
        return self._client.cookies

    def get(self, url: str, *, follow: bool = False, **options: Any) -> httpx.Response:
        """The answer to a GET; redirects are followed only when asked for."""
        options["headers"] = {"accept": "text/html", **options.get("headers", {})}
        return self._portal.call(partial(self._client.get, url, follow_redirects=follow, **options))

    def post(
        self,
        url: str,
        data: Mapping[str, Any] | None = None,
        *,
        token_from: str | None = None,
        follow: bool = False,
        **options: Any,
    ) -> httpx.Response:
        """The answer to a form; its token comes from the page `token_from`, or the start page."""
        token = self.token(token_from or "/")
        sent = {"csrf": token, **(data or {})}
        return self.send(url, sent, follow=follow, **options)

    def send(
        self, url: str, data: Mapping[str, Any], *, follow: bool = False, **options: Any
    ) -> httpx.Response:
        """The answer to a form exactly as given."""
        send = partial(self._client.post, url, data=data, follow_redirects=follow, **options)
        return self._portal.call(send)

    def stream(self, url: str, body: Iterable[bytes], headers: dict[str, str]) -> httpx.Response:
        """The answer to a body that comes in pieces, without a word of its length."""

        async def pieces() -> AsyncIterator[bytes]:
            for piece in body:
                yield piece

        return self._portal.call(partial(self._client.post, url, content=pieces(), headers=headers))

    def token(self, page: str = "/") -> str:
        """The token of a form on that page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page, follow=True).text)
        assert found, f"{page} has no form"
        return found[1]


@dataclass
class Site:
    """The pages of a house, its owner signed in, and a stranger who works for another shop."""

    house: House
    owner: Visitor
    stranger: Visitor
    nobody: Visitor
    other_shop: Shop
    user_id: int
    portal: BlockingPortal

    def owner_of(self, app: App) -> Visitor:
        """The owner at the pages of a house that is built otherwise."""
        visitor = Visitor(pages_of(app), self.portal)
        sign_in(self.house, visitor, self.user_id)
        return visitor

    @property
    def root(self) -> str:
        """Where the addresses of the shop's pages begin."""
        return f"/shops/{self.house.shop.shop_id}"

    def link(self) -> str:
        """The token of a fresh sign-in link of the owner."""
        with self.house.app.database.write() as connection:
            return make_link(connection, self.user_id, self.house.clock.now())


def sign_in(house: House, visitor: Visitor, user_id: int) -> None:
    """Give the browser a session, without the page for it."""
    with house.app.database.write() as connection:
        begun = begin_session(connection, user_id, house.clock.now(), 30)
    visitor.cookies.set("c360_session", begun.token)


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashing takes long on purpose, so it is done once."""
    return hash_password(PASSWORD)


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """A shop without any data."""
    with closing(House(sqlite_url, tmp_path, secret_key="test secret")) as house:
        yield house


@pytest.fixture
def site(house: House, password_hash: str) -> Iterator[Site]:
    """The pages of the house."""
    now = house.clock.now()
    with house.app.database.write() as connection:
        owner = ensure_user(connection, EMAIL, now)
        join_shop(connection, owner.user_id, house.shop.shop_id, "owner", now)
        set_password(connection, owner.user_id, password_hash)
        other = create_shop(
            connection,
            name="Elsewhere",
            currency="USD",
            timezone="America/New_York",
            country="US",
            now=now,
        ).shop
        stranger = ensure_user(connection, "bob@elsewhere.example", now)
        join_shop(connection, stranger.user_id, other.shop_id, "owner", now)
    with start_blocking_portal() as portal:
        pages = pages_of(house.app)
        visitors = [Visitor(pages, portal) for _ in range(3)]
        sign_in(house, visitors[0], owner.user_id)
        sign_in(house, visitors[1], stranger.user_id)
        yield Site(house, *visitors, other, owner.user_id, portal)


def pages_of(app: App) -> FastAPI:
    """The pages alone, as an application."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    pages.router.routes.extend(create_web(app))
    return pages


def text_of(page: str) -> str:
    """What a person reads on a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
