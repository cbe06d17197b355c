"""What does a cell say? Times, money, counts, countries and yes or no, as people and programs write them.

Files repeat themselves, so most readers remember what they have read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

from customer360.clock import Instant, parse_instant
from customer360.errors import InvalidMoney, InvalidTime
from customer360.events.model import (
    Channel,
    ConsentReport,
    ConsentState,
    Identifier,
    IdentifierType,
    Place,
    Unusable,
)
from customer360.values import LARGEST_AMOUNT, LARGEST_QUANTITY, Amount, parse_amount

MAX_TEXT = 1000

_NUMBER = re.compile(r"([+-]?\d{1,12})(?:[.,]0*)?", re.ASCII)
_MONEY = re.compile(r"[+-]?[\d.,' \u00a0\u202f]+")
_CURRENCY_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "zł": "PLN",
    "₹": "INR",
    "₺": "TRY",
    "₴": "UAH",
    "₪": "ILS",
}
_AROUND_MONEY = "€£$¥ \u00a0"
_DOTTED_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?=$|[ T,])")
_SLASHED_DATE = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?=$|[ T])")


def text(cell: str) -> str:
    """The text without outer spaces, nor the apostrophe that keeps a spreadsheet from reading it as a formula.

    PostgreSQL stores no NUL.
    """
    text = cell.strip()
    if "\0" in text:
        text = text.replace("\0", "")
    if text.startswith("'") and text[1:2] in _AFTER_APOSTROPHE:
        text = text[1:].lstrip()
    return text[:MAX_TEXT]


def zip_code(cell: str) -> str:
    """The postal code; Shopify writes an apostrophe before each, so that a spreadsheet keeps its zeros."""
    return text(cell).removeprefix("'")


_AFTER_APOSTROPHE = frozenset("0123456789+-=@")


@lru_cache(maxsize=8192)
def instant(cell: str, zone_name: str) -> Instant:
    """The time; without a zone it is in the shop's. Raises Unusable.

    Dates with points have the day first, dates with slashes the year; 1/2/2026 may be either, and is refused.
    """
    written = text(cell)
    written = _DOTTED_DATE.sub(r"\3-\2-\1", written).replace(", ", " ")
    written = _SLASHED_DATE.sub(r"\1-\2-\3", written)
    try:
        return parse_instant(written, zone_name)
    except InvalidTime:
        raise Unusable(
            "invalid_time", f"{cell[:40]!r} is no time since 1900; write 2026-01-31 09:30:00."
        ) from None


@lru_cache(maxsize=16384)
def money(cell: str, field: str = "price") -> Amount:
    """The amount, with a decimal point or comma and thousands marked; nothing is 0. Raises Unusable."""
    written = text(cell).strip(_AROUND_MONEY)
    if not written:
        return 0
    if "," in written or "'" in written or " " in written or not written.isascii():
        written = _with_point(written, cell, field)
    try:
        amount = parse_amount(written)
    except InvalidMoney:
        raise _no_money(cell, field) from None
    return amount


def _with_point(written: str, cell: str, field: str) -> str:
    """The number with a decimal point and no thousands marks; 1,234 may be either, and is refused."""
    if not _MONEY.fullmatch(written):
        raise _no_money(cell, field)
    written = re.sub(r"['\s\u00a0\u202f]", "", written)
    if "," not in written:
        return written
    if "." in written:
        point = max(written.rfind("."), written.rfind(","))
    else:
        point = written.rfind(",")
        if written.count(",") > 1 or len(written) - point == 4:
            raise _no_money(cell, field)
    whole, fraction = written[:point], written[point + 1 :]
    return f"{whole.replace(',', '').replace('.', '')}.{fraction}"


def _no_money(cell: str, field: str) -> Unusable:
    return Unusable(f"invalid_{field}", f"{cell[:40]!r} is no amount of money; write 19.90.")


@lru_cache(maxsize=4096)
def quantity(cell: str | None) -> int:
    """How many, less than nothing for returns; a row that does not say means one. Raises Unusable."""
    written = text(cell) if cell else ""
    if not written:
        return 1
    found = _NUMBER.fullmatch(written)
    if found is None or abs(int(found[1])) > LARGEST_QUANTITY:
        raise Unusable("invalid_quantity", f"{written[:40]!r} is no whole number of pieces.")
    return int(found[1])


def check_line(number: int, unit_price: Amount) -> None:
    """Raise Unusable for a line that is worth more than a sum can hold."""
    if abs(number * unit_price) > LARGEST_AMOUNT:
        raise Unusable("invalid_price", "The line is worth more than anything that can be sold.")


@lru_cache(maxsize=256)
def currency(cell: str) -> str:
    """The ISO 4217 code; empty where the cell is. Raises Unusable."""
    code = text(cell).upper()
    code = _CURRENCY_SIGNS.get(code.lower() if code.startswith("Z") else code, code)
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise Unusable("invalid_currency", f"{cell[:40]!r} is no code of a currency, such as EUR.")
    return code


@lru_cache(maxsize=4096)
def country(cell: str) -> str:
    """The ISO 3166 code of a country by code or English name; an unknown name stays as it is."""
    name = text(cell)
    folded = name.casefold()
    if folded in _NOWHERE:
        return ""
    if code := _countries().get(folded):
        return code
    return name.upper() if len(name) == 2 else name


_NOWHERE = frozenset({"unspecified", "unknown", "n/a", "none", "null"})
# Names that the Unicode list does not have, as shop systems and people write them.
_OTHER_NAMES = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "great britain": "GB",
    "northern ireland": "GB",
    "eire": "IE",
    "republic of ireland": "IE",
    "usa": "US",
    "united states of america": "US",
    "rsa": "ZA",
    "korea": "KR",
    "czech republic": "CZ",
    "holland": "NL",
    "the netherlands": "NL",
    "turkey": "TR",
    "hong kong": "HK",
    "uae": "AE",
    "russian federation": "RU",
    "viet nam": "VN",
    "macau": "MO",
    "ivory coast": "CI",
}


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    territories = Locale("en").territories
    codes = {
        name.casefold(): code
        for code, name in territories.items()
        if code.isalpha() and len(code) == 2
    }
    return codes | {code.casefold(): code for code in codes.values()} | _OTHER_NAMES


_IN_STORE = frozenset(
    {
        "pos",
        "in store",
        "in-store",
        "in_store",
        "instore",
        "store",
        "retail",
        "offline",
        "till",
        "shop floor",
    }
)
_MARKETPLACES = (
    "amazon",
    "ebay",
    "tiktok",
    "etsy",
    "walmart",
    "zalando",
    "otto",
    "kaufland",
    "allegro",
)


@lru_cache(maxsize=1024)
def place(cell: str) -> tuple[Place, str]:
    """Where an order was placed, and on which marketplace: "pos", "Amazon DE", "TikTok Shop", "web"."""
    channel = text(cell).lower()
    if channel in _IN_STORE or channel.startswith("pos "):
        return "in_store", ""
    for marketplace in _MARKETPLACES:
        if channel.startswith(marketplace):
            return "marketplace", marketplace
    return "online", ""


def order_id(cell: str) -> str:
    """The id of an order as every source writes it: the number of a gid, a name without its #."""
    written = text(cell)
    if written.startswith("gid://"):
        written = written.rpartition("/")[2].partition("?")[0]
    return written.removeprefix("#").strip()


