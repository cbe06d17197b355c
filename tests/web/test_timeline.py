from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from customer360.clock import parse_instant
from customer360.events.vocabulary import label_of
from customer360.profiles.entries import TimelineEntry
from customer360.web.timeline import Position, days, position_after, show

_ids = count(1)


def entry(
    type: str,
    at: str = "2026-06-15T10:00:00Z",
    session_id: int | None = None,
    **properties: Any,
) -> TimelineEntry:
    return TimelineEntry(
        next(_ids), type, label_of(type), parse_instant(at), "segment", session_id, properties
    )


def facts_of(one: TimelineEntry) -> dict[str, str]:
    return {fact.label: fact.text for fact in show(one, "EUR").facts}


ITEMS = [{"title": "Mug", "variant_id": "Blue", "quantity": 2, "price": "14.00"}]


@pytest.mark.parametrize(
    ("type", "properties", "gist", "facts"),
    [
        (
            "visited_site",
            {
                "touch_source": "google",
                "touch_medium": "cpc",
                "touch_campaign": "autumn",
                "url": "https://shop.example/?utm_source=google",
                "referrer": "https://www.google.com/",
            },
            "google / cpc",
            {
                "Source / medium": "google / cpc",
                "Campaign": "autumn",
                "URL": "https://shop.example/?utm_source=google",
                "Referrer": "https://www.google.com/",
            },
        ),
        (
            "product_viewed",
            {"title": "Mug", "url": "https://shop.example/p/mug"},
            "Mug",
            {"Item": "Mug", "Link": "https://shop.example/p/mug"},
        ),
        (
            "collection_viewed",
            {"collection_title": "Kitchen", "collection_id": "c1"},
            "Kitchen",
            {"Collection": "Kitchen", "Collection id": "c1"},
        ),
        ("searched", {"search_term": "mug"}, "“mug”", {"Search term": "mug"}),
        (
            "added_to_cart",
            {"title": "Mug", "variant": "Blue", "price": "14.00", "quantity": 2, "currency": "USD"},
            "2 × Mug",
            {"Item": "Mug", "Variant": "Blue", "Unit price": "$14.00", "Quantity": "2"},
        ),
        (
            "checkout_started",
            {"total": "28.00", "quantity": 2, "items": ITEMS},
            "€28.00",
            {"Total": "€28.00", "Quantity": "2"},
        ),
        (
            "order_placed",
            {
                "order_id": "1001",
                "total": "28.00",
                "quantity": 2,
                "items": ITEMS,
                "discount": "0.00",
            },
            "€28.00",
            {"Order id": "1001", "Total": "€28.00", "Quantity": "2"},
        ),
        (
            "email_clicked",
            {"campaign": "Autumn", "subject": "Back in stock", "link": "https://shop.example/x"},
            "Back in stock",
            {
                "Channel": "E-mail",
                "Campaign": "Autumn",
                "Subject": "Back in stock",
                "Link clicked": "https://shop.example/x",
            },
        ),
        ("review_submitted", {"rating": 2}, "2 of 5 stars", {"Rating": "2"}),
        (
            "Loyalty Points Earned",
            {"points": 50, "gold": True},
            "",
            {"Gold": "Yes", "Points": "50"},
        ),
    ],
)
def test_an_event_shows_the_facts_of_its_type(
    type: str, properties: Mapping[str, Any], gist: str, facts: Mapping[str, str]
) -> None:
    one = entry(type, **properties)
    assert show(one, "EUR").gist == gist
    assert facts_of(one) == facts


def test_of_a_long_list_the_first_items_stand_there_and_how_many_are_left() -> None:
    shown = show(entry("order_placed", items=ITEMS * 25), "EUR")
    assert (len(shown.items), shown.items_left) == (20, 5)
    assert show(entry("order_placed", items=ITEMS), "EUR").items_left == 0


def test_an_order_lists_its_items() -> None:
    shown = show(entry("order_placed", items=ITEMS), "EUR")
    assert [tuple(item) for item in shown.items] == [("Mug", "Blue", "2", "€14.00")]


def test_properties_that_no_fact_uses_are_shown_too() -> None:
    assert facts_of(entry("searched", search_term="mug", results=3))["Results"] == "3"


def test_a_link_that_is_no_web_address_cannot_be_followed() -> None:
    shown = show(entry("product_viewed", title="Mug", url="javascript:alert(1)"), "EUR")
    assert [fact.url for fact in shown.facts if fact.label == "Link"] == [""]


@pytest.mark.parametrize("properties", [{"items": "none"}, {"items": [1, None]}, {"total": []}])
def test_properties_of_another_shape_do_no_harm(properties: dict[str, Any]) -> None:
    assert show(entry("order_placed", **properties), "EUR").items == ()


def test_days_are_those_of_the_shops_zone() -> None:
    found = days([entry("searched", "2026-06-15T23:30:00Z")], "Europe/Dublin", "EUR")
    assert [day.date.isoformat() for day in found] == ["2026-06-16"]


def test_events_of_a_visit_stand_together_and_an_order_within_belongs_to_it() -> None:
    entries = [
        entry("searched", "2026-06-15T10:09:00Z", 7),
        entry("order_placed", "2026-06-15T10:05:00Z"),
        entry("visited_site", "2026-06-15T10:00:00Z", 7),
        entry("email_opened", "2026-06-15T09:00:00Z"),
    ]
    (day,) = days(entries, "UTC", "EUR")
    assert [(visit.session_id, len(visit.events)) for visit in day.visits] == [(7, 3), (None, 1)]


def test_a_visit_begins_with_visiting_the_site() -> None:
    same = "2026-06-15T10:00:00Z"
    (day,) = days([entry("visited_site", same, 7), entry("page_viewed", same, 7)], "UTC", "EUR")
    assert [event.type for event in day.visits[0].events] == ["page_viewed", "visited_site"]


def test_the_part_that_follows_announces_its_first_day_and_visit_no_second_time() -> None:
    newer = [entry("searched", "2026-06-15T10:09:00Z", 7)]
    older = [
        entry("visited_site", "2026-06-15T10:00:00Z", 7),
        entry("visited_site", "2026-06-14T10:00:00Z", 6),
    ]
    after = position_after(newer, "UTC")
    first, second = days(older, "UTC", "EUR", after)
    assert first.is_continued
    assert first.visits[0].is_continued
    assert not second.is_continued
    assert not second.visits[0].is_continued
    assert position_after([], "UTC") == Position()
