"""Lines over time: one card a figure, the unfinished end dashed, the other period dashed and grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from customer360.reports.ask import Told
from customer360.reports.model import Column, Question, Report, Row
from customer360.reports.periods import grain_of, last_of
from customer360.web import formats
from customer360.web.charts.scale import ticks

WIDTH, HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 10, 24
_MOST_LABELS = 4


class Tick(NamedTuple):
    """A grid line or a day: where it stands, and its words."""

    place: float
    label: str
    anchor: str = "middle"


class Point(NamedTuple):
    """A place to point at: the strip around it, and what it tells."""

    x: float
    width: float
    says: str


class Line(NamedTuple):
    """One figure over time, as SVG takes it; parts that have nothing to show are ""."""

    column: Column
    grid: list[Tick]
    days: list[Tick]
    solid: str
    dashed: str
    before: str
    dots: list[tuple[float, float]]
    """Points that no line reaches."""
    points: list[Point]


def draw(report: Report, question: Question, told: Told) -> Mapping[str, object]:
    """A drawing for each headline figure, by its name."""
    grain = grain_of(question.filter)
    return {
        "lines": {
            name: line(column, told, grain)
            for name in report.headline
            if (column := report.column(name)) is not None
        },
        "width": WIDTH,
        "height": HEIGHT,
        "floor": HEIGHT - _BOTTOM,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
    }


def line(column: Column, told: Told, grain: str) -> Line:
    """The drawing of one figure; `rows` have a `date`, and say of the last ones that they are not complete."""
    rows = told.answer.rows
    others = told.before.rows[: len(rows)] if told.before else []
    values = [row[column.name] for row in rows]
    old = [row[column.name] for row in others]
    top = max((float(value) for value in (*values, *old) if value is not None), default=0.0)
    grid = ticks(top, whole=column.kind == "count")
    xs = [_x(place, len(rows)) for place in range(len(rows))]
    finished = [
        value if row.get("complete", True) else None
        for row, value in zip(rows, values, strict=True)
    ]
    return Line(
        column=column,
        grid=[Tick(_y(at, grid[-1]), short(at, column)) for at in grid],
        days=_days(rows, xs, grain),
        solid=_path(xs, finished, grid[-1]),
        dashed=_path(xs, _end(rows, values), grid[-1]),
        before=_path(xs, old, grid[-1]),
        dots=_lonely(xs, values, grid[-1]),
        points=[
            Point(
                x - _step(len(rows)) / 2,
                _step(len(rows)),
                says(column, row, others[place] if place < len(others) else None, grain),
            )
            for place, (x, row) in enumerate(zip(xs, rows, strict=True))
        ],
    )


def says(column: Column, row: Row, other: Row | None, grain: str) -> str:
    """What a point tells, naming both periods."""
    told = f"{period(row['date'], grain)}: {number(row[column.name], column)}"
    if not row.get("complete", True):
        told += " so far"
    if other is not None:
        told += f" · {period(other['date'], grain)}: {number(other[column.name], column)}"
    return told


def period(day: date, grain: str) -> str:
    """A day, week or month in words."""
    if grain == "month":
        return formats.month(day)
    text = formats.day(day, "UTC")
    return text if grain == "day" else f"{text} to {formats.day(last_of(day, grain), 'UTC')}"


def number(value: float | None, column: Column) -> str:
    """A figure in words."""
    if column.kind == "share":
        return formats.percent(value)
    return formats.decimal(value) if column.kind == "decimal" else formats.number(value)


def short(value: float, column: Column) -> str:
    """A figure beside a grid line: 1.5K."""
    return formats.percent_whole(value) if column.kind == "share" else formats.compact(value)


def _days(rows: Sequence[Row], xs: Sequence[float], grain: str) -> list[Tick]:
    """The first day, the last one and some between them."""
    last = len(rows) - 1
    places = (
        sorted({round(last * part / (_MOST_LABELS - 1)) for part in range(_MOST_LABELS)})
        if rows
        else []
    )
    anchors = {0: "start", last: "end"} if last else {}
    return [
        Tick(
            xs[place],
            formats.short_month(rows[place]["date"])
            if grain == "month"
            else formats.short_day(rows[place]["date"]),
            anchors.get(place, "middle"),
        )
        for place in places
    ]


def _end(rows: Sequence[Row], values: Sequence[float | None]) -> list[float | None]:
    """The unfinished values with the finished one before them, from which the dashes go on."""
    return [
        value
        if not row.get("complete", True)
        or (place + 1 < len(rows) and not rows[place + 1].get("complete", True))
        else None
        for place, (row, value) in enumerate(zip(rows, values, strict=True))
    ]


def _path(xs: Sequence[float], values: Sequence[float | None], top: float) -> str:
    """The line through the values; where one is not known it is broken."""
    path, pen = [], "M"
    for x, value in zip(xs, values, strict=False):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{x:.1f} {_y(value, top):.1f}")
        pen = "L"
    return " ".join(path) if len(path) > 1 else ""


def _lonely(
    xs: Sequence[float], values: Sequence[float | None], top: float
) -> list[tuple[float, float]]:
    around = [None, *values, None]
    return [
        (x, _y(value, top))
        for place, (x, value) in enumerate(zip(xs, values, strict=True))
        if value is not None and around[place] is None and around[place + 2] is None
    ]


def _step(count: int) -> float:
    return (WIDTH - _LEFT - _RIGHT) / max(1, count - 1)


def _x(place: int, count: int) -> float:
    return _LEFT + place * _step(count) if count > 1 else (WIDTH + _LEFT - _RIGHT) / 2


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - float(value) / top * (HEIGHT - _TOP - _BOTTOM)
