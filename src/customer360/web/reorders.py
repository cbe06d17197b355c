"""Re-orders: which products will be ordered again, by how many and when, and by whom."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from customer360.clock import local_date
from customer360.enrichment.reorders import NOTHING, OVERDUE, WEEKS, ReorderRow, Reorders
from customer360.enrichment.standing import standing
from customer360.errors import NotFound
from customer360.reports.reorders import people_of_week
from customer360.spreadsheet import as_csv, safe_text
from customer360.web.door import Door, Page
from customer360.web.report_people import PAGE_ROWS, page_asked, people_values
from customer360.web.spreadsheet import download
from customer360.web.visit import Visit

_HEATS = 4


class Cell(NamedTuple):
    """How many are expected, and the link to them; `heat` is 0 for nobody, then by quarters of all cells."""

    people: int
    url: str
    heat: int


class Row(NamedTuple):
    """A product with its cells: overdue first, then the weeks."""

    title: str
    people: int
    cells: list[Cell]


def show(_door: Door, visit: Visit) -> Page:
    """The table by product and week."""
    with visit.app.database.read() as connection:
        known = standing(connection, visit.shop.shop_id)
    found = known.report.reorders if known.report else None
    return Page(
        "reports/reorders.html",
        {"standing": known, "found": found, "rows": _rows(visit, found) if found else []},
    )


def show_people(_door: Door, visit: Visit) -> Page | Response:
    """Who is expected, as of now: whoever ordered since the last run is expected later."""
    product = visit.query.get("product", "")
    week = {str(one): one for one in range(OVERDUE, WEEKS)}.get(visit.query.get("week", ""))
    if week is None or not product:
        raise NotFound
    page, shop = page_asked(visit), visit.shop
    ids = people_of_week(visit.app.warehouse, shop.shop_id, product, week, visit.now, shop.timezone)
    address = f"{visit.path}?{urlencode({'product': product, 'week': week})}"
    some = ids[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    if page > 1 and not some:
        return RedirectResponse(address, 303)
    with visit.app.database.read() as connection:
        people = people_values(visit, connection, some, len(ids), page, address)
        report = standing(connection, shop.shop_id).report
    known = report.reorders.products if report else []
    title = next((one.title for one in known if one.product_id == product), product)
    weeks = f"in {week} weeks" if week > 1 else "next week" if week else "this week"
    values = {
        "title": f"{title}: {'overdue' if week == OVERDUE else weeks}",
        "scope": "By the mean gap between their own orders",
        "back": f"{visit.root}/reports/reorders",
        "back_label": "All re-orders",
        "segment_url": "",
        "no_segment": "",
        "nobody": "Whoever was expected has ordered meanwhile.",
    }
    return Page("reports/people.html", values | people)


def export(_door: Door, visit: Visit) -> Response:
    """The table as a CSV file."""
    with visit.app.database.read() as connection:
        report = standing(connection, visit.shop.shop_id).report
    found = report.reorders if report else NOTHING
    header = ("Product id", "Product", "Overdue", *(f"Week of {monday}" for monday in found.weeks))
    lines = (
        [safe_text(one.product_id), safe_text(one.title), *map(str, (one.overdue, *one.weeks))]
        for one in found.products
    )
    day = local_date(visit.now, visit.shop.timezone).isoformat()
    return download(f"re-orders-{day}.csv", as_csv(header, lines))


def _rows(visit: Visit, found: Reorders) -> list[Row]:
    counts = sorted(count for one in found.products for count in (one.overdue, *one.weeks) if count)
    return [Row(one.title, one.people, _cells(visit, one, counts)) for one in found.products]


def _cells(visit: Visit, row: ReorderRow, counts: list[int]) -> list[Cell]:
    cells = []
    for week, people in enumerate((row.overdue, *row.weeks), OVERDUE):
        asked = urlencode({"product": row.product_id, "week": week})
        heat = 1 + counts.index(people) * _HEATS // len(counts) if people else 0
        cells.append(Cell(people, f"{visit.root}/reports/reorders/people?{asked}", heat))
    return cells
