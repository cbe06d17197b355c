"""How a value reads on a page: Jinja filters, every format taken from Babel, "–" for no data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import (
    format_date,
    format_datetime,
    format_interval,
    format_time,
    format_timedelta,
)
from babel.lists import format_list
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
)
from markupsafe import Markup

from customer360.clock import DAY, MINUTE, SECOND, Instant, local_date, to_datetime, to_iso, zone
from customer360.errors import InvalidMoney
from customer360.values import AMOUNT_SCALE, Amount, parse_amount, round_amount

NO_DATA = "–"
_ENGLISH = Locale("en")
_locale: ContextVar[Locale] = ContextVar("locale", default=_ENGLISH)
# "2 min ago"; the American short form has a full stop after every unit.
_SPANS = Locale("en", "GB")
_DAY = "d MMM y"
_COMPACT_FROM = 10_000
_COMPACT_NUMBER = 1_000
_SMALLEST_SHARE = 0.001
_WRITTEN = {"vip": "VIP"}


@contextmanager
def as_in(country: str) -> Iterator[None]:
    """Write numbers and amounts as English does in a country, as long as it lasts: 1.234,50 € in Germany."""
    before = _locale.set(_locale_of(country))
    try:
        yield
    finally:
        _locale.reset(before)


@lru_cache(maxsize=256)
def _locale_of(country: str) -> Locale:
    try:
        return Locale("en", country.upper()) if country else _ENGLISH
    except UnknownLocaleError:
        return _ENGLISH


def counted(count: int, one: str, many: str = "") -> str:
    """A number and its noun: 1 customer, 2,005 customers."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def number(value: float | Decimal | None) -> str:
    """A count with its thousands marked: 4,000."""
    return NO_DATA if value is None else format_decimal(value, locale=_locale.get())


def decimal(value: float | None) -> str:
    """A mean to two decimals: 1.69."""
    return NO_DATA if value is None else format_decimal(value, "#,##0.00", locale=_locale.get())


def compact(value: float) -> str:
    """A number beside a grid line: 1.5K."""
    if abs(value) < _COMPACT_NUMBER:
        return format_decimal(value, "#,##0.##", locale=_locale.get())
    return format_compact_decimal(value, locale=_locale.get(), fraction_digits=1)


def percent(share: float | None) -> str:
    """A share of 1 as a percentage to one decimal: 18.6%; 0.0% and 100.0% are kept for none and all."""
    if share is None:
        return NO_DATA
    if 0 < share < _SMALLEST_SHARE:
        return f"<{_percentage(_SMALLEST_SHARE)}"
    if 1 - _SMALLEST_SHARE < share < 1:
        return f">{_percentage(1 - _SMALLEST_SHARE)}"
    return _percentage(share)


def percent_whole(share: float) -> str:
    """How far something has come: 40%."""
    return format_percent(share, locale=_locale.get())


def _percentage(share: float) -> str:
    return format_percent(share, "#,##0.0%", locale=_locale.get())


def money_full(amount: Amount | None, currency: str) -> str:
    """The amount to the decimals of its currency: €7,980.25."""
    if amount is None:
        return NO_DATA
    return format_currency(round_amount(amount, currency), currency, locale=_locale.get())


def money(amount: Amount | None, currency: str) -> str | Markup:
    """The amount as pages show it: compact from 10,000, the full value in its title."""
    full = money_full(amount, currency)
    if amount is None or abs(amount) < _COMPACT_FROM * AMOUNT_SCALE:
        return full
    rounded = round_amount(amount, currency)
    short = format_compact_currency(rounded, currency, locale=_locale.get(), fraction_digits=1)
    return Markup('<span title="{}">{}</span>').format(full, short)


def price(text: Any, currency: str) -> str:
    """A decimal string of an event's properties as money; what is no amount stays as it was written."""
    if text is None or text == "":
        return NO_DATA
    try:
        return money_full(parse_amount(text), currency)
    except InvalidMoney:
        return str(text)


def currency_symbol(currency: str) -> str:
    """€ for EUR."""
    return get_currency_symbol(currency, locale=_locale.get())


def day(value: Instant | date | None, timezone: str) -> str:
    """The calendar day in the shop's zone: 12 Oct 2026."""
    if value is None:
        return NO_DATA
    moment = value if isinstance(value, date) else local_date(value, timezone)
    return format_date(moment, _DAY, locale=_locale.get())


