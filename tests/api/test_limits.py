"""Too large, too many, too full, or no JSON: each is told apart, and nothing is stored by halves."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from customer360.api.limits import DiskGuard, RateLimit
from customer360.errors import DiskNearlyFull, TooManyRequests
from customer360.intake.balance import SourceBalance
from tests.api.conftest import Open, Street

DEEP = 200_000


def event(size: int) -> bytes:
    """A valid event of exactly so many bytes."""
    frame = b'{"type":"track","x":""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def batch(*events: bytes) -> bytes:
    return b'{"batch":[' + b",".join(events) + b"]}"


@pytest.mark.parametrize(("size", "kept"), [(32 * 1024, True), (32 * 1024 + 1, False)])
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
def test_an_event_over_its_limit_is_rejected_alone(
    street: Street, path: str, size: int, kept: bool
) -> None:
    large = event(size)
    body = batch(b'{"n":1}', large, b'{"n":2}') if path == "/v1/batch" else large
    answer = street.client.post(path, content=body, headers=street.basic())
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    neighbours = 2 if path == "/v1/batch" else 0
    assert len(street.waiting()) == neighbours + kept
    assert [(row.reason, row.body) for row in street.letters()] == (
        [] if kept else [("too_large", large)]
    )
    total = street.total()
    assert total.received == neighbours + 1
    assert total.rejected == ({} if kept else {"too_large": 1})
    assert total.holds


def test_what_is_no_object_in_a_batch_is_rejected_alone(street: Street) -> None:
    body = b'{"batch":[{"n":1}, 3, "x", null, [], {"n":2}]}'
    assert street.client.post("/v1/batch", content=body, headers=street.basic()).status_code == 200
    assert street.bodies() == [{"n": 1}, {"n": 2}]
    assert [row.body for row in street.letters()] == [b"3", b'"x"', b"null", b"[]"]
    assert street.total() == SourceBalance(received=6, rejected={"not_an_object": 4}, waiting=2)


def test_a_batch_of_exactly_the_limit_is_taken(street: Street) -> None:
    limit = street.settings.max_batch_bytes
    body = batch(*[b"{}"] * 100)
    for size, status in ((limit, 200), (limit + 1, 413)):
        padded = body + b" " * (size - len(body))
        answer = street.client.post("/v1/batch", content=padded, headers=street.basic())
        assert answer.status_code == status
    assert answer.json()["title"] == "Payload too large"
    assert answer.headers["connection"] == "close"
    assert street.total().received == 100


def test_an_endless_body_is_not_read_to_its_end(street: Street) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1024**3:
            sent += 65536
            yield b" " * 65536

    answer = street.client.post("/v1/batch", content=endless(), headers=street.basic())
    assert answer.status_code == 413
    assert sent < 16 * 1024**2


def test_a_body_announced_too_large_is_not_read_at_all(street: Street) -> None:
    headers = street.basic() | {"Content-Length": str(1024**3)}
    assert street.client.post("/v1/batch", content=b"{}", headers=headers).status_code == 413


@pytest.mark.parametrize("size", [600 * 1024, 1024**3])
def test_gzip_is_never_unpacked_beyond_the_limit(street: Street, size: int) -> None:
    packed = gzip.compress(b" " * (1024**2), 9, mtime=0) * (size // 1024**2) or gzip.compress(
        b" " * size
    )
    headers = street.basic() | {"Content-Encoding": "gzip"}
    answer = street.client.post("/v1/batch", content=packed[: 400 * 1024], headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b'{"batch":[]}', mtime=0)[:-9], "gzip"),
        (gzip.compress(b'{"batch":[]}', mtime=0) + b"tail", "gzip"),
        (b'{"batch":[]}', "br"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(street: Street, body: bytes, encoding: str) -> None:
    headers = street.basic() | {"Content-Encoding": encoding}
    assert street.client.post("/v1/batch", content=body, headers=headers).status_code == 400


MALFORMED = {
    "nothing": b"",
    "half": b'{"batch":[{"type":"track"}',
    "no batch": b"{}",
    "batch is null": b'{"batch":null}',
    "batch is an object": b'{"batch":{}}',
    "a list": b"[]",
    "a number": b"1",
    "a string": b'"x"',
    "null": b"null",
    "not JSON": b"type=track&event=x",
    "NaN": b'{"batch":[{"n":NaN}]}',
    "two documents": b'{"batch":[]}{"batch":[]}',
    "bad UTF-8": b'{"batch":[{"n":"\xff\xfe"}]}',
    "overlong UTF-8": b'{"batch":[{"n":"\xc0\xaf"}]}',
    "a surrogate in UTF-8": b'{"batch":[{"n":"\xed\xa0\x80"}]}',
    "UTF-16": '{"batch":[]}'.encode("utf-16"),
    "a control character": b'{"batch":[{"n":"\x00"}]}',
    "deep lists": b'{"batch":[{"n":' + b"[" * DEEP + b"]" * DEEP + b"}]}",
    "deep objects": b'{"batch":[' + b'{"n":' * (DEEP // 5) + b"1" + b"}" * (DEEP // 5) + b"]}",
    "deep and unknown": b'{"x":' + b"[" * DEEP + b"]" * DEEP + b',"batch":[]}',
    "deep and open": b'{"batch":[' + b"[" * DEEP,
    "a number that nobody can read": b'{"batch":[{}],"context":{"n":1e999}}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_batch_is_refused_whole(street: Street, body: bytes) -> None:
    answer = street.client.post("/v1/batch", content=body, headers=street.basic())
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Invalid payload"
    assert street.total() == SourceBalance()


def test_a_batch_may_begin_with_a_byte_order_mark(street: Street) -> None:
    body = b"\xef\xbb\xbf" + batch(b'{"n":1}')
    assert street.client.post("/v1/batch", content=body, headers=street.basic()).status_code == 200
    assert street.bodies() == [{"n": 1}]


def test_a_batch_cannot_blow_up_what_stands_around_it(street: Street) -> None:
    body = json.dumps({"context": {"x": "y" * 100_000}, "batch": [{}] * 1000})
    assert street.client.post("/v1/batch", content=body, headers=street.basic()).status_code == 413


def test_a_batch_has_a_largest_number_of_events(street: Street) -> None:
    headers = street.basic()
    assert (
        street.client.post(
            "/v1/batch", content=batch(*[b"{}"] * 10_001), headers=headers
        ).status_code
        == 413
    )
    assert (
        street.client.post(
            "/v1/batch", content=batch(*[b"{}"] * 10_000), headers=headers
        ).status_code
        == 200
    )
    assert street.total().received == 10_000


def test_a_key_over_its_rate_is_told_when_to_come_back(open_street: Open) -> None:
    street = open_street(rate_limit_events_per_second=2)
    body = batch(*[b"{}"] * 9)
    assert street.client.post("/v1/batch", content=body, headers=street.basic()).status_code == 200
    answer = street.client.post("/v1/batch", content=body, headers=street.basic())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
    other = street.client.post(
        "/v1/batch", content=body, headers=street.basic(street.shop.pixel_key)
    )
    assert other.status_code == 200
    assert street.total().received == 18


def test_a_full_disk_is_told_before_anything_is_taken(open_street: Open) -> None:
    street = open_street(min_free_bytes=1 << 60)
    for path in ("/v1/batch", "/webhooks/shopify"):
        answer = street.client.post(path, content=batch(b"{}"), headers=street.basic())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json()["title"] == "Disk nearly full"
    assert street.client.get("/readyz").status_code == 503
    assert street.client.get("/healthz").status_code == 200
    assert street.total().received == 0


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    rate = RateLimit(10, lambda: now[0])
    rate.take("key", 25)
    with pytest.raises(TooManyRequests) as refused:
        rate.take("key", 1)
    assert refused.value.retry_after_seconds == 2
    now[0] = 1.7
    rate.take("key", 1)
    now[0] = 100.0
    rate.take("key", 10)
    with pytest.raises(TooManyRequests):
        rate.take("key", 1)


def test_a_rate_of_zero_is_no_limit() -> None:
    rate = RateLimit(0)
    for _ in range(100):
        rate.take("key", 1_000_000)


def test_the_disk_is_looked_at_once_a_second(tmp_path: Path) -> None:
    now, free, looks = [0.0], [100], [0]

    def look(_folder: Path) -> int:
        looks[0] += 1
        return free[0]

    guard = DiskGuard(tmp_path, 50, look, lambda: now[0])
    for _ in range(100):
        guard.check()
    assert looks == [1]
    free[0], now[0] = 10, 1.5
    with pytest.raises(DiskNearlyFull):
        guard.check()
    free[0], now[0] = 100, 3.0
    guard.check()


def test_half_a_character_in_one_event_does_not_refuse_its_neighbours(street: Street) -> None:
    batch = b'{"batch":[{"type":"track","event":"\\ud83d","userId":"u1"},{"type":"track","event":"B","userId":"u1"}]}'

    answer = street.client.post("/v1/batch", content=batch, headers=street.basic())

    assert answer.status_code == 200
    assert len(street.waiting()) == 2
