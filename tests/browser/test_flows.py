"""What a merchant does from beginning to end: make, change and take back, share an address, export, set."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow, Window


def test_a_segment_is_made_edited_deleted_and_brought_back(window: Window) -> None:
    page = window.open("/segments/new")
    page.get_by_label("Name", exact=True).fill("Coming back")
    page.get_by_role("button", name="Text", exact=True).click()
    page.get_by_label("Rule as text").fill("orders_count >= 2")
    expect(page.locator("#preview")).to_contain_text("whose number of orders is at least 2")
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Coming back")

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Came back")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Came back")

    page.get_by_label("Actions for Came back").press("Enter")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("Came back")
    expect(page.get_by_role("link", name="Came back", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Came back", exact=True)).to_be_visible()

    # Others count the segments.
    page.get_by_label("Actions for Came back").press("Enter")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Came back", exact=True)).to_have_count(0)


def test_a_filtered_list_is_the_same_in_another_browser_and_in_its_file(
    window: Window, open_window: OpenWindow, tmp_path: Path
) -> None:
    page = window.open("/customers")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Ireland").check()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Orders", exact=True).click()
    expect(page.locator("th[aria-sort]")).to_contain_text("Orders")
    names = page.locator(".row-link").all_inner_texts()

    other = open_window().page
    other.goto(page.url)
    expect(other.locator(".row-link")).to_have_text(names)
    expect(other.locator(".pill")).to_have_text(["Ireland"])

    with page.expect_download() as download:
        page.get_by_role("link", name="Export 30 filtered customers (CSV)").click()
    download.value.save_as(tmp_path / "customers.csv")
    rows = list(csv.DictReader((tmp_path / "customers.csv").read_text("utf-8-sig").splitlines()))
    assert [row["Name"] for row in rows][: len(names)] == names
    assert {row["Country"] for row in rows} == {"IE"}


def test_the_members_of_a_segment_leave_as_a_file(window: Window, tmp_path: Path) -> None:
    page = window.open("/segments/1")
    page.get_by_role("link", name="Export 60 customers").click()
    with page.expect_download() as download:
        page.locator("main a[href*='export.csv?format=']").first.click()
    download.value.save_as(tmp_path / "members.csv")
    assert len((tmp_path / "members.csv").read_text("utf-8-sig").splitlines()) == 61


def test_a_setting_is_changed_and_put_back(window: Window) -> None:
    page = window.open("/settings")
    name, nav = page.get_by_label("Name", exact=True), page.locator(".nav-shop")
    before = name.input_value()
    for told in ("Harbour Tea", before):
        name.fill(told)
        page.get_by_role("button", name="Save").click()
        expect(nav).to_contain_text(told)
    expect(page.locator("#toasts")).not_to_be_empty()


def test_the_navigation_is_walked_with_tab_and_enter(window: Window) -> None:
    page = window.open("/sources")
    labels = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    page.get_by_role("link", name="Customer 360").last.focus()
    for label in labels[1:4]:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_contain_text(label.split("\n")[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(labels[3])
