"""Half a million lines of a real wholesaler: every figure equals an independent query over the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from customer360.app import App, build_app
from customer360.cli import app as commands
from customer360.clock import parse_instant
from customer360.intake.balance import balance
from customer360.profiles.card import stored_attributes
from customer360.profiles.facts import gather
from customer360.profiles.stages import ShopCalendar
from customer360.reports import (
    acquisition,
    activity,
    cohort_retention,
    funnel,
    purchase_journey,
)
from customer360.reports.asking import read_filter
from customer360.reports.model import Answer, Question, Report
from customer360.settings import Settings
from customer360.values import to_decimal

MAPPING = {
    "order_id": "Invoice",
    "product_id": "StockCode",
    "title": "Description",
    "quantity": "Quantity",
    "placed_at": "InvoiceDate",
    "unit_price": "Price",
    "customer_id": "CustomerID",
    "country": "Country",
}
LINES = 525_461

# Written from the description of the file alone: positive quantities are bought, negative ones came back.
EXPECTED = """
with lines as (
    select CustomerID as customer, Invoice as invoice, Quantity::int as quantity,
        Price::decimal(18, 4) as price, InvoiceDate as told
    from read_csv(?, all_varchar = true)
    where CustomerID is not null
),
bought as (
    select customer, invoice, sum(quantity) as items, sum(quantity * price) as spend, min(told) as placed
    from lines
    where quantity > 0
    group by customer, invoice
),
returned as (
    select customer, -sum(quantity) as items, -sum(quantity * price) as refunded
    from lines
    where quantity < 0
    group by customer
)
select
    customer,
    count(bought.invoice),
    coalesce(sum(bought.items), 0),
    coalesce(sum(bought.spend), 0),
    coalesce(any_value(returned.refunded), 0),
    coalesce(any_value(returned.items), 0),
    min(bought.placed),
    max(bought.placed)
from (select distinct customer from lines) as everyone
left join bought using (customer)
left join returned using (customer)
group by customer
"""


# Each order with its day in a zone, as the file tells it: its times are the shop's own.
ORDERS = """
with lines as (
    select CustomerID as customer, Invoice as invoice, StockCode as product,
        Quantity::int * Price::decimal(18, 4) as amount, InvoiceDate::timestamp as told,
        row_number() over () as line
    from read_csv($file, all_varchar = true)
    where CustomerID is not null and Quantity::int > 0
),
orders as (
    select customer, invoice, sum(amount) as total, min(told) as told, min(line) as line,
        cast(timezone($zone, timezone('Europe/London', min(told))) as date) as day
    from lines
    group by customer, invoice
)
"""
COHORTS = """
select date_trunc('month', min(day) over (partition by customer))::date as cohort,
    date_trunc('month', day)::date as began, customer, total
