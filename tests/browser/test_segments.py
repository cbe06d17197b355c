"""A new user says the same rule with the mouse and as text, and both mean the same people."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from customer360.segments.store import list_segments
from tests.browser.axe import check
from tests.browser.conftest import REGULARS, Window, name_of

TEXT = (
    "order_placed MATCHES (count >= 2, date >= -90d) AND total_spend > 200"
    " AND order_placed NOT MATCHES (date >= -30d) AND country IN ('IE', 'GB')"
)


def test_a_rule_is_the_same_with_the_mouse_and_as_text(window: Window) -> None:
    page = window.open("/segments")
    page.get_by_role("link", name="New segment").click()
    page.get_by_label("Name", exact=True).fill("With the mouse")

    condition(page, 0, "event:order_placed")
    choose(page, 0, "count-op", "gte")
    page.locator("#r-0-count-value").fill("2")
    choose(page, 0, "within", "last")
    page.locator("#r-0-days").fill("90")
    condition(page, 1, "attribute:total_spend")
    choose(page, 1, "op", "gt")
    page.locator("#r-1-value").fill("200")
    condition(page, 2, "event:order_placed")
    page.locator("#r-2-did").select_option("no")
    choose(page, 2, "within", "last")
    page.locator("#r-2-days").fill("30")
    condition(page, 3, "attribute:country")
    choose(page, 3, "op", "in")
    for place, country in enumerate(("IE", "GB"), 1):
        page.locator("#r-3-more").fill(country)
        page.locator("#r-3-more").press("Tab")
        expect(page.locator(".chip-choice")).to_have_count(place)
    expect(page.locator("#preview")).to_contain_text("whose country is IE or GB")
    check(page)
    by_mouse = page.locator("#preview").inner_text()
    mouse_members = save(window, "With the mouse")

    page = window.open("/segments/new")
    page.get_by_label("Name", exact=True).fill("As text")
    page.get_by_role("button", name="Text", exact=True).click()
    page.get_by_label("Rule as text").fill(TEXT)
    expect(page.locator("#preview")).to_contain_text("whose country is IE or GB")
    assert page.locator("#preview").inner_text() == by_mouse
    assert save(window, "As text") == mouse_members
    assert mouse_members == {name_of(number) for number in REGULARS[:2]}

    served = window.served
    with served.house.app.database.read() as connection:
        segments = list_segments(connection, served.house.shop.shop_id)[1:]
    assert {one.name for one in segments} == {"With the mouse", "As text"}
    assert segments[0].rule == segments[1].rule


def condition(page: Page, place: int, subject: str) -> None:
    """Adds a condition at the end of the rule, about an attribute or event."""
    page.get_by_role("button", name="Add condition").click()
    expect(page.locator(f"#r-{place}-what")).to_be_focused()
    choose(page, place, "what", subject)


def choose(page: Page, place: int, field: str, value: str) -> None:
    """Chooses what decides which fields follow, and waits for them."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(f"#r-{place}-{field}").select_option(value)
    expect(page.locator(f"#r-{place}-{field}")).to_have_value(value)
    settle(page)


def settle(page: Page) -> None:
    """Waits until nothing is asked or put into its place any more."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def save(window: Window, name: str) -> set[str]:
    """Saves the segment, which leads to its page; gives the people that it names once they are found."""
    page = window.page
    settle(page)
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("heading", name="From visit to order")).to_be_visible()
    window.served.house.drain()
    expect(page.locator("#segment .meta").get_by_text("Updated")).to_be_visible()
    check(page)
    return set(page.locator("#members th[scope=row] .two-lines > a").all_inner_texts())


def test_a_menu_is_walked_with_the_arrows(window: Window) -> None:
    page = window.open("/segments")
    page.get_by_label("Actions for All customers").press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Export")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Duplicate")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Actions for All customers")).to_be_focused()


def test_a_long_name_stays_in_the_list(window: Window) -> None:
    page = window.open("/segments")
    page.locator(".row-link").first.evaluate("(name) => name.textContent = 'W'.repeat(150)")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
