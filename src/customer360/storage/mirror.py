"""What does a capability show of itself in the warehouse? Declared beside its tables, copied by `warehouse.sync`.

A mirror names the columns of one warehouse table and reads the rows that changed. It hands them over as they lie
in the profile store; `warehouse` alone turns them into warehouse values, so that no text gets past its scrub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection


class Kind(StrEnum):
    """What a column holds: which type it has in the warehouse, and how its text is scrubbed."""

    ID = "id"
    """64 bits, made by us."""
    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"
    """Handed over as an Amount (ten-thousandths)."""
    TIME = "time"
    """Handed over as an Instant; a TIMESTAMP in UTC."""
    FLAG = "flag"
    WORD = "word"
    """A word of our own code, such as a state or a source: nothing a sender can choose."""
    CODE = "code"
    """An id of the shop's catalogue or orders; one that is all digits is no phone number."""
    TITLE = "title"
    """What the shop calls a thing it sells or says: null where it equals the person's own words."""
    TEXT = "text"
    """Text that a person may have written: null where it contains one of the person's own words."""
    PLACE = "place"
    """Country, region, city, ZIP, language or time zone."""
    PATH = "path"
    """Handed over as a URL; only its path stays."""
    HOST = "host"
    """Handed over as a URL; only its host stays."""
    TEXTS = "texts"
    """A list of TEXT; one text in the warehouse, as `values.listed` writes it: engines keep and search text faster."""
    PACKED = "packed"
    """A few numbers of our own as bytes, nothing a sender can choose."""
    PROPERTIES = "properties"
    """A mapping of custom properties; JSON text of those that may stay."""


class Field(NamedTuple):
    """A column of a warehouse table."""

    name: str
    kind: Kind


OwnWords = Mapping[int, frozenset[str]]
"""Per owner (a fragment, usually) the identifiers and names that must not enter, folded."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some changed rows, column by column in the order of the mirror's fields.

    `keys`: what leaves the warehouse before they enter; also keys without any row now. `own_words`: the owners'
    words where they are not fragments.
    """

    keys: Sequence[int]
    columns: Sequence[Sequence[Any]]
    own_words: OwnWords | None = None


ReadRows = Callable[[Connection, int, int, int], Iterator[Rows]]
"""(connection, shop_id, after, upto) -> the rows whose change number is in (after, upto]."""


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """One table of the warehouse and where its rows come from."""

    table: str
    number: int
    """Names it in `tombstones`; tables that live and die together share one."""
    fields: tuple[Field, ...]
    key: str
    """The field by which rows are replaced; several rows may share a key."""
    changed_in: str
    """The profile store's table whose `change` says what is new; has an index on (shop_id, change).

    Where it is `profile_changes`, a new warehouse (`after` is 0) reads everything instead.
    """
    rows: ReadRows = field(compare=False)
    owner: str | None = "fragment_id"
    """The field that says whose row it is."""


class View(NamedTuple):
    """A query over warehouse tables, stored under a name."""

    name: str
    sql: str


@dataclass(frozen=True)
class Schema:
    """All that a warehouse consists of; `app` collects it from the capabilities."""

    mirrors: tuple[Mirror, ...]
    views: tuple[View, ...] = ()


# Some ten megabytes of events at a time: large enough that the work per batch does not show.
BATCH_ROWS = 10_000


def fetch(
    connection: Connection, statement: str, parameters: Sequence[Any]
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in batches, straight from the driver: SQLAlchemy's rows cost as much again. `{}` is a bound value."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    # The pool's connection, inside the transaction that SQLAlchemy began.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement.replace("{}", mark), parameters)
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield cast(list[tuple[Any, ...]], rows)
    finally:
        cursor.close()


def fetch_in(
    connection: Connection, statement: str, shop_id: int, ids: Sequence[int]
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of one shop whose id is among many; the statement ends in `in {}` and begins with the shop."""
    if connection.dialect.name == "sqlite":
        values = f"[{','.join(map(str, ids))}]"
        return fetch(
            connection,
            statement.replace("in {}", "in (select value from json_each({}))"),
            (shop_id, values),
        )
    return fetch(connection, statement.replace("in {}", "= any({})"), (shop_id, list(ids)))
