"""How long is the bar beside each row's first figure, against the longest one? Pure."""

from __future__ import annotations

from collections.abc import Mapping

from customer360.reports.ask import Told
from customer360.reports.model import Question, Report


def draw(report: Report, _question: Question, told: Told) -> Mapping[str, object]:
    """The column that has bars, and the hundredths that each row's is long."""
    column = next((one for one in report.columns if one.kind == "count"), None)
    if column is None:
        return {}
    values = [row[column.name] or 0 for row in told.answer.rows]
    longest = max(values, default=0) or 1
    return {"bars": column.name, "lengths": [round(100 * value / longest, 1) for value in values]}
