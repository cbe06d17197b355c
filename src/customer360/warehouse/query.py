"""Where is the warehouse asked? In the process that owns its files, which is the worker while one runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from customer360.errors import WarehouseBusy, WorkerUnreachable
from customer360.storage.database import Database
from customer360.storage.engines.engine import Engine, Session
from customer360.storage.flight import Action, FlightClient
from customer360.storage.mirror import Schema
from customer360.warehouse.own_words import OwnWordsOf
from customer360.warehouse.schema import CHANGE, NOTES
from customer360.warehouse.sync import SyncResult, last_change, rebuild, sync

SYNC = "warehouse.sync"
REBUILD = "warehouse.rebuild"

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class WarehouseStatus:
    """How fresh and how large a shop's warehouse is. `change` is the profile store's, `copied` the warehouse's."""

    shop_id: int
    change: int
    copied: int
    rows: dict[str, int]
    size_bytes: int

    @property
    def behind(self) -> int:
        """Changes that are still to be copied."""
        return self.change - self.copied


class LocalWarehouse:
    """The warehouse in the process that owns its files."""

    def __init__(self, database: Database, engine: Engine, schema: Schema) -> None:
        self._database = database
        self._engine = engine
        self._schema = schema
        self._own_words = OwnWordsOf()
        self._complete_up_to: dict[int, int] = {}

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The answer to a question about one shop."""
        return self._engine.query(shop_id, sql, params)

    def session(self, shop_id: int) -> AbstractContextManager[Session]:
        """Several questions about one shop on one snapshot."""
        return self._engine.session(shop_id)

    def sync(self, shop_id: int) -> SyncResult:
        """Copy what changed since the last sync; a shop without changes costs no open file."""
        with self._database.read() as connection:
            change = last_change(connection, shop_id)
        if self._complete_up_to.get(shop_id) == change:
            return SyncResult(shop_id, change, change)
        return self._noted(
            sync(self._database, self._engine, shop_id, self._schema, own_words=self._own_words)
        )

    def rebuild(self, shop_id: int) -> SyncResult:
        """Make the shop's warehouse anew."""
        return self._noted(
            rebuild(self._database, self._engine, shop_id, self._schema, own_words=self._own_words)
        )

    def forget(self, shop_id: int) -> None:
        """Remove a shop's warehouse."""
        self._complete_up_to.pop(shop_id, None)
        self._engine.delete(shop_id)

    def rest(self) -> None:
        """Do what is better done while nobody waits; for a worker that is idle."""
        self._engine.rest()

    def actions(self) -> dict[str, Action]:
        """The steps that others may ask for over the socket."""
        return {SYNC: _step(self.sync), REBUILD: _step(self.rebuild)}

    def close(self) -> None:
        """Close the files."""
        self._engine.close()

    def _noted(self, result: SyncResult) -> SyncResult:
        self._complete_up_to[result.shop_id] = result.change
        return result


class RemoteWarehouse:
    """The warehouse over the worker's socket; without a worker, WorkerUnreachable."""

    def __init__(self, client: FlightClient) -> None:
        self._client = client

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The answer to a question about one shop."""
        return self._client.query(shop_id, sql, params)

    def sync(self, shop_id: int) -> SyncResult:
        """Have the worker copy what changed since its last sync."""
        return self._act(SYNC, shop_id)

    def rebuild(self, shop_id: int) -> SyncResult:
        """Have the worker make the shop's warehouse anew."""
        return self._act(REBUILD, shop_id)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _act(self, name: str, shop_id: int) -> SyncResult:
        answer = self._client.act(name, msgspec.json.encode(shop_id))
        return msgspec.json.decode(answer, type=SyncResult)


class EitherWarehouse:
    """For commands, which work with a worker and without: asks it where one runs, else opens the files itself."""

    def __init__(self, local: LocalWarehouse, remote: RemoteWarehouse) -> None:
        self._local = local
        self._remote = remote

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The answer to a question about one shop."""
        return self._ask(lambda one: one.query(shop_id, sql, params))

    def session(self, shop_id: int) -> AbstractContextManager[Session]:
        """Several questions on one snapshot, where no worker has the shop's files; raises WarehouseBusy."""
        return self._local.session(shop_id)

    def sync(self, shop_id: int) -> SyncResult:
        """Copy what changed since the last sync."""
        return self._ask(lambda one: one.sync(shop_id))

    def rebuild(self, shop_id: int) -> SyncResult:
        """Make the shop's warehouse anew."""
        return self._ask(lambda one: one.rebuild(shop_id))

    def close(self) -> None:
        """Let go of both."""
        self._remote.close()
        self._local.close()

    def _ask(self, question: Callable[[LocalWarehouse | RemoteWarehouse], Answer]) -> Answer:
        try:
            return question(self._remote)
        except WorkerUnreachable:
            pass
        try:
            return question(self._local)
        except WarehouseBusy:
            # A worker has started since.
            return question(self._remote)


Warehouse = LocalWarehouse | RemoteWarehouse | EitherWarehouse


def status(
    database: Database, warehouse: Warehouse, schema: Schema, shop_id: int
) -> WarehouseStatus:
    """What a shop's warehouse holds; raises ShopNotFound."""
    with database.read() as connection:
        change = last_change(connection, shop_id)
    counts = " union all ".join(
        f"select '{mirror.table}' as name, count(*) as value from {mirror.table}"
        for mirror in schema.mirrors
    )
    table = warehouse.query(
        shop_id,
        f"""
        {counts}
        union all
        select name, value from {NOTES} where name = ?
        union all
        select 'size_bytes' as name, block_size * total_blocks as value from pragma_database_size()
        """,
        [CHANGE],
    )
    found = {row["name"]: int(row["value"]) for row in table.to_pylist()}
    size_bytes, copied = found.pop("size_bytes"), found.pop(CHANGE, 0)
    return WarehouseStatus(shop_id, change, copied, found, size_bytes)


def _step(work: Callable[[int], SyncResult]) -> Action:
    return lambda body: msgspec.json.encode(work(msgspec.json.decode(body, type=int)))
