"""Drawings of reports as figures for SVG: places and words, no markup. A file for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from customer360.reports.ask import Told
from customer360.reports.model import Question, Report
from customer360.web.charts import bars, cohorts, lines, sankey

Draw = Callable[[Report, Question, Told], Mapping[str, object]]
"""What a drawing's template shows, by its names there."""

DRAWINGS: dict[str, Draw] = {
    "cohorts": cohorts.draw,
    "lines": lines.draw,
    "sankey": sankey.draw,
    "table": bars.draw,
}
"""By the name that a report gives its chart; one without an entry needs nothing but the answer."""
