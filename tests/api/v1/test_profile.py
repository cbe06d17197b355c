"""One profile: the document, its events, timeline and orders, and where it went after a merge."""

from __future__ import annotations

import pytest

from customer360.profiles.attributes import ATTRIBUTES
from tests.api.v1.conftest import Desk, fill, identify, view
from tests.house import at

PARTS = ("", "/events", "/timeline", "/orders")


def address(desk: Desk, identifier: str, part: str = "") -> str:
    return f"/profiles/{desk.house.profile_id(identifier)}{part}"


def test_the_document_has_everything_about_a_person(desk: Desk) -> None:
    fill(desk)

    document = desk.told(address(desk, "email:ann@x.example"))

    attributes = document.pop("attributes")
    identifiers = document.pop("identifiers")
    points = document.pop("contact_points")
    (place,) = document.pop("addresses")
    assert document == {
        "profile_id": str(desk.house.profile_id("email:ann@x.example")),
        "kind": "customer",
        "fragments": 2,
        "name": "Ann Byrne",
        "first_name": "Ann",
        "last_name": "Byrne",
        "currency": "EUR",
        "explanations": {
            "next_best_action": {
                "action": "ask_consent",
                "words": "Ask for consent at the next visit or order",
            }
        },
    }
    assert {held["type"]: held["value"] for held in identifiers} == {
        "email": "ann@x.example",
        "phone": "+353871234567",
        "user_id": "u1",
    }
    assert identifiers[0] == {
        "type": "email",
        "value": "ann@x.example",
        "source": "segment",
        "state": "owned",
        "first_seen_at": "2026-06-15T08:00:00Z",
        "last_seen_at": "2026-06-15T08:00:00Z",
    }
    assert {
        "channel": "email",
        "address": "ann@x.example",
        "consent": "never",
        "consent_at": None,
        "consent_text": None,
    } in points
    assert (place["street"], place["city"], place["country"], place["company"]) == (
        "1 Quay Street",
        "Galway",
        "IE",
        None,
    )
    assert list(attributes) == [attribute.name for attribute in ATTRIBUTES]
    assert (attributes["orders_count"], attributes["total_spend"]) == (2, "59.00")
    assert attributes["last_order_at"] == "2026-06-15T08:20:00Z"


def test_a_visitor_has_a_document_too(desk: Desk) -> None:
    fill(desk)
    document = desk.told(address(desk, "cookie:visitor-1"))
    assert (document["kind"], document["name"], document["addresses"]) == ("visitor", None, [])


def test_consent_stands_with_its_time_and_words(desk: Desk) -> None:
    desk.house.shopify(
        "customers/create",
        {
            "id": 7,
            "email": "ann@x.example",
            "created_at": at(0),
            "updated_at": at(0),
            "email_marketing_consent": {"state": "subscribed", "consent_updated_at": at(5)},
        },
    )
    desk.house.drain()

    (point,) = desk.told(address(desk, "email:ann@x.example"))["contact_points"]

    assert (point["consent"], point["consent_at"]) == ("granted", at(5))


def test_events_are_counted_by_type(desk: Desk) -> None:
    fill(desk)

    page = desk.page(address(desk, "email:ann@x.example", "/events"))

    assert page["total"] == 2
    assert page["items"][0] == {
        "type": "order_placed",
        "label": "Purchased",
        "count": 2,
        "first_at": "2026-06-15T08:10:00Z",
        "last_at": "2026-06-15T08:20:00Z",
    }


def test_the_timeline_is_newest_first_and_pages(desk: Desk) -> None:
    fill(desk)
    path = address(desk, "email:ann@x.example", "/timeline")

    whole = desk.page(path)
    purchases = desk.walk(path, type="order_placed", limit=1)

    assert desk.walk(path, limit=1) == whole["items"]
    assert [item["type"] for item in whole["items"]] == [
        "order_placed",
        "order_placed",
        "contact_updated",
    ]
    assert [item["properties"]["order_id"] for item in purchases] == ["1002", "1001"]
    assert purchases[0]["properties"]["total"] == "39.00"
    assert set(purchases[0]) == {
        "event_id",
        "type",
        "label",
        "occurred_at",
        "source",
        "session_id",
        "properties",
    }
    assert desk.page(path, type="nothing")["total"] == 0


