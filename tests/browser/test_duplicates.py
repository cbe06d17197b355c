"""Pairs are decided by the keyboard alone, taken back by the toast, and read by everybody."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import check
from tests.browser.conftest import Served, Serving, Window, make_owner, new_window
from tests.house import House, at

PAIRS = 22
WIDE = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 800}

Open = Callable[..., Page]


@pytest.fixture
def crowd(sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    """A shop of its own with pairs to decide: what a test decides is decided for good."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'customer360.sqlite')}"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        with closing(House(url, tmp_path, secret_key="test secret", port=port)) as house:
            house.segment(*(call for number in range(PAIRS) for call in conflict(number)))
            house.segment(*(seen for name in ("till", "kiosk") for seen in too_often(name)))
            house.work_off()
            with Serving(house, listener):
                yield Served(house, f"http://127.0.0.1:{port}", make_owner(house))


def conflict(number: int) -> list[dict[str, Any]]:
    """Two accounts, of which one names the address of the other."""

    def identify(account: str, minute: int, **traits: str) -> dict[str, Any]:
        when = at(minute - 60 * number)
        return {"type": "identify", "userId": account, "timestamp": when, "traits": traits}

    one, other, shared = f"a{number}", f"b{number}", f"anne{number}@y.example"
    return [
        identify(
            one, 0, email=f"ann{number}@x.example", name="Ann Byrne", phone=f"08712340{number:02}"
        ),
        identify(other, 1, email=shared, name=f"Anne {number}"),
        identify(one, 2, email=shared),
    ]


def too_often(user: str) -> list[dict[str, Any]]:
    """An account with so many identifiers that it links no further by itself."""
    call = {"type": "identify", "userId": user, "timestamp": at(0)}
    ids = [[{"type": "klaviyo_id", "id": f"{user}{number}"}] for number in range(50)]
    return [{**call, "context": {"externalIds": each}} for each in ids]


@pytest.fixture
def open_page(browser: Browser, crowd: Served) -> Iterator[Open]:
    """Opens a page of that shop, signed in; a complaint in the console fails the test."""
    windows: list[Window] = []

    def open_one(path: str = "/duplicates", **options: Any) -> Page:
        context = browser.new_context(base_url=crowd.address, **options)
        context.add_cookies([crowd.session()])
        windows.append(new_window(context, crowd))
        return windows[-1].open(path)

    yield open_one
    for window in windows:
        window.page.context.close()
    assert not [complaint for window in windows for complaint in window.complaints]


def left(page: Page, count: int) -> None:
    """So many pairs are to be decided."""
    expect(page.locator(".pairs-bar .muted")).to_have_text(
        re.compile(rf"^{count} pairs? to decide")
    )


