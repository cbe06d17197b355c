"""`c360 import` takes files in through the real inbox and worker, and accounts for every row."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from customer360.intake.balance import balance
from customer360.profiles.tables import orders, refunds
from customer360.storage.database import Database
from tests.cli.conftest import Run, said

LINES = """Order,When,Client,Item,Qty,Price
A1,2026-01-10 10:00,77,Cup,2,4.50
A1,2026-01-10 10:00,77,Cup,2,4.50
A1,2026-01-10 10:00,77,Pot,1,20
A2,2026-01-11 11:00,,Cup,1,4.50
C1,2026-01-20 09:00,77,Cup,-1,4.50
A3,someday,77,Cup,1,4.50
A4,2026-01-12 10:00,77,Cup
A5,2026-01-13 10:00,78,=HYPERLINK(1),1,x
"""
MAPPING = ("order_id=Order", "placed_at=When", "customer_id=Client", "title=Item")
MAPPING += ("quantity=Qty", "unit_price=Price")
SHOPIFY = """Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,\
Lineitem name,Lineitem price,Refunded Amount,Id
#12,ann@example.com,partially_refunded,EUR,54.90,2026-02-03 10:15:00 +0100,2,Pot,20,10.00,5001
#12,ann@example.com,,,,2026-02-03 10:15:00 +0100,1,Cup,15,,
#11,,paid,EUR,0.00,2026-02-01 10:15:00 +0100,1,Gift,9,0.00,5000
"""


@pytest.fixture
def run(c360: Run, shop: dict[str, str], tmp_path: Path) -> Any:
    """Imports a text as a file and returns what `--json` says."""

    def run(kind: str, text: str, *options: str, pairs: Sequence[str] = ()) -> Any:
        path = tmp_path / "file.csv"
        path.write_text(text)
        mapped = [word for pair in pairs for word in ("--map", pair)]
        shop_option = ["--shop", shop["shop_id"]]
        return said(c360("import", kind, str(path), *shop_option, *mapped, *options, "--json"))

    return run


def rows_of(database: Database, table: Any, *names: str) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        columns = [table.c[name] for name in names]
        return [tuple(row) for row in connection.execute(select(*columns).order_by(columns[0]))]


def test_every_row_is_stored_duplicate_or_rejected_with_its_reason(
    run: Any, database: Database, shop: dict[str, str]
) -> None:
    told = run("orders", LINES, pairs=MAPPING)

    assert told["state"] == "done"
    assert (told["rows_read"], told["stored"], told["duplicate"]) == (8, 5, 0)
    assert told["rejected"] == {"invalid_price": 1, "invalid_time": 1, "too_few_columns": 1}
    with database.read() as connection:
        counted = balance(connection, int(shop["shop_id"])).total
    assert counted.holds
    assert (counted.received, counted.waiting) == (8, 0)


def test_lines_make_orders_returns_and_orders_of_no_one(run: Any, database: Database) -> None:
    run("orders", LINES, pairs=MAPPING)

    placed = [
        row for row in rows_of(database, orders, "order_key", "total", "items_count") if row[1]
    ]
    assert placed == [("A1", 380000, 5), ("A2", 45000, 1)]
    assert [
        row[1:] for row in rows_of(database, refunds, "order_key", "amount", "items_count")
    ] == [(45000, 1)]


@pytest.mark.parametrize(("kind", "text"), [("orders", SHOPIFY), ("lines", LINES)])
def test_a_second_run_changes_nothing(run: Any, database: Database, kind: str, text: str) -> None:
    pairs = MAPPING if kind == "lines" else ()
    first = run("orders", text, pairs=pairs)
    names = ("order_key", "order_id", "total", "items_count", "placed_at", "fragment_id", "change")
    before = rows_of(database, orders, *names)

    second = run("orders", text, pairs=pairs)

    assert (second["stored"], second["duplicate"]) == (0, first["stored"])
    assert second["import_id"] != first["import_id"]
    assert rows_of(database, orders, *names) == before


def test_an_order_of_shopifys_export_has_the_total_of_the_export(
    run: Any, database: Database
) -> None:
    told = run("orders", SHOPIFY)

    assert (told["format"], told["stored"], told["rejected"]) == ("shopify", 3, {})
    found = rows_of(database, orders, "order_key", "total", "items_count", "number", "fragment_id")
    assert [row[:4] for row in found] == [("5000", 0, 1, "#11"), ("5001", 549000, 3, "#12")]
    assert rows_of(database, refunds, "order_key", "amount", "fragment_id") == [
        ("5001", 100000, found[1][4])
    ]


def test_a_newer_export_replaces_what_the_older_said(run: Any, database: Database) -> None:
    newer = SHOPIFY.replace("partially_refunded", "refunded").replace("10.00,5001", "54.90,5001")

    for text in (SHOPIFY, newer, SHOPIFY.replace("Gift", "Present")):
        run("orders", text)

    assert rows_of(database, orders, "order_key", "total", "items_count", "status") == [
        ("5000", 0, 1, "paid"),
        ("5001", 549000, 3, "refunded"),
    ]
    assert rows_of(database, refunds, "order_key", "amount") == [("5001", 549000)]


def test_rejected_rows_are_written_as_they_were_with_the_reason(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"

    run("orders", LINES, "--rejects", str(path), pairs=MAPPING)

    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["row", "reason", "detail", "Order", "When", "Client", "Item", "Qty", "Price"]
    assert [(row[0], row[1], row[3], row[6]) for row in rows] == [
        ("6", "invalid_time", "A3", "Cup"),
        ("7", "too_few_columns", "A4", "Cup"),
        ("8", "invalid_price", "A5", "'=HYPERLINK(1)"),
    ]


def test_a_mended_row_counts_once_from_whichever_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    run("orders", LINES, "--rejects", str(path), pairs=MAPPING)

    mended = run("orders", path.read_text().replace("someday", "2026-01-15"), pairs=MAPPING)
    again = run("orders", LINES.replace("someday", "2026-01-15"), pairs=MAPPING)

    assert (mended["rows_read"], mended["stored"]) == (3, 1)
    assert (again["stored"], again["duplicate"]) == (0, 6)


@pytest.mark.parametrize(
    ("kind", "text", "format_"),
    [
        ("customers", "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Total Spent\n"
         "'61,Ann,Lee,ann@example.com,yes,9.00\n", "shopify"),
        ("profiles", "Email,First Name,Email Marketing Consent\nann@example.com,Ann,Subscribed\n",
         "klaviyo"),
        ("events", '{"type":"track","event":"A","userId":"u","messageId":"1"}\n', "segment"),
    ],
)  # fmt: skip
def test_every_kind_of_file_is_taken_in(run: Any, kind: str, text: str, format_: str) -> None:
    told = run(kind, text)

    assert (told["kind"], told["format"], told["stored"]) == (kind, format_, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["parcels", "{file}"], "parcels is no kind of file; there are orders, customers"),
        (["orders", "{file}.gone"], "cannot be read: No such file"),
        (["orders", "{file}", "--map", "order_id=Ordr"], "did you mean Order?"),
        (["orders", "{file}", "--format", "shopify"], "no Shopify export"),
        (["orders", "{file}", "--shop", "1"], "No shop has the id"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    c360: Run, shop: dict[str, str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(LINES)
    words = [word.replace("{file}", str(path)) for word in arguments]
    pairs = [word for pair in MAPPING for word in ("--map", pair)]
    if "--map" not in words and "--format" not in words:
        words += pairs
    if "--shop" not in words:
        words += ["--shop", shop["shop_id"]]

    result = c360("import", *words, code=1 if "--shop" in arguments else 2)

    assert message in result.output
    assert len(result.stderr.strip().splitlines()) == 1


def test_people_read_a_short_report(c360: Run, shop: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(LINES)
    pairs = [word for pair in MAPPING for word in ("--map", pair)]

    result = c360("import", "orders", str(path), "--shop", shop["shop_id"], *pairs)

    words = " ".join(result.stdout.split())
    assert "Reading orders as generic. order_id = Order" in words
    assert "rows read 8 stored 5 duplicate 0 rejected 3 invalid_price 1" in words


def test_a_shop_that_is_none_is_told_before_anything_of_the_file(c360: Run, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("nothing,that,maps\n1,2,3\n")
    told = c360("import", "orders", str(path), "--shop", "nope", code=1).stderr
    assert "No shop has the id or name 'nope'" in told


def test_importing_a_file_again_leaves_as_many_dead_letters(
    run: Any, database: Database, shop: dict[str, str]
) -> None:
    first, second = run("orders", LINES, pairs=MAPPING), run("orders", LINES, pairs=MAPPING)

    with database.read() as connection:
        counted = balance(connection, int(shop["shop_id"])).total
    assert first["rejected"] == second["rejected"] == counted.rejected
    assert second["stored"] == 0
    assert counted.holds
