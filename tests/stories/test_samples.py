"""Real data and the vendors' own examples, through the real doors."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from sqlalchemy import func, select

from customer360.access.shops import get_shop
from customer360.clock import parse_instant
from customer360.events.tables import events
from customer360.identities.tables import profiles
from customer360.intake.tables import privacy_requests
from customer360.profiles.tables import orders, sessions
from tests.canonical import canonical
from tests.connectors.sources.shopify.test_samples import MEANINGS, ONLY_NEW, VERSIONS
from tests.house import House
from tests.stories.doors import basic, link, opened, send_batches, send_webhook


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(sqlite_url, tmp_path)
    yield one
    one.close()


def count(house: House, table: Any, *where: Any) -> int:
    with house.app.database.read() as connection:
        query = select(func.count()).select_from(table)
        return connection.scalar(query.where(table.c.shop_id == house.shop.shop_id, *where)) or 0


REES46_NAMES = {"view": "Product Viewed", "cart": "Product Added", "purchase": "Order Completed"}


def rees46_call(number: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": str(number),
        "anonymousId": row["user_id"],
        "event": REES46_NAMES[row["event_type"]],
        "timestamp": row["event_time"],
        "context": {"sessionId": row["user_session"]},
        "properties": {
            "product_id": row["product_id"],
            "category": row["category_code"],
            "brand": row["brand"],
            "price": row["price"],
        },
    }


def test_a_store_of_electronics_has_its_visitors_visits_and_events(
    house: House, shared: Path
) -> None:
    file = shared / "data" / "rees46_2019_10_head.csv.gz"
    with gzip.open(file, "rt", newline="") as lines:
        calls = [rees46_call(number, row) for number, row in enumerate(csv.DictReader(lines))]
    with opened(house) as client:
        send_batches(client, house, calls)
    house.drain()

    bought = count(house, orders, orders.c.placed_at.is_not(None))
    assert count(house, profiles, profiles.c.merged_into.is_(None)) == 4_504
    assert count(house, sessions) == 5_067
    assert count(house, events) + bought == 17_434
    # One purchase of the file is one order: no two of its rows are the same.
    assert bought == sum(call["event"] == "Order Completed" for call in calls)
    assert house.balance().stored == 17_434

    with opened(house) as client:
        send_batches(client, house, calls[:500])
    house.drain()

    assert house.balance().duplicate == 500
    assert count(house, events) + bought == 17_434


ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1_0_0"
CONTEXT = "contexts_com_snowplowanalytics_snowplow_ecommerce_{}_1_0_0"
SNOWPLOW_NAMES = {
    "page_view": "Page Viewed",
    "product_view": "Product Viewed",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "list_view": "Product List Viewed",
    "list_click": "Product Clicked",
    "checkout_step": "Checkout Step Completed",
    "transaction": "Order Completed",
}


def snowplow_call(row: dict[str, str]) -> dict[str, Any]:
    """An event of Snowplow; one without an action is what its contexts say, or of a custom type."""
    sale = first(row[CONTEXT.format("transaction")])
    action = json.loads(row[ACTION] or "{}").get("type") or row["event"]
    if sale and action == "unstruct":
        action = "transaction"
    product = first(row[CONTEXT.format("product")])
    properties = {"product_id": product.get("id"), "price": product.get("price")}
    if action == "transaction":
        properties = {
            "order_id": sale["transaction_id"],
            "total": sale["revenue"],
            "currency": sale["currency"],
        }
    return {
        "type": "track",
        "messageId": row["event_id"],
        "anonymousId": row["domain_userid"],
        "event": SNOWPLOW_NAMES.get(action, f"snowplow {action}"),
        "timestamp": row["derived_tstamp"],
        "context": {"sessionId": row["domain_sessionid"]},
        "properties": properties,
    }


def first(context: str) -> dict[str, Any]:
    found = json.loads(context or "[]")
    return dict(found[0]) if found else {}


# Written from the columns of the file alone.
SNOWPLOW = f"""
with told as (
    select
        domain_userid as cookie,
        domain_sessionid as visit,
        coalesce(json_extract_string({ACTION}, '$.type'), event) as action,
        {CONTEXT.format("transaction")} as sale,
        derived_tstamp as at_text
    from read_csv(?, all_varchar = true)
)
select
    cookie,
    count(distinct visit),
    count(*) filter (action = 'page_view'),
    count(*) filter (action = 'product_view'),
    count(*) filter (action = 'add_to_cart'),
    count(*) filter (action = 'remove_from_cart'),
    count(*) filter (action = 'list_view'),
    count(*) filter (action = 'checkout_step'),
    count(distinct sale) filter (len(sale) > 2 and action in ('transaction', 'unstruct')),
    list(distinct sale) filter (len(sale) > 2 and action in ('transaction', 'unstruct')),
    min(at_text),
    max(at_text)
