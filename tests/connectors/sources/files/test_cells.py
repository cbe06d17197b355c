"""Cells are read as people and programs write them; what may be two things is refused."""

from typing import Any

import pytest

from customer360.clock import to_iso
from customer360.connectors.sources.files import cells
from customer360.events.model import Unusable


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2025-11-03 09:15:00", "2025-11-03T08:15:00Z"),
        ("2025-11-03T09:15:00Z", "2025-11-03T09:15:00Z"),
        ("2025-11-03 09:15:00 -0500", "2025-11-03T14:15:00Z"),
        ("2025-11-03", "2025-11-02T23:00:00Z"),
        ("2025/11/3", "2025-11-02T23:00:00Z"),
        ("3.11.2025 09:15", "2025-11-03T08:15:00Z"),
        ("03.11.2025, 09:15", "2025-11-03T08:15:00Z"),
    ],
)
def test_a_time_without_zone_is_in_the_shops(cell: str, instant: str) -> None:
    assert to_iso(cells.instant(cell, "Europe/Berlin")) == instant


@pytest.mark.parametrize(
    "cell", ["3/11/2025", "11-03-2025", "soon", "", "2025-13-01", "0001-01-01"]
)
def test_what_is_no_time_or_two_is_refused(cell: str) -> None:
    with pytest.raises(Unusable) as refusal:
        cells.instant(cell, "Europe/Berlin")
    assert refusal.value.reason == "invalid_time"


@pytest.mark.parametrize(
    ("cell", "ten_thousandths"),
    [
        ("", 0),
        ("19.90", 199000),
        (" 19.9 ", 199000),
        ("-53594.36", -535943600),
        ("0.0001", 1),
        ("19,90", 199000),
        ("1,234.50", 12345000),
        ("1.234,50", 12345000),
        ("1'234.50", 12345000),
        ("1 234,50 €", 12345000),
        ("1\u202f234,50", 12345000),
        ("£6.95", 69500),
        ("'19.90", 199000),
        ("1e2", 1000000),
    ],
)
def test_money_is_read_with_its_marks(cell: str, ten_thousandths: int) -> None:
    assert cells.money(cell) == ten_thousandths


@pytest.mark.parametrize(
    "cell",
    [
        "1,234",
        "1,234,567",
        "free",
        "=1+1",
        "1.2.3",
        "19,90,1",
        "nan",
        "inf",
        "1e30",
        "9" * 400,
    ],
)
def test_money_that_may_be_two_amounts_or_none_is_refused(cell: str) -> None:
    with pytest.raises(Unusable) as refusal:
        cells.money(cell, "discount")
    assert refusal.value.reason == "invalid_discount"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (None, 1),
        ("", 1),
        (" ", 1),
        ("2", 2),
        ("-3", -3),
        ("0", 0),
        ("4.0", 4),
        ("5,00", 5),
        ("+6", 6),
    ],
)
def test_a_quantity_is_a_whole_number(cell: str | None, number: int) -> None:
    assert cells.quantity(cell) == number


@pytest.mark.parametrize("cell", ["1.5", "two", "1000000001", "9" * 400, "٣", "1e2", "--1"])
def test_what_is_no_whole_number_is_refused(cell: str) -> None:
    with pytest.raises(Unusable) as refusal:
        cells.quantity(cell)
    assert refusal.value.reason == "invalid_quantity"


def test_a_line_is_worth_what_sums_can_hold() -> None:
    cells.check_line(-1000, 10**12)

    with pytest.raises(Unusable):
        cells.check_line(1001, 10**12)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("IE", "IE"),
        ("ie", "IE"),
        ("Ireland", "IE"),
        ("EIRE", "IE"),
        ("UK", "GB"),
        ("United Kingdom", "GB"),
        ("USA", "US"),
        ("Channel Islands", "Channel Islands"),
        ("Unspecified", ""),
        ("", ""),
    ],
)
def test_a_country_is_its_code_where_it_has_one(cell: str, code: str) -> None:
    assert cells.country(cell) == code


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("", ("online", "")),
        ("web", ("online", "")),
        ("POS", ("in_store", "")),
        ("In store", ("in_store", "")),
        ("amazon-us", ("marketplace", "amazon")),
        ("TikTok Shop", ("marketplace", "tiktok")),
    ],
)
def test_a_channel_is_a_place(cell: str, place: tuple[str, str]) -> None:
    assert cells.place(cell) == place


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.currency, "eur", "EUR"),
        (cells.currency, "€", "EUR"),
        (cells.currency, "", ""),
        (cells.order_id, "#1001", "1001"),
        (cells.order_id, " gid://shopify/Order/12?x=1 ", "12"),
        (cells.zip_code, "'01067", "01067"),
        (cells.zip_code, "'D01", "D01"),
        (cells.text, "'=SUM(A1)", "=SUM(A1)"),
        (cells.text, "'n Sync", "'n Sync"),
        (cells.text, "a\0b", "ab"),
        (cells.tags, "b, a,,b", ("b", "a")),
        (cells.tags, " , ", None),
        (cells.consent_state, "Never_Subscribed", "never"),
        (cells.consent_state, " ", None),
    ],
)
def test_other_cells_say_what_they_mean(read: Any, cell: str, value: Any) -> None:
    assert read(cell) == value
