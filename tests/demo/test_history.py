"""The invented history: always the same, in order, understood by the translators, and believable."""

from collections import Counter
from functools import cache

import msgspec
import phonenumbers
import pytest

from customer360.clock import DAY, parse_instant
from customer360.connectors.sources import SOURCES
from customer360.demo.history import DAYS, TIMEZONE, Plan, history
from customer360.demo.script import Call, Told, Webhook
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust
from customer360.identities.normalise import is_relay_email

NOW = parse_instant("2026-06-15T12:00:00Z")
CUSTOMERS = 250
SHOP = ShopContext(currency="EUR", timezone=TIMEZONE, country="IE")
TRANSLATE = {source.name: source.translate for source in SOURCES}


@cache
def told(seed: int = 1) -> list[Told]:
    return list(history(Plan(NOW, CUSTOMERS, seed)))


@cache
def events() -> list[tuple[Told, Event]]:
    return [(one, event) for one in told() for event in translated(one)]


def translated(one: Told) -> list[Event]:
    if isinstance(one, Webhook):
        envelope = {"topic": one.topic, "webhook_id": one.webhook_id}
        body, source, trust, rank = one.body, "shopify", Trust.FULL, SourceRank.WEBHOOK
    else:
        pixel = one.key == "pixel"
        envelope, body, source = {}, one.message, "pixel" if pixel else "segment"
        trust, rank = (Trust.PUBLIC, SourceRank.PIXEL) if pixel else (Trust.FULL, SourceRank.SERVER)
    signal = Signal(
        source=source,
        trust=trust,
        rank=rank,
        received_at=one.at,
        body=msgspec.json.encode(body),
        envelope=envelope,
    )
    return list(TRANSLATE[source](signal, SHOP))


def orders_created() -> list[Webhook]:
    return [one for one in told() if isinstance(one, Webhook) and one.topic == "orders/create"]


def orders_per_customer() -> Counter[int]:
    return Counter(one.body["customer"]["id"] for one in orders_created() if "customer" in one.body)


def test_the_same_plan_gives_the_same_history_byte_for_byte():
    again = list(history(Plan(NOW, CUSTOMERS, 1)))
    assert msgspec.json.encode(again) == msgspec.json.encode(told())


def test_another_seed_gives_another_history():
    assert msgspec.json.encode(told(2)) != msgspec.json.encode(told(1))


def test_history_comes_in_the_order_of_time_and_ends_now():
    times = [one.at for one in told()]
    assert times == sorted(times)
    assert NOW - (DAYS + 1) * DAY < times[0] < NOW - (DAYS - 30) * DAY
    assert NOW - 2 * DAY < times[-1] <= NOW


def test_there_are_some_sixty_signals_a_customer():
    assert 45 < len(told()) / CUSTOMERS < 75


def test_every_event_is_understood_and_happened_when_it_was_told():
    late = [(one, event.type) for one, event in events() if event.occurred_at != one.at]
    assert late == []


@pytest.mark.parametrize(
    "type_",
    [
        *("page_viewed", "product_viewed", "collection_viewed", "searched", "added_to_cart"),
        *("cart_viewed", "checkout_started", "order_placed", "order_paid", "order_fulfilled"),
        *("order_cancelled", "order_refunded", "item_returned", "contact_created"),
        *("contact_updated", "consent_granted", "email_sent", "email_opened", "email_clicked"),
        *("email_unsubscribed", "review_submitted", "ticket_opened", "ticket_closed"),
    ],
)
def test_the_history_has_events_of_every_kind(type_: str):
    assert type_ in {event.type for _, event in events()}


def test_no_event_is_of_a_type_that_the_product_does_not_know():
    from customer360.events.vocabulary import BY_NAME

    assert {event.type for _, event in events()} <= set(BY_NAME)


def test_orders_come_from_the_web_the_till_and_a_marketplace():
    placed = [event.order for _, event in events() if event.type == "order_placed" and event.order]
    assert {order.place for order in placed} == {"online", "in_store", "marketplace"}


def test_the_pixel_and_the_webhook_tell_of_the_same_orders():
    of_pixel = {
        one.message["properties"]["order_id"]
        for one in told()
        if isinstance(one, Call)
        and one.message.get("event") == "Order Completed"
        and one.key == "pixel"
    }
    online = {str(one.body["id"]) for one in orders_created() if one.body["source_name"] == "web"}
    assert of_pixel == online


def test_order_numbers_rise_with_time():
    numbers = [one.body["order_number"] for one in orders_created()]
    assert numbers == list(range(1001, 1001 + len(numbers)))


def test_half_of_the_buyers_buy_once_and_a_tenth_buys_a_third():
    counts = sorted(orders_per_customer().values(), reverse=True)
    assert 0.35 < counts.count(1) / len(counts) < 0.65
    assert sum(counts[: len(counts) // 10]) > sum(counts) / 4


def test_some_orders_carry_a_second_address_of_their_customer():
    orders = [one.body for one in orders_created() if one.body.get("customer")]
    assert any(order["email"] != order["customer"]["email"] for order in orders)


def test_nobody_can_be_reached_at_an_invented_address():
    found = {i.value for _, event in events() for i in event.identifiers if i.type == "email"}
    real = [
        a
        for a in found
        if not (a.endswith((".example", "@example.com", "@example.org", "@example.net")))
    ]
    assert [address for address in real if not is_relay_email(address)] == []


def test_no_two_people_have_the_same_telephone_number():
    made = [
        one.body for one in told() if isinstance(one, Webhook) and one.topic == "customers/create"
    ]
    numbers = [body["phone"] for body in made if body["phone"]]
    assert len(numbers) == len(set(numbers)) > CUSTOMERS / 10
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(n)) for n in numbers)