def test_a_person_clears_twenty_pairs_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    page.keyboard.press("j")
    for number in range(20):
        page.keyboard.press("n" if number % 4 == 3 else "m")
        left(page, PAIRS - 1 - number)
        expect(page.locator(".pair:focus")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("m")
    left(page, 1)
    expect(page.locator(".pair:focus")).to_have_count(1)
    page.keyboard.press("n")
    expect(page.get_by_text("No pairs to decide")).to_be_visible()
    expect(page.locator("#main")).to_be_focused()


def test_the_keys_move_from_pair_to_pair_and_stay_where_they_were(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    ids = [pair.get_attribute("data-pair") for pair in page.locator(".pair").all()]

    def focused() -> str | None:
        return page.locator(".pair:focus").get_attribute("data-pair")

    for key, at_pair in (("j", 0), ("ArrowDown", 1), ("j", 2), ("k", 1), ("ArrowUp", 0), ("k", 0)):
        page.keyboard.press(key)
        assert focused() == ids[at_pair]
    page.keyboard.press("j")
    page.keyboard.press("n")
    left(page, PAIRS - 1)
    assert focused() == ids[2]


def test_keys_without_a_pair_in_focus_decide_nothing(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for key in ("m", "n", "x", "M", "N", "z"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    left(page, PAIRS)


def test_keys_pressed_faster_than_the_server_answers_are_not_lost(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for key in "jmjn":
        page.keyboard.press(key)
    left(page, PAIRS - 2)


def test_z_and_the_button_of_the_toast_take_a_merge_back(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for by_key in (True, False):
        page.locator(".pair").first.focus()
        page.keyboard.press("m")
        expect(page.locator(".toast")).to_contain_text("are one customer now.")
        if by_key:
            page.keyboard.press("z")
        else:
            page.get_by_role("button", name="Undo").click()
        expect(page.locator(".toast")).to_contain_text("both profiles are there again")
        expect(page.locator(".pair:focus")).to_have_count(1)
    page.get_by_role("link", name="Merge log").click()
    expect(page.get_by_text("Undone", exact=True)).to_have_count(2)


def test_an_undo_asked_for_before_the_answer_is_there_is_not_lost(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for key in "jnz":
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("Taken back: the pair")
    left(page, PAIRS)


def test_z_takes_back_that_pairs_are_not_the_same(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for keys, text in (("jn", "Taken back: the pair"), ("xjxN", "Taken back: 2 pairs")):
        for key in keys:
            page.keyboard.press(f"Shift+{key}" if key.isupper() else key)
        expect(page.locator("[data-undo]")).to_be_visible()
        page.keyboard.press("z")
        expect(page.locator(".toast")).to_contain_text(text)
        left(page, PAIRS)
        expect(page.locator(".pair:focus")).to_have_count(1)


def test_an_alert_is_seen_and_a_told_apart_pair_merged_by_the_keyboard(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    page.keyboard.press("j")
    page.keyboard.press("n")
    left(page, PAIRS - 1)
    for tab, button, told in (
        ("Not the same", "after all", "are one customer now."),
        ("Alerts 2 not seen yet", "as seen", "Noted."),
    ):
        page.get_by_role("link", name=tab, exact=True).press("Enter")
        page.get_by_role("button", name=button).first.press("Enter")
        expect(page.locator(".toast")).to_contain_text(told)
    expect(page.get_by_role("link", name="Alerts 1 not seen yet")).to_be_visible()


def test_selected_pairs_are_decided_together_by_the_keyboard(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Merge selected 2")).to_be_enabled()
    page.keyboard.press("Shift+M")
    left(page, PAIRS - 2)
    expect(page.locator(".toast")).to_contain_text("2 merges done.")
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("2 merges undone")
    page.get_by_label("Select all 10 shown").check()
    page.locator(".pairs-bar").get_by_role("button", name="Not the same 10").click()
    left(page, PAIRS - 12)


def test_enter_on_a_checkbox_sends_nothing(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("[data-one]").first.press("Enter")
    page.wait_for_timeout(300)
    left(page, PAIRS)


def test_the_question_mark_lists_the_keys_of_the_page(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Merge this pair")).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    left(page, PAIRS)


def test_pairs_are_decided_and_merges_undone_without_scripts(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.locator(".pair").first.get_by_role("button", name="Merge").click()
    left(page, PAIRS - 1)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("both profiles are there again")
    for box in page.locator("[data-one]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Merge selected").click()
    left(page, PAIRS - 3)
    page.goto(page.url + "/merges")
    page.get_by_role("button", name="Undo the merge").first.click()
    expect(page.locator(".toast")).to_contain_text("both profiles are there again")


def test_the_pages_are_accessible(open_page: Open) -> None:
    page = open_page(viewport=WIDE)
    page.keyboard.press("j")
    page.keyboard.press("x")
    check(page)
    page.keyboard.press("m")
    expect(page.locator(".toast")).to_be_visible()
    check(page)
    page.keyboard.press("?")
    check(page)
    page.keyboard.press("Escape")
    page.locator(".pair").first.focus()
    page.keyboard.press("n")
    expect(page.locator(".toast")).to_contain_text("stay two customers")
    check(page)
    for tab in ("Not the same", "Alerts", "Merge log"):
        page.locator(".tabs").get_by_role("link", name=tab).click()
        expect(page.get_by_role("row")).not_to_have_count(0)
        check(page)
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    page.get_by_role("link", name="Identifiers").click()
    expect(page.get_by_role("heading", name="Merge history")).to_be_visible()
    check(page)


def test_the_pages_and_the_buttons_of_their_rows_are_not_wider_than_a_phone(
    open_page: Open,
) -> None:
    page = open_page(viewport=PHONE)
    page.locator(".pair").first.get_by_role("button", name="Merge").click()
    left(page, PAIRS - 1)
    page.locator(".pair").first.get_by_role("button", name="Not the same").click()
    left(page, PAIRS - 2)
    root = page.url
    for path in ("", "/merges", "/apart", "/alerts"):
        page.goto(root + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        box = page.locator("main form button").last.bounding_box()
        assert box, path
        assert box["x"] + box["width"] <= PHONE["width"], path
        check(page, by_night=False)
