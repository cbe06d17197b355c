"""Scores are asked for on a customer's page, come by themselves, and are read by everybody."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from customer360.clock import DAY, parse_instant, to_iso
from tests.browser.axe import check
from tests.browser.conftest import Served, Serving, Window, make_owner
from tests.house import NOW, House


@pytest.fixture
def buyers(sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    """A shop of its own without any scores: five who buy every four weeks, the first of them late."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'customer360.sqlite')}"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with closing(House(url, tmp_path, secret_key="test secret", port=port)) as house:
            house.segment(*(bought(n, day) for n in range(5) for day in (38 - n, 66 - n, 94 - n)))
            house.drain()
            with Serving(house, listener):
                yield Served(house, f"http://127.0.0.1:{port}", make_owner(house))


def bought(number: int, days_ago: int) -> dict[str, Any]:
    items = [{"product_id": "p1", "name": "Tea", "price": "40.00", "quantity": 1}]
    told = {"order_id": f"{number}-{days_ago}", "total": 40 + number, "products": items}
    when = to_iso(parse_instant(NOW) - days_ago * DAY)
    call = {"type": "track", "event": "Order Completed", "userId": f"u{number}", "timestamp": when}
    return {**call, "properties": told}


def test_scores_are_asked_for_and_come_by_themselves(browser: Browser, buyers: Served) -> None:
    with closing(browser.new_context(viewport={"width": 1280, "height": 900})) as context:
        context.add_cookies([buyers.session()])
        window = Window(context.new_page(), buyers)
        page = window.open(buyers.busiest.removeprefix(buyers.root) + "/scores")
        page.get_by_role("button", name="Compute now").click()
        expect(page.get_by_text("Scores are computed anew")).to_be_visible()
        expect(page.get_by_text("A worker begins in a moment")).to_be_visible()

        buyers.house.app.enrichment.run(buyers.house.shop)

        expect(page.get_by_text("Overdue by 10 days")).to_be_visible()
        expect(page.locator("#tier")).to_have_text("Regular")
        expect(page.get_by_role("button", name="Compute now")).to_have_count(0)
        check(page)
        page.get_by_role("button", name="About churn").click()
        expect(page.get_by_text("Index: 0.60 recency")).to_be_visible()

        window.open("/customers")
        page.get_by_role("link", name="4 customers").click()
        expect(page.locator(".pills")).to_contain_text("Tier: Regular")
        check(page)
        page.set_viewport_size({"width": 390, "height": 800})
        for path in ("/customers", buyers.busiest.removeprefix(buyers.root) + "/scores"):
            window.open(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
