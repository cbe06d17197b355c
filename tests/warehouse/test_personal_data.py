"""No personal data is in the warehouse: not in a column, not in a byte of the files."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from customer360.app import SCHEMA
from customer360.segments.ast import Rule
from customer360.segments.store import create_segment
from customer360.storage.engines.duckdb import DuckDBEngine
from customer360.warehouse.query import LocalWarehouse
from tests.house import House
from tests.warehouse.store import open_engine

# Every word of Áine that may be nowhere. None of them is a word of anything else here.
PERSONAL = {
    "email": "aine.oshaughnessy@mailbox.example",
    "second_email": "aine2@office.example",
    "phone": "+353871234567",
    "phone_digits": "353871234567",
    "phone_written": "087 123 4567",
    "first_name": "Áinexyz",
    "last_name": "Oshaughnessy",
    "cookie": "ck-7f3b9a64-visitor",
    "user_id": "user-8f1c",
    "customer_id": "7044112233445",
    "cart_token": "cart-0b77e1",
    "checkout_token": "checkout-55aa19",
    "street": "12 Zyxwvut Lane",
    "klaviyo_id": "01KLAVIYO77",
}
HARMLESS = ("Blue shirt", "summer", "/collections/sale", "mailbox.example", "Dublin", "wholesale")


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with closing(open_engine(tmp_path / "scanned", SCHEMA)) as engine:
        yield engine


def tell_everything(house: House) -> None:
    """Signals with the personal words in every place where a sender can put one."""
    who = PERSONAL
    ids = {"userId": who["user_id"], "anonymousId": who["cookie"]}
    everywhere = {f"custom_{name}": value for name, value in who.items()}
    everywhere |= {
        f"note_{name}": f"about {value}, today" for name, value in who.items() if name != "street"
    }
    everywhere |= dict.fromkeys(who.values(), "as a name")
    canonical = {
        name: value
        for value in (who["email"], who["phone"], who["user_id"], who["cookie"])
        for name in ("product_id", "name", "brand", "category", "sku", "coupon", "location")
    }
    traits = {
        "email": who["email"],
        "phone": who["phone"],
        "first_name": who["first_name"],
        "last_name": who["last_name"],
        "tags": ["wholesale", who["email"], who["last_name"]],
        "address": {
            "street": who["street"],
            "city": "Dublin",
            "country": "IE",
            "postalCode": "D02 X285",
        },
    }
    page = {
        "url": f"https://shop.example/collections/sale?email={who['email']}&utm_campaign=summer",
        "path": f"/u/{who['user_id']}",
        "referrer": f"https://{who['last_name']}.example/?q={who['phone']}",
        "title": f"Welcome {who['first_name']}",
    }
    tokens = {"cart_token": who["cart_token"], "checkout_token": who["checkout_token"]}
    external = [
        {"type": "klaviyo_id", "id": who["klaviyo_id"]},
        {"type": "shopify_customer_id", "id": who["customer_id"]},
    ]
    context: dict[str, Any] = {"page": page, "externalIds": external}
    calls: list[dict[str, Any]] = [
        {"type": "identify", **ids, "traits": traits, "context": context},
        {
            "type": "track",
            "event": "Product Viewed",
            "properties": {"name": "Blue shirt", "product_id": "p1"},
        },
        {"type": "track", "event": "Product Viewed", "properties": {**canonical, **everywhere}},
        {"type": "track", "event": f"Custom of {who['email']}", "properties": everywhere},
        {"type": "track", "event": "Nested", "properties": {"deep": {"list": list(who.values())}}},
        {"type": "track", "event": "Listed", "properties": {"list": list(who.values())}},
        {"type": "track", "event": "Products Searched", "properties": {"query": who["last_name"]}},
        {
            "type": "track",
            "event": "Products Searched",
            "properties": {"query": who["phone_written"]},
        },
        {
            "type": "track",
            "event": "Email Opened",
            "properties": {"subject": f"{who['first_name']}, hello"},
        },
        {
            "type": "track",
            "event": "Checkout Started",
            "properties": {"total": "59.00", **everywhere},
        },
        {
            "type": "track",
            "event": "Order Completed",
            "properties": {
                "order_id": "1001",
                "total": "59.00",
                "coupon": who["email"],
                "products": [
                    {
                        "product_id": "p1",
                        "name": who["email"],
                        "sku": who["phone"],
                        "price": 59,
                        "quantity": 1,
                    }
                ],
            },
        },
        {"type": "page", "name": f"For {who['last_name']}", "properties": page},
    ]
    for campaign in (who["email"], who["phone"], who["first_name"], who["user_id"]):
        url = f"https://shop.example/{campaign}?utm_source={campaign}&utm_medium={campaign}&utm_campaign={campaign}"
        calls.append({"type": "page", "context": {"page": {"url": url}, "sessionId": campaign}})
    # The same evidence on every event, so each of these words is the fragment's own.
    base = {**ids, "traits": traits}
    for call in calls:
        told = {**call.get("properties", {}), **tokens} if call["type"] != "identify" else {}
        with_traits = {**context, **call.get("context", {}), "traits": traits}
        house.segment({**base, **call, "properties": told, "context": with_traits})
    other = {"email": who["second_email"]}
    house.segment({"type": "identify", "userId": who["user_id"], "traits": other})
    customer = {
        "id": int(who["customer_id"]),
        "email": who["email"],
        "first_name": who["first_name"],
        "last_name": who["last_name"],
        "phone": who["phone"],
    }
    address = {
        "first_name": who["first_name"],
        "last_name": who["last_name"],
        "address1": who["street"],
        "city": "Dublin",
        "country_code": "IE",
        "zip": "D02 X285",
        "phone": who["phone_written"],
    }
    house.shopify(
        "orders/create",
        {
            "id": 820982911946154508,
            "name": "#1002",
            "email": who["email"],
            "phone": who["phone"],
            "created_at": "2026-06-15T10:00:00Z",
            "updated_at": "2026-06-15T10:00:00Z",
            "currency": "EUR",
            "total_price": "20.00",
            "cart_token": who["cart_token"],
            "checkout_token": who["checkout_token"],
            "landing_site": f"/collections/sale?utm_campaign=summer&email={who['email']}",
            "referring_site": f"https://www.example.com/{who['user_id']}",
            "note": f"For {who['first_name']} {who['last_name']}",
            "note_attributes": [{"name": "gift", "value": who["email"]}],
            "discount_codes": [
                {"code": who["last_name"], "amount": "1.00", "type": "fixed_amount"}
            ],
            "customer": customer,
            "billing_address": address,
            "shipping_address": address,
            "line_items": [
                {"id": 1, "title": "Blue shirt", "quantity": 1, "price": "20.00", "product_id": 1}
            ],
        },
    )
    house.shopify(
        "refunds/create",
        {
            "id": 509562969,
            "order_id": 820982911946154508,
            "created_at": "2026-06-15T11:00:00Z",
            "note": f"{who['first_name']} did not like it",
            "refund_line_items": [{"id": 1, "quantity": 1, "line_item_id": 1, "subtotal": 20.0}],
            "transactions": [{"id": 1, "kind": "refund", "status": "success", "amount": "20.00"}],
        },
    )


def test_no_personal_data_is_in_the_warehouse(
    house: House, engine: DuckDBEngine, tmp_path: Path
) -> None:
    tell_everything(house)
    with house.app.database.write() as connection:
        everybody = Rule(include_visitors=True)
        create_segment(
            connection,
            house.shop.shop_id,
            PERSONAL["last_name"],
            everybody,
            house.clock.now(),
            limit=None,
        )
    house.drain()
    assert not house.balance().rejected
    house.app.enrichment.run(house.shop)
    LocalWarehouse(house.app.database, engine, SCHEMA).sync(house.shop.shop_id)

    cells = all_cells(engine, house.shop.shop_id)
    for name, word in PERSONAL.items():
        guilty = sorted({where for where, cell in cells if word.casefold() in cell.casefold()})
        assert not guilty, f"{name} is in {guilty}"
    together = "\n".join(cell for _, cell in cells)
    for word in HARMLESS:
        assert word in together, f"{word} should have entered"

    # The log holds rows as they were written, the file compressed; neither may know her.
    assert_clean(tmp_path / "scanned")
    engine.close()
    assert_clean(tmp_path / "scanned")


def all_cells(engine: DuckDBEngine, shop_id: int) -> list[tuple[str, str]]:
    """Every value of every column of every table, as text, with its place."""
    cells = []
    tables = engine.query(shop_id, "select table_name from duckdb_tables() order by table_name")
    for table in [*tables.column("table_name").to_pylist(), "events_all"]:
        rows = engine.query(shop_id, f"from {table}").to_pylist()
        assert rows, f"{table} is empty, so it proves nothing"
        for row in rows:
            cells += [
                (f"{table}.{name}", json.dumps(value, default=str, ensure_ascii=False))
                for name, value in row.items()
            ]
    return cells


def assert_clean(folder: Path) -> None:
    """No byte of a file spells one of the words."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 10_000
    for path in files:
        content = path.read_bytes().lower()
        for name, word in PERSONAL.items():
            assert word.casefold().encode() not in content, f"{name} is in {path.name}"
            assert word.lower().encode() not in content, f"{name} is in {path.name}"
