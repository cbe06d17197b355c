"""What does each row say? One draft for each data row of a file, in the shape that its translator reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from customer360.intake.files.mapping import ColumnMapping
from customer360.intake.files.open import MAX_LINE, TOO_LONG, OpenedFile, is_decoded
from customer360.intake.files.rows import Row

_encode = msgspec.json.Encoder().encode


class Draft(NamedTuple):
    """A row before it is known whether an equal one came before it."""

    number: int
    """Which data row of the file it is, from 1."""
    order_id: str
    content: str
    """All that the row says; equal rows have equal content."""
    body: bytes
    problem: tuple[str, str] | None = None
    """(reason, detail) of a row that cannot be used."""


def content_of(header: Sequence[str]) -> Callable[[Sequence[str]], str]:
    """A function from a row's cells to its content, the same in whatever order the columns come."""
    order = sorted(range(len(header)), key=header.__getitem__)
    if len(order) == 1:
        return lambda cells: cells[0]
    arrange = itemgetter(*order)
    return lambda cells: "\x1f".join(arrange(cells))


def broken(number: int, row: Row) -> Draft:
    """The draft of a row that cannot be used; its cells are kept as far as they are text."""
    cells = [
        cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in row.cells
    ]
    return Draft(number, "", "", _encode({"cells": cells}), row.problem)


def mapped_drafts(
    header: Sequence[str], mapping: ColumnMapping, rows: Iterator[Row]
) -> Iterator[Draft]:
    """Drafts of a generic file: the body has the mapped fields that are not empty."""
    content = content_of(header)
    joined = {field: [header.index(name) for name in names] for field, names in mapping.items()}
    plain = [(field, columns[0]) for field, columns in joined.items() if len(columns) == 1]
    joined = {field: columns for field, columns in joined.items() if len(columns) > 1}
    for number, row in enumerate(rows, start=1):
        if row.problem:
            yield broken(number, row)
            continue
        cells = row.cells
        body = {field: cells[column] for field, column in plain if cells[column]}
        for field, columns in joined.items():
            body[field] = " ".join([cells[column] for column in columns if cells[column]])
        yield Draft(number, body.get("order_id", ""), content(cells), _encode(body))


def column_drafts(header: Sequence[str], rows: Iterator[Row]) -> Iterator[Draft]:
    """Drafts of a file of people in a known format: the body has every column that is not empty."""
    content = content_of(header)
    for number, row in enumerate(rows, start=1):
        if row.problem:
            yield broken(number, row)
        else:
            yield Draft(number, "", content(row.cells), _encode(filled(header, row.cells)))


def filled(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells that are not empty, by column."""
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell}


def event_drafts(file: OpenedFile) -> Iterator[Draft]:
    """Drafts of a file with one JSON document a line; the body is the line as it is."""
    number = 0
    while line := file.read_line():
        text = line.strip("\ufeff\r\n\t ")
        if not text:
            continue
        number += 1
        if line == TOO_LONG:
            problem = ("row_too_long", f"The line has more than {MAX_LINE:,} characters")
            yield broken(number, Row([], problem))
        elif not is_decoded(text, file.encoding):
            problem = ("bad_encoding", f"The line is not valid {file.encoding}")
            yield broken(number, Row([text], problem))
        else:
            yield Draft(number, "", text, text.encode())
