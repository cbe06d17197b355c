"""One customer's page."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenWindow, Window


def open_busiest(window: Window, tab: str = "") -> Page:
    return window.open(window.served.busiest.removeprefix(window.served.root) + tab)


def test_the_timeline_loads_back_to_the_first_event(window: Window) -> None:
    page = open_busiest(window)
    expect(page.locator("article")).to_have_count(50)
    while page.locator("#more a").count():
        before = page.locator("article").count()
        page.locator("#more a").scroll_into_view_if_needed()
        expect(page.locator("article").nth(before)).to_be_attached()
    headings = page.locator(".day > h2").all_text_contents()
    assert len(headings) == len(set(headings))
    assert page.locator("article").count() > 120


def test_the_day_stays_in_sight_while_its_events_scroll(window: Window) -> None:
    page = open_busiest(window)
    # Beside the navigation, which scrolls by itself.
    page.mouse.move(700, 400)
    page.mouse.wheel(0, 700)
    day = page.locator(".day > h2").first
    expect(day).to_be_in_viewport()
    assert day.evaluate("element => element.getBoundingClientRect().top") < 60


def test_an_event_opens_and_its_json_can_be_copied(open_window: OpenWindow) -> None:
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    page = open_busiest(window)
    event = page.locator("article", has_text="Product viewed").first
    event.locator("summary").first.click()
    expect(event.locator(".facts")).to_contain_text("Mug")
    event.get_by_role("button", name="Copy JSON").click()
    expect(page.locator("#toasts")).to_contain_text("Copied.")
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["type"] == "product_viewed"


def test_the_timeline_can_be_narrowed_to_one_type(window: Window) -> None:
    page = open_busiest(window)
    page.get_by_label("Show").select_option("visited_site")
    expect(page).to_have_url(re.compile(r"type=visited_site"))
    expect(page.locator("article", has_text="Product viewed")).to_have_count(0)
    expect(page.locator("article", has_text="Visited site").first).to_be_visible()


def test_tabs_are_pages_and_an_event_type_leads_to_its_events(window: Window) -> None:
    page = open_busiest(window)
    page.get_by_role("navigation", name="Customer").get_by_text("Events").click()
    expect(page).to_have_url(re.compile(r"/events$"))
    page.get_by_role("link", name="Product viewed").click()
    expect(page.get_by_label("Show")).to_have_value("product_viewed")


def test_an_orders_lines_open(window: Window) -> None:
    profile = window.served.house.profile_id("user_id:u3")
    page = window.open(f"/customers/{profile}/orders")
    page.locator("details.order-lines summary").first.click()
    expect(page.locator("details.order-lines table").first).to_contain_text("Mug")


def test_a_figure_explains_itself(window: Window) -> None:
    page = open_busiest(window)
    page.get_by_role("button", name="About total spent").click()
    expect(page.locator("#tip-total_spend")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#tip-total_spend")).to_be_hidden()


def test_older_events_are_a_plain_link_without_scripts(open_window: OpenWindow) -> None:
    page = open_busiest(open_window(java_script_enabled=False))
    first = page.locator("article").first.locator("pre").first.text_content()
    page.get_by_role("link", name="Load older events").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("article").first.locator("pre").first.text_content() != first


def test_on_a_phone_nothing_scrolls_sideways_and_the_tab_is_in_sight(
    open_window: OpenWindow,
) -> None:
    window = open_window(viewport={"width": 375, "height": 800})
    for tab in (
        "",
        "/events",
        "/orders",
        "/scores",
        "/segments",
        "/identity",
        "/consents",
        "/glance",
    ):
        page = open_busiest(window, tab)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, tab
        if tab != "/glance":
            expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert page.get_by_role("link", name="Open the profile").is_visible()