from told
where cookie is not null
group by cookie
"""
SNOWPLOW_TYPES = (
    "page_viewed",
    "product_viewed",
    "added_to_cart",
    "removed_from_cart",
    "collection_viewed",
    "checkout_updated",
    "order_placed",
)


def test_a_demo_of_snowplow_equals_a_query_over_its_file(house: House, shared: Path) -> None:
    file = shared / "data" / "snowplow_ecommerce_events.csv.gz"
    with gzip.open(file, "rt", newline="") as lines:
        calls = [snowplow_call(row) for row in csv.DictReader(lines)]
    with opened(house) as client:
        send_batches(client, house, calls)
    house.drain()
    expected = duckdb.connect().execute(SNOWPLOW, [str(file)]).fetchall()

    assert count(house, profiles, profiles.c.merged_into.is_(None)) == len(expected) == 60
    assert house.balance().stored == len(calls) == 835
    assert count(house, sessions) == sum(row[1] for row in expected)
    for cookie, visits, *counts, sales, first_at, last_at in expected:
        told = house.counts(f"cookie:{cookie}")
        found = house.card(f"cookie:{cookie}").attributes
        spent = sum(round(float(json.loads(sale)[0]["revenue"]) * 10_000) for sale in sales or ())
        assert [told.get(name, 0) for name in SNOWPLOW_TYPES] == counts, cookie
        assert told["visited_site"] == visits
        assert found["total_spend"] == spent
        assert found["first_seen_at"] == parse_instant(first_at)
        assert found["last_seen_at"] == parse_instant(last_at)


def payload(shared: Path, version: str, topic: str) -> Any:
    folder = shared / "contracts" / "shopify_webhooks" / version
    return json.loads((folder / f"{topic.replace('/', '__')}.json").read_text())["payload"]


def deliver(house: House, shared: Path, version: str, topics: list[str], drained: int) -> None:
    """Send every sample; work them off after every so many."""
    link(house)
    with opened(house) as client:
        for number, topic in enumerate(topics):
            answer = send_webhook(
                client, topic, payload(shared, version, topic), f"w-{topic}", version=version
            )
            assert answer.status_code == 200, (topic, answer.text)
            if number % drained == 0:
                house.work_off()
    house.work_off()


def topics_of(version: str) -> list[str]:
    found = [topic for topic in MEANINGS if version == VERSIONS[-1] or topic not in ONLY_NEW]
    found.remove("app/uninstalled")
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_sample_of_shopify_is_understood(house: House, shared: Path, version: str) -> None:
    topics = [*topics_of(version), "app/uninstalled"]
    deliver(house, shared, version, topics, 100)

    balance = house.balance()
    assert (balance.received, balance.stored, balance.rejected) == (len(topics), len(topics), {})
    with house.app.database.read() as connection:
        types = Counter(
            connection.scalars(select(events.c.type).where(events.c.shop_id == house.shop.shop_id))
        )
        state = get_shop(connection, house.shop.shop_id).state
    expected = Counter(MEANINGS[topic].type for topic in topics)
    derived = {"order_placed", "order_refunded"}
    assert types == Counter({name: n for name, n in expected.items() if name not in derived})
    assert count(house, orders, orders.c.placed_at.is_not(None)) == 1
    assert count(house, privacy_requests) == 3
    assert state == "uninstalled"


@pytest.mark.parametrize("version", VERSIONS)
def test_samples_of_shopify_twice_and_in_any_order_give_the_same_profiles(
    sqlite_template: Path, tmp_path: Path, shared: Path, version: str
) -> None:
    found = []
    for seed in range(4):
        (tmp_path / str(seed)).mkdir()
        url = (
            f"sqlite:///{shutil.copy(sqlite_template, tmp_path / str(seed) / 'customer360.sqlite')}"
        )
        house = House(url, tmp_path / str(seed))
        topics = topics_of(version)
        if seed:
            topics *= 2
            Random(seed).shuffle(topics)
        deliver(house, shared, version, [*topics, "app/uninstalled"], 100 if seed < 2 else 7)
        assert house.balance().holds
        found.append(canonical(house))
        house.close()

    assert found[1:] == found[:1] * 3


def test_a_wrong_signature_is_refused_and_leaves_nothing(house: House, shared: Path) -> None:
    link(house)
    with opened(house) as client:
        for version in VERSIONS:
            for topic in topics_of(version):
                answer = send_webhook(
                    client, topic, payload(shared, version, topic), "w", secret="another"
                )
                assert answer.status_code == 401
    house.drain()

    assert house.balance().received == 0
    assert canonical(house) == []


SEGMENT = {
    "alias_6": ("contact_updated",),
    "batch_7": ("contact_updated", "Song Played") * 2,
    "group_5": ("Group joined",),
    "identify_1": ("contact_updated",),
    "identify_8": ("contact_updated",),
    "page_3": ("page_viewed",),
    "page_4": ("page_viewed",),
    "track_2": ("Item Purchased",),
}


def segment_samples(house: House, shared: Path, names: list[str]) -> list[str]:
    """Send samples to their addresses, with the shop's own key; what the shop knows then."""
    with opened(house) as client:
        for name in names:
            told = json.loads((shared / "contracts" / "segment" / f"{name}.json").read_text())
            answer = client.post(
                f"/v1/{name.partition('_')[0]}",
                content=json.dumps(told["payload"]),
                headers=basic(house.new_shop.write_key),
            )
            assert (answer.status_code, answer.json()) == (200, {"success": True})
            house.work_off()
    return canonical(house)


