"""The pixel in a real browser: what it sends, and when it keeps silent."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import customer360.api
from customer360.api.pixel import strip

SCRIPT = strip((Path(customer360.api.__file__).parent / "static" / "pixel.js").read_text())
# Longer than the pixel gathers events for.
GATHERED_SECONDS = 0.6


@dataclass
class Shop:
    """A site whose every page has the pixel, and all that the pixel sends."""

    address: str = ""
    head: str = ""
    tag: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def events(self, count: int) -> list[dict[str, Any]]:
        """The first events, once there are so many."""
        deadline = time.monotonic() + 10
        while len(found := [event for batch in self.sent for event in batch["batch"]]) < count:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def silent(self) -> bool:
        """Whether nothing comes, even after a while."""
        time.sleep(GATHERED_SECONDS)
        return not self.sent


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = self.path.partition("?")[0] != "/pixel.js"
            pixel = f'<script async src="/pixel.js?k=pk_1" {shop.tag}></script>'
            page = f"<!doctype html><title>Tea</title>{shop.head}{pixel}<a href='/next'>Next</a>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if html else "text/javascript")
            self.end_headers()
            self.wfile.write((page if html else SCRIPT).encode())

        def do_POST(self) -> None:
            assert self.path == "/v1/batch"
            shop.headers.append(dict(self.headers))
            shop.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield shop
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def test_a_visit_is_sent_in_segments_shape(shop: Shop, page: Page) -> None:
    page.goto(
        f"{shop.address}/tea?utm_source=news&utm_campaign=may", referer="https://search.example/"
    )
    [event] = shop.events(1)
    [batch] = shop.sent
    assert batch["writeKey"] == "pk_1"
    assert batch["context"]["library"]["name"] == "customer360-pixel"
    assert batch["sentAt"]
    assert shop.headers[0]["Content-Type"] == "text/plain;charset=UTF-8"
    assert event["type"] == "page"
    assert event["context"]["page"] == {
        "url": f"{shop.address}/tea?utm_source=news&utm_campaign=may",
        "path": "/tea",
        "referrer": "https://search.example/",
        "title": "Tea",
    }
    assert len(event["anonymousId"]) == len(event["messageId"]) == 32
    assert event["timestamp"] <= batch["sentAt"]
    assert "userId" not in event


def test_the_visitor_stays_the_same_from_page_to_page(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.address}/a")
    page.click("a")
    first, second = shop.events(2)
    assert first["anonymousId"] == second["anonymousId"]
    assert first["messageId"] != second["messageId"]
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "c360_id"]
    assert cookie["value"] == first["anonymousId"]
    assert cookie["sameSite"] == "Lax"


def test_a_deleted_cookie_comes_back_from_storage(shop: Shop, page: Page) -> None:
    page.goto(shop.address)
    shop.events(1)
    page.context.clear_cookies()
    page.reload()
    first, second = shop.events(2)
    assert first["anonymousId"] == second["anonymousId"]


def test_navigation_within_a_page_counts_as_pages(shop: Shop, page: Page) -> None:
    page.goto(f"{shop.address}/a")
    shop.events(1)
    page.evaluate("history.pushState({}, '', '/b')")
    shop.events(2)
    page.evaluate("history.replaceState({}, '', '/b#part')")
    page.evaluate("history.pushState({}, '', '/c')")
    shop.events(3)
    page.go_back()
    found = shop.events(4)
    assert [event["context"]["page"]["path"] for event in found] == ["/a", "/b", "/c", "/b"]
    assert found[1]["context"]["page"]["referrer"] == f"{shop.address}/a"


def test_calls_before_the_script_has_loaded_are_not_lost(shop: Shop, page: Page) -> None:
    shop.head = (
        "<script>window.c360=window.c360||function(){(c360.q=c360.q||[]).push(arguments)};"
        "c360('identify','u1',{email:'ann@example.com'});"
        "c360('track','Product Viewed',{product_id:'p1'});c360('unknown')</script>"
    )
    page.goto(shop.address)
    visit, identified, viewed = shop.events(3)
    assert visit["type"] == "page"
    assert (identified["type"], identified["userId"]) == ("identify", "u1")
    assert identified["traits"] == {"email": "ann@example.com"}
    assert (viewed["event"], viewed["properties"]) == ("Product Viewed", {"product_id": "p1"})
    assert viewed["userId"] == "u1"


def test_traits_may_come_without_a_user_id_and_reset_forgets(shop: Shop, page: Page) -> None:
    page.goto(shop.address)
    page.evaluate(
        "c360('identify', {email: 'ann@example.com'}); c360('reset'); c360('track', 'Left')"
    )
    _, identified, left = shop.events(3)
    assert identified["traits"] == {"email": "ann@example.com"}
    assert "userId" not in identified
    assert identified["anonymousId"] != left["anonymousId"]


def test_what_is_tracked_while_leaving_is_still_sent(shop: Shop, page: Page) -> None:
    page.goto(shop.address)
    shop.events(1)
    page.evaluate("c360('track', 'Left'); location.href = '/next'")
    assert {event.get("event") for event in shop.events(3)} == {None, "Left"}


def nothing_stored(page: Page) -> bool:
    """Whether the pixel left no id behind, in cookies or storage."""
    stored = page.evaluate("localStorage.c360_id || ''")
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    return stored == "" and "c360_id" not in cookies


def test_where_consent_is_required_nothing_happens_before_it(shop: Shop, page: Page) -> None:
    shop.tag = 'data-consent="required"'
    page.goto(f"{shop.address}/a")
    page.evaluate("c360('track', 'Early')")
    assert shop.silent()
    assert nothing_stored(page)
    page.evaluate("c360('consent', true)")
    [event] = shop.events(1)
    assert (event["type"], event["context"]["page"]["path"]) == ("page", "/a")
    page.click("a")
    assert shop.events(2)[1]["context"]["page"]["path"] == "/next"


def test_consent_given_before_the_script_has_loaded_holds(shop: Shop, page: Page) -> None:
    shop.tag = 'data-consent="required"'
    shop.head = "<script>window.c360=function(){(c360.q=c360.q||[]).push(arguments)};c360('consent',true)</script>"
    page.goto(shop.address)
    assert [event["type"] for event in shop.events(1)] == ["page"]


def test_consent_withdrawn_ends_everything_for_good(shop: Shop, page: Page) -> None:
    page.goto(shop.address)
    page.evaluate("c360('consent', false)")
    page.evaluate("c360('track', 'Late')")
    page.reload()
    assert shop.silent()
    assert nothing_stored(page)


def test_a_browser_that_asks_for_privacy_gets_it(shop: Shop, page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto(shop.address)
    page.evaluate("c360('consent', true)")
    assert shop.silent()
    assert nothing_stored(page)


def test_shopifys_own_banner_decides_where_there_is_one(shop: Shop, page: Page) -> None:
    shop.head = "<script>agreed=false;Shopify={customerPrivacy:{analyticsProcessingAllowed:()=>agreed}}</script>"
    page.goto(shop.address)
    assert shop.silent()
    assert nothing_stored(page)
    page.evaluate("agreed = true; document.dispatchEvent(new Event('visitorConsentCollected'))")
    assert [event["type"] for event in shop.events(1)] == ["page"]
