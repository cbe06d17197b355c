"""The port of a columnar engine: one warehouse per shop, asked in SQL, answered in Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

Parameters = Sequence[Any] | Mapping[str, Any]


class Session(Protocol):
    """Questions to one shop's warehouse on one snapshot."""

    def keep(self, name: str, sql: str, parameters: Parameters = ()) -> None:
        """Keep the answer to a query as a table of this name for the questions after it."""

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The answer to a query; in a transaction that writes, it sees what was written."""


class Transaction(Session, Protocol):
    """All of it or nothing, in one shop's warehouse."""

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement that answers nothing."""

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows; columns are matched by name."""

    def delete(self, table: str, key: str, values: pa.Array) -> None:
        """Remove the rows whose key is among the values."""


class Draft(Protocol):
    """A new warehouse of a shop, filled beside the one that is still being asked."""

    def transaction(self) -> AbstractContextManager[Transaction]: ...


class Engine(Protocol):
    """The warehouses of all shops. Methods are safe to call from any thread."""

    def query(self, shop_id: int, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The answer to a query, on one snapshot; it cannot change anything."""

    def session(self, shop_id: int) -> AbstractContextManager[Session]:
        """Several queries on one snapshot; they cannot change anything."""

    def transaction(self, shop_id: int) -> AbstractContextManager[Transaction]:
        """A transaction that writes; one at a time per shop."""

    def rebuilding(self, shop_id: int) -> AbstractContextManager[Draft]:
        """A draft that takes the place of the shop's warehouse when the block ends well."""

    def size_bytes(self, shop_id: int) -> int:
        """What the shop's warehouse takes on the disk."""

    def delete(self, shop_id: int) -> None:
        """Forget a shop's warehouse for ever; nothing happens where there is none."""

    def rest(self) -> None:
        """Do what is better done while nobody waits; called when a worker is idle."""

    def close(self) -> None:
        """Let go of everything."""
