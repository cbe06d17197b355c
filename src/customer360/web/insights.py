"""What the crowd tells: the RFM groups, and what the models behind the scores rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from customer360.enrichment.card import Measures, ModelCard
from customer360.enrichment.rfm_grid import GroupFigures, rfm_groups
from customer360.enrichment.standing import Standing, standing
from customer360.profiles.stages import windows_of
from customer360.web.door import Door, Page
from customer360.web.visit import Visit

_CHART_SIDE = 240
_HEATS = 4


class Place(NamedTuple):
    """Where a group is in the grid: so many columns of recency wide."""

    name: str
    columns: int


class GridRow(NamedTuple):
    """A row of the grid: the mean of F and M, and its groups, most recent first."""

    label: str
    places: tuple[Place, ...]


GRID = (
    GridRow(
        "4 and above", (Place("champions", 1), Place("loyal", 2), Place("previously_loyal", 2))
    ),
    GridRow("2.5 to 3.5", (Place("active", 2), Place("needs_attention", 1), Place("at_risk", 2))),
    GridRow(
        "2 and below",
        (Place("new", 1), Place("promising", 1), Place("almost_lost", 1), Place("dormant", 2)),
    ),
)
ADVICE = {
    "champions": "Thank them, ask for a review, show what is new first",
    "loyal": "Reward them, and offer what goes with what they like",
    "previously_loyal": "Win them back by name: they bought much, and stopped",
    "active": "Help them to the next order: bundles, a loyalty offer",
    "needs_attention": "Remind them while they still think of you",
    "at_risk": "An offer with an end date, before they are gone",
    "new": "Welcome them, and make the second order easy",
    "promising": "Tell them about the shop, and what others like",
    "almost_lost": "One good offer; then let them be",
    "dormant": "One last attempt, then leave out",
    "prospects": "Invite them to a first order",
}
"""What a shop may do for a group."""


class Cell(NamedTuple):
    """A group as the page shows it; `heat` is how full it is beside the others, 0 to 4."""

    name: str
    figures: GroupFigures
    share: float | None
    heat: int
    advice: str
    people_url: str
    segment_url: str


class Curve(NamedTuple):
    """The points of a reliability curve in the chart's units, as SVG takes them."""

    label: str
    points: str


def show_rfm(_door: Door, visit: Visit) -> Page:
    """The RFM grid: every group with its people."""
    with visit.app.database.read() as connection:
        known = standing(connection, visit.shop.shop_id)
    found = rfm_groups(visit.app.warehouse, visit.shop.shop_id) if known.card else {}
    cells = _cells(visit, found)
    return Page(
        "insights/rfm.html",
        {
            "standing": known,
            "grid": GRID,
            "cells": cells,
            "recency": _recency(windows_of(visit.shop.settings).rfm_recency_days),
            "listed": sorted(cells.values(), key=lambda one: -one.figures.people),
        },
    )


def show_models(_door: Door, visit: Visit) -> Page:
    """The model card."""
    with visit.app.database.read() as connection:
        known = standing(connection, visit.shop.shop_id)
    return Page(
        "insights/models.html",
        {"standing": known, "card": known.card, "curves": _curves(known), "side": _CHART_SIDE},
    )


def _cells(visit: Visit, found: Mapping[str, GroupFigures]) -> dict[str, Cell]:
    everybody = sum(one.people for one in found.values())
    sizes = sorted(one.people for one in found.values() if one.people)
    return {
        name: Cell(
            name=name,
            figures=figures,
            share=figures.people / everybody if everybody else None,
            heat=_heat(figures.people, sizes),
            advice=advice,
            people_url=f"{visit.root}/customers?{urlencode({'rfm': name})}",
            segment_url=f"{visit.root}/segments/new?{_segment_of(name)}",
        )
        for name, advice in ADVICE.items()
        for figures in (found.get(name) or GroupFigures(name, 0, 0, 0, None),)
    }


def _segment_of(group: str) -> str:
    return urlencode({"name": f"RFM: {group.replace('_', ' ')}", "query": f"rfm_group = '{group}'"})


def _heat(people: int, sizes: Sequence[int]) -> int:
    """Which quarter of the groups that have anybody this one is in, by how many it has."""
    if not people:
        return 0
    return 1 + _HEATS * sum(size < people for size in sizes) // len(sizes)


def _recency(days: Sequence[int]) -> list[str]:
    """The columns of the grid in words, the most recent first."""
    return [f"up to {one} days" for one in days] + [f"over {days[-1]} days"]


def _curves(known: Standing) -> list[Curve]:
    card: ModelCard | None = known.card
    tested = card.churn_risk.backtest if card else None
    if tested is None:
        return []
    return [_curve("Churn risk", tested.risk), _curve("Churn index", tested.index)]


def _curve(label: str, measures: Measures) -> Curve:
    points = (
        f"{one.predicted * _CHART_SIDE:.1f},{(1 - one.observed) * _CHART_SIDE:.1f}"
        for one in measures.reliability
    )
    return Curve(label, " ".join(points))
