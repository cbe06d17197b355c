"""Shopify's own example payloads, of both ends of the supported API versions, mean what they should.

The examples round ids above 2^53, so the ids here are the rounded ones.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from customer360.connectors.sources.shopify.translate import TOPICS, translate
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust

VERSIONS = ("2024-10", "2026-04")
SHOP = ShopContext(currency="USD", timezone="America/New_York", country="US")

BOB = "706405506930370000"
JOHN = ("shopify_customer_id", "115310627314723950")
ORDER_OF_JOHN = (JOHN, ("email", "jon@example.com"), ("email", "john@example.com"))
CART = ("cart_token", "eeafa272cebfd4b22385bc4b645e762c")
CHECKOUT = (
    ("shopify_customer_id", "603851970716743400"),
    ("email", "example@email.com"),
    ("email", "john@example.com"),
    CART,
    ("checkout_token", "123123123"),
)
CHECKOUT_OLD = tuple(pair for pair in CHECKOUT if pair != ("email", "john@example.com"))
ACCOUNT_1 = (("shopify_customer_id", "1"),)
BOB_ALONE = (("shopify_customer_id", BOB),)
BOB_AND_EMAIL = (*BOB_ALONE, ("email", "bob@biller.com"))
NEW_CART = (("cart_token", "exampleCartId"),)

Pairs = tuple[tuple[str, str], ...]


class Meaning(NamedTuple):
    """What a sample should become; `old` where the identifiers of 2024-10 differ."""

    type: str
    identifiers: Pairs = ()
    old: Pairs | None = None
    notice: str | None = None


MEANINGS = {
    "orders/create": Meaning("order_placed", ORDER_OF_JOHN),
    "orders/paid": Meaning("order_paid", ORDER_OF_JOHN),
    "orders/updated": Meaning("order_updated", ORDER_OF_JOHN),
    "orders/cancelled": Meaning("order_cancelled", ORDER_OF_JOHN),
    "orders/fulfilled": Meaning("order_fulfilled", ORDER_OF_JOHN),
    "orders/partially_fulfilled": Meaning("order_partially_fulfilled", ORDER_OF_JOHN),
    "orders/edited": Meaning("order_updated"),
    "refunds/create": Meaning("order_refunded"),
    "order_transactions/create": Meaning("order_transaction_created"),
    "fulfillments/create": Meaning("fulfillment_created", (("email", "jon@example.com"),)),
    "checkouts/create": Meaning("checkout_started", CHECKOUT, old=CHECKOUT_OLD),
    "checkouts/update": Meaning("checkout_updated", CHECKOUT, old=CHECKOUT_OLD),
    "checkouts/delete": Meaning("checkout_deleted", (CART,)),
    "carts/create": Meaning("cart_created", NEW_CART, old=(CART,)),
    "carts/update": Meaning("cart_updated", NEW_CART, old=(CART,)),
    "customers/create": Meaning("contact_created", BOB_AND_EMAIL, old=BOB_ALONE),
    "customers/update": Meaning("contact_updated", BOB_AND_EMAIL, old=BOB_ALONE),
    "customers/delete": Meaning("contact_deleted", BOB_ALONE),
    "customers/merge": Meaning("customers_merge", ACCOUNT_1),
    "customers/purchasing_summary": Meaning("customers_purchasing_summary", ACCOUNT_1),
    "customer.tags_added": Meaning("contact_updated", ACCOUNT_1),
    "customer.tags_removed": Meaning("contact_updated", ACCOUNT_1),
    "customers_email_marketing_consent/update": Meaning("contact_updated", BOB_AND_EMAIL),
    "customers_marketing_consent/update": Meaning("contact_updated", BOB_ALONE),
    "customers/data_request": Meaning("customers_data_request", notice="privacy_request"),
    "customers/redact": Meaning("customers_redact", notice="privacy_request"),
    "shop/redact": Meaning("shop_redact", notice="privacy_request"),
    "app/uninstalled": Meaning("app_uninstalled", notice="app_uninstalled"),
}
# This topic came with the versions that took the numbers out of customers/*.
ONLY_NEW = {"customers/purchasing_summary"}
SAMPLES = [
    (version, topic)
    for version in VERSIONS
    for topic in MEANINGS
    if version == "2026-04" or topic not in ONLY_NEW
]


def sample_events(shared: Path, version: str, topic: str) -> tuple[Event, ...]:
    """What a sample becomes."""
    folder = shared / "contracts/shopify_webhooks" / version
    sample = json.loads((folder / f"{topic.replace('/', '__')}.json").read_text())
    signal = Signal(
        source="shopify",
        trust=Trust.FULL,
        rank=SourceRank.WEBHOOK,
        received_at=1_800_000_000_000_000,
        body=json.dumps(sample["payload"]).encode(),
        envelope={
            "topic": topic,
            "webhook_id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            "api_version": version,
            "shop_domain": "super-toys.myshopify.com",
        },
    )
    return tuple(translate(signal, SHOP))


@pytest.mark.parametrize(("version", "topic"), SAMPLES)
def test_a_sample_has_the_right_type_and_identifiers(
    shared: Path, version: str, topic: str
) -> None:
    meaning = MEANINGS[topic]
    (event,) = sample_events(shared, version, topic)
    expected = meaning.old if version == "2024-10" and meaning.old else meaning.identifiers
    assert event.type == meaning.type
    assert tuple((entry.type, entry.value) for entry in event.identifiers) == expected
    assert (event.notice.kind if event.notice else None) == meaning.notice


def test_every_sample_is_in_the_table(shared: Path) -> None:
    files = (shared / "contracts/shopify_webhooks").rglob("*.json")
    found = {(path.parent.name, path.stem.replace("__", "/")) for path in files}
    assert found == set(SAMPLES)


def test_every_topic_has_samples() -> None:
    assert {topic.replace(".", "/") for topic in MEANINGS} == set(TOPICS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sample_order_and_its_refund_name_the_same_order(shared: Path, version: str) -> None:
    (placed,) = sample_events(shared, version, "orders/create")
    (refunded,) = sample_events(shared, version, "refunds/create")
    assert placed.order is not None
    assert refunded.refund is not None
    assert placed.order.order_key == refunded.refund.order_key == "820982911946154500"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sample_order_that_is_a_test_says_so(shared: Path, version: str) -> None:
    (placed,) = sample_events(shared, version, "orders/create")
    assert placed.order is not None
    assert placed.order.test
    assert placed.order.cancelled_at == placed.order.placed_at == 1_640_995_200_000_000
