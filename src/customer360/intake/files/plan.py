"""How shall this file be read? Chosen from what was asked for and what its header says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import msgspec

from customer360.errors import InvalidInput
from customer360.intake.files.formats import KINDS, Format, Kind, choose_format
from customer360.intake.files.mapping import (
    ColumnMapping,
    check_mapping,
    parse_mapping,
    suggest_mapping,
)
from customer360.intake.files.open import DAMAGED, open_text
from customer360.intake.files.rows import Table

_PREVIEW_ROWS = 5


class Plan(msgspec.Struct, frozen=True):
    """How to read a file; `mapping` is empty unless the format is generic."""

    kind: Kind
    format: Format
    mapping: ColumnMapping = {}


class Preview(msgspec.Struct, frozen=True):
    """The beginning of a file and what it looks like, for the page that asks for the mapping."""

    format: Format
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mapping: ColumnMapping
    encoding: str
    delimiter: str


def as_kind(text: str) -> Kind:
    """The kind of this name; raises InvalidInput."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise InvalidInput(f"{text} is no kind of file; there are {', '.join(KINDS)}")


def plan_import(
    path: Path, kind: Kind, asked_format: str | None = None, pairs: Sequence[str] = ()
) -> Plan:
    """The plan for a file; `pairs` are `field=Column` texts, without which a mapping is guessed.

    Raises InvalidInput where the file cannot be that, or the mapping names what is not there.
    """
    if kind == "events":
        return _plan_events(path, asked_format, pairs)
    header = preview(path, kind).header
    chosen = choose_format(kind, header, asked_format or ("generic" if pairs else None))
    if chosen != "generic":
        if pairs:
            raise InvalidInput(f"The columns of a {chosen} export are known; leave --map out")
        return Plan(kind, chosen)
    if pairs:
        return Plan(kind, chosen, parse_mapping(pairs, header, kind))
    guessed = suggest_mapping(header, kind)
    check_mapping(guessed, header, kind)
    return Plan(kind, chosen, guessed)


def preview(path: Path, kind: Kind) -> Preview:
    """The header and first rows of a CSV file, its likely format and a guess at the mapping."""
    with open_text(path) as file:
        try:
            table = Table(file)
            rows = tuple(tuple(row.cells) for row in islice(table.rows(), _PREVIEW_ROWS))
        except DAMAGED as error:
            raise InvalidInput(f"{path.name} is a damaged .gz file") from error
        return Preview(
            format=choose_format(kind, table.header),
            header=tuple(table.header),
            rows=rows,
            mapping=suggest_mapping(table.header, kind),
            encoding=file.encoding,
            delimiter=table.delimiter,
        )


def _plan_events(path: Path, asked_format: str | None, pairs: Sequence[str]) -> Plan:
    if pairs:
        raise InvalidInput("A file of events has no columns; leave --map out")
    plan = Plan("events", choose_format("events", (), asked_format))
    with open_text(path):
        return plan
