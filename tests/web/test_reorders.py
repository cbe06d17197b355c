"""Re-orders: by product and week, with the people behind each number, as a page, a file and JSON."""

from __future__ import annotations

from typing import Any

from customer360.clock import DAY, parse_instant, to_iso
from tests.house import NOW, House
from tests.web.conftest import Site, text_of


def bought(house: House, user: str, *days_ago: int, product: str = "7") -> None:
    """The same product on some days."""
    for days in days_ago:
        line: dict[str, Any] = {
            "product_id": product,
            "name": "Green tea",
            "quantity": 1,
            "price": 9,
        }
        properties = {"order_id": f"{user}-{days}", "total": 9, "products": [line]}
        call = {"type": "track", "event": "Order Completed", "properties": properties}
        at = to_iso(parse_instant(NOW) - days * DAY)
        traits = {"type": "identify", "traits": {"firstName": user.title(), "lastName": "Byrne"}}
        for one in (call, traits):
            house.segment({**one, "userId": user, "timestamp": at})


def test_before_the_first_run_and_without_repeats_the_page_says_what_will_be_here(
    site: Site,
) -> None:
    assert "Nothing is computed yet" in text_of(
        site.owner.get(f"{site.root}/reports/reorders").text
    )
    file = site.owner.get(f"{site.root}/reports/reorders.csv").text
    assert file.strip("\ufeff\r\n") == "Product id,Product,Overdue"

    bought(site.house, "ann", 3)
    site.house.drain()
    site.house.app.enrichment.run(site.house.shop)

    said = text_of(site.owner.get(f"{site.root}/reports/reorders").text)
    assert "No product is bought again yet" in said


def test_each_number_opens_its_people(site: Site) -> None:
    bought(site.house, "ann", 40, 20)
    bought(site.house, "bea", 41, 25)
    bought(site.house, "cat", 25, 12)
    site.house.drain()
    site.house.app.enrichment.run(site.house.shop)

    raw = site.owner.get(f"{site.root}/reports/reorders").text
    assert "Green tea 1 2 0 0 0 0 0 0 0 3" in text_of(raw)

    people = f"{site.root}/reports/reorders/people?product=7"
    assert people.replace("&", "&amp;") + "&amp;week=0" in raw
    week = text_of(site.owner.get(f"{people}&week=0").text)
    assert "Green tea: this week" in week
    assert "2 customers" in week
    assert "Ann Byrne" in week
    assert "Cat Byrne" in week
    assert "Bea Byrne" in text_of(site.owner.get(f"{people}&week=-1").text)
    assert "Nobody any more" in text_of(site.owner.get(f"{people}&week=4").text)
    assert site.owner.get(f"{people}&week=99").status_code == 404
    assert site.owner.get(f"{people}&week=0&page=9").status_code == 303

    file = site.owner.get(f"{site.root}/reports/reorders.csv").text
    assert file.splitlines()[1].endswith("Green tea,1,2,0,0,0,0,0,0,0")