from orders
"""
FIRST_AND_SECOND = """,
dearest as (
    select invoice, customer, product
    from lines
    qualify row_number() over (partition by customer, invoice order by amount desc, product) = 1
),
numbered as (
    select o.customer, d.product,
        row_number() over (partition by o.customer order by o.told, o.line) as number
    from orders o
    join dearest d using (customer, invoice)
)
select product, count(*) as people
from numbered
where number = 1
group by product
order by people desc, product
limit 6
"""


def run(*words: str) -> str:
    """A command as a user types it."""
    result = CliRunner().invoke(commands, list(words))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def installation(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[App, int, Path]]:
    """The file, imported by the command line."""
    folder = tmp_path_factory.mktemp("online-retail")
    file = shared / "data" / "online_retail_2009_2010.csv.gz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C360_DATA_DIR", str(folder))
        shop = json.loads(
            run(
                "shop",
                "create",
                "--name",
                "R",
                "--currency",
                "GBP",
                "--timezone",
                "Europe/London",
                "--country",
                "GB",
                "--json",
            )
        )
        _take_in(file, shop["shop_id"])
        app = build_app(Settings.from_environment(), role="cli")
        yield app, int(shop["shop_id"]), file
        app.close()


def _take_in(file: Path, shop_id: str) -> str:
    mapped = [word for field, column in MAPPING.items() for word in ("--map", f"{field}={column}")]
    return run(
        "import", "orders", str(file), "--shop", shop_id, "--format", "generic", *mapped, "--json"
    )


def _figures(app: App, shop_id: int) -> dict[str, tuple[Any, ...]]:
    with app.database.read() as connection:
        rows = connection.exec_driver_sql(
            f"select value, profile_id from fragment_identifiers join fragments using (shop_id, fragment_id)"
            f" where shop_id = {shop_id} and type = 'shopify_customer_id'"
        ).all()
        facts = gather(connection, shop_id, sorted({profile_id for _, profile_id in rows}))
    found = {}
    for customer, profile_id in rows:
        told = stored_attributes(facts[profile_id], ())
        found[customer] = tuple(
            told[name]
            for name in (
                "orders_count", "items_count", "total_spend", "refunded_total", "returned_items_count",
                "first_order_at", "last_order_at",
            )
        )  # fmt: skip
    return found


@pytest.mark.timeout(600)
def test_every_customers_figures_equal_an_independent_query(
    installation: tuple[App, int, Path],
) -> None:
    app, shop_id, file = installation
    expected = {}
    for customer, orders, items, spend, refunded, returned, first, last in (
        duckdb.connect().execute(EXPECTED, [str(file)]).fetchall()
    ):
        times = [
            None if text is None else parse_instant(text, "Europe/London") for text in (first, last)
        ]
        expected[customer] = (orders, items, Decimal(spend), Decimal(refunded), returned, *times)

    found = {
        customer: (orders, items, to_decimal(spend), to_decimal(refunded), returned, *times)
        for customer, (orders, items, spend, refunded, returned, *times) in _figures(
            app, shop_id
        ).items()
    }

    assert len(found) == 4383
    assert found == expected


def test_every_line_is_accounted_for(installation: tuple[App, int, Path]) -> None:
    app, shop_id, _ = installation
    with app.database.read() as connection:
        total = balance(connection, shop_id).total

    assert total.holds
    assert (total.received, total.stored, total.waiting) == (LINES, LINES, 0)


def test_lines_without_a_customer_are_orders_of_nobody(installation: tuple[App, int, Path]) -> None:
    app, shop_id, file = installation
    nobodys = duckdb.connect().execute(
        "select count(distinct Invoice), sum(Quantity::int * Price::decimal(18, 4))"
        " from read_csv(?, all_varchar = true) where CustomerID is null and Quantity::int > 0",
        [str(file)],
    )
    with app.database.read() as connection:
        kept = connection.exec_driver_sql(
            f"select count(*), sum(total) from orders where shop_id = {shop_id} and fragment_id = 0"
            " and placed_at is not null"
        ).one()

    orders, total = nobodys.fetchall()[0]
    assert (kept[0], to_decimal(kept[1])) == (orders, total)


def _told(app: App, shop_id: int, report: Report, zone: str, **words: str) -> Answer:
    """What a report says of the whole file."""
    asked = {"from": "2009-11-01", "to": "2010-12-31", "timezone": zone, **words}
    chosen = read_filter(asked, report, app.clock.now(), "Europe/London")
    calendar = ShopCalendar("Europe/London")
    return report.answer(Question(app.warehouse, shop_id, calendar, app.clock.now(), chosen))


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_reports_equal_independent_queries(installation: tuple[App, int, Path], zone: str) -> None:
    app, shop_id, file = installation
    told = {"file": str(file), "zone": zone}
    asked = duckdb.connect()
    cohorts = asked.execute(
        f"{ORDERS} select cohort, began, count(distinct customer), count(*), sum(total)"
        f" from ({COHORTS}) group by all",
        told,
    ).fetchall()
    customers, orders, revenue = asked.execute(
        f"{ORDERS} select count(distinct customer), count(*), sum(total) from orders", told
    ).fetchall()[0]
    first = asked.execute(ORDERS + FIRST_AND_SECOND, told).fetchall()

    # An installation of its own, as the file's commands open the same warehouse later.
    with closing(build_app(app.settings, role="cli")) as reading:
        retention = _told(reading, shop_id, cohort_retention.REPORT, zone)
        assert sorted(
            (row["cohort"], row["began"], row["people"], row["orders"], to_decimal(row["revenue"]))
            for row in retention.rows
            if row["orders"]
        ) == sorted(cohorts)
        acquired = _told(reading, shop_id, acquisition.REPORT, zone).totals
        assert (acquired["customers"], acquired["orders"]) == (customers, orders)
        assert to_decimal(acquired["revenue"]) == revenue
        journey = _told(reading, shop_id, purchase_journey.REPORT, zone)
        assert journey.totals["people"] == customers
        nodes: dict[str, int] = {}
        for row in journey.rows:
            if row["order"] == 1 and not row["product"].startswith("*"):
                nodes[row["product"]] = nodes.get(row["product"], 0) + row["people"]
        assert nodes == dict(first)
        # Nobody of the file was seen in a shop's front.
        assert _told(reading, shop_id, activity.REPORT, zone, grain="month").totals["users"] == 0
        assert _told(reading, shop_id, funnel.REPORT, zone).totals == {"people": 0}


@pytest.mark.timeout(600)
def test_importing_the_file_again_changes_nothing(installation: tuple[App, int, Path]) -> None:
    app, shop_id, file = installation
    before = _figures(app, shop_id)

    again = json.loads(_take_in(file, str(shop_id)))

    with app.database.read() as connection:
        total = balance(connection, shop_id).total
    assert again["duplicate"] == LINES
    assert (total.stored, total.duplicate) == (LINES, LINES)
    assert _figures(app, shop_id) == before
