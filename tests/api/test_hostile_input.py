"""Ten thousand hostile requests: no 5xx, no traceback, no loss of neighbours."""

import gzip
import json
from collections import Counter
from random import Random
from typing import Any

import httpx

from tests.api.conftest import Street

REQUESTS = 10_000
AT_ONCE = 100
# Every so manieth request is a good one, which must survive its neighbours.
GOOD_EVERY = 50

PATHS = (
    "/v1/batch",
    "/v1/b",
    "/v1/track",
    "/v1/i",
    "/v1/shopify_pixel",
    "/beacon/v1/batch",
    "/api/s/page",
    "/api/s/s2s/batch",
    "/webhooks/shopify",
    "/v1/projects/x/settings",
    "/pixel.js",
    "/v1/%00",
    "/v1/..%2f..%2fetc/passwd",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0.1,
    10**400,
    -(2**63),
    2**64,
    "",
    "\x00",
    "\ud7ff\ue000\U0010ffff",
    '=HYPERLINK("http://evil.example")',
    "@SUM(A1:A9)",
    "'; drop table inbox; --",
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7}",
    "../../etc/passwd",
    "x" * 40_000,
    [],
    {},
    [[[[]]]],
    {"": {"": {"": None}}},
    {"__proto__": {"a": 1}, "constructor": 1},
    "2026-99-99T99:99:99Z",
    "ann@example.com\r\nBcc: all@example.com",
)
FIELDS = (
    "type",
    "event",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "sentAt",
    "context",
    "traits",
    "properties",
    "batch",
    "writeKey",
    "events",
    "integrations",
    "id",
    "name",
    "clientId",
    "data",
)
RAW = (
    b"[" * 50_000,
    b'{"batch":' + b'[{"a":' * 30_000,
    b'{"batch":[' + b"[" * 900 + b"]" * 900 + b"]}",
    b'{"batch":[{"n":1e999}]}',
    b'{"batch":[{"n":' + b"9" * 30_000 + b"}]}",
    b'{"batch":[{"n":"\\ud83d"}]}',
    b'{"batch":[{"a":1,"a":2}],"batch":[3]}',
    b"\xff\xfe\x00\x00",
    b"\x00" * 1000,
    b"",
)


def hostile(random: Random) -> dict[str, Any]:
    """One request: something valid that was bent, or something that never was."""
    body = random.choice(RAW) if random.random() < 0.1 else bent(random)
    headers: dict[str, str | bytes] = {}
    if random.random() < 0.1:
        body = gzip.compress(body)[: random.choice((None, 20, -5))]
        headers["Content-Encoding"] = random.choice(("gzip", "br", "GZIP", "x"))
    if random.random() < 0.1:
        name = random.choice(
            ("SentAt", "X-Write-Key", "X-Shopify-Shop-Domain", "Content-Type", "Range")
        )
        headers[name] = random.choice((b"\xff\xfe", b"x" * 3000, b"=1+1", b"a:b:c", b"0"))
    method = random.choice(("POST",) * 20 + ("GET", "PUT", "OPTIONS", "HEAD"))
    return {"method": method, "url": random.choice(PATHS), "content": body, "headers": headers}


def bent(random: Random) -> bytes:
    """JSON with strange members, of which some bytes may have been changed, cut or doubled."""

    def event() -> dict[str, Any]:
        return {random.choice(FIELDS): random.choice(VALUES) for _ in range(random.randrange(6))}

    document: Any = {"batch": [event() for _ in range(random.randrange(4))]} | event()
    if random.random() < 0.2:
        document = random.choice((event(), random.choice(VALUES)))
    body = bytearray(json.dumps(document, ensure_ascii=random.random() < 0.5).encode())
    for _ in range(random.choice((0, 0, 0, 1, 5))):
        at = random.randrange(len(body))
        piece = bytes(random.randrange(256) for _ in range(random.randrange(3)))
        body[at : at + random.randrange(3)] = piece
        if not body:
            return b""
    return bytes(body)


def test_ten_thousand_hostile_requests_do_no_harm(street: Street) -> None:
    random = Random(20260615)
    answers: list[tuple[dict[str, Any], httpx.Response]] = []
    for first in range(0, REQUESTS, AT_ONCE):
        requests = [
            good(n) if n % GOOD_EVERY == 0 else hostile(random)
            for n in range(first, first + AT_ONCE)
        ]
        for request in requests:
            request["headers"] = street.basic() | request["headers"]
        answers += zip(requests, street.client.together(requests), strict=True)
    failed = [
        (request, answer.status_code) for request, answer in answers if answer.status_code >= 500
    ]
    assert failed == []
    assert all("Traceback" not in answer.text for _, answer in answers)
    kept = Counter(row.body for row in street.waiting())
    assert [n for n in range(0, REQUESTS, GOOD_EVERY) if kept[good(n)["content"]] != 1] == []
    assert street.total().holds
    # The test is worth something only if both ends are met.
    statuses = Counter(answer.status_code for _, answer in answers)
    assert {200, 400, 404, 405} <= statuses.keys()


def good(n: int) -> dict[str, Any]:
    """A request that nothing is wrong with."""
    content = json.dumps({"type": "track", "event": "Good", "messageId": f"good-{n}"}).encode()
    return {"method": "POST", "url": "/v1/track", "content": content, "headers": {}}
