"""Who may ask: only the shop's api_key, only as a bearer."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest

from customer360.access.keys import issue_key, list_keys, revoke_key
from customer360.api.v1.routes import ENDPOINTS, PREFIX
from tests.api.v1.conftest import Desk


def revoked(desk: Desk) -> str:
    """An api_key that was good until a moment ago."""
    shop_id, now = desk.house.shop.shop_id, desk.house.clock.now()
    with desk.house.app.database.write() as connection:
        key = issue_key(connection, shop_id, "api", now)
        revoke_key(connection, shop_id, list_keys(connection, shop_id)[-1].key_id, now)
    return key


def basic(user: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:'.encode()).decode()}"


WRONG: dict[str, Callable[[Desk], dict[str, str]]] = {
    "none": lambda _: {},
    "the write key": lambda desk: {"Authorization": f"Bearer {desk.house.new_shop.write_key}"},
    "the pixel key": lambda desk: {"Authorization": f"Bearer {desk.house.new_shop.pixel_key}"},
    "the webhook secret": lambda desk: {
        "Authorization": f"Bearer {desk.house.new_shop.webhook_secret}"
    },
    "a revoked key": lambda desk: {"Authorization": f"Bearer {revoked(desk)}"},
    "an unknown key": lambda _: {"Authorization": "Bearer ak_unknown"},
    "an endless key": lambda _: {"Authorization": "Bearer " + "x" * 5000},
    "an empty key": lambda _: {"Authorization": "Bearer "},
    "no scheme": lambda desk: {"Authorization": desk.house.new_shop.api_key},
    "another scheme": lambda desk: {"Authorization": basic(desk.house.new_shop.api_key)},
    "another header": lambda desk: {"X-Write-Key": desk.house.new_shop.api_key},
    "bytes": lambda _: {"Authorization": "Bearer \u00e9\u00ff"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_nobody_else_gets_any_answer(full_desk: Desk, wrong: str) -> None:
    headers = {name: value.encode("latin-1") for name, value in WRONG[wrong](full_desk).items()}
    for endpoint in ENDPOINTS:
        path = PREFIX + re.sub(r"{\w+}", "1", endpoint.path)
        answer = full_desk.client.request(endpoint.method, path, headers=headers, json={})

        full_desk.problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_in_the_address_opens_nothing(full_desk: Desk) -> None:
    key = full_desk.house.new_shop.api_key
    for name in ("api_key", "writeKey", "access_token"):
        answer = full_desk.client.get("/api/v1/profiles", params={name: key})
        assert answer.status_code == 401


def test_a_wrong_key_is_told_before_a_wrong_question(full_desk: Desk) -> None:
    assert full_desk.ask("/profiles?stage=x", key="ak_unknown").status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_api_key_opens_its_shop(full_desk: Desk, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {full_desk.house.new_shop.api_key}"}
    for endpoint in ENDPOINTS:
        if "{" not in endpoint.path:
            answer = full_desk.client.request(
                endpoint.method, PREFIX + endpoint.path, headers=headers, json={}
            )
            # An empty body names no two profiles and no rule, which is told only to who may ask.
            needs_more = endpoint.method == "POST" and endpoint.path.startswith(
                ("/merges", "/segments")
            )
            assert answer.status_code == (422 if needs_more else 200), endpoint.path
