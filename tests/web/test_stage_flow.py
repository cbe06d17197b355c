"""Stages: the table between two days, the people behind a cell, and the file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.conftest import Site, text_of


def order(user: str, number: int, at: str) -> dict[str, Any]:
    properties = {"order_id": str(number), "total": "5.00", "currency": "EUR"}
    told = {"type": "track", "event": "Order Completed", "userId": user, "timestamp": at}
    return {**told, "properties": properties}


@pytest.fixture
def moved(site: Site) -> Site:
    """One customer went from converted to loyal, one came, and one visitor looked around."""
    site.house.segment(
        {
            "type": "identify",
            "userId": "ann",
            "timestamp": "2026-06-01T08:00:00Z",
            "traits": {"name": "Ann Lee"},
        },
        order("ann", 1, "2026-06-01T09:00:00Z"),
        order("ann", 2, "2026-06-10T09:00:00Z"),
        order("bob", 3, "2026-06-12T09:00:00Z"),
        {"type": "page", "anonymousId": "c1", "timestamp": "2026-06-12T09:00:00Z"},
    )
    site.house.drain()
    return site


DAYS = "from=2026-06-05&to=2026-06-15"


def test_the_table_counts_customers_and_each_number_opens_its_people(moved: Site) -> None:
    page = moved.owner.get(f"{moved.root}/reports/stage-flow?{DAYS}").text

    assert "1 of 1 customer changed their stage, 1 came" in text_of(page)
    assert "Converted 0 0 0 1 0 0 1" in text_of(page)
    (link,) = re.findall(r'href="([^"]+was=converted[^"]+)"', page)
    people = text_of(moved.owner.get(link.replace("&amp;", "&")).text)
    assert "Converted, then loyal" in people
    assert "1 customer At the end of 5 Jun 2026, and of 15 Jun 2026" in people
    assert "Ann Lee" in people


def test_without_days_the_last_thirty_are_shown(moved: Site) -> None:
    page = text_of(moved.owner.get(f"{moved.root}/reports/stage-flow").text)

    assert "16 May 2026 ↓ 15 Jun 2026 →" in page
    assert "Not there yet 0 0 1 1 0 0 2" in page


def test_days_on_which_nobody_was_known_say_so(moved: Site) -> None:
    page = text_of(
        moved.owner.get(f"{moved.root}/reports/stage-flow?from=2026-01-01&to=2026-02-01").text
    )

    assert "No customers by then" in page
    assert "by the end of 1 Feb 2026" in page


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2027-01-01", "to"),
        ("from=2026-06-10&to=2026-06-09", "from"),
    ],
)
def test_days_that_cannot_be_compared_are_told_beside_their_field(
    site: Site, days: str, field: str
) -> None:
    answer = site.owner.get(f"{site.root}/reports/stage-flow?{days}")

    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in answer.text


def test_the_file_has_a_line_for_each_pair_of_stages(moved: Site) -> None:
    answer = moved.owner.get(f"{moved.root}/reports/stage-flow.csv?{DAYS}")

    lines = answer.content.decode("utf-8-sig").splitlines()
    assert (
        'filename="stage-flow-2026-06-05-2026-06-15.csv"' in answer.headers["content-disposition"]
    )
    assert lines[0] == "Stage at the end of 2026-06-05,Stage at the end of 2026-06-15,Customers"
    assert len(lines) == 1 + 7 * 6
    assert "Converted,Loyal,1" in lines
    assert "Not there yet,Converted,1" in lines


def test_a_pair_that_is_none_is_not_found(site: Site) -> None:
    answer = site.owner.get(f"{site.root}/reports/stage-flow/people?{DAYS}&was=rich&became=loyal")

    assert answer.status_code == 404


def test_a_page_behind_the_last_one_leads_to_the_first(moved: Site) -> None:
    address = f"{moved.root}/reports/stage-flow/people?{DAYS}&was=converted&became=loyal"

    answer = moved.owner.get(f"{address}&page=7")

    assert (answer.status_code, answer.headers["location"]) == (303, address)
