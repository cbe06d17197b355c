"""All customers: searched, filtered and sorted by the URL, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from starlette.responses import RedirectResponse, Response

from customer360.profiles.browse import Found, Wanted, browse, countries
from customer360.profiles.hydrate import Summary
from customer360.web import filters, formats
from customer360.web.customer_columns import MOST_FITTING, OPTIONAL, Column, columns
from customer360.web.customer_search import Asked, asked, find
from customer360.web.door import Door, Page
from customer360.web.filter_rule import segment_link
from customer360.web.filters import PAGE_ROWS, CustomerFilter
from customer360.web.formats import counted
from customer360.web.freshness import freshness
from customer360.web.saved_views import views_values
from customer360.web.tier_cards import tier_cards
from customer360.web.visit import Visit
from customer360.web.words import title_of

_MOST_COUNTRIES = 12

_NOUNS = {
    "customer": ("customer", "customers"),
    "visitor": ("visitor", "visitors"),
    "any": ("person", "people"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    profile_id: int
    title: str
    contact: str
    kind: str
    facts: dict[str, Any]
    """What the columns tell, by attribute."""


class Heading(NamedTuple):
    """A column's heading; following its link sorts by it, or turns the order round. No `query`: it does not sort."""

    name: str
    label: str
    query: str
    is_number: bool
    sorted: Literal["ascending", "descending"] | None


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of the list."""
    wanted = asked(visit)
    chosen = wanted.chosen
    query = filters.write(chosen)
    if not visit.by_htmx and not _is_canonical(visit, query):
        return RedirectResponse(f"{visit.root}/customers{query}", 303)
    found, people = find(visit, chosen, PAGE_ROWS, chosen.offset)
    last_page = max(1, -(-found.total // PAGE_ROWS))
    if chosen.page > last_page:
        return RedirectResponse(
            f"{visit.root}/customers{filters.write(replace(chosen, page=last_page))}", 303
        )
    with visit.app.database.read() as connection:
        fresh = freshness(connection, visit.shop.shop_id)
    values = _values(visit, wanted, found, people, last_page)
    # A part of the page is swapped without what stands above it.
    cards = [] if visit.by_htmx or chosen.kind == "visitor" else tier_cards(visit, chosen)
    page = Page("customers/list.html", values | {"fresh": fresh.of_lists, "tiers": cards})
    return (
        page._replace(headers={"HX-Push-Url": f"{visit.root}/customers{query}"})
        if visit.by_htmx
        else page
    )


def _everyone(visit: Visit) -> int:
    """How many profiles the shop has, visitors too: none at all is another state than no customers."""
    return browse(visit.app.warehouse, visit.shop.shop_id, Wanted(kind="all"), limit=1).total


def _values(
    visit: Visit, wanted: Asked, found: Found, people: dict[int, Summary], last_page: int
) -> dict[str, object]:
    chosen, segment = wanted.chosen, wanted.segment
    active = filters.pills(chosen, visit.shop.currency, segment.name if segment else "")
    return {
        "chosen": chosen,
        "query": filters.write(replace(chosen, page=1)),
        "views": views_values(visit, chosen),
        "pills": active,
        "active": len(active),
        "segments": wanted.segments,
        "segment": segment,
        "segment_link": segment_link(visit, chosen, [pill.label for pill in active]),
        "cleared": filters.write(filters.cleared(chosen)),
        "default_sort": filters.DEFAULT_SORT,
        "visitors": 0 if found.everyone else _everyone(visit),
        "rows": _rows(found, people),
        "total": found.total,
        "count_line": _count_line(chosen, found),
        "shown_line": _shown_line(chosen, found),
        "export_label": _export_label(chosen, found, bool(active or chosen.search)),
        "last_page": last_page,
        "page_address": lambda number: (
            f"{visit.root}/customers{filters.write(replace(chosen, page=number))}"
        ),
        "columns": (headings := _headings(chosen)),
        "is_wide": 1 + (chosen.kind == "any") + len(headings) > MOST_FITTING,
        "optional": OPTIONAL,
        "kinds": filters.KINDS,
        "places": filters.PLACES,
        "choices": [(one, getattr(chosen, one.part)) for one in filters.CHOICES],
        "countries": _countries(visit, chosen),
        "seen_days": [(days, filters.seen_label(days)) for days in filters.SEEN_DAYS],
        "spend_min": filters.spend_text(chosen.spend_min),
    }


def _rows(found: Found, people: dict[int, Summary]) -> list[Row]:
    """Lines for those whom the profile store still knows: a merge is there before it is in the warehouse."""
    return [
        _row(facts, people[facts["profile_id"]])
        for facts in found.rows
        if facts["profile_id"] in people
    ]


def _row(facts: dict[str, Any], person: Summary) -> Row:
    contacts = [contact for contact in (person.email, person.phone) if contact]
    title = title_of(person.name, contacts, person.profile_id, facts["kind"])
    return Row(
        profile_id=person.profile_id,
        title=title,
        contact=next((contact for contact in contacts if contact != title), ""),
        kind=facts["kind"],
        facts=facts | {"total_spend": facts["total_spend"] if facts["orders_count"] else None},
    )


def _headings(chosen: CustomerFilter) -> list[Heading]:
    # Visitors have not bought, and only buyers have a tier.
    return [
        _heading(chosen, one)
        for one in columns(chosen.columns)
        if (one.name, chosen.kind) != ("tier", "visitor")
    ]


def _heading(chosen: CustomerFilter, column: Column) -> Heading:
    if not column.sort:
        return Heading(column.name, column.label, "", column.is_number, None)
    is_sorted = chosen.sort_attribute == column.sort
    # Largest and newest first is what people want; the second click turns it round.
    sort = column.sort if is_sorted and chosen.descending else f"-{column.sort}"
    direction: Literal["ascending", "descending"] = (
        "descending" if chosen.descending else "ascending"
    )
    return Heading(
        column.name,
        column.label,
        filters.write(replace(chosen, sort=sort, page=1)),
        column.is_number,
        direction if is_sorted else None,
    )


def _count_line(chosen: CustomerFilter, found: Found) -> str:
    one, many = _NOUNS[chosen.kind]
    if found.total == found.everyone:
        return counted(found.total, one, many)
    return f"{formats.number(found.total)} of {counted(found.everyone, one, many)}"


def _shown_line(chosen: CustomerFilter, found: Found) -> str:
    first, last = chosen.offset + 1, min(chosen.offset + PAGE_ROWS, found.total)
    return f"{formats.number(first)}–{formats.number(last)} of {formats.number(found.total)}"


def _export_label(chosen: CustomerFilter, found: Found, is_filtered: bool) -> str:
    """An export states its scope."""
    one, many = _NOUNS[chosen.kind]
    noun, count = one if found.total == 1 else many, formats.number(found.total)
    return (
        f"Export {count} filtered {noun} (CSV)" if is_filtered else f"Export {count} {noun} (CSV)"
    )


def _countries(visit: Visit, chosen: CustomerFilter) -> list[tuple[str, int | None]]:
    """What the filter offers: the commonest countries, and those that are chosen already."""
    common = countries(visit.app.warehouse, visit.shop.shop_id)
    offered: list[tuple[str, int | None]] = [
        (code, count)
        for place, (code, count) in enumerate(common)
        if place < _MOST_COUNTRIES or code in chosen.countries
    ]
    known = {code for code, _ in offered}
    return offered + [(code, None) for code in chosen.countries if code not in known]


def _is_canonical(visit: Visit, query: str) -> bool:
    """Whether the address says what the filter says: a form sent without scripts also sends its empty fields."""
    asked = sorted(visit.query.multi_items())
    return asked == sorted(parse_qsl(query.removeprefix("?")))
