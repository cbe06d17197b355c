"""What fixtures show badly: what two webhooks have in common, and what must never be in any event."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customer360.clock import parse_instant
from customer360.connectors.sources.shopify.translate import TOPICS, translate
from customer360.events.model import (
    ConsentReport,
    Event,
    Identifier,
    OrderReport,
    Page,
    ShopContext,
    Signal,
    SourceRank,
    Trust,
    Unusable,
)

HERE = Path(__file__).parent
SHOP = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")
RECEIVED_AT = "2026-06-15T12:00:00Z"
FIXTURES = sorted(path for path in HERE.glob("*.json") if ".expected" not in path.name)


def events_of(topic: str, body: Any, **envelope: Any) -> tuple[Event, ...]:
    """What a webhook becomes."""
    signal = Signal(
        source="shopify",
        trust=Trust.FULL,
        rank=SourceRank.WEBHOOK,
        received_at=parse_instant(RECEIVED_AT),
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        envelope={"topic": topic, "shop_domain": "s.myshopify.com", "webhook_id": "w"} | envelope,
    )
    return tuple(translate(signal, SHOP))


def event_of(topic: str, body: Any, **envelope: Any) -> Event:
    """What a webhook of one event becomes."""
    (event,) = events_of(topic, body, **envelope)
    return event


def fixture_body(name: str) -> Any:
    """The body of a fixture, free to change."""
    return json.loads((HERE / f"{name}.json").read_text())["body"]


def order_with(**changes: Any) -> OrderReport:
    """The order told by orders/create with some fields changed."""
    report = event_of("orders/create", fixture_body("order_created") | changes).order
    assert report is not None
    return report


def page_of(**changes: Any) -> Page | None:
    """The landing page told by orders/create with some fields changed."""
    return event_of("orders/create", fixture_body("order_created") | changes).landing


@pytest.mark.parametrize(
    "topic", ["customer.tags_added", "customer/tags_added", "Customer/Tags_Added"]
)
def test_a_topic_may_be_spelled_with_a_dot_a_slash_or_capitals(topic: str) -> None:
    event = event_of(topic, {"customerId": "gid://shopify/Customer/7", "tags": ["a"]})
    assert (event.type, event.identifiers) == (
        "contact_updated",
        (Identifier("shopify_customer_id", "7"),),
    )


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_topic_has_a_fixture(topic: str) -> None:
    topics = {json.loads(path.read_text())["envelope"]["topic"] for path in FIXTURES}
    untold = {"orders/fulfilled"}  # is orders/partially_fulfilled by another name
    assert topic in {entry.replace(".", "/") for entry in topics} | untold


def test_a_whole_fulfilment_has_a_name_of_its_own() -> None:
    assert event_of("orders/fulfilled", fixture_body("order_created")).type == "order_fulfilled"


def test_two_deliveries_of_a_webhook_have_one_key() -> None:
    body = fixture_body("order_created")
    keys = {event_of("orders/create", body, webhook_id="9b1", triggered_at=at).dedupe_key
            for at in ("2026-05-04T09:31:07Z", "2026-05-04T09:41:07Z")}  # fmt: skip
    assert keys == {"shopify:9b1"}


def test_without_webhook_id_the_topic_and_body_make_the_key() -> None:
    body = fixture_body("order_created")
    create, retry, paid, changed = (
        event_of(topic, content, webhook_id=None).dedupe_key
        for topic, content in (
            ("orders/create", body),
            ("orders/create", body),
            ("orders/paid", body),
            ("orders/create", body | {"test": True}),
        )
    )
    assert create == retry
    assert len({create, paid, changed}) == 3


def test_the_two_events_of_a_refund_have_two_keys() -> None:
    refund, returned = events_of("refunds/create", fixture_body("refund_created"))
    assert (refund.type, returned.type) == ("order_refunded", "item_returned")
    assert refund.dedupe_key != returned.dedupe_key


@pytest.mark.parametrize(
    ("triggered_at", "expected"),
    [
        ("2026-05-04T09:31:07.250Z", "2026-05-04T09:31:07.250Z"),
        (None, RECEIVED_AT),
        ("soon", RECEIVED_AT),
        (["2026"], RECEIVED_AT),
    ],
)
def test_a_webhook_without_time_is_of_when_it_was_sent_or_else_came(
    triggered_at: Any, expected: str
) -> None:
    event = event_of("customers/delete", {"id": 5}, triggered_at=triggered_at)
    assert event.occurred_at == parse_instant(expected)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (9007199254740993, "9007199254740993"),
        ("9007199254740993", "9007199254740993"),
        ("gid://shopify/Customer/9007199254740993", "9007199254740993"),
        (18446744073709551617, "18446744073709551617"),
    ],
)
def test_an_id_is_exact_however_it_is_written(written: Any, read: str) -> None:
    event = event_of("customers/create", {"id": written})
    assert event.identifiers == (Identifier("shopify_customer_id", read),)


@pytest.mark.parametrize("written", [9.007199254740993e15, True, 0, -1, "", None, [1], {"id": 1}])
def test_what_is_no_exact_id_is_no_id(written: Any) -> None:
    with pytest.raises(Unusable) as refusal:
        event_of("customers/create", {"id": written})
    assert refusal.value.reason == "missing_id"


@pytest.mark.parametrize(
    ("source_name", "place", "marketplace"),
    [
        ("web", "online", ""),
        ("shopify_draft_order", "online", ""),
        (None, "online", ""),
        ("pos", "in_store", ""),
        ("POS", "in_store", ""),
        ("amazon", "marketplace", "amazon"),
        ("Amazon-US", "marketplace", "amazon"),
        ("ebay", "marketplace", "ebay"),
        ("TikTok Shop", "marketplace", "tiktok"),
    ],
)
def test_the_channel_of_an_order_tells_its_place(
    source_name: str | None, place: str, marketplace: str
) -> None:
    report = order_with(source_name=source_name)
    assert (report.place, report.marketplace) == (place, marketplace)


def test_a_till_contributes_no_cookie_token_or_page() -> None:
    body = fixture_body("order_created") | {"source_name": "pos"}
    event = event_of("orders/create", body)
    kinds = {identifier.type for identifier in event.identifiers}
    assert kinds == {"shopify_customer_id", "email", "phone"}
    assert (event.till, event.checkout_token, event.landing) == (True, "", None)


def test_nobodys_phone_in_an_address_identifies() -> None:
    body = fixture_body("order_created_as_a_gift") | {"phone": None, "customer": None}
    event = event_of("orders/create", body)
    assert not [entry for entry in event.identifiers if entry.type == "phone"]


def test_the_address_of_who_gets_a_gift_is_not_the_buyers() -> None:
    event = event_of("orders/create", fixture_body("order_created_as_a_gift"))
    assert event.traits is not None
    assert {address.city for address in event.traits.addresses} == {"Galway"}


@pytest.mark.parametrize(
    ("landing_site", "url"),
    [
        ("/p?utm_source=a", "https://s.myshopify.com/p?utm_source=a"),
        ("?gclid=1", "https://s.myshopify.com?gclid=1"),
        ("p", "https://s.myshopify.com/p"),
        ("https://shop.example/p", "https://shop.example/p"),
        ("//shop.example/p", "https://shop.example/p"),
    ],
)
def test_a_landing_page_is_made_absolute(landing_site: str, url: str) -> None:
    assert page_of(landing_site=landing_site, referring_site=None) == Page(url=url)


@pytest.mark.parametrize(
    "landing_site", [None, "", "javascript:alert(1)", "mailto:a@b.example", [7]]
)
def test_what_is_no_web_address_is_no_landing_page(landing_site: Any) -> None:
    assert page_of(landing_site=landing_site, referring_site=None) is None


def test_campaign_parameters_in_the_cart_fill_what_the_landing_page_lacks() -> None:
    attributes = [
        {"name": "utm_source", "value": "theirs"},
        {"name": "UTM Campaign", "value": "spring & more"},
        {"name": "gift_wrap", "value": "yes"},
    ]
    page = page_of(landing_site="/?utm_source=ours", note_attributes=attributes)
    assert page is not None
    assert page.url == "https://s.myshopify.com/?utm_source=ours&utm_campaign=spring+%26+more"


def test_only_the_purchase_itself_tells_where_the_visit_began() -> None:
    body = fixture_body("order_created")
    assert event_of("orders/create", body).landing is not None
    assert event_of("orders/fulfilled", body).landing is None


@pytest.mark.parametrize("updated_at", ["2026-05-04T10:31:06+01:00", "2026-05-09T00:00:00+01:00"])
def test_a_repeated_old_grant_stays_as_old_as_it_is(updated_at: str) -> None:
    (email,) = (
        consent
        for consent in event_of(
            "customers/update",
            fixture_body("customer_created_2024_10") | {"updated_at": updated_at},
        ).consents
        if consent.channel == "email"
    )
    assert email == ConsentReport(
        channel="email",
        address="niamh.byrne@example.ie",
        state="granted",
        occurred_at=parse_instant("2026-02-01T10:00:00Z"),
        evidence="single_opt_in",
    )


@pytest.mark.parametrize(
    ("told", "state", "name"),
    [
        ("subscribed", "granted", "consent_granted"),
        ("unsubscribed", "withdrawn", "consent_withdrawn"),
        ("pending", "pending", "contact_updated"),
        ("not_subscribed", "never", "contact_updated"),
        ("NOT_SUBSCRIBED", "never", "contact_updated"),
        ("redacted", None, "contact_updated"),
        (None, None, "contact_updated"),
        (4, None, "contact_updated"),
    ],
)
def test_a_consent_state_has_its_own_word_and_event(
    told: Any, state: str | None, name: str
) -> None:
    body = {"customer_id": 5, "email_address": "a@b.example",
            "email_marketing_consent": {"state": told}}  # fmt: skip
    event = event_of("customers_email_marketing_consent/update", body)
    assert event.type == name
    assert [consent.state for consent in event.consents] == ([state] if state else [])


@pytest.mark.parametrize(
    ("state", "told"), [("subscribed", 0), ("pending", 0), ("unsubscribed", 1)]
)
def test_only_a_withdrawal_needs_no_address(state: str, told: int) -> None:
    body = {"id": 5, "phone": None, "sms_marketing_consent": {"state": state}}
    assert len(event_of("customers_marketing_consent/update", body).consents) == told


def test_a_request_for_privacy_brings_forth_nobody() -> None:
    for name in ("data_request", "redact_by_email_only"):
        topic = json.loads((HERE / f"{name}.json").read_text())["envelope"]["topic"]
        event = event_of(topic, fixture_body(name))
        assert (event.identifiers, event.properties, event.traits) == ((), {}, None)


def test_a_topic_may_not_pass_for_an_event_that_promises_more() -> None:
    assert event_of("order/placed", {"id": 1}).type == "shopify_order_placed"


def test_money_is_the_shops_whatever_the_customer_paid_in() -> None:
    euros = fixture_body("order_created_with_tax_on_top")
    dollars = copy.deepcopy(euros)
    dollars |= {"currency": "USD", "total_price": "107.00"}
    for body in (euros, dollars):
        report = event_of("orders/create", body).order
        assert report is not None
        assert (report.currency, report.total) == ("EUR", 98_4000)


@pytest.mark.parametrize("total", [None, "", "ninety", [], {}, True, "1e99", "NaN"])
def test_an_order_whose_total_cannot_be_read_is_refused(total: Any) -> None:
    with pytest.raises(Unusable) as refusal:
        order_with(total_price=total, total_price_set=None)
    assert refusal.value.reason == "missing_total"


def test_edits_and_refunds_do_not_change_what_was_placed() -> None:
    report = order_with(current_total_price="1.00", current_subtotal_price="1.00")
    assert report.total == 120_0000
    assert [line.quantity for line in report.lines] == [2, 1]


FORBIDDEN = (
    # means of payment
    "4242", "Visa", "BYRNE", "pi_55AA", "re_123", "pm_1", "shopify_payments", "payment_details",
    # notes of the merchant, secrets, strangers
    "Rings twice", "door", "She called", "secret", "203.0.113.9", "Orla", "+353 86 555 0199",
    "owner@saltandlinen.example",
)  # fmt: skip


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_no_event_keeps_means_of_payment_notes_or_strangers(path: Path) -> None:
    case = json.loads(path.read_text())
    body = case["body"] if isinstance(case["body"], dict) else {}
    try:
        told = msgspec.json.encode(events_of(case["envelope"]["topic"], body)).decode()
    except Unusable:
        return
    assert [word for word in FORBIDDEN if word in told] == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_properties_hold_no_customer_and_no_address(path: Path) -> None:
    case = json.loads(path.read_text())
    body = case["body"] if isinstance(case["body"], dict) else {}
    try:
        events = events_of(case["envelope"]["topic"], body)
    except Unusable:
        return
    told = json.dumps([event.properties for event in events])
    personal = ("Niamh", "@", "+353", "Quay", "Galway", "customer_id")
    assert [word for word in personal if word in told] == []


def test_every_topic_is_documented() -> None:
    page = (
        (HERE.parents[3] / "docs/sources/shopify.md").read_text().replace("customer.", "customer/")
    )
    assert [topic for topic in TOPICS if topic not in page] == []
