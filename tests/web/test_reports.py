"""The page of a report: its filter bar, its people, its file, and what it says where it cannot answer."""

from __future__ import annotations

import re
from html import unescape

import pytest

from customer360.reports import REPORTS
from tests.web.conftest import Site


def visit(user: str, at: str) -> dict[str, object]:
    return {"type": "page", "anonymousId": user, "timestamp": at}


def fill(site: Site) -> None:
    """Three visitors: two of them in May, one of these on two days, and one today."""
    site.house.segment(
        visit("a", "2026-05-03T10:00:00Z"),
        visit("a", "2026-05-20T10:00:00Z"),
        visit("b", "2026-05-20T11:00:00Z"),
        visit("c", "2026-06-15T08:00:00Z"),
    )
    site.house.drain()


def text(answer: object) -> str:
    """What a page says, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())  # type: ignore[attr-defined]


def test_a_page_tells_its_figures_and_how_they_changed(site: Site):
    fill(site)
    days = "from=2026-05-16&to=2026-05-31"
    page = site.owner.get(f"{site.root}/reports/activity?{days}&compare=previous")
    assert "2 ▲ 100.0% more than in 30 Apr – 15 May 2026" in " ".join(text(page).split())


def test_a_number_leads_to_its_people_and_on_to_a_segment(site: Site):
    fill(site)
    page = site.owner.get(f"{site.root}/reports/activity?range=last_month")
    link = unescape(re.search(r'href="([^"]+/people\?[^"]*of=users)"', page.text)[1])  # type: ignore[index]
    people = site.owner.get(link)
    assert "2 customers" in text(people)
    segment = unescape(re.search(r'href="([^"]+/segments/new\?[^"]+)"', people.text)[1])  # type: ignore[index]
    assert "visited_site" in site.owner.get(segment).text


def test_a_form_sent_without_scripts_leads_to_the_one_address_of_its_filter(site: Site):
    asked = "range=30d&from=2026-05-17&to=2026-06-15&compare=previous&segment=&grain=auto&timezone=Europe/Dublin"
    answer = site.owner.get(f"{site.root}/reports/activity?{asked}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{site.root}/reports/activity?compare=previous"


def test_a_part_of_a_page_tells_the_browser_its_address(site: Site):
    fill(site)
    answer = site.owner.get(
        f"{site.root}/reports/activity?range=7d&segment=", headers={"hx-request": "true"}
    )
    assert answer.headers["hx-push-url"] == f"{site.root}/reports/activity?range=7d"
    assert '<option value="Asia/Kolkata">' in answer.text


@pytest.mark.parametrize("query", ["range=never", "from=x", "timezone=Moon", "segment=77"])
@pytest.mark.parametrize("name", ["overview", "reports/activity"])
def test_an_address_that_makes_no_sense_says_so_and_leads_on(site: Site, name: str, query: str):
    answer = site.owner.get(f"{site.root}/{name}?{query}")
    assert answer.status_code == 422
    assert f'href="{site.root}/{name}"' in answer.text


def test_the_segment_of_another_shop_is_none(site: Site):
    answer = site.owner.get(f"{site.root}/reports/activity?segment=999")
    assert answer.status_code == 422


def test_a_file_has_both_periods(site: Site):
    fill(site)
    file = site.owner.get(
        f"{site.root}/reports/activity.csv?range=last_month&compare=previous&grain=month"
    )
    lines = file.text.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("Period,From,Total users")
    assert lines[1:] == ["this,2026-05-01,2,3,1.5", "compared,2026-04-01,0,0,"]


@pytest.mark.parametrize("name", [report.name for report in REPORTS])
def test_every_report_says_what_has_to_come_first(site: Site, name: str):
    page = site.owner.get(f"{site.root}/reports/{name}", follow=True)
    assert page.status_code == 200
    report = next(one for one in REPORTS if one.name == name)
    assert report.empty
    assert report.empty in text(page)


def test_the_overview_of_an_empty_shop_says_how_to_begin(site: Site):
    page = site.owner.get(f"{site.root}/overview")
    assert "Connect a source" in text(page)


def test_the_overview_tells_what_changed_and_what_needs_attention(site: Site):
    fill(site)
    site.house.segment(
        {"type": "track", "event": 7},
        visit("d", "2026-06-10T10:00:00Z"),
        visit("e", "2026-06-10T10:00:00Z"),
        visit("f", "2026-06-05T10:00:00Z"),
    )
    site.house.drain()
    page = site.owner.get(f"{site.root}/overview")
    says = text(page)
    week = "from=2026-06-08&to=2026-06-14&compare=previous"
    assert f'href="{site.root}/reports/activity?{week}"' in unescape(page.text)
    assert "2 people visited, 1 more than the week before." in says
    assert "1 signal could not be used. See why, and replay" in says


def test_the_overview_is_where_a_shop_begins(site: Site):
    assert site.owner.get(site.root).headers["location"] == f"{site.root}/overview"


def test_a_table_is_sorted_by_its_heads_and_keeps_the_order_under_another_filter(site: Site):
    bought = {"total": 25, "currency": "EUR"}
    site.house.segment(
        visit("a", "2026-06-01T10:00:00Z"),
        {
            "type": "track",
            "event": "Order Completed",
            "anonymousId": "a",
            "timestamp": "2026-06-01T10:05:00Z",
            "properties": {"order_id": "o1", **bought},
        },
    )
    site.house.drain()
    address = f"{site.root}/reports/acquisition"
    page = site.owner.get(f"{address}?sort=value").text
    assert '<th scope="col" aria-sort="ascending"><a href="' + f"{address}?sort=-value" in page
    assert f'<th scope="col" class="number"><a href="{address}">Customers</a>' in page
    assert '<input type="hidden" name="sort" value="value">' in page
    assert "No visit known 1 1 €25.00 €25.00 – – 0.0%" in text(site.owner.get(address))
    assert site.owner.get(f"{address}?sort=rich").status_code == 422
