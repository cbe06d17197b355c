"""What a page says on paper."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow, Window


def test_paper_has_the_whole_table_and_nothing_to_press(open_window: OpenWindow) -> None:
    page = open_window(viewport={"width": 700, "height": 900}).open("/customers?country=IE")
    page.get_by_role("button", name="Open navigation").click()
    page.get_by_role("button", name="Dark").click()
    page.emulate_media(media="print")
    for pressed in (
        page.get_by_role("navigation"),
        page.locator(".button"),
        page.get_by_role("search"),
    ):
        assert not [one for one in pressed.all() if one.is_visible()]
    expect(page.get_by_role("link", name="Remove filter: Ireland")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 27, 24)"
    table = page.locator("main table")
    assert table.evaluate("(one) => one.scrollWidth <= one.closest('.card').clientWidth")
    assert table.evaluate("(one) => getComputedStyle(one.parentElement).overflowX") == "visible"


def test_paper_tells_which_days_a_report_is_about(window: Window) -> None:
    page = window.open("/reports/activity?range=90d")
    days = page.locator(".bar summary").first
    page.emulate_media(media="print")
    expect(days).to_have_text("18 Mar – 15 Jun 2026")
    expect(days).to_be_visible()
    expect(page.get_by_role("link", name="The period before")).to_be_hidden()
    expect(page.locator("main table")).to_be_visible()
