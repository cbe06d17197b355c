"""Ten thousand hostile signals, from the door to the profile: no error, no harm to neighbours, nothing unaccounted."""

from __future__ import annotations

import copy
import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from customer360.clock import HOUR
from customer360.events.model import SourceRank, Trust
from customer360.events.tables import events
from customer360.intake.tables import dead_letters
from tests.canonical import canonical
from tests.house import House
from tests.stories.doors import DOMAIN, basic, link, opened, signed
from tests.stories.histories import ALWAYS, POOL, Draft
from tests.stories.test_crash import warehouse_rows

SIGNALS = {"sqlite": 10_000, "postgresql": 2_500}
A_BATCH = 100
GOOD_EVERY = 50


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path, rate_limit_events_per_second=0)
    yield one
    one.close()


def noise(random: Random, length: int) -> str:
    """Text that no database can compress below what its index holds."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyzäöü中文字😀0123456789", k=length))


# Written into the JSON as they stand, for a JSON writer would not.
RAW = {
    "@1e400@": b"1e400",
    "@-1e400@": b"-1e400",
    "@1e308@": b"1e308",
    "@digits@": b"9" * 5000,
    "@surrogate@": b'"\\ud83d"',
    "@reversed@": b'"\\ude00\\ud83d text"',
    "@nul@": b'"a\\u0000b"',
    "@minus zero@": b"-0.0",
    "@float@": b"20.00000000000000000001",
}


def hostile_value(random: Random) -> Any:
    """Something that a field did not expect."""
    values: tuple[Any, ...] = (
        *RAW,
        *(None, True, False, [], {}, "", " ", 0, -1, 0.1, 1e-9),
        *(2**31, 2**53 + 1, 2**63, -(2**63), 2**64, 2**70, -(2**70), 10**15, 10**11, 99_999_999),
        *("1e15", "99999999999.9999", "-5", "1e400", "NaN", "Infinity", "1,5", "0x10", "٣"),
        *("\x01\x1b[31m", "\u202e\u200b", "\ufeff", "a\nb\r\nc", "\ud7ff\ue000\U0010ffff", "ẞİı"),
        *('=HYPERLINK("http://evil.example")', "@SUM(A1:A9)", "+1+1", "-2+3", "\t=1"),
        *("'; drop table inbox; --", "<script>alert(1)</script>", "{{7*7}}${7*7}", "%s%n%d{}"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30", "1899-12-31", -62e9, 4e15),
        *("https://[::1", "http://a:99999/?utm_source=%00%ff&x=%", "//", "javascript:1"),
        *("gid://shopify/Order/", "a@b", "ann@x.example\r\nBcc: x@y", "+999999999999999", "null"),
        *(noise(random, 300), noise(random, 3000), "x" * 9000),
        *([[[[]]]], {"": {"": None}}, {"__proto__": 1}, [None, 1, "a", {"id": 2**70}], ["\ud7ff"]),
        nested(random.choice((5, 39, 41, 300))),
    )
    return random.choice(values)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


# Without these a signal comes no further than its translator.
_REFUSED_AT_ONCE = ("type", "event", "timestamp")


def bent(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    """A signal with one to three of its parts replaced, doubled or removed, at any depth."""
    told = copy.deepcopy(body)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        place: Any = told
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = random.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and random.random() < 0.7:
                place = place[key]
                continue
            if key in _REFUSED_AT_ONCE and random.random() < 0.8:
                break
            if random.random() < 0.1:
                del place[key]
            else:
                place[key] = hostile_value(random)
            break
        if isinstance(place, dict) and random.random() < 0.1:
            name = random.choice(("@surrogate@", "@nul@", "", "a.b", "ẞİı", noise(random, 50)))
            place[name] = hostile_value(random)
    return told


def written(body: Any) -> bytes:
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for mark, raw in RAW.items():
        text = text.replace(json.dumps(mark).encode(), raw)
    return text


MORE: list[Draft] = [
    (
        "shopify_pixel",
        Trust.PUBLIC,
        SourceRank.PIXEL,
        {
            "id": "sp",
            "name": name,
            "clientId": "sp-cookie",
            "type": "standard",
            "timestamp": "2026-06-15T09:00:00Z",
            "context": {
                "document": {"location": {"href": "https://shop.example/?utm_source=a"}},
                "navigator": {"language": "en"},
            },
            "data": {
                "checkout": {
                    "token": "sp-checkout",
                    "email": "sp@x.example",
                    "totalPrice": {"amount": 12.5, "currencyCode": "EUR"},
                    "order": {"id": "gid://shopify/Order/5", "customer": {"id": "9"}},
                    "lineItems": [
                        {"id": "1", "title": "Mug", "quantity": 1, "variant": {"id": "2"}}
                    ],
                },
                "cart": {"id": "sp-cart", "lines": []},
            },
        },
        None,
    )
    for name in ("checkout_completed", "checkout_started", "cart_viewed", "page_viewed")
]


def good(n: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Good",
        "messageId": f"good-{n}",
        "anonymousId": f"good-{n % 7}",
        "properties": {"n": n},
    }


class Attack:
    """Sends hostile signals by the door that each belongs to, with good ones between them."""

    def __init__(self, house: House, client: Any, random: Random) -> None:
        self.house, self.client, self.random = house, client, random
        self.statuses: Counter[int] = Counter()
        self.goods: list[int] = []
        self._batches: dict[Trust, list[bytes]] = {Trust.FULL: [], Trust.PUBLIC: []}
        self._requests: list[dict[str, Any]] = []

    def send(self, number: int) -> None:
        source, trust, rank, body, envelope = self.random.choice([*ALWAYS, *POOL, *MORE])
        told = bent(self.random, {**body, **({"messageId": f"h{number}"} if not envelope else {})})
        if source == "shopify_pixel":
            told.setdefault("id", f"h{number}")
            self._post("/v1/shopify_pixel", written(told), self.house.new_shop.pixel_key)
        elif source == "shopify" and envelope:
            self._webhook(written(told), {**envelope, "webhook_id": f"h{number}"})
        elif envelope:
            self._row(source, rank, told, {**envelope, "row_key": f"h{number}"})
        elif self.random.random() < 0.1:
            self._post("/v1/track", broken(self.random, written(told)), self._key(trust))
        else:
            self._batches[trust].append(written(told))
        if number % GOOD_EVERY == 0:
            self.goods.append(number)
            self._batches[Trust.FULL].append(written(good(number)))
        if len(self._batches[trust]) >= A_BATCH:
            self.flush(trust)

    def flush(self, trust: Trust) -> None:
        """A batch whose context is hostile too, and all single requests that wait."""
        calls, self._batches[trust] = self._batches[trust], []
        context = self.random.choice(
            (b"{}", b'{"page":{"url":"https://a/\\u0000","referrer":3}}', b'{"traits":[1]}', b"7")
        )
        body = b'{"batch":[%s],"context":%s}' % (b",".join(calls), context)
        if calls:
            self._post("/v1/batch", body, self._key(trust))
        waiting, self._requests = self._requests, []
        for answer in self.client.together(waiting):
            assert answer.status_code < 500, answer.text
            assert "Traceback" not in answer.text
            self.statuses[answer.status_code] += 1

    def _key(self, trust: Trust) -> str:
        shop = self.house.new_shop
        return shop.write_key if trust is Trust.FULL else shop.pixel_key

    def _post(self, url: str, body: bytes, key: str) -> None:
        self._requests.append(
            {"method": "POST", "url": url, "content": body, "headers": basic(key)}
        )

    def _webhook(self, body: bytes, envelope: dict[str, Any]) -> None:
        headers = {
            "X-Shopify-Topic": envelope["topic"],
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-Webhook-Id": envelope["webhook_id"],
            "X-Shopify-Triggered-At": self.random.choice(("", "x", envelope["triggered_at"])),
            "X-Shopify-Hmac-Sha256": signed(body),
        }
        self._requests.append(
            {"method": "POST", "url": "/webhooks/shopify", "content": body, "headers": headers}
        )

    def _row(
        self, source: str, rank: SourceRank, body: dict[str, Any], envelope: dict[str, Any]
    ) -> None:
        row = self.house.row(
            source, written(body), rank=rank, envelope=json.dumps(envelope).encode()
        )
        self.house.app.inbox.accept([row])


def broken(random: Random, body: bytes) -> bytes:
    """Bytes of it changed, cut or doubled: no JSON any more, or no UTF-8."""
    damaged = bytearray(body)
    for _ in range(random.choice((1, 5))):
        at = random.randrange(len(damaged))
        damaged[at : at + random.randrange(3)] = random.randbytes(random.randrange(3))
    return bytes(damaged) + b" "


@pytest.mark.timeout(300)
def test_hostile_signals_do_no_harm(house: House, caplog: pytest.LogCaptureFixture) -> None:
    link(house)
    caplog.set_level(logging.WARNING)
    with opened(house) as client:
        attack = Attack(house, client, Random(20260615))
        for number in range(SIGNALS[house.app.database.dialect]):
            attack.send(number)
        for trust in Trust:
            attack.flush(trust)
    house.drain()

    assert attack.statuses.keys() <= {200, 400, 413}
    balance = house.balance()
    assert balance.holds
    assert balance.waiting == 0
    assert "internal_error" not in balance.rejected, reasons(house)
    assert [record.getMessage() for record in caplog.records if record.levelno >= 30] == []
    # The test is worth something only if most got through to the profiles, and some did not.
    assert balance.stored > balance.received / 2
    assert sum(balance.rejected.values()) > 50
    assert kept(house) == attack.goods
    assert canonical(house, most=150)
    grown = warehouse_rows(house.app, house.shop.shop_id)
    house.app.warehouse.rebuild(house.shop.shop_id)
    anew = warehouse_rows(house.app, house.shop.shop_id)
    assert grown["profiles"] == anew["profiles"]
    # A name told later than a text that holds it hides the text in a new copy only.
    assert {table: len(told) for table, told in grown.items()} == {
        table: len(told) for table, told in anew.items()
    }


def kept(house: House) -> list[int]:
    """The numbers of the good events that are stored."""
    with house.app.database.read() as connection:
        query = select(events.c.properties).where(events.c.type == "Good")
        return sorted(json.loads(text)["n"] for text in connection.scalars(query))


def reasons(house: House) -> list[Any]:
    """The signals that nobody foresaw."""
    with house.app.database.read() as connection:
        query = select(dead_letters.c.detail, dead_letters.c.source, dead_letters.c.body)
        found = connection.execute(query.where(dead_letters.c.reason == "internal_error")).all()
        return [tuple(row) for row in found[:5]]


def test_a_long_text_in_every_key_is_stored(house: House) -> None:
    random = Random(1)
    long = noise(random, 2500)
    house.segment(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "u1",
            "properties": {
                "order_id": long,
                "checkout_token": long,
                "products": [{"line_id": long, "price": 1, "quantity": 1, "title": long}],
            },
        },
        {
            "type": "track",
            "event": "Order Refunded",
            "userId": "u1",
            "properties": {"order_id": long, "refund_id": long, "total": "1"},
        },
        {
            "type": "track",
            "event": "Consent Granted",
            "userId": "u1",
            "properties": {"channel": "push", "address": long, "text": long},
        },
    )
    house.drain()

    assert house.balance().rejected == {}
    assert house.attributes("user_id:u1", "orders_count", "refunded_total", "consent_push") == {
        "orders_count": 1,
        "refunded_total": "1.00",
        "consent_push": "granted",
    }


def test_a_text_cut_within_a_character_costs_nobody_anything(house: House) -> None:
    cut = rb'{"type":"track","event":"Half \ud83d","messageId":"cut","anonymousId":"c1"}'
    told = rb'{"batch":[%s,%s]}' % (cut, written(good(1)))
    with opened(house) as client:
        answer = client.post("/v1/batch", content=told, headers=basic(house.new_shop.write_key))
    house.drain()

    assert answer.status_code == 200
    assert house.counts("cookie:c1") == {"Half \ufffd": 1}
    assert kept(house) == [1]


def test_nothing_is_later_than_it_was_received(house: House) -> None:
    later = "2031-01-01T00:00:00Z"
    house.segment(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "u1",
            "timestamp": later,
            "properties": {"order_id": "o", "total": "1"},
        },
        {
            "type": "track",
            "event": "Consent Granted",
            "userId": "u1",
            "timestamp": later,
            "properties": {"channel": "push"},
        },
    )
    house.clock.advance(HOUR)
    house.segment(
        {
            "type": "track",
            "event": "Consent Withdrawn",
            "userId": "u1",
            "timestamp": "2026-06-15T12:30:00Z",
            "properties": {"channel": "push"},
        }
    )
    house.drain()

    assert house.attributes("user_id:u1", "days_since_last_order") == {"days_since_last_order": 0}
    assert house.orders("user_id:u1")[0].placed_at <= house.clock.now()
    with house.app.database.read() as connection:
        newest = connection.exec_driver_sql(
            "select state from consents order by occurred_at desc limit 1"
        ).scalar_one()
    assert newest == "withdrawn"


def test_the_pixels_key_merges_nobody_names_no_account_and_grants_nothing(house: House) -> None:
    ann = {"email": "ann@x.example", "externalIds": [{"type": "shopify_customer_id", "id": "7"}]}
    server = [
        identify("ann", ann["email"], context={"externalIds": ann["externalIds"]}),
        identify("bob", "bob@x.example"),
    ]
    browser = [
        identify("ann", "bob@x.example", anonymousId="c1"),
        identify("bob", "ann@x.example", anonymousId="c1"),
        {"type": "alias", "userId": "bob", "previousId": "ann@x.example"},
        {
            "type": "identify",
            "anonymousId": "c2",
            "context": {"externalIds": ann["externalIds"]},
        },
        {
            "type": "track",
            "event": "Consent Granted",
            "userId": "ann",
            "properties": {"channel": "email", "email": "ann@x.example"},
        },
        identify("ann", "ann@x.example", email_consent="granted"),
    ]
    with opened(house) as client:
        for key, calls in (
            (house.new_shop.write_key, server),
            (house.new_shop.pixel_key, browser),
        ):
            answer = client.post(
                "/v1/batch", content=json.dumps({"batch": calls}), headers=basic(key)
            )
            assert answer.status_code == 200
            house.drain()

    assert house.profile_id("user_id:ann") == house.profile_id("email:ann@x.example")
    assert house.profile_id("user_id:bob") == house.profile_id("email:bob@x.example")
    assert house.profile_id("user_id:ann") != house.profile_id("user_id:bob")
    assert house.profile_id("cookie:c2") != house.profile_id("shopify_customer_id:7")
    assert house.attributes("user_id:ann", "consent_email") == {"consent_email": "pending"}
    assert house.balance().rejected == {}


def identify(user: str, email: str, **rest: Any) -> dict[str, Any]:
    traits = {"email": email} | ({"email_consent": True} if rest.pop("email_consent", 0) else {})
    return {"type": "identify", "userId": user, "traits": traits, **rest}
