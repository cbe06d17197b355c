"""Formats are told by their header, and mappings are checked before a row is read."""

import pytest

from customer360.errors import InvalidInput
from customer360.intake.files.formats import Kind, choose_format, detect_format
from customer360.intake.files.mapping import parse_mapping, suggest_mapping

SHOPIFY_ORDERS = [
    *("Name", "Email", "Financial Status", "Paid at", "Currency", "Total", "Created at"),
    *("Lineitem quantity", "Lineitem name", "Lineitem price", "Id"),
]
SHOPIFY_CUSTOMERS = [
    *("Customer ID", "First Name", "Last Name", "Email", "Accepts Email Marketing"),
    *("Default Address City", "Phone", "Total Spent", "Tags"),
]
KLAVIYO = ["Email", "First Name", "Last Name", "Email Marketing Consent"]
RETAIL = [
    *("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate"),
    *("Price", "CustomerID", "Country"),
]


@pytest.mark.parametrize(
    ("header", "detected"),
    [
        (SHOPIFY_ORDERS, "shopify_orders"),
        ([name.upper() for name in SHOPIFY_ORDERS], "shopify_orders"),
        (SHOPIFY_CUSTOMERS, "shopify_customers"),
        (KLAVIYO, "klaviyo"),
        (["Phone Number", "SMS Marketing Consent"], "klaviyo"),
        (RETAIL, "generic"),
        (["First Name", "Last Name", "Email"], "generic"),
        ([], "generic"),
    ],
)
def test_a_format_is_told_by_its_header(header: list[str], detected: str) -> None:
    assert detect_format(header) == detected


@pytest.mark.parametrize(
    ("kind", "header", "asked", "chosen"),
    [
        ("orders", SHOPIFY_ORDERS, None, "shopify"),
        ("orders", SHOPIFY_ORDERS, "generic", "generic"),
        ("orders", SHOPIFY_CUSTOMERS, None, "generic"),
        ("customers", SHOPIFY_CUSTOMERS, None, "shopify"),
        ("customers", KLAVIYO, None, "klaviyo"),
        ("profiles", KLAVIYO, None, "klaviyo"),
        ("profiles", RETAIL, None, "generic"),
        ("events", [], None, "segment"),
    ],
)
def test_the_format_suits_the_kind_of_file(
    kind: Kind, header: list[str], asked: str | None, chosen: str
) -> None:
    assert choose_format(kind, header, asked) == chosen


@pytest.mark.parametrize(
    ("kind", "header", "asked", "message"),
    [
        ("orders", RETAIL, "shopify", "no column Name, Created at, Total, Lineitem quantity"),
        ("customers", RETAIL, "shopify", "no column First Name"),
        ("profiles", RETAIL, "klaviyo", "no column Email or Phone Number"),
        ("orders", RETAIL, "klaviyo", "orders come as shopify or generic, not as klaviyo"),
        ("events", [], "generic", "events come as segment"),
    ],
)
def test_a_format_that_the_file_has_not_is_refused(
    kind: Kind, header: list[str], asked: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        choose_format(kind, header, asked)


def test_a_mapping_is_guessed_from_the_names_of_columns() -> None:
    assert suggest_mapping(RETAIL, "orders") == {
        "order_id": ("Invoice",),
        "customer_id": ("CustomerID",),
        "placed_at": ("InvoiceDate",),
        "product_id": ("StockCode",),
        "title": ("Description",),
        "quantity": ("Quantity",),
        "unit_price": ("Price",),
        "country": ("Country",),
    }


@pytest.mark.parametrize(
    ("pairs", "mapping"),
    [
        (["order_id=Invoice", "placed_at=InvoiceDate"], {}),
        (["order_id=invoice", "placed_at= invoicedate "], {}),
        (["order_id=CustomerID+InvoiceDate"], {"order_id": ("CustomerID", "InvoiceDate")}),
        (
            ["title=Size+Colour", "product_id=Size"],
            {"title": ("Size+Colour",), "product_id": ("Size",)},
        ),
    ],
)
def test_a_mapping_finds_its_columns(pairs: list[str], mapping: dict[str, tuple[str, ...]]) -> None:
    header = [*RETAIL, "Size", "Colour", "Size+Colour"]
    always = {"order_id": ("Invoice",), "placed_at": ("InvoiceDate",)}
    named = {pair.partition("=")[0] for pair in pairs}
    pairs = pairs + [f"{field}={always[field][0]}" for field in always if field not in named]

    assert parse_mapping(pairs, header, "orders") == always | mapping


@pytest.mark.parametrize(
    ("kind", "pairs", "message"),
    [
        ("orders", ["order_id"], "'order_id' is no mapping; write field=Column"),
        ("orders", ["order_id="], "write field=Column"),
        ("orders", ["orderid=Invoice"], "orderid is no field of orders; did you mean order_id?"),
        ("orders", ["order_id=Invoce"], "no column Invoce; did you mean Invoice?"),
        ("orders", ["order_id=Zzz"], "no column Zzz; there are Invoice, StockCode"),
        ("orders", ["order_id=Invoice", "order_id=Country"], "order_id is mapped twice"),
        ("orders", ["order_id=Invoice"], "which column is the placed_at"),
        ("orders", ["title=Description"], "which column is the order_id and the placed_at"),
        ("customers", ["order_id=Invoice"], "order_id is no field of customers"),
        ("customers", ["country=Country"], "which column is the email"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_was_meant(
    kind: Kind, pairs: list[str], message: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_mapping(pairs, RETAIL, kind)
    assert message in str(refusal.value)
