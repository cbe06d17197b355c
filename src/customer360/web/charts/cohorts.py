"""Cohorts as a table: one row each, one column a period, darker by quantile of what is printed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from customer360.reports.ask import Told
from customer360.reports.cohort_retention import BY, MEASURE, VALUES
from customer360.reports.model import Column, Question, Report, Row
from customer360.web import formats

_HEATS = 4


class Cell(NamedTuple):
    """What a cohort did in a period; `row` names its people."""

    row: Row
    heat: int
    is_complete: bool


class Cohort(NamedTuple):
    """A row of the table."""

    label: str
    row: Row
    cells: list[Cell]


def draw(report: Report, question: Question, told: Told) -> Mapping[str, object]:
    """The table of the measure that was chosen."""
    choices = question.filter.choices
    by = choices[BY.name]
    column = report.column(VALUES[choices[MEASURE.name]])
    assert column is not None
    ranks = sorted(
        row[column.name] for row in told.answer.rows if row["period"] and row[column.name]
    )
    cohorts: dict[date, Cohort] = {}
    for row in told.answer.rows:
        label = formats.month(row["cohort"]) if by == "month" else formats.day(row["cohort"], "UTC")
        cohort = cohorts.setdefault(row["cohort"], Cohort(label, row, []))
        cohort.cells.append(Cell(row, _heat(row, column, ranks), row["complete"]))
    longest = max((len(one.cells) for one in cohorts.values()), default=0)
    return {
        "cohorts": list(cohorts.values()),
        "column": column,
        "periods": [f"{by[0].upper()}{number}" for number in range(longest)],
        "means": [_mean(list(cohorts.values()), number, column) for number in range(longest)],
        "measure": dict(MEASURE.options)[choices[MEASURE.name]],
        "by": by,
    }


def _heat(row: Row, column: Column, ranks: Sequence[float]) -> int:
    """0 for nothing and for the first period, in which everybody ordered; then by quarters."""
    value = row[column.name]
    if not row["period"] or not value:
        return 0
    return 1 + bisect_left(ranks, value) * _HEATS // len(ranks)


def _mean(cohorts: Sequence[Cohort], number: int, column: Column) -> float | None:
    """Over all customers of the cohorts whose period is over."""
    cells = [
        one.cells[number]
        for one in cohorts
        if number < len(one.cells) and one.cells[number].is_complete
    ]
    customers = sum(cell.row["customers"] for cell in cells)
    if not customers:
        return None
    mean: float = sum(cell.row[column.name] * cell.row["customers"] for cell in cells) / customers
    return round(mean) if column.kind == "money" else mean
