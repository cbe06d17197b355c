"""A served shop full of people, and a real browser to look at it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from customer360.access.sign_in import begin_session, make_link
from customer360.access.users import ensure_user, hash_password, join_shop, set_password
from customer360.clock import DAY, HOUR, MINUTE, parse_instant, to_iso
from customer360.web import create_web
from tests.house import NOW, House

EMAIL = "ann@shop.example"
PASSWORD = "correct horse battery"
FIRST_NAMES = ("Aoife", "Kai", "Omar", "Zoë", "Lena", "Hugo")
LAST_NAMES = ("Byrne", "Mori", "Okafor", "Nowak", "Diaz")
COUNTRIES = ("IE", "IE", "GB", "DE")
PEOPLE = 60
REGULARS = (36, 38, 39)
"""Bought twice in 90 days for over 200, but not in the last 30: from Ireland, Great Britain and Germany."""


@dataclass
class Served:
    """A house whose pages are served on this machine."""

    house: House
    address: str
    user_id: int

    @property
    def root(self) -> str:
        """Where the addresses of the shop's pages begin."""
        return f"/shops/{self.house.shop.shop_id}"

    @property
    def busiest(self) -> str:
        """The path of the customer with the longest timeline."""
        return f"{self.root}/customers/{self.house.profile_id('user_id:u0')}"

    def session(self) -> dict[str, Any]:
        """The cookie of a browser that is signed in."""
        house = self.house
        with house.app.database.write() as connection:
            begun = begin_session(connection, self.user_id, house.clock.now(), 30)
        return {"name": "c360_session", "value": begun.token, "url": self.address}

    def link(self) -> str:
        """The address of a fresh sign-in link."""
        with self.house.app.database.write() as connection:
            token = make_link(connection, self.user_id, self.house.clock.now())
        return f"/sign-in/link/{token}"


@dataclass
class Window:
    """A page in a browser, and everything it complained about."""

    page: Page
    served: Served
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the shop ("/customers") or of the site ("//shops")."""
        url = path[1:] if path.startswith("//") else self.served.root + path
        self.page.goto(self.served.address + url)
        return self.page


OpenWindow = Callable[..., Window]


# Not the whole run: while Playwright is open, nothing else may start an event loop.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, without anything that calls home."""
    quiet = (
        *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(quiet))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shop with many customers, dead letters and a long timeline, shared by the whole run."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(sqlite_template, folder / "customer360.sqlite")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        url = f"sqlite:///{folder / 'customer360.sqlite'}"
        with closing(House(url, folder, secret_key="test secret", port=port)) as house:
            fill(house)
            with Serving(house, listener):
                yield Served(house, f"http://127.0.0.1:{port}", make_owner(house))


class Serving:
    """Serves the pages of a house while the `with` block lasts."""

    def __init__(self, house: House, listener: socket.socket) -> None:
        site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        site.router.routes.extend(create_web(house.app))
        self._server = uvicorn.Server(uvicorn.Config(site, log_level="warning", ws="none"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, daemon=True
        )

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def open_window(browser: Browser, served: Served) -> Iterator[OpenWindow]:
    """Opens windows, signed in unless told otherwise; a complaint in the console fails the test."""
    contexts: list[BrowserContext] = []
    windows: list[Window] = []

    def open_one(*, signed_in: bool = True, **options: Any) -> Window:
        context = browser.new_context(base_url=served.address, **options)
        contexts.append(context)
        if signed_in:
            context.add_cookies([served.session()])
        windows.append(new_window(context, served))
        return windows[-1]

    yield open_one
    complaints = [complaint for window in windows for complaint in window.complaints]
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """A signed-in window of the usual size."""
    return open_window(viewport={"width": 1360, "height": 900})


def new_window(context: BrowserContext, served: Served) -> Window:
    """A window that notes every complaint."""
    window = Window(context.new_page(), served)
    window.page.on("console", lambda message: _note(window, message.type, message.text))
    window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
    return window


# What htmx says of a question whose page was left before the answer; one that fails has a line of its own.
_LEFT = ("htmx:sendAbort", "htmx:afterRequest")


def _note(window: Window, kind: str, text: str) -> None:
    if kind in ("error", "warning") and not text.startswith(_LEFT):
        window.complaints.append(text)


def make_owner(house: House) -> int:
    """Somebody who works for the shop."""
    with house.app.database.write() as connection:
        user = ensure_user(connection, EMAIL, house.clock.now())
        join_shop(connection, user.user_id, house.shop.shop_id, "owner", house.clock.now())
        set_password(connection, user.user_id, hash_password(PASSWORD))
    return user.user_id


def fill(house: House) -> None:
    """Customers with visits and orders, one with a long history, and signals that nobody can use."""
    now = parse_instant(NOW)
    for number in range(PEOPLE):
        _add_person(house, number, now - (number % 40) * DAY - (number % 7) * HOUR)
    for number in REGULARS:
        for day in (40, 50):
            house.segment(_bought(number, f"{number}-{day}", now - day * DAY, "140.00", 1))
    for minute in range(120):
        house.segment(_viewed(0, now - (minute % 9) * DAY - minute * MINUTE))
    house.segment(*({"type": "track", "event": number} for number in range(4)))
    house.drain()


def name_of(number: int) -> str:
    """The name of a person of the shop."""
    return f"{FIRST_NAMES[number % 6]} {LAST_NAMES[number % 5]}"


def _add_person(house: House, number: int, at: int) -> None:
    first, last = name_of(number).split()
    traits = {
        "email": f"{first}.{last}.{number}@people.example".lower(),
        "firstName": first,
        "lastName": last,
        "address": {"country": COUNTRIES[number % 4], "city": "Galway"},
    }
    who = {"userId": f"u{number}", "anonymousId": f"c{number}"}
    house.segment(
        _viewed(number, at), {"type": "identify", **who, "traits": traits, "timestamp": to_iso(at)}
    )
    for order in range(number % 4):
        house.segment(_bought(number, f"{number}-{order}", at + order * HOUR, "14.00", order + 1))


def _bought(number: int, order_id: str, at: int, total: str, quantity: int) -> dict[str, Any]:
    items = [{"product_id": "p1", "name": "Mug", "price": "14.00", "quantity": quantity}]
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{number}",
        "anonymousId": f"c{number}",
        "timestamp": to_iso(at),
        "properties": {"order_id": order_id, "total": total, "products": items},
    }


def _viewed(number: int, at: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": f"c{number}",
        "timestamp": to_iso(at),
        "context": {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}},
        "properties": {"product_id": "p1", "name": "Mug", "price": "14.00"},
    }