def tags(cell: str | None) -> tuple[str, ...] | None:
    """The distinct tags of a list with commas; None where the file has no such column, or it is empty."""
    if not cell:
        return None
    return tuple(dict.fromkeys(tag for part in cell.split(",") if (tag := text(part)))) or None


def identifiers(customer_id: str, email: str, phone: str) -> tuple[Identifier, ...]:
    """Who is meant; what is empty says nothing."""
    found = []
    if customer_id and (written := order_id(customer_id)):
        found.append(Identifier(IdentifierType.SHOPIFY_CUSTOMER_ID, written))
    if email and (written := text(email)):
        found.append(Identifier(IdentifierType.EMAIL, written))
    if phone and (written := text(phone)):
        found.append(Identifier(IdentifierType.PHONE, written))
    return tuple(found)


_CONSENTS: dict[str, ConsentState] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "subscribed", "granted", "opted in"), "granted"),
    **dict.fromkeys(("unsubscribed", "withdrawn", "opted out", "revoked"), "withdrawn"),
    **dict.fromkeys(("no", "n", "false", "f", "0", "not subscribed", "never subscribed"), "never"),
    **dict.fromkeys(("never", "none"), "never"),
    **dict.fromkeys(("pending", "pending confirmation"), "pending"),
}
UNDATED = "imported, undated"
"""Evidence of a consent whose file does not say since when."""


@lru_cache(maxsize=256)
def consent_state(cell: str) -> ConsentState | None:
    """The state that a cell tells; None where it is empty. Raises Unusable."""
    written = text(cell).lower().replace("_", " ")
    if not written:
        return None
    state = _CONSENTS.get(written)
    if state is None:
        raise Unusable("invalid_consent", f"{cell[:40]!r} is neither yes nor no.")
    return state


def consent(
    channel: Channel, cell: str | None, to: str, at: Instant, *, dated: bool
) -> tuple[ConsentReport, ...]:
    """What a cell says of messages to this address; without an address it is about nobody. Raises Unusable."""
    state = consent_state(cell) if cell else None
    if state is None or not (address := text(to)):
        return ()
    evidence = "" if dated else UNDATED
    return (
        ConsentReport(
            channel=channel, address=address, state=state, occurred_at=at, evidence=evidence
        ),
    )


def opt_in(cell: str | None, email: str, at: Instant) -> tuple[ConsentReport, ...]:
    """An opt-in made with an order; a box left empty takes back nothing that was agreed to before."""
    told = consent("email", cell, email, at, dated=True)
    return tuple(report for report in told if report.state != "never")
