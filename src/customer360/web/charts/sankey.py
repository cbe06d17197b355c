"""What was bought first, second and third, as bands between fixed columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from customer360.reports.ask import Told
from customer360.reports.model import Question, Report, Row
from customer360.reports.purchase_journey import NO_FURTHER, OTHER
from customer360.web import formats

WIDTH, HEIGHT = 1040, 460
_TOP, _NODE, _GAP, _LABEL = 28, 13, 12, 8
_COLUMNS = (8, (WIDTH - _NODE) // 2, WIDTH - _NODE - 8)
HEADS = ("First order", "Second order", "Third order")


class Node(NamedTuple):
    """A product in one of the columns; `row` names its people."""

    x: float
    y: float
    height: float
    label: str
    people: int
    label_x: float
    anchor: str
    row: Row


class Band(NamedTuple):
    """People who went from one node to the next."""

    path: str
    says: str
    goes: bool
    """False for those who did not order again."""
    row: Row


def draw(_report: Report, _question: Question, told: Told) -> Mapping[str, object]:
    """Nodes and bands, the largest first, "Other" and "No further order" at the end of a column."""
    rows = told.answer.rows
    columns = _columns(rows)
    most = max((sum(column.values()) for column in columns), default=0)
    gaps = max((len(column) - 1 for column in columns), default=0) * _GAP
    scale = (HEIGHT - _TOP - gaps - 4) / most if most else 0
    nodes = {
        (number, key): node
        for number, column in enumerate(columns, 1)
        for key, node in _nodes(number, column, rows, scale).items()
    }
    return {
        "nodes": list(nodes.values()),
        "bands": _bands(rows, nodes, scale),
        "heads": list(zip(HEADS, (0, WIDTH / 2, WIDTH), ("start", "middle", "end"), strict=True)),
        "width": WIDTH,
        "height": HEIGHT,
        "node_width": _NODE,
    }


def _columns(rows: list[Row]) -> list[dict[str, int]]:
    """How many people each product of each order has, in the order in which they stand."""
    counts: list[dict[str, int]] = [defaultdict(int), defaultdict(int), defaultdict(int)]
    for row in rows:
        if row["order"] == 1:
            counts[0][row["product"]] += row["people"]
        counts[row["order"]][row["next_product"]] += row["people"]
    last = {OTHER: 1, NO_FURTHER: 2}
    return [
        dict(sorted(one.items(), key=lambda item: (last.get(item[0], 0), -item[1], item[0])))
        for one in counts
    ]


def _nodes(
    number: int, column: Mapping[str, int], rows: list[Row], scale: float
) -> dict[str, Node]:
    titles = {row["product"]: row["title"] for row in rows}
    titles |= {row["next_product"]: row["next_title"] for row in rows}
    found, y = {}, float(_TOP)
    for key, people in column.items():
        x = _COLUMNS[number - 1]
        is_last = number == len(_COLUMNS)
        # Whoever did not order again did not with the order before.
        named = (
            {"order": number - 1, "next_product": key}
            if key == NO_FURTHER
            else {"order": number, "product": key}
        )
        found[key] = Node(
            x,
            y,
            max(1.0, people * scale),
            formats.clipped(titles[key], 26),
            people,
            x - _LABEL if is_last else x + _NODE + _LABEL,
            "end" if is_last else "start",
            {**named, "people": people},
        )
        y += people * scale + _GAP
    return found


def _bands(rows: list[Row], nodes: Mapping[tuple[int, str], Node], scale: float) -> list[Band]:
    """The bands between the nodes; at each node they stand in the order of the other column."""
    leave: dict[tuple[int, str], float] = {key: node.y for key, node in nodes.items()}
    arrive = dict(leave)
    bands = []
    places = {key: place for place, key in enumerate(nodes)}

    def standing(row: Row) -> tuple[int, int]:
        return (
            places[row["order"], row["product"]],
            places[row["order"] + 1, row["next_product"]],
        )

    for row in sorted(rows, key=standing):
        start, end = (row["order"], row["product"]), (row["order"] + 1, row["next_product"])
        height = row["people"] * scale
        path = _path(nodes[start].x + _NODE, leave[start], nodes[end].x, arrive[end], height)
        bands.append(Band(path, _says(row), end[1] != NO_FURTHER, row))
        leave[start] += height
        arrive[end] += height
    return bands


def _says(row: Row) -> str:
    following = row["next_title"]
    if row["next_product"] == NO_FURTHER:
        following = formats.lower_first(following)
    people = formats.counted(row["people"], "customer")
    return f"{row['title']}, then {following}: {people} ({formats.percent(row['share'])})"


def _path(x: float, y: float, to_x: float, to_y: float, height: float) -> str:
    middle = (x + to_x) / 2
    return (
        f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        f"V{to_y + height:.1f}C{middle:.1f} {to_y + height:.1f} {middle:.1f} {y + height:.1f} {x:.1f} {y + height:.1f}Z"
    )
