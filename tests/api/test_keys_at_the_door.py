"""Whose key is it? Every place where SDKs put it, and what each kind of key may claim."""

import base64
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from customer360.access.keys import list_keys, revoke_key
from customer360.access.shops import close_shop, uninstall_shop
from tests.api.conftest import Street

EVENT = {"type": "track", "event": "Product Viewed", "anonymousId": "a1", "messageId": "m1"}

Place = Callable[[str], dict[str, Any]]


def user(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


PLACES: dict[str, Place] = {
    "Basic, as user": lambda key: {"headers": user(f"{key}:")},
    "Basic, with a password": lambda key: {"headers": user(f"{key}:secret")},
    "Basic, without a colon": lambda key: {"headers": user(key)},
    "basic in small letters": lambda key: {
        "headers": {"authorization": user(f"{key}:")["Authorization"].replace("Basic", "basic")}
    },
    "Bearer": lambda key: {"headers": {"Authorization": f"Bearer {key}"}},
    "X-Write-Key": lambda key: {"headers": {"X-Write-Key": key}},
    "X-Write-Key as id:secret": lambda key: {"headers": {"X-Write-Key": f"site:{key}"}},
    "X-Write-Key as secret:id": lambda key: {"headers": {"X-Write-Key": f"{key}:x"}},
    "query": lambda key: {"params": {"writeKey": key}},
    "body": lambda key: {"json": {**EVENT, "writeKey": key}},
}


def post(street: Street, **request: Any) -> httpx.Response:
    return street.client.post("/v1/track", **{"json": EVENT, **request})


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_write_key_is_found_wherever_it_stands(street: Street, place: Place) -> None:
    assert post(street, **place(street.shop.write_key)).json() == {"success": True}
    [row] = street.waiting()
    assert (row.shop_id, row.source, row.trust, row.rank) == (
        street.shop.shop.shop_id,
        "segment",
        1,
        1,
    )


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_pixel_key_is_public_wherever_it_stands(street: Street, place: Place) -> None:
    assert post(street, **place(street.shop.pixel_key)).status_code == 200
    [row] = street.waiting()
    assert (row.source, row.trust, row.rank) == ("segment", 0, 0)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("key", ["wk_wrong", "", "\xe4" * 40, "x" * 5000])
def test_a_wrong_key_is_refused(street: Street, place: Place, key: str) -> None:
    request = place(key)
    # Headers are bytes on the wire; the client would refuse to send these.
    request["headers"] = {k: v.encode() for k, v in request.get("headers", {}).items()}
    answer = post(street, **request)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Unauthenticated"
    assert street.waiting() == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xff:").decode()},
        {"Authorization": "Digest abc"},
        {"Authorization": "Bearer"},
    ],
)
def test_a_request_without_a_usable_key_is_refused(street: Street, headers: dict[str, str]) -> None:
    assert post(street, headers=headers).status_code == 401
    assert street.total().received == 0


def test_keys_that_read_do_not_write(street: Street) -> None:
    for key in (street.shop.api_key, street.shop.webhook_secret):
        assert post(street, headers=street.basic(key)).status_code == 401


def test_a_revoked_key_is_soon_refused(street: Street) -> None:
    assert post(street, headers=street.basic()).status_code == 200
    with street.database.write() as connection:
        shop_id = street.shop.shop.shop_id
        [key] = [key for key in list_keys(connection, shop_id) if key.kind == "write"]
        revoke_key(connection, shop_id, key.key_id, street.clock.now())
    _wait_for(street, 401)


def test_an_uninstalled_shop_collects_nothing(street: Street) -> None:
    with street.database.write() as connection:
        uninstall_shop(connection, street.shop.shop.shop_id, street.clock.now())
    for key in (street.shop.write_key, street.shop.pixel_key):
        answer = post(street, headers=street.basic(key))
        assert answer.status_code == 403
        assert answer.json()["title"] == "Uninstalled shop"
    assert street.waiting() == []


def test_a_deleted_shop_is_refused_even_while_its_key_is_remembered(street: Street) -> None:
    assert post(street, headers=street.basic()).status_code == 200
    with street.database.write() as connection:
        close_shop(connection, street.shop.shop.shop_id)
    before = street.waiting()
    assert post(street, headers=street.basic()).status_code == 401
    assert street.waiting() == before


def _wait_for(street: Street, status: int) -> None:
    deadline = time.monotonic() + 5
    while post(street, headers=street.basic()).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.1)
