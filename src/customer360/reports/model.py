"""What a report is: a question about a period, its columns, and the people behind each of its numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, NamedTuple

from customer360.clock import Instant, local_date
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.stages import ShopCalendar
from customer360.reports.sql import Sql

Kind = Literal["count", "decimal", "share", "money", "text", "word", "day"]
"""How a value reads: a word is a name of ours, told in words; money is an Amount (ten-thousandths), a share of 1, a day
as a date."""
Compare = Literal["none", "previous", "year"]
Row = dict[str, Any]
"""Values by the names of columns; None where there is nothing to tell."""
Who = Mapping[str, str]
"""Names the people behind one number: `of`, the column's name, and the row's keys as texts."""


class Column(NamedTuple):
    """A column of a report; `who` names the keys of a row that say whose number it is, None where it is nobody's."""

    name: str
    label: str
    kind: Kind = "count"
    help: str = ""
    """What is counted, and what is not."""
    who: tuple[str, ...] | None = None
    better: Literal["more", "less", ""] = "more"
    """Which way a change is good; "" where neither is."""


class Choice(NamedTuple):
    """Something that only this report asks for: its name in the address, its label, and what may be chosen.

    The first option holds unless another is told.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the filter bar says: which days, by which zone's calendar, beside which others, of whom."""

    first: date
    last: date
    timezone: str
    range: str = ""
    """The preset that the days come from; "" where they were told."""
    compare: Compare = "none"
    segment_id: int | None = None
    """The members of a segment alone; None for everybody."""
    choices: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    """By which column the rows stand, a "-" before it for the largest first; "" of a report that has its own order."""

    def rule(self, *conditions: Mapping[str, Any], visitors: bool = False) -> dict[str, Any]:
        """The rule of a segment: all of these, among those whom the filter asks for; visitors are in no segment's."""
        if self.segment_id is None:
            return {"all": [*conditions], "include_visitors": visitors}
        return {"all": [*conditions, {"segment": str(self.segment_id), "member": True}]}


@dataclass(frozen=True, slots=True)
class Question:
    """A filter and the shop that it is asked of."""

    warehouse: WarehouseQuery
    shop_id: int
    calendar: ShopCalendar
    now: Instant
    filter: Filter

    @property
    def today(self) -> date:
        """The present day by the calendar that the report counts by."""
        return local_date(self.now, self.filter.timezone)

    def between(self, first: date, last: date) -> Question:
        """The same question about other days, which are no preset's."""
        return replace(self, filter=replace(self.filter, first=first, last=last, range=""))

    def ask(self, sql: Sql, text: str) -> list[Row]:
        """The rows that the warehouse answers with; the text holds what `sql` bound."""
        rows: list[Row] = self.warehouse.query(self.shop_id, text, sql.values).to_pylist()
        return rows


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a report, and what holds for all of them together."""

    rows: list[Row]
    totals: Row = field(default_factory=dict)
    note: str = ""
    """What a reader must know of just this answer."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report: page, JSON and CSV come from what stands here."""

    name: str
    """In addresses: cohort-retention."""
    title: str
    asks: str
    """The question that it answers, as a sentence."""
    icon: str
    chart: str
    """The drawing above the table: `templates/reports/_<chart>.html`."""
    columns: tuple[Column, ...]
    answer: Callable[[Question], Answer]
    people: Callable[[Question, Sql, Who], str]
    """A select of the `profile_id` of everybody behind a number; raises NotFound where there is no such number."""
    rule: Callable[[Question, Who], dict[str, Any] | None]
    """The same people as the rule of a segment; None where no rule can say it."""
    rows: str = "items"
    """What JSON calls the rows."""
    choices: tuple[Choice, ...] = ()
    compares: bool = False
    """Whether it is shown beside another period."""
    empty: str = ""
    """What has to happen before there is anything to see, as a sentence."""
    is_of_now: bool = False
    """Whether its figures are of the present, so that no days are asked for."""
    is_listed: bool = True
    """Whether the navigation has it; else another page leads to it."""
    usual_range: str = "30d"
    usual_compare: Compare = "none"
    usual_sort: str = ""
    """How the rows stand unless another column is told; "" where nothing else makes sense."""
    related: tuple[tuple[str, str], ...] = ()
    """Pages that tell more: their labels and paths below the shop's address."""
    headline: tuple[str, ...] = ()
    """The columns whose totals stand above the rest."""

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((one for one in self.columns if one.name == name), None)


def who(column: Column, row: Row) -> dict[str, str] | None:
    """Names the people behind a number of a row, or of the totals where the row has not its keys."""
    if column.who is None or not row.get(column.name):
        return None
    keys = {key: str(row[key]) for key in column.who if row.get(key) is not None}
    return {"of": column.name, **keys}
