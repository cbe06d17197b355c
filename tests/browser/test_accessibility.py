"""Every page passes axe, light and dark, wide and narrow."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page

from customer360.reports import REPORTS
from tests.browser.axe import check
from tests.browser.conftest import OpenWindow, Served, new_window

PAGES = (
    *("/customers", "/customers?country=IE&orders_min=1", "/customers?q=nobody-at-all"),
    *("/sources", "/dead-letters", "/imports", "/nothing-here"),
    *("/settings", "/settings/users", "/settings/keys", "/settings/shopify", "/settings/account"),
    *(
        "/reports/stage-flow",
        "/settings/stages",
        "/settings/identity",
        "/segments",
        "/segments/1",
        "/segments/1/export",
    ),
    "/overview",
    *(f"/reports/{report.name}" for report in REPORTS),
    "/segments/new?template=cart_abandoners",
)
NARROW = (
    *(*PAGES[:3], PAGES[-1], "/overview", "/segments", "/segments/1/export", "/reports/stage-flow"),
    *("/sources", "/dead-letters", "/imports", "/settings/keys"),
    *(f"/reports/{report.name}" for report in REPORTS),
)
TABS = ("", "/events", "/orders", "/scores", "/segments", "/identity", "/consents")


@pytest.fixture(scope="module")
def reader(browser: Browser, served: Served) -> Iterator[Page]:
    """One window for all pages: each is checked for itself, and none changes anything."""
    with closing(browser.new_context(base_url=served.address)) as context:
        context.add_cookies([served.session()])
        window = new_window(context, served)
        yield window.page
        # The browser notes the answer 404 itself.
        assert all("404" in complaint for complaint in window.complaints)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_shop_is_accessible(reader: Page, served: Served, path: str) -> None:
    reader.goto(served.root + path)
    check(reader)


@pytest.mark.parametrize("tab", TABS)
def test_a_customer_is_accessible(reader: Page, served: Served, tab: str) -> None:
    reader.goto(served.busiest + tab)
    for details in reader.locator("main details").all()[:2]:
        details.locator("summary").first.click()
    check(reader)


def test_signing_in_is_accessible(open_window: OpenWindow, served: Served) -> None:
    window = open_window(signed_in=False)
    check(window.open("//sign-in"))
    check(window.open("/" + served.link()))


def test_what_opens_over_a_page_is_accessible(open_window: OpenWindow) -> None:
    page = open_window().open("/customers")
    page.get_by_text("Filters", exact=True).click()
    check(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check(page)


def test_no_page_is_wider_than_a_phone(reader: Page, served: Served) -> None:
    reader.set_viewport_size({"width": 390, "height": 800})
    for path in NARROW:
        reader.goto(served.root + path)
        assert reader.evaluate("document.documentElement.scrollWidth") <= 390, path
        check(reader, by_night=False)
    for tab in TABS:
        reader.goto(served.busiest + tab)
        assert reader.evaluate("document.documentElement.scrollWidth") <= 390, tab
