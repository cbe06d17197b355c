"""Reports in a browser: the bar asks anew by itself, Back restores, and an address shows everybody the same."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import OpenWindow, Window


def test_the_bar_asks_anew_and_back_restores(window: Window) -> None:
    page = window.open("/reports/activity")
    page.get_by_label("Compare with").select_option("previous")
    expect(page).to_have_url(re.compile(r"/reports/activity\?compare=previous$"))
    expect(page.locator(".change").first).to_be_visible()
    page.get_by_label("By", exact=True).select_option("week")
    expect(page).to_have_url(re.compile(r"compare=previous&grain=week$"))

    page.go_back()

    expect(page).to_have_url(re.compile(r"/reports/activity\?compare=previous$"))
    expect(page.get_by_label("By", exact=True)).to_have_value("auto")


def test_an_address_shows_the_same_in_another_browser(
    window: Window, open_window: OpenWindow
) -> None:
    page = window.open("/reports/activity")
    page.locator("summary", has_text="2026").click()
    page.get_by_role("link", name="Last 90 days").click()
    page.get_by_label("Of whom").select_option(label="All customers")
    expect(page).to_have_url(re.compile(r"range=90d&segment=1$"))
    figures = page.locator(".figure-value").all_inner_texts()

    other = open_window().page
    other.goto(page.url)

    assert other.locator(".figure-value").all_inner_texts() == figures
    expect(other.locator("summary", has_text="2026")).to_have_text(
        page.locator("summary", has_text="2026").inner_text()
    )


def test_keys_go_to_the_period_before_and_after(window: Window) -> None:
    page = window.open("/reports/activity?range=7d")
    now = page.locator("summary", has_text="2026").inner_text()
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(r"from=2026-06-02&to=2026-06-08"))
    page.keyboard.press("]")
    expect(page.locator("summary", has_text="2026")).to_have_text(now)


def test_a_number_opens_its_people_and_becomes_a_segment(window: Window) -> None:
    page = window.open("/reports/activity")
    people = page.locator(".figure-value a").first
    count = people.inner_text()
    people.click()
    expect(page.locator(".card-head").first).to_contain_text(f"{count} customers")
    page.get_by_role("link", name="Make a segment of them").click()
    expect(page.locator("#preview")).to_contain_text(count)


def test_days_are_chosen_without_scripts(open_window: OpenWindow) -> None:
    window = open_window(java_script_enabled=False)
    page = window.open("/reports/activity")
    page.locator("summary", has_text="2026").click()
    page.get_by_label("From", exact=True).fill("2026-06-01")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"from=2026-06-01&to=2026-06-15$"))


def test_the_overview_leads_to_what_needs_attention(window: Window) -> None:
    page = window.open("/overview")
    expect(page.get_by_role("heading", name="Since last week")).to_be_visible()
    check(page)
    page.get_by_role("link", name="See why, and replay").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
