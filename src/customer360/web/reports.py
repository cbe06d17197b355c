"""The page of every report: its filter bar, figures, drawing and table; the people behind a number; a CSV file."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.responses import RedirectResponse, Response

from customer360.errors import InvalidInput, NotFound
from customer360.profiles.stages import shop_calendar
from customer360.reports import REPORTS
from customer360.reports.ask import Told, as_query, ask, check_segment, people
from customer360.reports.asking import read_filter, write_filter
from customer360.reports.model import Column, Question, Report, Row, who
from customer360.segments.model import Segment
from customer360.segments.store import list_segments
from customer360.spreadsheet import as_csv, safe_text
from customer360.values import money_text
from customer360.web import formats
from customer360.web.charts import DRAWINGS
from customer360.web.door import Door, Page
from customer360.web.freshness import freshness
from customer360.web.report_bar import filter_bar
from customer360.web.report_people import PAGE_ROWS, page_asked, people_values
from customer360.web.spreadsheet import download
from customer360.web.visit import Visit

BY_NAME = {report.name: report for report in REPORTS}


class Figure(NamedTuple):
    """A total above the rest, and how it changed."""

    column: Column
    value: object
    before: object
    change: float | None
    """By which share of itself; None without anything to compare with."""
    is_good: bool | None
    people: str
    """The address of the people behind it; "" where there are none."""


class Heading(NamedTuple):
    """The head of a column: the address that sorts by it, "" where none does, and how it is sorted now."""

    column: Column
    url: str = ""
    direction: str = ""


class Asked(NamedTuple):
    """A report as an address asks for it."""

    report: Report
    question: Question
    segments: list[Segment]
    segment: Segment | None

    def query(self, **more: str) -> str:
        """The query that asks for the same."""
        return write_filter(
            self.question.filter, self.report, self.question.calendar.timezone, **more
        )

    def people(self, visit: Visit, column: Column, row: Row) -> str:
        """The address of the people behind a number; "" of one that nobody is behind."""
        named = who(column, row)
        address = f"{visit.root}/reports/{self.report.name}/people"
        return address + self.query(**named) if named else ""


class Answered(NamedTuple):
    """A report with its answer, for a page at its own address."""

    asked: Asked
    told: Told
    pushed: str
    """The address that the browser shows, where only a part of the page was asked for."""

    def page(self, template: str, values: dict[str, object]) -> Page:
        """The page that shows it."""
        headers = {"HX-Push-Url": self.pushed} if self.pushed else None
        return Page(template, values, headers=headers)


def show(_door: Door, visit: Visit) -> Page | Response:
    """The report, as the address asks for it."""
    found = answered(visit, _report(visit))
    if not isinstance(found, Answered):
        return found
    return found.page("reports/report.html", shown(visit, found))


def answered(visit: Visit, report: Report) -> Answered | Page | Response:
    """The answer to an address, or the page that says why it cannot be asked, or the way to its one form."""
    try:
        asked = _asked(visit, report)
        address = visit.path + asked.query()
        # A form that was sent without scripts also sends what holds anyway.
        told = sorted(parse_qsl(asked.query()[1:]))
        if not visit.by_htmx and sorted(visit.query.multi_items()) != told:
            return RedirectResponse(address, 303)
        return Answered(asked, ask(report, asked.question), address if visit.by_htmx else "")
    except InvalidInput as error:
        values = {"report": report, "error": str(error), "usual": visit.path}
        return Page("reports/refused.html", values, 422)


def show_people(_door: Door, visit: Visit) -> Page | Response:
    """Who is behind a number, a page at a time: the warehouse says which, the profile store who."""
    asked = _asked(visit, _report(visit))
    named = _who(visit, asked.report)
    page = page_asked(visit)
    skipped = (page - 1) * PAGE_ROWS
    found = people(asked.report, asked.question, named, limit=PAGE_ROWS, offset=skipped)
    address = visit.path + asked.query(**named)
    if page > 1 and not found.profile_ids:
        return RedirectResponse(address, 303)
    column = asked.report.column(named["of"])
    assert column is not None
    of = " · ".join(_key(asked.report, key, text) for key, text in named.items() if key != "of")
    title = f"{column.label} · {of}" if of else column.label
    with visit.app.database.read() as connection:
        behind = people_values(visit, connection, found.profile_ids, found.total, page, address)
    rule = as_query(asked.report, asked.question, named)
    values = {
        "title": title,
        "scope": f"{asked.report.title}, {_scope(asked)}",
        "back": f"{visit.root}/reports/{asked.report.name}{asked.query()}",
        "back_label": asked.report.title,
        "nobody": "Nobody is behind this number now.",
        **_segment_of(visit, title, rule),
    }
    return Page("reports/people.html", values | behind)


def _segment_of(visit: Visit, title: str, rule: str | None) -> dict[str, object]:
    """Where the people of a number become a segment, or why they cannot."""
    if rule is None:
        return {"segment_url": "", "no_segment": "no rule says exactly who they are, so no segment"}
    asked = urlencode({"name": title, "query": rule})
    return {"segment_url": f"{visit.root}/segments/new?{asked}", "no_segment": ""}


def export(_door: Door, visit: Visit) -> Response:
    """The table as a CSV file, with the other period's beside it where there is one."""
    asked = _asked(visit, _report(visit))
    told, report = ask(asked.report, asked.question), asked.report
    header = [column.label for column in report.columns]
    if told.before:
        header = ["Period", *header]
    currency = visit.shop.currency
    sides = [("this", told.answer), *([("compared", told.before)] if told.before else [])]
    lines = (
        [
            *([side] if told.before else []),
            *(_cell(row.get(one.name), one, currency) for one in report.columns),
        ]
        for side, answer in sides
        for row in answer.rows
    )
    chosen = asked.question.filter
    return download(f"{report.name}-{chosen.first}-{chosen.last}.csv", as_csv(header, lines))


