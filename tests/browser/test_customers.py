"""Finding customers: with scripts, without them, and with the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import OpenWindow, Window


def test_the_list_follows_what_is_typed_and_so_does_the_address(window: Window) -> None:
    page = window.open("/customers")
    page.get_by_role("searchbox").press_sequentially("aoife")
    expect(page.locator("#results .card-head span").first).to_have_text("10 of 60 customers")
    expect(page).to_have_url(re.compile(r"\?q=aoife$"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("link", name="Export 10 filtered customers (CSV)")).to_be_visible()


def test_filters_narrow_the_list_and_go_one_by_one(window: Window) -> None:
    page = window.open("/customers")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Ireland").check()
    expect(page.locator("#results .card-head span").first).to_have_text("30 of 60 customers")
    page.get_by_label("Orders, at least").fill("2")
    page.get_by_label("Orders, at least").press("Tab")
    expect(page.locator("#filter-count .count")).to_have_text("2")
    expect(page).to_have_url(re.compile(r"\?country=IE&orders_min=2$"))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Remove filter: Ireland").click()
    expect(page).to_have_url(re.compile(r"\?orders_min=2$"))
    page.locator(".pills").get_by_text("Clear all").click()
    expect(page.locator("#results .card-head span").first).to_have_text("60 customers")


def test_columns_come_and_go_and_all_of_them_scroll_in_their_card(window: Window) -> None:
    page = window.open("/customers")
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Lifetime value").check()
    expect(page.get_by_role("columnheader", name="Lifetime value")).to_be_visible()
    page.get_by_label("Country").uncheck()
    expect(page.get_by_role("columnheader", name="Country")).to_have_count(0)
    for label in ("Country", "Shops", "Average order", "Churn"):
        page.get_by_label(label, exact=True).check()
    expect(page.get_by_role("columnheader")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_back_brings_the_list_before_the_filter(window: Window) -> None:
    page = window.open("/customers")
    page.get_by_role("searchbox").press_sequentially("aoife")
    expect(page.locator("#results .card-head span").first).to_have_text("10 of 60 customers")
    page.go_back()
    expect(page.locator("#results .card-head span").first).to_have_text("60 customers")
    expect(page).to_have_url(re.compile(r"/customers$"))


def test_a_heading_sorts_and_says_the_direction(window: Window) -> None:
    page = window.open("/customers")
    page.get_by_role("link", name="Orders", exact=True).click()
    expect(page.get_by_role("columnheader", name="Orders")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_role("link", name="Orders", exact=True).click()
    expect(page.get_by_role("columnheader", name="Orders")).to_have_attribute(
        "aria-sort", "ascending"
    )


def test_a_click_anywhere_on_a_row_opens_the_customer(window: Window) -> None:
    page = window.open("/customers")
    name = page.locator(".row-link").first.text_content() or ""
    page.locator("tbody tr").first.locator("td").last.click(force=True)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_quick_look_opens_at_the_side_and_gives_the_focus_back(window: Window) -> None:
    page = window.open("/customers?sort=-orders_count")
    name = page.locator(".row-link").first.text_content() or ""
    look = page.get_by_role("link", name=f"Quick look at {name}", exact=True).first
    look.press("Enter")
    drawer = page.get_by_role("dialog", name="Quick look")
    expect(drawer.get_by_role("heading", level=1)).to_have_text(name)
    expect(drawer.get_by_role("cell", name="Mug").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?sort=-orders_count$"))
    check(page)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(look).to_be_focused()


def test_the_keyboard_finds_the_search_and_the_shortcuts(window: Window) -> None:
    page = window.open("/customers")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("searchbox").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_first_tab_skips_to_the_content(window: Window) -> None:
    page = window.open("/customers")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_everything_works_without_scripts(open_window: OpenWindow) -> None:
    page = open_window(java_script_enabled=False).open("/customers")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Ireland").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#results .card-head span").first).to_have_text("30 of 60 customers")
    expect(page).to_have_url(re.compile(r"\?country=IE$"))
    page.get_by_role("searchbox").fill("aoife")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#results .card-head span").first).to_contain_text("of 60 customers")
    expect(page).to_have_url(re.compile(r"\?q=aoife&country=IE$"))


def test_pages_of_the_list_are_real_links(window: Window) -> None:
    page = window.open("/customers")
    page.get_by_role("link", name="Next page").click()
    expect(page).to_have_url(re.compile(r"\?page=2$"))
    expect(page.locator(".card-foot")).to_contain_text("26–50 of 60")


def test_when_the_session_ends_the_next_part_leads_to_the_sign_in_page(window: Window) -> None:
    page = window.open("/customers")
    page.context.clear_cookies()
    page.get_by_role("searchbox").press_sequentially("a")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


# What a list of a real shop shows, as wide as it commonly is.
WIDE_ROW = (
    ("Fitzgerald-O\u2019Shaughnessy", "bernadette.fitzgerald@longcompanyname.example.com"),
    "Regular",
    "Converted",
    "United Kingdom",
    "1,234",
    "\u20ac123,456.78",
    "31 Dec 2025",
    "31 Dec 2025",
)


@pytest.mark.parametrize("width", [390, 905, 1024, 1280, 1600])
def test_the_list_stays_in_its_card_at_any_width(open_window: OpenWindow, width: int) -> None:
    window = open_window(viewport={"width": width, "height": 900})
    page = window.open("/customers")
    page.evaluate(
        """(row) => document.querySelectorAll("tbody tr").forEach((line) => {
            line.querySelector(".row-link").textContent = row[0][0];
            line.querySelector("small").textContent = row[0][1];
            [...line.cells].forEach((cell, at) => { if (at) cell.textContent = row[at]; });
        })""",
        WIDE_ROW,
    )
    table = page.locator(".sticky-head table")

    scrolled = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    card, head = page.locator(".sticky-head").bounding_box(), table.locator("th").first
    inside = table.evaluate("(e) => e.scrollWidth <= e.closest('.sticky-head').clientWidth")
    scrolls = page.locator(".sticky-head").evaluate("(e) => getComputedStyle(e).overflowX")

    assert scrolled <= 0
    assert card is not None
    assert inside or scrolls == "auto"
    # At the width of most laptops nobody scrolls sideways, and the head stays in sight.
    assert (scrolls == "visible") == (width >= 1280)
    page.evaluate("scrollTo(0, 700)")
    in_sight = head.evaluate("(e) => e.getBoundingClientRect().bottom > 0")
    assert in_sight == (width >= 1280)


@pytest.mark.parametrize(
    ("width", "columns"), [(390, 2), (905, 3), (1024, 3), (1280, 3), (1600, 6)]
)
def test_no_metric_stands_alone_in_its_row(
    open_window: OpenWindow, width: int, columns: int
) -> None:
    window = open_window(viewport={"width": width, "height": 900})
    page = window.open(window.served.busiest.removeprefix(window.served.root))
    tops = page.locator(".metrics > *").evaluate_all("(all) => all.map((e) => e.offsetTop)")
    assert len(tops) == 6
    assert {tops.count(top) for top in tops} == {columns}
