"""A quick look at a customer, the same for the drawer and for a page of its own."""

import pytest

from tests.web.conftest import Site, text_of
from tests.web.shoppers import buy, fill


@pytest.fixture
def filled(site: Site) -> Site:
    """Three customers and a visitor."""
    fill(site)
    return site


def glance(site: Site, identifier: str) -> str:
    return f"{site.root}/customers/{site.house.profile_id(identifier)}/glance"


def test_a_quick_look_tells_who_it_is_their_worth_and_their_last_orders(filled: Site) -> None:
    for number in range(5):
        buy(filled, "u1", f"u1-{number + 2}", "1.00", f"2026-06-1{number}T10:00:00Z")
    items = [{"product_id": "p1", "name": "Mug", "variant": "Blue", "price": "7.50", "quantity": 2}]
    last = {"order_id": "last", "total": "15.00", "products": items}
    bought = {"type": "track", "event": "Order Completed", "userId": "u1", "properties": last}
    filled.house.segment(bought)
    filled.house.drain()
    address = glance(filled, "user_id:u1")
    page = text_of(filled.owner.get(address).text)

    assert "Ann Lee Customer ann@people.example Open the profile Segments" in page
    assert "Total spent €79.00 Orders 8 Average order €9.88" in page
    assert "Stage Loyal" in page
    assert "All 8 orders" in page
    assert "last – €15.00 Item Quantity Unit price Mug Blue 2 €7.50" in page
    assert [f"u1-{number}" in page for number in (6, 3, 2, 0)] == [True, True, False, False]


def test_whoever_bought_nothing_has_no_orders(filled: Site) -> None:
    page = text_of(filled.owner.get(glance(filled, "user_id:u3")).text)

    assert "Orders 0 Average order –" in page
    assert "Last orders No orders yet." in page


def test_the_list_leads_to_it_without_scripts_and_fetches_it_with_them(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers").text
    address = glance(filled, "user_id:u2")

    assert f'href="{address}" hx-get="{address}" hx-target="#drawer-body"' in page
    assert 'aria-label="Quick look at Bea Lee"' in page


def test_a_merged_profile_leads_to_the_one_it_is_now(filled: Site) -> None:
    gone = glance(filled, "cookie:c9")
    known = {"type": "identify", "userId": "u1", "anonymousId": "c9", "traits": {"plan": "gold"}}
    filled.house.segment(known)
    filled.house.drain()
    answer = filled.owner.get(gone)

    assert answer.headers["location"] == glance(filled, "user_id:u1")


def test_nobody_looks_into_another_shop(filled: Site) -> None:
    address = glance(filled, "user_id:u1")
    elsewhere = address.replace(filled.root, f"/shops/{filled.other_shop.shop_id}")

    assert filled.stranger.get(address).status_code == 404
    assert filled.stranger.get(elsewhere).status_code == 404