def iso_day(value: str | None) -> str:
    """A calendar day as programs write it: 12 Oct 2026 for 2026-10-12."""
    return NO_DATA if value is None else day(date.fromisoformat(value), "UTC")


def short_day(value: date) -> str:
    """A day on an axis: 12 Oct."""
    return format_date(value, "d MMM", locale=_locale.get())


def month(value: date) -> str:
    """A month: Oct 2026."""
    return format_date(value, "MMM y", locale=_locale.get())


def short_month(value: date) -> str:
    """A month on an axis: Oct 26."""
    return format_date(value, "MMM yy", locale=_locale.get())


def days(first: date, last: date) -> str:
    """Some days: 1–30 Oct 2026."""
    return format_interval(first, last, "yMMMd", locale=_SPANS)


def long_day(value: date) -> str:
    """A heading of the timeline: Monday, 12 Oct 2026."""
    return format_date(value, "EEEE, d MMM y", locale=_locale.get())


def clock_time(value: Instant, timezone: str) -> str:
    """The time of day in the shop's zone: 14:05."""
    return format_time(_local(value, timezone), "HH:mm", locale=_locale.get())


def moment(value: Instant, timezone: str) -> str:
    """Day and time in the shop's zone: 12 Oct 2026, 14:05."""
    return format_datetime(
        _local(value, timezone), f"{_DAY}, HH:mm", locale=_locale.get(), tzinfo=zone(timezone)
    )


def when(value: Instant | None, now: Instant, timezone: str) -> str | Markup:
    """A time as pages show it: relative under 24 hours, else the day; the full moment in its title."""
    if value is None:
        return NO_DATA
    age = now - value
    text = ago(age) if 0 <= age < DAY else day(value, timezone)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        to_iso(value), moment(value, timezone), text
    )


def ago(age: Instant) -> str:
    """A span before now: 2 min ago."""
    if age < MINUTE:
        return "just now"
    span = timedelta(microseconds=-age)
    return format_timedelta(span, add_direction=True, format="short", locale=_SPANS, threshold=1)


def span(duration: Instant) -> str:
    """A length of time: 12 mins."""
    if duration < SECOND:
        return "less than a second"
    length = timedelta(microseconds=duration)
    return format_timedelta(length, format="short", locale=_SPANS, threshold=1)


def file_size(size_bytes: int) -> str:
    """A size in the unit that fits: 3.4 MB."""
    value = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{format_decimal(round(value, 1), locale=_locale.get())} {unit}"


def country(code: str | None) -> str:
    """The country's name: Ireland for IE; what is no code stays as it was written."""
    return _locale.get().territories.get(code.upper(), code) if code else NO_DATA


def listed(values: list[str]) -> str:
    """Words as a sentence lists them: a, b, and c."""
    return format_list(values, locale=_locale.get())


def or_dash(value: Any) -> Any:
    """The value, or "–" where there is none."""
    return NO_DATA if value is None or value == "" else value


def in_words(name: str) -> str:
    """A machine word for people: lifecycle_stage becomes Lifecycle stage."""
    return _WRITTEN.get(name) or name.replace("_", " ").strip().capitalize()


def upper_first(text: str) -> str:
    """The text as the beginning of a line; a name such as eBay stays as it is."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text as the second part of a sentence."""
    return text[:1].lower() + text[1:]


def pretty_json(value: Any) -> str:
    """JSON that people can read."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


def clipped(text: str, most: int) -> str:
    """The text, or its beginning where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def one_line(text: str) -> str:
    """The beginning of a long text on one line."""
    line = " ".join(text[:400].split())
    return clipped(line, 80)


def _local(value: Instant, timezone: str) -> datetime:
    return to_datetime(value).astimezone(zone(timezone))


FILTERS = {
    "number": number,
    "counted": counted,
    "decimal": decimal,
    "compact": compact,
    "percent": percent,
    "percent_whole": percent_whole,
    "money": money,
    "money_full": money_full,
    "price": price,
    "currency_symbol": currency_symbol,
    "iso": to_iso,
    "day": day,
    "iso_day": iso_day,
    "days": days,
    "month": month,
    "long_day": long_day,
    "clock_time": clock_time,
    "moment": moment,
    "when": when,
    "ago": ago,
    "span": span,
    "file_size": file_size,
    "country": country,
    "listed": listed,
    "or_dash": or_dash,
    "in_words": in_words,
    "upper_first": upper_first,
    "lower_first": lower_first,
    "pretty_json": pretty_json,
    "one_line": one_line,
}
