"""Shopify's webhooks: a right signature is everything, and a wrong one leaves no trace."""

import base64
import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from customer360.access.shopify import link_shopify
from customer360.access.shops import reinstall_shop, uninstall_shop
from customer360.clock import HOUR, MINUTE, FixedClock
from customer360.intake.balance import SourceBalance
from tests.api.conftest import Street

DOMAIN = "harbour-tea.myshopify.com"
SECRET = "shpss_current"
BODY = b'{"id": 820982911946154508, "email": "ann@example.com"}'


@pytest.fixture
def linked(street: Street) -> Street:
    """The shop, linked with its Shopify shop."""
    link(street, SECRET)
    return street


def link(street: Street, secret: str) -> None:
    with street.database.write() as connection:
        link_shopify(
            connection,
            street.shop.shop.shop_id,
            domain=DOMAIN,
            secret=secret,
            secret_key=street.settings.secret_key,
            now=street.clock.now(),
        )


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()


def send(
    street: Street,
    topic: str = "orders/create",
    body: bytes = BODY,
    signature: str | None = None,
    domain: str = DOMAIN,
    **more: str,
) -> httpx.Response:
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": domain,
        "X-Shopify-Hmac-Sha256": sign(body) if signature is None else signature,
        "X-Shopify-Webhook-Id": "w-1",
        "X-Shopify-API-Version": "2026-04",
        "X-Shopify-Triggered-At": "2026-06-15T11:59:59.123Z",
    }
    return street.client.post("/webhooks/shopify", content=body, headers=headers | more)


def test_a_signed_webhook_is_kept_as_it_came_with_its_headers(linked: Street) -> None:
    answer = send(linked)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [row] = linked.waiting()
    assert (row.body, row.source, row.trust, row.rank) == (BODY, "shopify", 1, 3)
    assert msgspec.json.decode(row.envelope) == {
        "topic": "orders/create",
        "webhook_id": "w-1",
        "api_version": "2026-04",
        "shop_domain": DOMAIN,
        "triggered_at": "2026-06-15T11:59:59.123Z",
    }


def test_the_names_of_headers_may_have_any_case(linked: Street) -> None:
    headers = {
        "x-shopify-TOPIC": "orders/create",
        "X-SHOPIFY-SHOP-DOMAIN": DOMAIN.upper(),
        "x-shopify-hmac-sha256": sign(BODY),
    }
    answer = linked.client.post("/webhooks/shopify", content=BODY, headers=headers)
    assert answer.status_code == 200
    assert msgspec.json.decode(linked.waiting()[0].envelope) == {
        "topic": "orders/create",
        "shop_domain": DOMAIN.upper(),
    }


WRONG: dict[str, dict[str, Any]] = {
    "another secret": {"signature": sign(BODY, "shpss_other")},
    "another body": {"signature": sign(BODY + b" ")},
    "no signature": {"signature": ""},
    "no base64": {"signature": "\xff\xfe"},
    "a signature in hex": {"signature": hmac.new(SECRET.encode(), BODY, sha256).hexdigest()},
    "an empty secret": {"signature": sign(BODY, "")},
    "an unknown domain": {"domain": "other.myshopify.com"},
    "an unknown domain and no secret": {
        "domain": "other.myshopify.com",
        "signature": sign(BODY, ""),
    },
    "no domain": {"domain": ""},
    "a strange domain": {"domain": "a" * 5000},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_signature_is_refused_and_stores_nothing(
    linked: Street, wrong: dict[str, Any]
) -> None:
    wrong = {name: value.encode("latin-1") for name, value in wrong.items()}
    wrong = {
        name: value if name == "signature" else value.decode() for name, value in wrong.items()
    }
    answer = send(linked, **wrong)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthenticated")
    assert linked.waiting() == []
    assert linked.letters() == []
    assert linked.total() == SourceBalance()


def test_after_a_rotation_the_old_secret_signs_for_an_hour(
    linked: Street, clock: FixedClock
) -> None:
    link(linked, "shpss_new")
    old, new = sign(BODY), sign(BODY, "shpss_new")
    clock.advance(HOUR - MINUTE)
    assert [send(linked, signature=each).status_code for each in (old, new)] == [200, 200]
    clock.advance(2 * MINUTE)
    assert [send(linked, signature=each).status_code for each in (old, new)] == [401, 200]


def test_a_signed_webhook_without_a_topic_is_kept_for_the_worker_to_judge(linked: Street) -> None:
    assert send(linked, topic="").status_code == 200
    assert len(linked.waiting()) == 1


def test_an_uninstalled_shop_takes_privacy_topics_only(linked: Street) -> None:
    with linked.database.write() as connection:
        uninstall_shop(connection, linked.shop.shop.shop_id, linked.clock.now())
    for topic in (
        "orders/create",
        "customers/redact",
        "app/uninstalled",
        "shop/redact",
        "customers/data_request",
    ):
        assert send(linked, topic).status_code == 200
    topics = [msgspec.json.decode(row.envelope)["topic"] for row in linked.waiting()]
    assert topics == ["customers/redact", "shop/redact", "customers/data_request"]
    assert linked.letters() == []
    assert linked.total() == SourceBalance(received=5, rejected={"shop_uninstalled": 2}, waiting=3)


def test_a_shop_that_comes_back_is_heard_again(linked: Street) -> None:
    with linked.database.write() as connection:
        uninstall_shop(connection, linked.shop.shop.shop_id, linked.clock.now())
        reinstall_shop(connection, linked.shop.shop.shop_id)
    assert send(linked).status_code == 200
    assert len(linked.waiting()) == 1


@pytest.mark.parametrize(("size", "status"), [(2 * 1024**2, 200), (4 * 1024**2 + 1, 413)])
def test_a_large_order_is_taken_up_to_the_limit(linked: Street, size: int, status: int) -> None:
    body = b'{"note":"' + b"x" * (size - 11) + b'"}'
    assert len(body) == size
    assert send(linked, body=body).status_code == status


def test_every_sample_webhook_is_accepted(linked: Street, shared: Path) -> None:
    samples = sorted((shared / "contracts" / "shopify_webhooks").glob("*/*.json"))
    assert samples
    for sample in samples:
        body = json.dumps(json.loads(sample.read_bytes())).encode()
        topic = sample.stem.replace("__", "/")
        assert send(linked, topic, body).status_code == 200
    assert linked.total() == SourceBalance(received=len(samples), waiting=len(samples))
