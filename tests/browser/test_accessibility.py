"""Every page passes axe, light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import OpenWindow, Served, Window

PAGES = (
    *("/customers", "/customers?country=IE&orders_min=1", "/customers?q=nobody-at-all"),
    *("/sources", "/dead-letters", "/imports", "/nothing-here"),
    *("/settings", "/settings/users", "/settings/keys", "/settings/shopify", "/settings/account"),
    *(
        "/reports/stages",
        "/settings/stages",
        "/settings/identity",
        "/segments",
        "/segments/1",
        "/segments/1/export",
    ),
    "/segments/new?template=cart_abandoners",
)
TABS = ("", "/events", "/orders", "/scores", "/segments", "/identity", "/consents")


WHOLE = {"resultTypes": ["violations"]}
COLOURS = {**WHOLE, "runOnly": ["color-contrast"]}


def check(window: Window) -> None:
    """By day everything; by night the page is the same but for its colours."""
    for scheme, options in (("light", WHOLE), ("dark", COLOURS)):
        window.page.emulate_media(color_scheme=scheme)
        found = Axe().run(window.page, options=options)
        assert not found.violations_count, f"{scheme}: {found.generate_report()}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_shop_is_accessible(open_window: OpenWindow, page: str) -> None:
    window = open_window()
    window.open(page)
    if page == "/nothing-here":
        window.complaints.clear()
    check(window)


@pytest.mark.parametrize("tab", TABS)
def test_a_customer_is_accessible(open_window: OpenWindow, tab: str) -> None:
    window = open_window()
    page = window.open(window.served.busiest.removeprefix(window.served.root) + tab)
    for details in page.locator("main details").all()[:2]:
        details.locator("summary").first.click()
    check(window)


def test_signing_in_is_accessible(open_window: OpenWindow, served: Served) -> None:
    window = open_window(signed_in=False)
    window.open("//sign-in")
    check(window)
    window.open("/" + served.link())
    check(window)


def test_what_opens_over_a_page_is_accessible(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.open("/customers")
    page.get_by_text("Filters").click()
    check(window)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check(window)


@pytest.mark.parametrize(
    "page",
    [
        *PAGES[:3],
        *PAGES[-4:],
        "/reports/stages",
        "/sources",
        "/dead-letters",
        "/imports",
        "/settings/keys",
    ],
)
def test_no_page_is_wider_than_a_phone(open_window: OpenWindow, page: str) -> None:
    window = open_window(viewport={"width": 390, "height": 800})
    shown = window.open(page)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    check(window)


def test_a_customer_is_not_wider_than_a_phone(open_window: OpenWindow) -> None:
    window = open_window(viewport={"width": 390, "height": 800})
    for tab in TABS:
        shown = window.open(window.served.busiest.removeprefix(window.served.root) + tab)
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390, tab
