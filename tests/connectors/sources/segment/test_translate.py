"""What fixtures do not show of Segment calls: the vendor's own samples, names, times, identifiers of a page."""

import json
from pathlib import Path
from typing import Any

import pytest

from customer360.clock import FixedClock, parse_instant, to_iso
from customer360.connectors.sources.segment.names import type_of
from customer360.connectors.sources.segment.translate import translate
from customer360.events.model import (
    Event,
    Identifier,
    ShopContext,
    Signal,
    SourceRank,
    Trust,
    Unusable,
)
from customer360.events.vocabulary import BY_NAME

SHOP = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")


def event_of(call: dict[str, Any], trust: Trust = Trust.FULL, **envelope: Any) -> Event:
    """The event of a call that arrives at noon on 15 June 2026."""
    signal = Signal(
        source="segment",
        trust=trust,
        rank=SourceRank.SERVER,
        received_at=FixedClock().now(),
        body=json.dumps(call).encode(),
        envelope=envelope,
    )
    (event,) = translate(signal, SHOP)
    return event


Told = tuple[str, list[tuple[str, str]], str]
IDENTIFIED: list[Told] = [
    (
        "contact_updated",
        [("user_id", "019mr8mf4r"), ("email", "pgibbons@example.com")],
        "2012-12-02T00:30:08.276Z",
    )
]
VIEWED: list[Told] = [("page_viewed", [("user_id", "019mr8mf4r")], "2012-12-02T00:31:29.738Z")]
SAMPLES: dict[str, list[Told]] = {
    "alias_6.json": [
        (
            "contact_updated",
            [("user_id", "019mr8mf4r"), ("cookie", "39239-239239-239239-23923")],
            "2012-12-02T00:31:29.738Z",
        )
    ],
    "batch_7.json": [
        (
            "contact_updated",
            [("user_id", "019mr8mf4r"), ("email", "jake@yahoo.com")],
            "2012-12-02T00:30:08.276Z",
        ),
        ("Song Played", [("user_id", "019mr8mf4r")], "2012-12-02T00:30:12.984Z"),
        (
            "contact_updated",
            [("user_id", "971mj8mk7p"), ("email", "cindy@example.com")],
            "2015-02-02T00:30:08.276Z",
        ),
        ("Song Played", [("user_id", "971mj8mk7p")], "2015-02-02T00:30:12.984Z"),
    ],
    "group_5.json": [("Group joined", [("user_id", "019mr8mf4r")], "2012-12-02T00:31:38.208Z")],
    "identify_1.json": IDENTIFIED,
    "identify_8.json": IDENTIFIED,
    "page_3.json": VIEWED,
    "page_4.json": VIEWED,
    "track_2.json": [("Item Purchased", [("user_id", "019mr8mf4r")], "2012-12-02T00:30:12.984Z")],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_vendors_sample_has_the_right_types_identifiers_and_times(
    name: str, shared: Path
) -> None:
    payload = json.loads((shared / "contracts/segment" / name).read_text())["payload"]
    kind = name.partition("_")[0]
    calls = payload["batch"] if kind == "batch" else [{"type": kind, **payload}]
    around = {"context": payload["context"]} if kind == "batch" else {}
    events = [event_of(call, **around) for call in calls]
    assert [
        (
            event.type,
            [(one.type, one.value) for one in event.identifiers],
            to_iso(event.occurred_at),
        )
        for event in events
    ] == SAMPLES[name]


def test_every_sample_of_the_vendor_is_looked_at(shared: Path) -> None:
    assert {path.name for path in (shared / "contracts/segment").iterdir()} == set(SAMPLES)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("Products Searched", "searched"),
        ("Product List Viewed", "collection_viewed"),
        ("Viewed Product Category", "collection_viewed"),
        ("Product Viewed", "product_viewed"),
        ("Viewed Product", "product_viewed"),
        ("viewed_product", "product_viewed"),
        ("Product Clicked", "product_image_clicked"),
        ("Product Added", "added_to_cart"),
        ("Added Product", "added_to_cart"),
        ("add_to_cart", "added_to_cart"),
        ("Product Removed", "removed_from_cart"),
        ("Removed Product", "removed_from_cart"),
        ("Cart Viewed", "cart_viewed"),
        ("Checkout Started", "checkout_started"),
        ("Order Completed", "order_placed"),
        ("Completed Order", "order_placed"),
        ("Order Updated", "order_updated"),
        ("Order Refunded", "order_refunded"),
        ("Order Cancelled", "order_cancelled"),
        ("Order Canceled", "order_cancelled"),
        ("Product Reviewed", "review_submitted"),
        ("Coupon Applied", "checkout_updated"),
        ("Email Opened", "email_opened"),
        ("Opened Email", "email_opened"),
        ("Push Notification Tapped", "push_clicked"),
        ("WhatsApp Message Read", "whatsapp_read"),
        ("Item Purchased", "Item Purchased"),
        ("item purchased", "item purchased"),
        ("visited_site", "visited_site (reported)"),
    ],
)
def test_a_name_means_one_of_our_types_or_itself(name: str, type_: str) -> None:
    assert type_of(name) == type_


