"""Which column means what? `field=Column` pairs, checked against the header, and guesses at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from customer360.errors import InvalidInput
from customer360.intake.files.formats import Kind

ColumnMapping = dict[str, tuple[str, ...]]
"""Field -> the columns that make it, joined with a space."""

_PERSON = ("customer_id", "email", "phone", "first_name", "last_name")
_PLACE = ("country", "region", "city", "zip")
_LINE = ("product_id", "variant", "title", "quantity", "unit_price", "discount")
ORDER_FIELDS = (
    *("order_id", *_PERSON, "placed_at", *_LINE, "currency", "status"),
    *(*_PLACE, "channel", "tags", "accepts_email"),
)
PERSON_FIELDS = (*_PERSON, *_PLACE, "tags", "accepts_email")

# Names that files give a field, in small letters and digits alone; the earlier, the surer.
_KNOWN_AS = {
    "order_id": "orderid ordernumber orderno order invoiceid invoicenumber invoiceno invoice "
    "transactionid receiptnumber receipt",
    "customer_id": "customerid shopifycustomerid customernumber customerno clientid customer",
    "email": "email emailaddress customeremail mail contactemail",
    "phone": "phone phonenumber mobile mobilephone telephone customerphone tel",
    "first_name": "firstname givenname forename customerfirstname",
    "last_name": "lastname surname familyname customerlastname",
    "placed_at": "placedat orderdate invoicedate purchasedate transactiondate createdat datetime "
    "date timestamp",
    "product_id": "productid stockcode sku itemid itemnumber articlenumber productcode article",
    "variant": "variant variantid varianttitle variantname",
    "title": "title producttitle productname itemname description product item",
    "quantity": "quantity qty units pieces",
    "unit_price": "unitprice priceperunit itemprice price",
    "discount": "discount discountamount linediscount",
    "currency": "currency currencycode",
    "status": "status orderstatus",
    "country": "country countrycode shippingcountry billingcountry",
    "region": "region state province stateregion county",
    "city": "city town shippingcity billingcity",
    "zip": "zip zipcode postcode postalcode shippingzip",
    "channel": "channel saleschannel ordersource",
    "tags": "tags customertags",
    "accepts_email": "acceptsemail acceptsemailmarketing acceptsmarketing emailoptin newsletter emailconsent",
}


def fields_of(kind: Kind) -> tuple[str, ...]:
    """The fields that a generic file of this kind may have."""
    return ORDER_FIELDS if kind == "orders" else PERSON_FIELDS


def suggest_mapping(header: Sequence[str], kind: Kind = "orders") -> ColumnMapping:
    """A guess at the mapping by the names of the columns; fields without a likely column are left out."""
    columns = {"".join(filter(str.isalnum, name.lower())): name for name in reversed(header)}
    guesses: ColumnMapping = {}
    for field in fields_of(kind):
        if found := [columns[name] for name in _KNOWN_AS[field].split() if name in columns]:
            guesses[field] = (found[0],)
    return guesses


def parse_mapping(pairs: Iterable[str], header: Sequence[str], kind: Kind) -> ColumnMapping:
    """The mapping of `field=Column` or `field=A+B` pairs; raises InvalidInput with the nearest name."""
    mapping: ColumnMapping = {}
    for pair in pairs:
        field, equals, columns = pair.partition("=")
        if not equals or not columns.strip():
            raise InvalidInput(f"{pair!r} is no mapping; write field=Column", "map")
        field = field.strip()
        if field in mapping:
            raise InvalidInput(f"{field} is mapped twice; join columns with {field}=A+B", "map")
        mapping[field] = _columns_of(columns, header)
    check_mapping(mapping, header, kind)
    return mapping


def check_mapping(mapping: Mapping[str, Sequence[str]], header: Sequence[str], kind: Kind) -> None:
    """Raise InvalidInput unless every field and column exists and what must be mapped is."""
    fields = fields_of(kind)
    for field, columns in mapping.items():
        if field not in fields:
            raise InvalidInput(f"{field} is no field of {kind}{_nearest(field, fields)}", "map")
        for column in columns:
            if column not in header:
                raise InvalidInput(f"There is no column {column}{_nearest(column, header)}", "map")
    if kind == "orders":
        wanted = [field for field in ("order_id", "placed_at") if field not in mapping]
    else:
        wanted = [] if {"customer_id", "email", "phone"} & mapping.keys() else ["email"]
    if wanted:
        raise InvalidInput(
            f"Say which column is the {' and the '.join(wanted)}, for example --map {wanted[0]}=Column; "
            f"the columns are {', '.join(header)}",
            "map",
        )


def _columns_of(text: str, header: Sequence[str]) -> tuple[str, ...]:
    """One column, or several joined with +; a column whose own name has a + in it comes first."""
    whole = _column_of(text, header)
    if whole in header:
        return (whole,)
    return tuple(_column_of(part, header) for part in text.split("+"))


def _column_of(text: str, header: Sequence[str]) -> str:
    """The column of this name as the header writes it; the name itself where there is none."""
    name = " ".join(text.split())
    if name in header:
        return name
    return next((column for column in header if column.lower() == name.lower()), name)


def _nearest(name: str, names: Sequence[str]) -> str:
    lowered = {entry.lower(): entry for entry in reversed(names)}
    close = get_close_matches(name.lower(), lowered, n=1)
    return f"; did you mean {lowered[close[0]]}?" if close else f"; there are {', '.join(names)}"
