"""All customers and segments: a segment as a filter, and a filter as a segment."""

import html
import re

import pytest
from sqlalchemy import update

from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment
from customer360.segments.tables import segments
from tests.web.conftest import Site, text_of
from tests.web.shoppers import buy, fill, names_on


@pytest.fixture
def filled(site: Site) -> Site:
    """Three customers and a visitor, and a segment of those from Ireland."""
    with site.house.app.database.write() as connection:
        for shop, name in ((site.house.shop, "Irish"), (site.other_shop, "Elsewhere")):
            rule, now = parse_query("country = 'IE'"), site.house.clock.now()
            create_segment(connection, shop.shop_id, name, rule, now, limit=None)
    fill(site)
    return site


def segment_id(site: Site, name: str = "Irish") -> int:
    with site.house.app.database.read() as connection:
        found = connection.execute(segments.select().where(segments.c.name == name)).one()
    return int(found.segment_id)


def put(site: Site, **state: object) -> None:
    """Bring the segment into a state, as the worker would."""
    with site.house.app.database.write() as connection:
        mine = segments.c.segment_id == segment_id(site)
        connection.execute(update(segments).where(mine).values(**state))


def test_a_segment_narrows_the_list_and_its_file(filled: Site) -> None:
    query = f"?segment={segment_id(filled)}&orders_min=1"
    page = filled.owner.get(f"{filled.root}/customers{query}").text
    file = filled.owner.get(f"{filled.root}/customers.csv{query}").text

    assert names_on(page) == ["Ann Lee"]
    assert "In Irish" in text_of(page)
    assert 'aria-label="2 active"' in page
    assert len(file.splitlines()) == 2


def test_a_segment_of_another_shop_is_left_out_of_the_address_and_of_the_file(filled: Site) -> None:
    query = f"?segment={segment_id(filled, 'Elsewhere')}"
    answer = filled.owner.get(f"{filled.root}/customers{query}")
    file = filled.owner.get(f"{filled.root}/customers.csv{query}").text

    assert answer.headers["location"] == f"{filled.root}/customers"
    assert len(file.splitlines()) == 4
    assert "Elsewhere" not in filled.owner.get(f"{filled.root}/customers").text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"state": "updated"}, None),
        ({"state": "syncing", "progress": 40}, "The members of Irish are being found: 40% done."),
        (
            {"state": "failed", "failure": "The disk is full."},
            "Irish failed: The disk is full. Its members are those of before.",
        ),
    ],
)
def test_a_segment_that_is_not_current_says_so(
    filled: Site, state: dict[str, object], words: str | None
) -> None:
    put(filled, **state)
    page = filled.owner.get(f"{filled.root}/customers?segment={segment_id(filled)}").text
    notice = re.search(r'<div class="notice.*?</div></div>', page, re.S)

    assert (text_of(notice[0]) if notice else None) == words


def test_a_filter_becomes_a_segment_of_the_same_people(filled: Site) -> None:
    # Late in the evening of the tenth in UTC is the eleventh in Dublin; an order that was cancelled is none.
    buy(filled, "u3", "late", "5.00", "2026-06-10T23:30:00Z")
    buy(filled, "u2", "gone", "5.00", "2026-06-13T09:00:00Z")
    cancelled = {"type": "track", "event": "Order Cancelled", "userId": "u2"}
    filled.house.segment(cancelled | {"properties": {"order_id": "gone"}})
    filled.house.drain()
    mine = segment_id(filled)
    for query, expected in (
        ("?country=IE&country=GB&orders_min=1", 3),
        ("?bought_from=2026-06-11", 2),
        ("?bought_from=2026-06-11&bought_to=2026-06-11&country=IE", 1),
        ("?bought_to=2026-06-10", 1),
        ("?bought_from=2026-06-12", 0),
        ("?stage=new&stage=converted&place=online_only", 2),
        ("?rfm=prospects&kind=any", 1),
        ("?email=yes&spend_min=59", 2),
        ("?seen_days=3", 2),
        (f"?segment={mine}", 2),
    ):
        page = filled.owner.get(f"{filled.root}/customers{query}").text
        link = re.search(r'href="([^"]+/segments/new[^"]+)"', page)
        assert link, query
        builder = filled.owner.get(html.unescape(link[1])).text
        told = re.search(r'<span class="big">(\d+)</span>', builder)
        assert told, query
        assert (len(names_on(page)), int(told[1])) == (expected, expected), query


def test_a_segment_is_named_by_its_filters_and_leaves_the_search_out(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers?q=ann&country=IE&orders_min=2").text

    assert "Make a segment of these filters, without the search" in text_of(page)
    assert "/segments/new?name=Ireland%2C+Orders%3A+2+or+more&amp;query=" in page
    assert "ann" not in re.findall(r"/segments/new[^\"]+", page)[0]


@pytest.mark.parametrize("query", ["", "?q=ann", "?kind=visitor", "?kind=visitor&country=IE"])
def test_without_filters_or_of_visitors_alone_there_is_no_rule(filled: Site, query: str) -> None:
    assert "/segments/new?" not in filled.owner.get(f"{filled.root}/customers{query}").text
