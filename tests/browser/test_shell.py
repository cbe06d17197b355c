"""Signing in and out, the theme, the drawer, and the pages about data and settings."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import EMAIL, PASSWORD, OpenWindow, Served, Window


@contextmanager
def worker(served: Served) -> Iterator[None]:
    """The worker, as long as the block lasts."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            served.house.drain()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_one_signs_in_with_a_password_and_out_again(open_window: OpenWindow) -> None:
    window = open_window(signed_in=False)
    page = window.open("/sources")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    # The browser notes the answer 401 itself.
    window.complaints.clear()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_link_signs_in_after_asking(open_window: OpenWindow, served: Served) -> None:
    page = open_window(signed_in=False).open("/" + served.link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_the_theme_stays(window: Window) -> None:
    page = window.open("/sources")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_on_a_phone_the_navigation_is_a_drawer_even_without_scripts(
    open_window: OpenWindow,
) -> None:
    size = {"width": 390, "height": 800}
    page = open_window(viewport=size, java_script_enabled=False).open("/customers")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.get_by_role("button", name="Open navigation").click()
    page.get_by_role("link", name="Dead letters").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()


def test_the_balance_is_kept_current(window: Window) -> None:
    page = window.open("/sources")
    before = page.locator(".sum dd").first.text_content()
    window.served.house.segment({"type": "track", "event": "A", "userId": "u1"})
    expect(page.locator(".sum dd").first).not_to_have_text(before or "", timeout=8000)


def test_chosen_dead_letters_are_replayed_with_a_word_about_it(window: Window) -> None:
    page = window.open("/dead-letters")
    replay = page.get_by_role("button", name="Replay selected")
    expect(replay).to_be_disabled()
    page.get_by_label("Select all on this page").check()
    expect(replay).to_be_enabled()
    page.get_by_label("Select all on this page").uncheck()
    page.locator("[data-one]").first.check()
    page.get_by_role("button", name="Replay selected 1").click()
    expect(page.locator("#toasts")).to_contain_text("1 signal waits to be processed again")
    window.served.house.drain()


def test_a_payload_opens_in_its_row(window: Window) -> None:
    page = window.open("/dead-letters")
    page.locator("details.payload summary").first.click()
    expect(page.locator("details.payload pre").first).to_contain_text('"type": "track"')


def test_a_file_is_imported_from_choosing_it_to_the_result(window: Window, tmp_path: Path) -> None:
    # An order of nobody: the shop is shared, and others count its customers.
    file = tmp_path / "orders.csv"
    file.write_text("Order,Date,Email,Item,Qty,Price\n77,2026-06-01,,Mug,1,14.00\n")
    page = window.open("/imports")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Order is our")).to_have_value("order_id")
    with worker(window.served):
        page.get_by_role("button", name="Start the import").click()
        expect(page.get_by_text("Done")).to_be_visible(timeout=60_000)
    expect(page.locator(".sum")).to_contain_text(re.compile(r"stored\s*1"))
    window.open("/imports")
    expect(page.get_by_role("link", name="orders.csv").first).to_be_visible()


def test_a_key_is_made_shown_once_and_revoked(window: Window) -> None:
    page = window.open("/settings/keys")
    page.get_by_label("Kind").select_option("api")
    page.get_by_role("button", name="Make key").click()
    key = page.locator("#made").text_content() or ""
    assert key.startswith("ak_")
    window.open("/settings/keys")
    expect(page.get_by_text(key)).to_have_count(0)
    page.get_by_role("button", name=f"Revoke the API key that ends in {key[-4:]}").click()
    expect(page.locator("#toasts")).to_contain_text("The key is revoked.")
