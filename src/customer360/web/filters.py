"""The filter of the customers page: one parser turns the URL into a filter and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from customer360.errors import InvalidMoney
from customer360.profiles.attributes import BY_NAME
from customer360.values import Amount, parse_amount, parse_id, to_decimal
from customer360.web import formats
from customer360.web.customer_columns import COLUMNS, OPTIONAL, USUAL

Kind = Literal["customer", "visitor", "any"]

PAGE_ROWS = 25
# Names and addresses are shorter; more is a paste gone wrong.
_LONGEST_SEARCH = 200
_MOST_PAGES = 400_000

KINDS: dict[str, str] = {"customer": "Customers", "visitor": "Visitors", "any": "Everyone"}
PLACES: dict[str, str] = {
    "online_only": "Online only",
    "in_store_only": "In-store only",
    "marketplace_only": "Marketplace only",
    "omnichannel": "Omnichannel",
}


class Choices(NamedTuple):
    """A filter by words, several of which mean any of them: its name in the URL, its part of the filter, its words."""

    key: str
    part: str
    label: str
    words: dict[str, str]
    attribute: str
    prefix: str = ""
    """Says in a pill of what it is: somebody may be at risk by stage, by churn and by RFM."""


def _choices(key: str, part: str, label: str, attribute: str, prefix: str) -> Choices:
    words = {name: formats.in_words(name) for name in BY_NAME[attribute].choices}
    return Choices(key, part, label, words, attribute, prefix)


CHOICES: tuple[Choices, ...] = (
    _choices("tier", "tiers", "Tier", "tier", "Tier: "),
    _choices("stage", "stages", "Stage", "lifecycle_stage", "Stage: "),
    _choices("band", "churn_bands", "Churn", "churn_band", "Churn: "),
    _choices("rfm", "rfm_groups", "RFM group", "rfm_group", "RFM: "),
    Choices("place", "places", "Where they shop", PLACES, "shopping_place"),
)
SORTS: tuple[str, ...] = ("first_seen_at", *(one.sort for one in COLUMNS if one.sort))
SEEN_DAYS: tuple[int, ...] = (1, 7, 30, 90, 365)
DEFAULT_SORT = "-last_seen_at"
# As rules of segments have it: what lies further away is a typing error.
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers are shown and in what order; the default shows all customers, last seen first."""

    search: str = ""
    kind: Kind = "customer"
    countries: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    rfm_groups: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    has_email: bool | None = None
    orders_min: int | None = None
    spend_min: Amount | None = None
    seen_days: int | None = None
    bought_from: date | None = None
    """The first day of the shop's calendar on which somebody may have bought; `bought_to` is the last."""
    bought_to: date | None = None
    segment_id: int | None = None
    columns: tuple[str, ...] = USUAL
    sort: str = DEFAULT_SORT
    page: int = 1

    @property
    def sort_attribute(self) -> str:
        """The attribute that orders the list."""
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Largest or newest first?"""
        return self.sort.startswith("-")

    @property
    def offset(self) -> int:
        """How many rows stand before this page."""
        return (self.page - 1) * PAGE_ROWS


@dataclass(frozen=True, slots=True)
class Pill:
    """One active filter in words, and the query that goes without it."""

    label: str
    without: str


def read(query: QueryParams) -> CustomerFilter:
    """The filter that a URL asks for; parts that make no sense are left out."""
    kind = query.get("kind", "")
    sort = query.get("sort", "")
    words: dict[str, Any] = {one.part: _known(one.words, query.getlist(one.key)) for one in CHOICES}
    bought_from, bought_to = _day(query.get("bought_from", "")), _day(query.get("bought_to", ""))
    if bought_from and bought_to and bought_from > bought_to:
        bought_from, bought_to = bought_to, bought_from
    return CustomerFilter(
        search=query.get("q", "").strip()[:_LONGEST_SEARCH],
        kind=kind if kind in ("visitor", "any") else "customer",  # type: ignore[arg-type]
        countries=tuple(sorted({c.upper() for c in query.getlist("country") if _is_country(c)})),
        **words,
        columns=_known(OPTIONAL, query.getlist("column")) or USUAL,
        has_email={"yes": True, "no": False}.get(query.get("email", "")),
        orders_min=_whole(query.get("orders_min", "")),
        spend_min=_amount(query.get("spend_min", "")),
        seen_days=_whole(query.get("seen_days", ""), most=3660),
        bought_from=bought_from,
        bought_to=bought_to,
        segment_id=parse_id(query.get("segment", "")),
        sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
        page=min(_whole(query.get("page", "")) or 1, _MOST_PAGES),
    )


def write(chosen: CustomerFilter) -> str:
    """The query of a filter, without its defaults: "?kind=visitor&page=2", or "" for none."""
    pairs: list[tuple[str, str]] = []
    if chosen.search:
        pairs.append(("q", chosen.search))
    if chosen.kind != "customer":
        pairs.append(("kind", chosen.kind))
    pairs += [("country", code) for code in chosen.countries]
    pairs += [(one.key, word) for one in CHOICES for word in getattr(chosen, one.part)]
    if chosen.has_email is not None:
        pairs.append(("email", "yes" if chosen.has_email else "no"))
    pairs += [(name, text) for name, text in _values(chosen) if text]
    if chosen.columns != USUAL:
        pairs += [("column", name) for name in chosen.columns]
    if chosen.sort != DEFAULT_SORT:
        pairs.append(("sort", chosen.sort))
    if chosen.page > 1:
        pairs.append(("page", str(chosen.page)))
    return "?" + urlencode(pairs) if pairs else ""


def pills(chosen: CustomerFilter, currency: str, segment: str = "") -> list[Pill]:
    """Each active filter in words, with the query that is left when it goes; search and order are none.

    segment: the name of the chosen one.
    """

    def without(**changes: Any) -> str:
        return write(replace(chosen, page=1, **changes))

    found: list[Pill] = []
    if chosen.segment_id is not None:
        found.append(Pill(f"In {segment}", without(segment_id=None)))
    if chosen.kind != "customer":
        found.append(Pill(KINDS[chosen.kind], without(kind="customer")))
    for code in chosen.countries:
        rest = tuple(other for other in chosen.countries if other != code)
        found.append(Pill(formats.country(code), without(countries=rest)))
    for one in CHOICES:
        words = getattr(chosen, one.part)
        for word in words:
            rest = tuple(other for other in words if other != word)
            found.append(Pill(one.prefix + one.words[word], without(**{one.part: rest})))
    if chosen.has_email is not None:
        found.append(
            Pill("Has e-mail" if chosen.has_email else "No e-mail", without(has_email=None))
        )
    if chosen.orders_min is not None:
        orders = formats.number(chosen.orders_min)
        found.append(Pill(f"Orders: {orders} or more", without(orders_min=None)))
    if chosen.spend_min is not None:
        spend = formats.money_full(chosen.spend_min, currency)
        found.append(Pill(f"Spent: {spend} or more", without(spend_min=None)))
    if chosen.seen_days is not None:
        found.append(Pill(seen_label(chosen.seen_days), without(seen_days=None)))
    if chosen.bought_from or chosen.bought_to:
        bought = _bought_label(chosen.bought_from, chosen.bought_to)
        found.append(Pill(bought, without(bought_from=None, bought_to=None)))
    return found


def _bought_label(first: date | None, last: date | None) -> str:
    if first and last:
        return f"Bought {formats.days(first, last)}"
    return f"Bought from {_one_day(first)} on" if first else f"Bought up to {_one_day(last)}"


def _one_day(day: date | None) -> str:
    return formats.days(day, day) if day else ""


def seen_label(days: int) -> str:
    """The filter "last seen within" in words."""
    return "Seen in the last day" if days == 1 else f"Seen in the last {days} days"


def cleared(chosen: CustomerFilter) -> CustomerFilter:
    """The same search, columns and order without any filter."""
    return CustomerFilter(search=chosen.search, columns=chosen.columns, sort=chosen.sort)


def spend_text(amount: Amount | None) -> str:
    """The amount as the field of the form takes it: 100 or 19.90."""
    return "" if amount is None else f"{to_decimal(amount).normalize():f}"


def _values(chosen: CustomerFilter) -> list[tuple[str, str]]:
    return [
        ("orders_min", "" if chosen.orders_min is None else str(chosen.orders_min)),
        ("spend_min", spend_text(chosen.spend_min)),
        ("seen_days", "" if chosen.seen_days is None else str(chosen.seen_days)),
        ("bought_from", "" if chosen.bought_from is None else chosen.bought_from.isoformat()),
        ("bought_to", "" if chosen.bought_to is None else chosen.bought_to.isoformat()),
        ("segment", "" if chosen.segment_id is None else str(chosen.segment_id)),
    ]


def _known(words: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
    """Those of the words that were asked for, in their own order."""
    return tuple(word for word in words if word in asked)


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def _whole(text: str, most: int = 1_000_000_000) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    value = int(text)
    return value if 0 < value <= most else None


def _amount(text: str) -> Amount | None:
    try:
        amount = parse_amount(text.replace(",", ".")) if text else 0
    except InvalidMoney:
        return None
    return amount if amount > 0 else None