def _report(visit: Visit) -> Report:
    return BY_NAME[visit.path.split("/")[4].removesuffix(".csv")]


def _asked(visit: Visit, report: Report) -> Asked:
    """What the address asks for; raises InvalidInput."""
    shop = visit.shop
    chosen = read_filter(visit.query, report, visit.now, shop.timezone)
    with visit.app.database.read() as connection:
        segments = list_segments(connection, shop.shop_id)
    segment = check_segment(segments, chosen.segment_id)
    calendar = shop_calendar(shop.timezone, shop.settings)
    question = Question(visit.app.warehouse, shop.shop_id, calendar, visit.now, chosen)
    return Asked(report, question, segments, segment)


def _who(visit: Visit, report: Report) -> dict[str, str]:
    """The number that the address names; raises NotFound."""
    column = report.column(visit.query.get("of", ""))
    if column is None or column.who is None:
        raise NotFound
    keys = {key: visit.query[key] for key in column.who if key in visit.query}
    return {"of": column.name, **keys}


def shown(visit: Visit, found: Answered) -> dict[str, object]:
    """What the page of a report shows."""
    asked, told, _ = found
    report, question = asked.report, asked.question
    with visit.app.database.read() as connection:
        fresh = freshness(connection, visit.shop.shop_id)
    drawing = DRAWINGS.get(report.chart)
    return {
        "report": report,
        "answer": told.answer,
        "before": told.before,
        "before_days": told.compared
        and formats.days(told.compared.filter.first, told.compared.filter.last),
        "bar": filter_bar(visit, report, question, asked.segments, asked.segment),
        "query": asked.query(),
        "figures": figures(visit, asked, told),
        "headings": headings(visit, asked),
        "people_of": lambda column, row: asked.people(visit, column, row),
        "fresh": fresh.of_lists,
        "page_shortcuts": ((("[",), "The period before"), (("]",), "The period after")),
        "drawing": drawing(report, question, told) if drawing else {},
    }


def headings(visit: Visit, asked: Asked) -> list[Heading]:
    """The heads of the table's columns."""
    sort = asked.question.filter.sort
    return [_heading(visit, asked, column, sort) for column in asked.report.columns]


def _heading(visit: Visit, asked: Asked, column: Column, sort: str) -> Heading:
    if not sort:
        return Heading(column)
    rising, falling = column.name, f"-{column.name}"
    direction = {rising: "ascending", falling: "descending"}.get(sort, "")
    # Names are looked for from A on, numbers from the largest.
    first, second = (
        (rising, falling) if column.kind in ("text", "word", "day") else (falling, rising)
    )
    chosen = replace(asked.question.filter, sort=second if sort == first else first)
    query = write_filter(chosen, asked.report, asked.question.calendar.timezone)
    return Heading(column, visit.path + query, direction)


def figures(visit: Visit, asked: Asked, told: Told) -> list[Figure]:
    """The totals that stand above the rest."""
    found = []
    for name in asked.report.headline:
        column = asked.report.column(name)
        assert column is not None
        value = told.answer.totals.get(name)
        before = told.before.totals.get(name) if told.before else None
        change = (value - before) / before if value is not None and before else None
        good = (
            None if not change or not column.better else (change > 0) == (column.better == "more")
        )
        link = asked.people(visit, column, told.answer.totals)
        found.append(Figure(column, value, before, change, good, link))
    return found


def _key(report: Report, key: str, text: str) -> str:
    """A key of a number in words."""
    column = report.column(key)
    return formats.iso_day(text) if column and column.kind == "day" else text


def _scope(asked: Asked) -> str:
    chosen = asked.question.filter
    days = formats.days(chosen.first, chosen.last)
    return f"{days} · {asked.segment.name}" if asked.segment else days


def _cell(value: object, column: Column, currency: str) -> str:
    if value is None:
        return ""
    if column.kind == "money":
        return money_text(value, currency) or ""  # type: ignore[arg-type]
    return safe_text(str(value)) if column.kind == "text" else str(value)
