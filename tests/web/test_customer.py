import re

import pytest

from customer360.clock import DAY
from customer360.identities.throngs import LARGEST_COMPONENT
from customer360.intake import merging
from tests.web.conftest import Site, sign_in, text_of


@pytest.fixture
def ann(site: Site) -> str:
    """The address of a customer who visited, bought and agreed to mails."""
    house = site.house
    context = {"page": {"url": "https://shop.example/?utm_source=google&utm_medium=cpc"}}
    house.segment(
        {
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": "c1",
            "userId": "u1",
            "timestamp": "2026-06-14T09:00:00Z",
            "context": context,
            "properties": {"product_id": "p1", "name": "Mug", "price": "14.00"},
        },
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "c1",
            "timestamp": "2026-06-14T09:01:00Z",
            "traits": {"email": "ann@people.example", "firstName": "Ann", "lastName": "Lee"},
        },
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "u1",
            "timestamp": "2026-06-15T10:00:00Z",
            "properties": {
                "order_id": "1001",
                "total": "28.00",
                "currency": "EUR",
                "products": [{"product_id": "p1", "name": "Mug", "price": "14.00", "quantity": 2}],
            },
        },
    )
    house.drain()
    return f"{site.root}/customers/{house.profile_id('email:ann@people.example')}"


def test_the_cards_tell_what_matters_most(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(ann).text)
    assert "Ann Lee Customer ann@people.example" in page
    for fact in ("First visited", "14 Jun 2026", "Total spent", "€28.00", "Orders", "Sessions"):
        assert fact in page


def test_the_timeline_goes_by_day_and_opens_each_event(site: Site, ann: str) -> None:
    page = site.owner.get(ann).text
    days = re.findall(r"<h2>([^<]+)</h2>", page)
    assert days[:2] == ["Monday, 15 Jun 2026", "Sunday, 14 Jun 2026"]
    words = text_of(page)
    assert "11:00 Purchased €28.00" in words
    assert "Order id 1001" in words
    assert "Source / medium google / cpc" in words
    assert "Visit · 10:00" in words


def test_the_timeline_shows_one_type_when_asked(site: Site, ann: str) -> None:
    page = site.owner.get(f"{ann}?type=order_placed").text
    assert page.count("<article") == 1
    assert '<option value="order_placed" selected>Purchased (1)</option>' in page


def test_a_type_that_never_happened_offers_the_way_back(site: Site, ann: str) -> None:
    assert "Show all events" in site.owner.get(f"{ann}?type=ticket_opened").text


