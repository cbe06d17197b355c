"""What is slow says so, and what fails can be asked for again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.axe import check
from tests.browser.conftest import OpenWindow, Window

SKELETON = """
() => {
  const drawn = getComputedStyle(document.querySelector(".busy"), "::after");
  return drawn.content !== "none" && [drawn.animationDelay.split(",")[0], drawn.opacity];
}
"""
"""After how long lines stand in for the part, and whether they do; false where nothing is asked for."""


def is_part(request: Request) -> bool:
    """Whether a part of the page is asked for."""
    return "hx-request" in request.headers


def hold(page: Page) -> list[Route]:
    """From now on answers are held back; gives them, to let go later."""
    held: list[Route] = []
    page.route(
        "**", lambda route: held.append(route) if is_part(route.request) else route.continue_()
    )
    return held


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/customers", "Search customers"),
        ("/segments", "Search segments"),
        ("/reports/activity", "Compare"),
    ],
)
def test_lines_stand_in_for_a_part_that_takes_long(
    open_window: OpenWindow, path: str, field: str
) -> None:
    page = open_window(reduced_motion="reduce").open(path)
    held = hold(page)
    assert not page.evaluate(SKELETON)
    one = page.get_by_label(field)
    if one.evaluate("(one) => one.tagName") == "SELECT":
        one.select_option(index=1)
    else:
        one.fill("a")
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    assert page.evaluate(SKELETON)[0] == "0.3s"
    page.wait_for_timeout(400)
    assert page.evaluate(SKELETON)[1] == "1"

    held[0].continue_()

    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert not page.evaluate(SKELETON)


@pytest.mark.parametrize("status", [0, 502])
def test_a_part_that_failed_can_be_asked_for_again(window: Window, status: int) -> None:
    page = window.open("/customers")
    asked = []

    def fail(route: Route) -> None:
        if not is_part(route.request):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.fulfill(status=status) if status else route.abort()

    page.route("**", fail)
    page.get_by_label("Search customers").fill("zoë")
    told = "The server failed" if status else "The server cannot be reached"
    expect(page.locator(".toast")).to_contain_text(told)
    check(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".toast")).to_have_count(1)
    page.unroute("**")

    page.get_by_role("button", name="Retry").click()

    expect(page.locator("#results .card-head")).to_contain_text("of 60 customers")
    expect(page.locator(".toast")).to_have_count(0)
    assert page.url.endswith("?q=zo%C3%AB")
    assert len(asked) >= 2
    # What the browser notes of answers that failed.
    assert len(window.complaints) >= 2
    window.complaints.clear()
