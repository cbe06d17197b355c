from datetime import date

import pytest
from markupsafe import Markup

from customer360.clock import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from customer360.values import parse_amount
from customer360.web import formats

NOW = parse_instant("2026-06-15T12:00:00Z")


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (None, "EUR", "–"),
        ("0", "EUR", "€0.00"),
        ("7980.25", "EUR", "€7,980.25"),
        ("-12.5", "GBP", "-£12.50"),
        ("1.005", "EUR", "€1.01"),
        ("5", "JPY", "¥5"),
        ("9999.99", "EUR", "€9,999.99"),
    ],
)
def test_money_has_the_decimals_of_its_currency_and_a_dash_for_none(
    amount: str | None, currency: str, expected: str
) -> None:
    value = None if amount is None else parse_amount(amount)
    assert formats.money(value, currency) == expected


def test_money_is_compact_from_ten_thousand_with_the_full_value_in_its_title() -> None:
    shown = formats.money(parse_amount("12345.67"), "EUR")
    assert shown == Markup('<span title="€12,345.67">€12.3K</span>')


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (0, "0"), (4000, "4,000"), (1.5, "1.5")],
)
def test_numbers_mark_their_thousands(value: float | None, expected: str) -> None:
    assert formats.number(value) == expected


@pytest.mark.parametrize(("share", "expected"), [(None, "–"), (0.0, "0.0%"), (0.1862, "18.6%")])
def test_shares_are_percentages_to_one_decimal(share: float | None, expected: str) -> None:
    assert formats.percent(share) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (5 * SECOND, "just now"),
        (2 * MINUTE, "2 min ago"),
        (3 * HOUR, "3 hr ago"),
        (DAY, "14 Jun 2026"),
        (-HOUR, "15 Jun 2026"),
    ],
)
def test_times_are_relative_under_a_day_and_then_days(age: Instant, expected: str) -> None:
    shown = formats.when(NOW - age, NOW, "Europe/Dublin")
    assert f">{expected}</time>" in shown


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, "less than a second"), (SECOND, "1 sec"), (12 * MINUTE, "12 mins"), (HOUR, "1 hr")],
)
def test_a_length_of_time_has_the_unit_that_fits(length: Instant, expected: str) -> None:
    assert formats.span(length) == expected


def test_a_line_begins_with_a_capital_but_for_a_name_that_has_its_own() -> None:
    assert formats.upper_first("e-mail ann@x.example") == "E-mail ann@x.example"
    assert formats.upper_first("eBay buyer b1") == "eBay buyer b1"
    assert formats.upper_first("") == ""


def test_a_time_tells_its_full_moment_in_the_shops_zone() -> None:
    shown = formats.when(NOW, NOW, "Europe/Dublin")
    assert 'datetime="2026-06-15T12:00:00Z" title="15 Jun 2026, 13:00"' in shown


def test_a_day_is_the_day_in_the_shops_zone() -> None:
    late = parse_instant("2026-06-15T23:30:00Z")
    assert formats.day(late, "Europe/Dublin") == "16 Jun 2026"
    assert formats.day(late, "UTC") == "15 Jun 2026"
    assert formats.day(None, "UTC") == "–"
    assert formats.long_day(date(2026, 10, 12)) == "Monday, 12 Oct 2026"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12.5", "€12.50"), (29.9, "€29.90"), ("", "–"), (None, "–"), ("free", "free"), ({}, "{}")],
)
def test_a_price_that_is_no_amount_stays_as_it_was_written(text: object, expected: str) -> None:
    assert formats.price(text, "EUR") == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 bytes"), (3_400_000, "3.4 MB"), (2 * 10**12, "2,000 GB")]
)
def test_file_sizes_have_the_unit_that_fits(size: int, expected: str) -> None:
    assert formats.file_size(size) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [("IE", "Ireland"), ("gb", "United Kingdom"), ("??", "??"), (None, "–")]
)
def test_countries_have_their_names(code: str | None, expected: str) -> None:
    assert formats.country(code) == expected


@pytest.mark.parametrize(
    ("country", "said"),
    [
        ("IE", "€1,234.50 · 2,005 people · 12.3%"),
        ("DE", "1.234,50\u00a0€ · 2.005 people · 12,3%"),
        ("CH", "€\u00a01’234.50 · 2’005 people · 12.3%"),
        ("JP", "€1,234.50 · 2,005 people · 12.3%"),
        ("", "€1,234.50 · 2,005 people · 12.3%"),
    ],
)
def test_numbers_are_written_as_in_the_shops_country(country: str, said: str):
    with formats.as_in(country):
        amount = formats.money_full(12_345_000, "EUR")
        share = formats.percent(0.123)
        assert f"{amount} · {formats.counted(2005, 'person', 'people')} · {share}" == said
    assert formats.number(1234.5) == "1,234.5"
