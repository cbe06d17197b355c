"""Stage flow: how customers moved between stages from one day to another, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from customer360.clock import local_date
from customer360.errors import InvalidInput, NotFound
from customer360.profiles.stages import shop_calendar
from customer360.reports.stage_flow import (
    NOT_YET,
    STAGES,
    Between,
    between_days,
    people_between,
    stage_flow,
)
from customer360.spreadsheet import as_csv
from customer360.web.door import Door, Page
from customer360.web.formats import day, in_words, lower_first
from customer360.web.freshness import freshness
from customer360.web.report_people import PAGE_ROWS, page_asked, people_values
from customer360.web.spreadsheet import download
from customer360.web.visit import Visit

_HEATS = 4
_SPANS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year"))
_FROM = (NOT_YET, *STAGES)


class Cell(NamedTuple):
    """How many went from the stage of the row to that of the column; `query` opens them, "" where nobody did."""

    people: int
    query: str
    heat: int
    """0 for nobody, then by quarters of all cells with anybody in them."""
    stayed: bool


class Row(NamedTuple):
    """A stage at the end of the first day, and where its people are at the end of the last one."""

    label: str
    cells: list[Cell]
    total: int


def show(_door: Door, visit: Visit) -> Page:
    """The table, with its days in the address."""
    told = {name: visit.query.get(name, "") for name in ("from", "to")}
    try:
        between = _between(visit)
    except InvalidInput as error:
        return _page(visit, told | {"error": str(error), "error_field": error.path}, status=422)
    flow = stage_flow(visit.app.warehouse, visit.shop.shop_id, between)
    values = {
        "from": between.first.isoformat(),
        "to": between.last.isoformat(),
        "first": between.first,
        "last": between.last,
        "query": _query(between),
        "rows": _rows(flow, between),
        "totals": [sum(flow.get((was, became), 0) for was in _FROM) for became in STAGES],
        "people": sum(flow.values()),
        "came": sum(flow.get((NOT_YET, became), 0) for became in STAGES),
        "moved": sum(
            count for (was, became), count in flow.items() if was not in (became, NOT_YET)
        ),
    }
    return _page(visit, values | {"error": "", "error_field": ""})


def show_people(_door: Door, visit: Visit) -> Page | Response:
    """Who is behind a cell, a page at a time: the warehouse says which, the profile store who."""
    between, was, became = (
        _between(visit),
        visit.query.get("was", ""),
        visit.query.get("became", ""),
    )
    if was not in _FROM or became not in STAGES:
        raise NotFound
    page = page_asked(visit)
    found = people_between(
        visit.app.warehouse,
        visit.shop.shop_id,
        between,
        (was, became),
        limit=PAGE_ROWS,
        offset=(page - 1) * PAGE_ROWS,
    )
    address = f"{visit.path}{_query(between, was=was, became=became)}"
    if page > 1 and not found.profile_ids:
        return RedirectResponse(address, 303)
    with visit.app.database.read() as connection:
        people = people_values(visit, connection, found.profile_ids, found.total, page, address)
    values = {
        "title": f"{_label(was)}, then {lower_first(_label(became))}",
        "scope": f"At the end of {day(between.first, visit.shop.timezone)},"
        f" and of {day(between.last, visit.shop.timezone)}",
        "back": f"{visit.root}/reports/stage-flow{_query(between)}",
        "back_label": "Stage flow",
        "segment_url": "",
        "no_segment": "",
        "nobody": "No customer went this way between these days.",
    }
    return Page("reports/people.html", values | people)


def export(_door: Door, visit: Visit) -> Response:
    """The table as a CSV file, a line for each pair of stages."""
    between = _between(visit)
    flow = stage_flow(visit.app.warehouse, visit.shop.shop_id, between)
    first, last = between.first.isoformat(), between.last.isoformat()
    header = (f"Stage at the end of {first}", f"Stage at the end of {last}", "Customers")
    lines = (
        [_label(was), _label(became), str(flow.get((was, became), 0))]
        for was in _FROM
        for became in STAGES
    )
    return download(f"stage-flow-{first}-{last}.csv", as_csv(header, lines))


def _between(visit: Visit) -> Between:
    """The days of the address; raises InvalidInput."""
    calendar = shop_calendar(visit.shop.timezone, visit.shop.settings)
    days = [_day(visit.query.get(name, ""), name) for name in ("from", "to")]
    return between_days(days[0], days[1], visit.now, calendar)


def _day(text: str, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput("Write a day as 2026-01-31.", name) from error


def _query(between: Between, **more: str) -> str:
    days = {"from": between.first.isoformat(), "to": between.last.isoformat()}
    return "?" + urlencode(days | more)


def _page(visit: Visit, values: Mapping[str, object], status: int = 200) -> Page:
    today = local_date(visit.now, visit.shop.timezone)
    with visit.app.database.read() as connection:
        fresh = freshness(connection, visit.shop.shop_id)
    calendar = shop_calendar(visit.shop.timezone, visit.shop.settings)
    shared = {
        "fresh": fresh.of_lists,
        "stages": [_label(stage) for stage in STAGES],
        "windows": calendar.windows,
        "today": today.isoformat(),
        "spans": [
            (label, _query(Between(today - timedelta(days), today, calendar)))
            for days, label in _SPANS
        ],
    }
    return Page("reports/stage_flow.html", {**shared, **values}, status)


def _rows(flow: dict[tuple[str, str], int], between: Between) -> list[Row]:
    ranks = sorted(flow.values())
    rows = []
    for was in _FROM:
        cells = []
        for became in STAGES:
            people = flow.get((was, became), 0)
            query = _query(between, was=was, became=became) if people else ""
            heat = 1 + ranks.index(people) * _HEATS // len(ranks) if people else 0
            cells.append(Cell(people, query, heat, was == became))
        rows.append(Row(_label(was), cells, sum(cell.people for cell in cells)))
    return rows


def _label(stage: str) -> str:
    return in_words(stage) if stage != NOT_YET else "Not there yet"