def test_every_sample_of_segment_is_understood(house: House, shared: Path) -> None:
    assert {path.stem for path in (shared / "contracts" / "segment").iterdir()} == set(SEGMENT)
    segment_samples(house, shared, list(SEGMENT))

    with house.app.database.read() as connection:
        types = Counter(connection.scalars(select(events.c.type)))
    expected = Counter(name for names in SEGMENT.values() for name in names)
    # page_4 is page_3 again, and without a message id the same bytes are the same message.
    expected["page_viewed"] -= 1
    assert types == expected
    assert house.balance().duplicate == 1
    assert house.card("user_id:019mr8mf4r").identifiers
    assert house.profile_id("cookie:39239-239239-239239-23923") == house.profile_id(
        "email:pgibbons@example.com"
    )


def test_samples_of_segment_twice_and_in_any_order_give_the_same_profiles(
    house: House, shared: Path
) -> None:
    expected = segment_samples(house, shared, list(SEGMENT))
    for seed in range(3):
        house.open_shop()
        names = list(SEGMENT) * 2
        Random(seed).shuffle(names)
        assert segment_samples(house, shared, names) == expected


VISITOR = {"anonymousId": "visitor", "timestamp": "2026-06-15T11:59:00.000Z"}
VIEW = {**VISITOR, "type": "track", "event": "Product Viewed", "properties": {"product_id": "p"}}
LOGIN = {**VISITOR, "type": "identify", "userId": "u1", "traits": {"email": "ann@x.example"}}


def analytics_js(house: House, client: Any) -> None:
    """Its settings, then calls with content type text/plain and the key in the body."""
    key = house.new_shop.pixel_key
    settings = client.get(f"/v1/projects/{key}/settings").json()
    base = "/" + settings["integrations"]["Segment.io"]["apiHost"].partition("/")[2]
    for address, call in (("t", VIEW), ("i", LOGIN)):
        body = {
            **call,
            "messageId": f"ajs-{address}",
            "writeKey": key,
            "sentAt": "2026-06-15T12:00:00Z",
        }
        answer = client.post(
            f"{base}/{address}",
            content=json.dumps(body),
            headers={"Content-Type": "text/plain", "Origin": "https://shop.example"},
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] in ("*", "https://shop.example")


def rudderstack(house: House, client: Any) -> None:
    """Its configuration, then a call, and a beacon that carries its key in the address."""
    key = house.new_shop.pixel_key
    source = client.get("/sourceConfig/", params={"writeKey": key}).json()["source"]
    assert source["enabled"]
    headers = {**basic(key), "AnonymousId": "dmlzaXRvcg==", "SentAt": "2026-06-15T12:00:00.000Z"}
    view = {**VIEW, "messageId": "rudder-1", "originalTimestamp": VIEW["timestamp"]}
    answer = client.post("/v1/track", content=json.dumps(view), headers=headers)
    assert answer.status_code == 200
    beacon = {"batch": [{**LOGIN, "messageId": "rudder-2"}], "sentAt": "2026-06-15T12:00:00Z"}
    answer = client.post(
        f"/beacon/v1/batch?writeKey={key}",
        content=json.dumps(beacon),
        headers={"Content-Type": "text/plain;charset=UTF-8"},
    )
    assert answer.status_code == 200


def jitsu(house: House, client: Any) -> None:
    """Calls with the key in a header of their own; the answer must be JSON."""
    for kind, call in (("track", VIEW), ("identify", LOGIN)):
        body = {**call, "messageId": f"jitsu-{kind}", "context": {"library": {"name": "jitsu-js"}}}
        answer = client.post(
            f"/api/s/{kind}",
            content=json.dumps(body),
            headers={"X-Write-Key": house.new_shop.pixel_key},
        )
        assert (answer.status_code, answer.json()) == (200, {"success": True})


@pytest.mark.parametrize("sdk", [analytics_js, rudderstack, jitsu])
def test_an_sdk_works_by_changing_its_address_only(house: House, sdk: Any) -> None:
    with opened(house) as client:
        sdk(house, client)
    house.drain()

    assert house.balance().stored == 2
    assert house.profile_id("cookie:visitor") == house.profile_id("email:ann@x.example")
    assert house.counts("user_id:u1") == {
        "product_viewed": 1,
        "contact_updated": 1,
        "visited_site": 1,
    }
