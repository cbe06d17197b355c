"""The real server in this process, as senders see it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import httpx
import msgspec
from anyio.from_thread import start_blocking_portal

from customer360.access.shopify import link_shopify
from customer360.server import create_server
from customer360.settings import secret_key
from tests.api.conftest import Client
from tests.house import House

DOMAIN = "super-toys.myshopify.com"
SECRET = "shpss_of_the_tests"


@contextmanager
def opened(house: House) -> Iterator[Client]:
    """A client of the house's server."""
    with start_blocking_portal() as portal:
        yield Client(create_server(house.app), portal)


def send_batches(
    client: Client, house: House, calls: Sequence[Mapping[str, Any]], size: int = 100
) -> None:
    """Send calls as a server's SDK does; each batch is accepted."""
    for start in range(0, len(calls), size):
        answer = client.post(
            "/v1/batch",
            content=msgspec.json.encode({"batch": calls[start : start + size]}),
            headers=basic(house.new_shop.write_key),
        )
        assert answer.status_code == 200, answer.text


def basic(key: str) -> dict[str, str]:
    """A key as user without a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def link(house: House) -> None:
    """Make the shop that of a Shopify domain."""
    with house.app.database.write() as connection:
        link_shopify(
            connection,
            house.shop.shop_id,
            domain=DOMAIN,
            secret=SECRET,
            secret_key=secret_key(house.settings),
            now=house.clock.now(),
        )


def signed(body: bytes, secret: str = SECRET) -> str:
    """The signature of a webhook."""
    return base64.b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()


def send_webhook(
    client: Client,
    topic: str,
    payload: Any,
    webhook_id: str,
    *,
    version: str = "2026-04",
    secret: str = SECRET,
) -> httpx.Response:
    """Send a webhook signed with a secret."""
    body = msgspec.json.encode(payload)
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-API-Version": version,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Triggered-At": "2026-06-15T11:00:00Z",
        "X-Shopify-Hmac-Sha256": signed(body, secret),
    }
    return client.post("/webhooks/shopify", content=body, headers=headers)
