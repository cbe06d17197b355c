"""Asks a report: its answer, beside another period where that is wanted, and the people behind its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from customer360.errors import InvalidInput, NotFound
from customer360.reports.model import Answer, Question, Report, Row, Who
from customer360.reports.periods import compared_days
from customer360.reports.sql import Sql
from customer360.segments.model import Segment
from customer360.segments.rule import read_rule
from customer360.segments.write import write_query


class Told(NamedTuple):
    """An answer and the one that it is compared with."""

    answer: Answer
    before: Answer | None
    compared: Question | None
    """The question about the other period."""


class Found(NamedTuple):
    """Some people, and how many there are in all; of a page behind the last one nobody."""

    profile_ids: list[int]
    total: int


def ask(report: Report, question: Question) -> Told:
    """The report's answer."""
    days = compared_days(question.filter) if report.compares else None
    compared = question.between(*days) if days else None
    return Told(
        _sorted(report, question), _sorted(report, compared) if compared else None, compared
    )


def _sorted(report: Report, question: Question) -> Answer:
    """The answer in the order that is asked for; who has nothing to tell there stands last."""
    answer, sort = report.answer(question), question.filter.sort
    if not sort:
        return answer
    name, largest_first = sort.removeprefix("-"), sort.startswith("-")
    told = [row for row in answer.rows if row[name] is not None]
    untold = [row for row in answer.rows if row[name] is None]

    def key(row: Row) -> Any:
        return row[name].casefold() if isinstance(row[name], str) else row[name]

    return replace(answer, rows=[*sorted(told, key=key, reverse=largest_first), *untold])


def people(report: Report, question: Question, who: Who, *, limit: int, offset: int = 0) -> Found:
    """A page of those behind a number, the newest profiles first; raises NotFound where there is no such number."""
    column = report.column(who.get("of", ""))
    if column is None or column.who is None:
        raise NotFound
    sql = Sql()
    selected = report.people(question, sql, who)
    rows = question.ask(
        sql,
        f"""
        select profile_id, count(*) over () as total
        from ({selected})
        group by profile_id
        order by profile_id desc
        limit {sql.value(limit)} offset {sql.value(offset)}
        """,
    )
    return Found([row["profile_id"] for row in rows], rows[0]["total"] if rows else 0)


def as_query(report: Report, question: Question, who: Who) -> str | None:
    """The people behind a number as the text of a segment's rule; None where no rule can say it."""
    rule = report.rule(question, who)
    return None if rule is None else write_query(read_rule(rule))


def check_segment(segments: list[Segment], segment_id: int | None) -> Segment | None:
    """The segment that is asked for; raises InvalidInput where the shop has none like it."""
    if segment_id is None:
        return None
    found = next((one for one in segments if one.segment_id == segment_id), None)
    if found is None:
        raise InvalidInput("The shop has no such segment.", "segment")
    return found
