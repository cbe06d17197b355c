"""What SDKs send, kept byte for byte, with what stood around it."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customer360.intake.balance import SourceBalance
from tests.api.conftest import Street

TRACK = {"type": "track", "event": "Product Viewed", "anonymousId": "a1", "messageId": "m1"}


def envelopes(street: Street) -> list[Any]:
    return [msgspec.json.decode(row.envelope) for row in street.waiting()]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/beacon/v1/batch", "/api/s/s2s/batch"])
def test_each_event_of_a_batch_is_kept_as_its_bytes_were(street: Street, path: str) -> None:
    events = [
        b'{"type":"track", "n" : 1.0}',
        b'{"type":"page","big":12345678901234567890123}',
        b"{}",
    ]
    body = b' {"batch": [' + b" ,\n".join(events) + b"]} "
    answer = street.client.post(path, content=body, headers=street.basic())
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [row.body for row in street.waiting()] == events
    assert street.total() == SourceBalance(received=3, waiting=3)


def test_what_stood_around_a_batch_is_kept_with_each_event(street: Street) -> None:
    around = {"sentAt": "2026-06-15T12:00:00Z", "context": {"ip": "192.0.2.1", "locale": "de"}}
    street.client.post(
        "/v1/batch", json={"batch": [TRACK, TRACK], **around}, headers=street.basic()
    )
    assert envelopes(street) == [{"auth": "write", **around}] * 2


def test_nothing_around_a_batch_leaves_only_the_kind_of_key(street: Street) -> None:
    body = {"batch": [TRACK], "writeKey": street.shop.pixel_key, "sentAt": None, "context": None}
    street.client.post("/v1/batch", json=body)
    assert envelopes(street) == [{"auth": "pixel"}]


@pytest.mark.parametrize(
    ("path", "event_type"),
    [
        *[
            (f"/v1/{name}", name)
            for name in ("track", "identify", "page", "screen", "group", "alias")
        ],
        *[(f"/api/s/{name}", name) for name in ("track", "identify", "page", "screen", "group")],
        *[(f"/api/s/s2s/{name}", name) for name in ("track", "identify", "page")],
        ("/v1/t", "track"),
        ("/v1/i", "identify"),
        ("/v1/p", "page"),
        ("/v1/s", "screen"),
        ("/v1/g", "group"),
        ("/v1/a", "alias"),
    ],
)
def test_an_event_without_a_type_gets_that_of_its_address(
    street: Street, path: str, event_type: str
) -> None:
    for sent in ({"userId": "u1"}, {"userId": "u1", "type": None}, {}):
        assert street.client.post(path, json=sent, headers=street.basic()).status_code == 200
    plain = street.client.post(path, content=b" { } ", headers=street.basic())
    assert plain.status_code == 200
    assert [body["type"] for body in street.bodies()] == [event_type] * 4
    assert [body.get("userId") for body in street.bodies()] == ["u1", "u1", None, None]


def test_an_event_keeps_the_type_that_it_has(street: Street) -> None:
    street.client.post("/v1/track", content=b'{"type":"page"} ', headers=street.basic())
    assert [row.body for row in street.waiting()] == [b'{"type":"page"}']


def test_an_empty_batch_is_accepted(street: Street) -> None:
    answer = street.client.post("/v1/batch", json={"batch": []}, headers=street.basic())
    assert answer.json() == {"success": True}


def test_an_analytics_js_request_works_by_changing_the_url(street: Street) -> None:
    body = {**TRACK, "writeKey": street.shop.write_key, "sentAt": "2026-06-15T12:00:00.000Z"}
    answer = street.client.post(
        "/v1/t",
        content=json.dumps(body),
        headers={"Content-Type": "text/plain", "Origin": "https://shop.example"},
    )
    assert answer.json() == {"success": True}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert street.bodies() == [body]


def test_a_rudderstack_request_works_by_changing_the_url(street: Street) -> None:
    headers = street.basic() | {
        "Content-Type": "application/json",
        "AnonymousId": "YTE=",
        "SentAt": "2026-06-15T11:59:58.000Z",
    }
    assert street.client.post("/v1/track", json=TRACK, headers=headers).status_code == 200
    beacon = street.client.post(
        "/beacon/v1/batch",
        params={"writeKey": street.shop.write_key},
        content=json.dumps({"batch": [TRACK], "sentAt": "2026-06-15T12:00:00Z"}),
        headers={"Content-Type": "text/plain"},
    )
    assert beacon.status_code == 200
    assert [entry["sentAt"] for entry in envelopes(street)] == [
        "2026-06-15T11:59:58.000Z",
        "2026-06-15T12:00:00Z",
    ]


def test_a_jitsu_request_works_by_changing_the_url(street: Street) -> None:
    headers = {"X-Write-Key": f"site:{street.shop.write_key}"}
    answer = street.client.post("/api/s/s2s/track", json=TRACK, headers=headers)
    assert answer.headers["content-type"] == "application/json"
    assert street.bodies() == [TRACK]


def test_our_own_pixel_is_a_source_of_its_own(street: Street) -> None:
    context = {"library": {"name": "customer360-pixel", "version": "1"}}
    for written in (
        context,
        {"library": {"name": "other", "x": "customer360-pixel"}},
        {"library": "customer360-pixel"},
    ):
        body = {"writeKey": street.shop.pixel_key, "context": written, "batch": [TRACK]}
        answer = street.client.post(
            "/v1/batch", content=json.dumps(body), headers={"Content-Type": "text/plain"}
        )
        assert answer.status_code == 200
    assert [row.source for row in street.waiting()] == ["pixel", "segment", "segment"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_shopifys_pixel_sends_one_standard_event_or_several(street: Street, wrapped: bool) -> None:
    event = {"id": "sh-1", "name": "page_viewed", "clientId": "c1", "type": "standard", "data": {}}
    body = {"events": [event, event]} if wrapped else event
    answer = street.client.post(
        "/v1/shopify_pixel", params={"writeKey": street.shop.pixel_key}, json=body
    )
    assert answer.status_code == 200
    assert street.bodies() == ([event, event] if wrapped else [event])
    assert {(row.source, row.trust, row.rank) for row in street.waiting()} == {
        ("shopify_pixel", 0, 0)
    }


def test_a_write_key_makes_shopifys_pixel_trusted_but_no_authority(street: Street) -> None:
    street.client.post("/v1/shopify_pixel", json={"id": "1"}, headers=street.basic())
    assert [(row.trust, row.rank) for row in street.waiting()] == [(1, 0)]


@pytest.mark.parametrize("members", [1, 2])
def test_gzip_is_unpacked(street: Street, members: int) -> None:
    body = json.dumps({"batch": [TRACK]}).encode()
    half = len(body) // 2
    packed = (
        gzip.compress(body)
        if members == 1
        else gzip.compress(body[:half]) + gzip.compress(body[half:])
    )
    headers = street.basic() | {"Content-Encoding": "gzip"}
    assert street.client.post("/v1/batch", content=packed, headers=headers).status_code == 200
    assert street.bodies() == [TRACK]


def test_the_sample_payloads_are_accepted(street: Street, shared: Path) -> None:
    samples = sorted((shared / "contracts" / "segment").glob("*.json"))
    for sample in samples:
        kind = sample.stem.partition("_")[0]
        payload = json.loads(sample.read_bytes())["payload"]
        answer = street.client.post(f"/v1/{kind}", json=payload, headers=street.basic())
        assert answer.status_code == 200, sample.name
    assert samples
    assert street.total().waiting >= len(samples)
    assert street.letters() == []


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/t", "/v1/projects/wk_1/settings", "/pixel.js"])
def test_a_browser_of_any_origin_may_ask_first(street: Street, path: str) -> None:
    answer = street.client.request(
        "OPTIONS",
        path,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,anonymousid",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (
        answer.headers["access-control-allow-headers"] == "authorization,content-type,anonymousid"
    )
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_browser_can_read_a_refusal_too(street: Street) -> None:
    answer = street.client.post("/v1/t", json=TRACK, headers={"Origin": "https://shop.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


def test_analytics_js_learns_where_to_send(street: Street) -> None:
    answer = street.client.get(f"/v1/projects/{street.shop.write_key}/settings")
    destination = answer.json()["integrations"]["Segment.io"]
    assert destination["apiKey"] == street.shop.write_key
    assert (destination["protocol"], destination["apiHost"]) == ("http", "c360.test/v1")
    assert street.client.get("/v1/projects/wk_wrong/settings").status_code == 401


@pytest.mark.parametrize("path", ["/sourceConfig/", "/sourceConfig"])
def test_rudderstack_learns_its_source(street: Street, path: str) -> None:
    answer = street.client.get(path, params={"writeKey": street.shop.pixel_key})
    source = answer.json()["source"]
    assert (source["id"], source["enabled"]) == (str(street.shop.shop.shop_id), True)
    assert (source["config"].keys(), source["destinations"]) == ({"statsCollection"}, [])
    assert street.client.get(path, headers=street.basic()).status_code == 200
    assert street.client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/track", 405),
        ("POST", "/v1/unknown", 404),
        ("POST", "/api/s/unknown", 404),
        ("PUT", "/v1/b", 405),
    ],
)
def test_other_addresses_and_methods_answer_with_a_problem(
    street: Street, method: str, path: str, status: int
) -> None:
    answer = street.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