def test_the_timeline_goes_back_to_the_first_event_and_shows_each_once(
    site: Site, ann: str
) -> None:
    site.house.segment(
        *(
            {
                "type": "track",
                "event": f"Step {number}",
                "userId": "u1",
                "timestamp": f"2026-06-1{number % 3}T08:{number % 60:02d}:00Z",
            }
            for number in range(120)
        )
    )
    site.house.drain()
    seen: list[str] = []
    days: list[str] = []
    address = ann
    while address:
        page = site.owner.get(address).text
        seen += re.findall(r'id="json-(\d+)"', page)
        days += re.findall(r'<section class="day".*?(?=<article)', page, re.DOTALL)
        more = re.search(r'hx-get="([^"]+)" hx-trigger="click', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 124
    headings = [re.findall(r"<h2>(.*?)</h2>", day) for day in days]
    announced = [heading for found in headings for heading in found]
    assert len(announced) == len(set(announced))


def test_a_cursor_that_is_none_is_told_and_does_no_harm(site: Site, ann: str) -> None:
    assert site.owner.get(f"{ann}?before=zzz").status_code == 422


def test_events_are_counted_by_type_with_first_and_last(site: Site, ann: str) -> None:
    page = site.owner.get(f"{ann}/events").text
    assert f'href="{ann}?type=product_viewed">Product viewed</a>' in page
    assert "Visited site" in page


def test_orders_show_their_lines(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(f"{ann}/orders").text)
    assert "1001 Item Quantity Unit price Mug 2 €14.00" in page
    assert "€28.00" in page


def test_identifiers_show_type_value_state_and_when(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(f"{ann}/identity").text)
    assert "E-mail ann@people.example Owned Segment-compatible SDKs" in page
    assert "User id u1 Owned" in page
    assert "Cookie c1 Owned" in page


def test_of_a_crowd_that_one_value_links_the_page_names_it_and_what_to_do(site: Site) -> None:
    calls = [
        {"type": "identify", "userId": f"u{n}", "anonymousId": "kiosk"}
        for n in range(LARGEST_COMPONENT + 1)
    ]
    site.house.segment(*calls)
    site.house.work_off()

    answer = site.owner.get(f"{site.root}/customers/{site.house.profile_id('user_id:u1')}/identity")

    assert answer.status_code == 200
    assert (
        "What holds it together Cookie kiosk links more people than can be looked at while you wait."
        in text_of(answer.text)
    )


def test_traits_show_their_source(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(f"{ann}/identity").text)
    assert "Name Ann Lee Segment-compatible SDKs" in page


def test_what_names_a_person_stands_before_what_names_browsers_and_baskets(
    site: Site, ann: str
) -> None:
    for number in range(6):
        at, context = f"2026-06-15T0{number}:00:00Z", {"page": {"url": "https://shop.example/"}}
        page = {"type": "page", "anonymousId": f"b{number}", "userId": "u1", "timestamp": at}
        site.house.segment(page | {"context": context})
    site.house.drain()
    page = site.owner.get(f"{ann}/identity").text
    known, _, anonymous = page.partition("<summary>7 cookies, carts and checkouts</summary>")

    assert '<details class="more-rows">' in known
    assert "ann@people.example" in known
    assert "b3" not in known
    assert re.findall(r">(b\d)<", anonymous) == ["b5", "b4", "b3", "b2", "b1", "b0"]


def test_each_channel_tells_what_was_sent_and_what_came_back(site: Site, ann: str) -> None:
    assert "Engages" not in text_of(site.owner.get(f"{ann}/identity").text)
    for event in ("Email Sent", "Email Sent", "Email Opened", "Push Notification Dismissed"):
        site.house.segment({"type": "track", "event": event, "userId": "u1"})
    site.house.drain()
    page = text_of(site.owner.get(f"{ann}/identity").text)

    assert "Channel Sent Opened Clicked Replied Dismissed Last contact" in page
    assert "E-mail 2 1 0 0 0 just now" in page


def test_consents_show_each_address_and_the_state(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(f"{ann}/consents").text)
    assert "E-mail ann@people.example" in page
    assert "Never asked" in page


def test_a_merged_profile_leads_to_the_one_that_it_is_part_of_now(site: Site, ann: str) -> None:
    house = site.house
    house.segment({"type": "track", "event": "Searched", "anonymousId": "c2"})
    house.drain()
    visitor = house.profile_id("cookie:c2")
    house.segment(
        {"type": "identify", "userId": "u1", "anonymousId": "c2", "traits": {"plan": "gold"}}
    )
    house.drain()
    answer = site.owner.get(f"{site.root}/customers/{visitor}/orders")
    survivor = house.profile_id("email:ann@people.example")
    if visitor == survivor:
        pytest.fail("the visitor must not be the older profile")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{site.root}/customers/{survivor}/orders"


def test_whoever_has_an_account_and_no_name_is_called_a_customer(site: Site) -> None:
    site.house.segment({"type": "identify", "userId": "u9"})
    site.house.drain()
    called = f"Customer {str(site.house.profile_id('user_id:u9'))[-6:]}"
    page = site.owner.get(f"{site.root}/customers/{site.house.profile_id('user_id:u9')}")
    assert called in page.text
    assert called in site.owner.get(f"{site.root}/customers").text


def test_a_visitor_without_a_name_has_a_page_too(site: Site) -> None:
    site.house.segment({"type": "page", "anonymousId": "c9", "properties": {"title": "Home"}})
    site.house.drain()
    profile = site.house.profile_id("cookie:c9")
    page = text_of(site.owner.get(f"{site.root}/customers/{profile}").text)
    assert f"Visitor {str(profile)[-6:]} Visitor" in page


def test_a_customer_page_is_small_even_with_much_to_show(site: Site, ann: str) -> None:
    site.house.segment(
        *(
            {
                "type": "track",
                "event": "Product Viewed",
                "userId": "u1",
                "properties": {"product_id": f"p{number}", "name": f"Product number {number}"},
            }
            for number in range(300)
        )
    )
    site.house.drain()
    answer = site.owner.get(ann, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.num_bytes_downloaded < 80_000


def test_a_customer_who_was_merged_is_shown_as_the_survivor_until_the_undo(
    site: Site, ann: str
) -> None:
    house = site.house
    house.segment({"type": "identify", "userId": "u2", "traits": {"email": "anne@people.example"}})
    house.drain()
    gone = f"{site.root}/customers/{house.profile_id('user_id:u2')}"
    before = site.owner.get(gone).text
    pair = (house.profile_id("user_id:u1"), house.profile_id("user_id:u2"))
    shop_id, now = house.shop.shop_id, house.clock.now()
    with house.app.database.write() as connection:
        row = merging.merge(connection, shop_id, pair, actor="owner@shop.example", now=now)
    house.drain()

    answer = site.owner.get(f"{gone}/orders")

    assert (answer.status_code, answer.headers["location"]) == (307, f"{ann}/orders")
    assert "anne@people.example" in site.owner.get(f"{ann}/identity").text
    assert gone not in site.owner.get(f"{site.root}/customers").text
    with house.app.database.write() as connection:
        merging.undo(connection, shop_id, row.merge_id, actor="", now=now, window=DAY)
    house.drain()
    assert text_of(site.owner.get(gone).text) == text_of(before)
    assert gone in site.owner.get(f"{site.root}/customers").text
    identity = site.owner.get(f"{ann}/identity").text
    assert "anne@people.example" not in identity.partition("Merge history")[0]


def test_the_page_tells_the_stages_with_their_days(site: Site, ann: str) -> None:
    page = text_of(site.owner.get(ann).text)
    assert "Converted since 15 Jun 2026; before: new 14 Jun 2026" in page


def test_more_than_two_stages_open_as_a_list(site: Site, ann: str) -> None:
    site.house.clock.advance(90 * DAY)
    sign_in(site.house, site.owner, site.user_id)
    page = text_of(site.owner.get(ann).text)
    assert (
        "Churned since 13 Sept 2026; before: at risk 15 Jul 2026 – 12 Sept 2026 All 4 stages"
        in page
    )
    assert "Converted, 15 Jun 2026 – 14 Jul 2026 New, 14 Jun 2026" in page
