"""The command palette and the keys that lead to pages, by the keyboard alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment, delete_segment
from tests.browser.axe import check
from tests.browser.conftest import OpenWindow, Served, Window, name_of


def palette(page: Page) -> Page:
    """Opens the command palette and waits for what it begins with."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    return page


def chosen(page: Page) -> str:
    """The option that Enter would follow: the one that the search box says is active."""
    active = page.get_by_role("combobox").get_attribute("aria-activedescendant")
    option = page.locator(f"#{active}")
    expect(option).to_have_attribute("aria-selected", "true")
    return option.inner_text().split("\n")[0]


def test_the_palette_is_walked_with_the_arrows_and_gives_the_focus_back(window: Window) -> None:
    page = window.open("/sources")
    page.get_by_role("link", name="Dead letters").focus()
    palette(page)
    assert chosen(page) == "Overview"
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("option").last.inner_text()
    assert chosen(page) == last
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert chosen(page) == page.get_by_role("option").nth(1).inner_text()
    check(page)

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("link", name="Dead letters")).to_be_focused()
    assert page.locator("#palette-found").inner_text() == ""


def test_the_palette_leads_to_a_customer_and_no_address_tells_the_name(window: Window) -> None:
    page = window.open("/sources")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="Find").click()
    name = name_of(7)
    page.keyboard.type(name.lower())
    expect(page.get_by_role("group", name="Customers")).to_be_visible()
    expect(page.get_by_role("option", name=name).first).to_have_attribute("aria-selected", "true")
    check(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert not [url for url in asked if name.split()[0].lower() in url.lower()]


def test_enter_before_the_answer_means_the_first_that_comes(window: Window) -> None:
    page = palette(window.open("/sources"))
    page.keyboard.type("dead")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")


def test_the_palette_says_where_nothing_is_called_so(window: Window) -> None:
    page = palette(window.open("/sources"))
    page.keyboard.type("no such thing")
    expect(page.locator("#palette-found")).to_contain_text("Nothing here is called so")
    expect(page.get_by_role("combobox")).to_have_attribute("aria-expanded", "false")
    check(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_without_scripts_finding_is_a_page(open_window: OpenWindow, served: Served) -> None:
    with served.house.app.database.write() as connection:
        rule = parse_query("country = 'IE'")
        shop_id, now = served.house.shop.shop_id, served.house.clock.now()
        segment = create_segment(connection, shop_id, "Irish tea drinkers", rule, now, limit=None)
    page = open_window(java_script_enabled=False).open("/sources")
    page.get_by_role("link", name="Find").click()
    page.get_by_role("searchbox").fill("TEA irish")
    page.get_by_role("searchbox").press("Enter")
    assert urlsplit(page.url).query == ""
    page.locator("#found").get_by_role("link", name="Irish tea drinkers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Irish tea drinkers")
    with served.house.app.database.write() as connection:
        delete_segment(connection, shop_id, segment.segment_id)


@pytest.mark.parametrize(("key", "title"), [("c", "All customers"), ("l", "Dead letters")])
def test_g_and_a_letter_lead_to_a_page(window: Window, key: str, title: str) -> None:
    page = window.open("/sources")
    page.keyboard.press("g")
    page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_the_list_of_shortcuts_tells_the_keys_of_pages_and_leads_there(window: Window) -> None:
    page = window.open("/sources")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)
    page.get_by_role("dialog").get_by_role("link", name="Imports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imports")