@pytest.mark.parametrize("name", [name for name, type_ in BY_NAME.items() if not type_.derived])
def test_our_own_names_are_kept(name: str) -> None:
    assert type_of(name) == name


@pytest.mark.parametrize(
    ("times", "occurred_at"),
    [
        ({}, "2026-06-15T12:00:00Z"),
        ({"timestamp": "2026-06-15T10:00:00Z"}, "2026-06-15T10:00:00Z"),
        # The sender's clock is an hour slow.
        (
            {"timestamp": "2026-06-15T10:00:00Z", "sentAt": "2026-06-15T11:00:00Z"},
            "2026-06-15T11:00:00Z",
        ),
        # It is a day fast.
        (
            {"timestamp": "2026-06-16T11:59:00Z", "sentAt": "2026-06-16T12:00:00Z"},
            "2026-06-15T11:59:00Z",
        ),
        ({"timestamp": None, "originalTimestamp": "2026-06-15T10:00:00Z"}, "2026-06-15T10:00:00Z"),
    ],
)
def test_the_senders_clock_is_put_right(times: dict[str, Any], occurred_at: str) -> None:
    event = event_of({"type": "track", "event": "A", **times})
    assert event.occurred_at == parse_instant(occurred_at)


def test_a_batch_was_sent_when_its_envelope_says_unless_the_event_says_it() -> None:
    call = {"type": "track", "event": "A", "timestamp": "2026-06-15T10:00:00Z"}
    sent = {"sentAt": "2026-06-15T11:00:00Z"}
    own = {**call, "sentAt": "2026-06-15T11:30:00Z"}
    assert event_of(call, **sent).occurred_at == parse_instant("2026-06-15T11:00:00Z")
    assert event_of(own, **sent).occurred_at == parse_instant("2026-06-15T10:30:00Z")


def test_a_retry_without_message_id_is_the_same_signal() -> None:
    call = {"type": "track", "event": "A", "userId": "u"}
    other = {**call, "userId": "v"}
    assert event_of(call).dedupe_key == event_of(call).dedupe_key != event_of(other).dedupe_key


def test_a_browser_cannot_use_up_the_message_ids_of_a_server() -> None:
    call = {"type": "track", "event": "A", "messageId": "m-1"}
    assert event_of(call).dedupe_key != event_of(call, Trust.PUBLIC).dedupe_key


def test_a_very_long_message_id_makes_a_short_key() -> None:
    call = {"type": "track", "event": "A", "messageId": "m" * 10_000}
    assert len(event_of(call).dedupe_key) < 100


def test_every_identifier_type_can_be_told_by_external_ids() -> None:
    told = [{"type": "ebay_buyer", "id": "e-1"}, {"type": "whatsapp", "id": 353871234567}]
    event = event_of({"type": "page", "context": {"externalIds": told}})
    assert event.identifiers == (
        Identifier("ebay_buyer", "e-1"),
        Identifier("whatsapp", "353871234567"),
    )


def test_a_group_does_not_name_its_members() -> None:
    event = event_of({"type": "group", "userId": "u", "traits": {"email": "a@b.ie", "name": "A B"}})
    assert event.identifiers == (Identifier("user_id", "u"),)
    assert event.traits is None


def test_a_refusal_says_what_is_wrong() -> None:
    with pytest.raises(Unusable, match=r"'soon' is none since 1900") as refusal:
        event_of({"type": "track", "event": "A", "timestamp": "soon"})
    assert refusal.value.reason == "invalid_time"