def test_a_visit_links_its_events_by_session(desk: Desk) -> None:
    fill(desk)

    items = desk.walk(address(desk, "cookie:visitor-1", "/timeline"))

    visit = next(item for item in items if item["type"] == "visited_site")
    assert {item["session_id"] for item in items} == {visit["event_id"]}
    assert isinstance(visit["event_id"], str)


def test_orders_have_their_lines_and_amounts_with_a_currency(desk: Desk) -> None:
    fill(desk)
    path = address(desk, "email:bob@y.example", "/orders")

    (order,) = desk.page(path)["items"]

    assert (
        order.pop("event_id")
        == desk.page(path.replace("orders", "timeline"))["items"][0]["event_id"]
    )
    assert order == {
        "order_id": "1003",
        "number": None,
        "placed_at": "2026-06-15T08:30:00Z",
        "cancelled_at": None,
        "test": False,
        "counts": True,
        "status": None,
        "currency": "EUR",
        "total": "19.90",
        "discount": "0.00",
        "refunded": "0.00",
        "items_count": 1,
        "promo_codes": ["SPRING"],
        "place": "online",
        "marketplace": None,
        "location": None,
        "source": "segment",
        "lines": [
            {
                "product_id": "tea",
                "variant": None,
                "title": "Tea",
                "vendor": None,
                "sku": None,
                "quantity": 1,
                "unit_price": "19.90",
                "discount": "0.00",
            }
        ],
    }


def test_orders_and_events_page(desk: Desk) -> None:
    fill(desk)
    orders = desk.walk(address(desk, "email:ann@x.example", "/orders"), limit=1)
    events = desk.walk(address(desk, "email:ann@x.example", "/events"), limit=1)
    assert [order["order_id"] for order in orders] == ["1002", "1001"]
    assert [event["type"] for event in events] == ["order_placed", "contact_updated"]


@pytest.mark.parametrize("part", PARTS)
def test_a_merged_id_leads_to_the_survivor(desk: Desk, part: str) -> None:
    desk.house.segment(view("before", 0), identify("u1", 1, email="ann@x.example"))
    desk.house.drain()
    ids = {desk.house.profile_id("cookie:before"), desk.house.profile_id("user_id:u1")}
    desk.house.segment(identify("u1", 2, email="ann@x.example") | {"anonymousId": "before"})
    desk.house.drain()
    survivor = desk.house.profile_id("user_id:u1")
    (gone,) = ids - {survivor}

    answer = desk.ask(f"/profiles/{gone}{part}", params={"limit": 7} if part else {})

    assert answer.status_code == 307
    assert answer.headers["cache-control"] == "no-store"
    query = "?limit=7" if part else ""
    assert answer.headers["location"] == f"/api/v1/profiles/{survivor}{part}{query}"
    assert answer.content == b""
    assert desk.ask(f"/profiles/{survivor}{part}").status_code == 200


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("odd", ["0", "1", "-1", "abc", "9" * 30, "%00", "1%27", "1.0", "%C3%A9"])
def test_what_is_no_id_of_a_profile_is_not_found(full_desk: Desk, part: str, odd: str) -> None:
    full_desk.problem(full_desk.ask(f"/profiles/{odd}{part}"), 404)


@pytest.mark.parametrize("part", PARTS[1:])
def test_unknown_parameters_and_foreign_cursors_are_refused(full_desk: Desk, part: str) -> None:
    path = address(full_desk, "email:ann@x.example", part)
    assert full_desk.refused(path, since="2026") == ["since"]
    assert full_desk.refused(path, limit=-1) == ["limit"]
    for cursor in ("x", "WzFd", "WyJhIiwiYiJd", "W3RydWUsdHJ1ZV0", "%00"):
        assert full_desk.refused(path, cursor=cursor) == ["cursor"]


def test_answers_are_kept_by_no_cache(full_desk: Desk) -> None:
    for part in PARTS:
        answer = full_desk.ask(address(full_desk, "email:ann@x.example", part))
        assert answer.headers["cache-control"] == "no-store"


def test_the_stages_of_a_person_come_with_their_days_newest_first(full_desk: Desk) -> None:
    profile_id = full_desk.house.profile_id("user_id:u1")

    items = full_desk.walk(f"/profiles/{profile_id}/stages", limit=1)

    assert items == [{"stage": "loyal", "since": "2026-06-15", "until": None}]
