"""Whatever stands in a row, its translator makes events of it or says why it cannot."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.clock import SECOND, parse_instant
from customer360.connectors.sources import SOURCES
from customer360.connectors.sources.files.orders import OrderRow
from customer360.connectors.sources.files.orders import translate as translate_order
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust, Unusable
from customer360.intake.files.formats import KINDS
from customer360.intake.files.mapping import ORDER_FIELDS, PERSON_FIELDS

SHOP = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")
TRANSLATE = {source.name: source.translate for source in SOURCES}
ORDER = {"Name": "#1", "Created at": "2025-11-03 10:15:00 +0100", "Total": "65.00"}
COLUMNS = [
    *(*ORDER_FIELDS, *ORDER, "Email", "Email Marketing Consent", "Refunded Amount", "Source"),
    *("Lineitem quantity", "Lineitem price", "Accepts Email Marketing", "Country", "lines"),
]
CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["yes", "1", "-1", "2025-11-03", "19.90", "a@b.ie", "'", "=1+1", "9" * 500]),
)


def signal(kind: str, format_: str, body: object, key: str = "00aa") -> Signal:
    return Signal(
        source=f"{kind}_file",
        trust=Trust.FULL,
        rank=SourceRank.FILE,
        received_at=parse_instant("2026-06-15T12:00:00Z"),
        body=json.dumps(body).encode(),
        envelope={"format": format_, "row": 1, "row_key": key},
    )


def purchase(**columns: str) -> tuple[Event, ...]:
    body = {"order": ORDER | {name.replace("_", " "): cell for name, cell in columns.items()}}
    return tuple(translate_order(signal("orders", "shopify", body), SHOP))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_has_a_source(kind: str) -> None:
    assert f"{kind}_file" in TRANSLATE


def test_a_row_of_orders_has_exactly_the_fields_that_can_be_mapped() -> None:
    assert set(OrderRow.__struct_fields__) == set(ORDER_FIELDS)
    assert set(PERSON_FIELDS) < set(ORDER_FIELDS)


@settings(deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    format_=st.sampled_from(["shopify", "klaviyo", "segment", "generic", "other"]),
    row=st.dictionaries(st.sampled_from(COLUMNS), CELLS),
    wrapped=st.sampled_from(["", "order", "continues"]),
)
def test_no_row_breaks_its_translator(
    kind: str, format_: str, row: dict[str, str], wrapped: str
) -> None:
    body = {wrapped: row, "lines": [row]} if wrapped else row
    try:
        events = TRANSLATE[f"{kind}_file"](signal(kind, format_, body), SHOP)
    except Unusable:
        return
    for event in events:
        assert event.dedupe_key
        assert "\0" not in str(event)


def test_of_two_exports_the_one_with_more_given_back_is_the_newer() -> None:
    told = [purchase(Refunded_Amount=amount)[0] for amount in ("0.00", "0.01", "30", "65", "70")]

    times = [event.order.updated_at for event in told if event.order]

    assert times[:4] == sorted(set(times[:4]))
    assert {at // SECOND for at in times} == {times[0] // SECOND}


def test_a_later_step_of_an_order_is_newer_than_any_refund_before_it() -> None:
    refunded = purchase(Refunded_Amount="65")[0].order
    fulfilled = purchase(Refunded_Amount="1", Fulfilled_at="2025-11-03 10:15:01 +0100")[0].order

    assert refunded is not None
    assert fulfilled is not None
    assert refunded.updated_at < fulfilled.updated_at


def test_a_purchase_and_its_refund_are_the_same_evidence() -> None:
    bought, returned = purchase(
        Email="ann@example.com", Billing_Name="Ann Lee", Refunded_Amount="10"
    )

    assert (bought.identifiers, bought.traits) == (returned.identifiers, returned.traits)
    assert bought.dedupe_key != returned.dedupe_key
