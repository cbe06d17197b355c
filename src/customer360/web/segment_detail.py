"""One segment: its state, what its people are worth beside all customers, who they are, and who came and went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from customer360.access.plans import plan
from customer360.clock import local_date
from customer360.events.model import Address
from customer360.exports import FORMATS
from customer360.exports.export import Export, format_named
from customer360.exports.scope import Scope, scope
from customer360.profiles.addressees import addressees
from customer360.profiles.attributes import BY_NAME, AttributeValue
from customer360.profiles.browse import Wanted, browse
from customer360.profiles.hydrate import Summary, hydrate
from customer360.segments.detail import MEMBER_COLUMNS, Detail, Figures, count_customers, detail
from customer360.segments.members import among, latest_moves
from customer360.segments.model import Segment
from customer360.segments.sentence import Speaker
from customer360.segments.store import get_segment, list_segments, used_by
from customer360.web.deciding import actor_of, titles
from customer360.web.door import Door, Page
from customer360.web.formats import NO_DATA, country, money, number
from customer360.web.spreadsheet import download
from customer360.web.visit import Visit
from customer360.web.words import title_of

_PAGE_ROWS = 25
_MOVES = 10
_DEFAULT_SORT = "-total_spend"


class Metric(NamedTuple):
    """A figure of the segment, and what it is of all customers."""

    name: str
    label: str
    help: str
    value: str
    everyone: str


class Step(NamedTuple):
    """How many did a step of a purchase; shares of their people and of all customers."""

    label: str
    people: int
    share: float | None
    everyone: float | None


class Column(NamedTuple):
    """A heading of the members; its link sorts by it, or turns the order round."""

    name: str
    label: str
    kind: str
    query: str
    direction: str


class Member(NamedTuple):
    """One line of the members; `cells` are those of the columns, with their types."""

    profile_id: int
    title: str
    email: str
    phone: str
    address: str
    cells: Sequence[tuple[str, AttributeValue]]


def show(_door: Door, visit: Visit) -> Page | Response:
    """The segment, with a page of its members."""
    shop = visit.shop
    segment = _segment(visit)
    figures = detail(visit.app.warehouse, shop.shop_id, segment.segment_id)
    sort, page = _asked(visit)
    found = browse(
        visit.app.warehouse,
        shop.shop_id,
        among(segment, Wanted(kind="all")),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        limit=_PAGE_ROWS,
        offset=(page - 1) * _PAGE_ROWS,
        columns=MEMBER_COLUMNS,
    )
    last_page = max(1, -(-found.total // _PAGE_ROWS))
    if page > last_page:
        return RedirectResponse(f"{visit.path}{_query(sort, last_page)}", 303)
    with visit.app.database.read() as connection:
        segments = list_segments(connection, shop.shop_id)
        users = used_by(connection, shop.shop_id, segment.segment_id)
        moves = latest_moves(connection, shop.shop_id, segment.segment_id, _MOVES)
        called = titles(connection, shop.shop_id, [one.profile_id for one in moves])
    limit = plan(shop.plan).custom_segments
    names = {one.segment_id: one.name for one in segments}
    return Page(
        "segments/segment.html",
        {
            "segment": segment,
            "sentence": Speaker(shop.currency, names).sentence(segment.rule),
            "used_by": [one.name for one in users],
            "can_make": limit is None or len(segments) - 1 < limit,
            "moving": segment.state in ("waiting", "syncing"),
            "metrics": _metrics(figures, shop.currency),
            "steps": _steps(figures),
            "columns": [_column(name, sort) for name in _COLUMNS],
            "rows": _members(visit, found.rows),
            "total": found.total,
            "first": (page - 1) * _PAGE_ROWS + 1,
            "page": page,
            "last_page": last_page,
            "page_address": lambda wanted: f"{visit.path}{_query(sort, wanted)}#members",
            "moves": [(one, called[one.profile_id], _CAUSES[one.cause]) for one in moves],
        },
    )


def show_export(_door: Door, visit: Visit) -> Page:
    """Every format with how many people it would hold, and how many it leaves out."""
    segment = _segment(visit)
    everybody = visit.query.get("everybody") == "yes"
    shop_id, warehouse = visit.shop.shop_id, visit.app.warehouse
    offered = [
        (one, scope(warehouse, shop_id, segment.segment_id, one, everybody=everybody))
        for one in FORMATS
    ]
    values = {"segment": segment, "offered": offered, "everybody": everybody, "gap": _gap}
    return Page("segments/export.html", values)


def export(_door: Door, visit: Visit) -> Response:
    """The members as a file of the format that is asked for."""
    segment, format = _segment(visit), format_named(visit.query.get("format", FORMATS[0].name))
    app = visit.app
    # Asked first: a stream that has begun can no longer say that nobody answers.
    count_customers(app.warehouse, visit.shop.shop_id)
    file = Export(
        app.database,
        app.warehouse,
        visit.shop,
        segment,
        format,
        clock=app.clock,
        actor=actor_of(visit),
        everybody=visit.query.get("everybody") == "yes",
    )
    return download(file.file_name, file.pieces())


_COLUMNS = (
    *MEMBER_COLUMNS[: MEMBER_COLUMNS.index("last_order_at") + 1],
    "days_since_last_order",
    *MEMBER_COLUMNS[MEMBER_COLUMNS.index("last_order_at") + 1 :],
)
_METRICS = {
    "members": ("Members", "People in the segment"),
    "orders": ("Total orders", "Orders of its people, without cancelled and test orders"),
    "aov": ("AOV", "Average order value: revenue / orders"),
    "arpc": ("ARPC", "Average revenue per customer: revenue / members"),
}
_CAUSES = {
    "event": "Something they did",
    "time": "A new day",
    "created": "The segment was made",
    "edited": "The rule was changed",
    "merge": "Two profiles became one",
    "undo": "A merge was undone",
    "rebuild": "All people were resolved anew",
}


def _segment(visit: Visit) -> Segment:
    with visit.app.database.read() as connection:
        return get_segment(connection, visit.shop.shop_id, visit.id_of("segment_id"))


def _asked(visit: Visit) -> tuple[str, int]:
    """The order and the page that the address asks for."""
    sort, page = visit.query.get("sort", _DEFAULT_SORT), visit.query.get("page", "1")
    known = sort.removeprefix("-") in MEMBER_COLUMNS
    told = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1
    return sort if known else _DEFAULT_SORT, max(1, told)


def _query(sort: str, page: int = 1) -> str:
    told = {"sort": sort} if sort != _DEFAULT_SORT else {}
    return f"?{urlencode(told | ({'page': str(page)} if page > 1 else {}))}"


def _column(name: str, sort: str) -> Column:
    known = BY_NAME[name]
    is_sorted, descending = sort.removeprefix("-") == name, sort.startswith("-")
    query = (
        ""
        if name not in MEMBER_COLUMNS
        else _query(name if is_sorted and descending else f"-{name}")
    )
    direction = ("descending" if descending else "ascending") if is_sorted else ""
    return Column(name, known.label, known.type, query, direction)


def _metrics(found: Detail, currency: str) -> list[Metric]:
    """Orders, average order value and revenue by person, each beside that of all customers."""

    def row(name: str, of: Callable[[Figures], str]) -> Metric:
        label, help = _METRICS[name]
        return Metric(name, label, help, of(found.members), of(found.customers))

    return [
        row("members", lambda one: number(one.people)),
        row("orders", lambda one: number(one.orders)),
        row("aov", lambda one: money(one.average_order_value, currency)),
        row("arpc", lambda one: money(one.revenue_per_person, currency)),
    ]


def _steps(found: Detail) -> list[Step]:
    """The funnel: of how many people each step is told, of the segment and of all customers."""

    def share(figures: Figures, people: int) -> float | None:
        return people / figures.people if figures.people else None

    return [
        Step(
            label,
            getattr(found.members, name),
            share(found.members, getattr(found.members, name)),
            share(found.customers, getattr(found.customers, name)),
        )
        for name, label in (
            ("visited", "Visited site"),
            ("checkout", "Checkout started"),
            ("ordered", "Order placed"),
        )
    ]


def _members(visit: Visit, rows: Sequence[dict[str, Any]]) -> list[Member]:
    """The warehouse says which, the profile store says who."""
    shop_id, ids = visit.shop.shop_id, [row["profile_id"] for row in rows]
    with visit.app.database.read() as connection:
        people = {one.profile_id: one for one in hydrate(connection, shop_id, ids)}
        written = {one.profile_id: one.addresses for one in addressees(connection, shop_id, ids)}
    today = local_date(visit.now, visit.shop.timezone)
    found = []
    for row in rows:
        if person := people.get(row["profile_id"]):
            last = row["last_order_at"]
            days = None if last is None else (today - local_date(last, visit.shop.timezone)).days
            facts = row | {"days_since_last_order": days}
            cells = [(BY_NAME[name].type, facts[name]) for name in _COLUMNS]
            found.append(_member(person, written.get(person.profile_id, ()), row["kind"], cells))
    return found


def _member(
    person: Summary,
    addresses: Sequence[Address],
    kind: Any,
    cells: Sequence[tuple[str, AttributeValue]],
) -> Member:
    contacts = [contact for contact in (person.email, person.phone) if contact]
    title = title_of(person.name, contacts, person.profile_id, kind)
    address = _in_one_line(addresses[0]) if addresses else NO_DATA
    return Member(
        person.profile_id,
        title,
        person.email or NO_DATA,
        person.phone or NO_DATA,
        address,
        cells,
    )


def _in_one_line(address: Address) -> str:
    parts = (address.street, address.street2, address.city, address.region)
    named = country(address.country) if address.country else ""
    return ", ".join(filter(None, (*parts, named))) or NO_DATA


def _gap(found: Scope) -> str:
    """Whom a file leaves out, and why."""
    reasons = (
        (found.without_consent, "without consent"),
        (found.without_contact, "without an address it can use"),
    )
    return " and ".join(f"{number(many)} {why}" for many, why in reasons if many)
