"""Scores as they are kept: those of one person, and what a run changes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from customer360.enrichment.columns import KEPT, unpacked
from customer360.enrichment.scores import SCHEMA
from customer360.enrichment.tables import scores
from customer360.enrichment.warehouse import SCORES_MIRROR
from customer360.profiles.browse import WarehouseQuery
from customer360.storage.database import Writes, next_change
from customer360.storage.metadata import tombstones
from customer360.storage.mirror import Kind
from customer360.values import texts_in

_LISTS = frozenset(one.name for one in KEPT if one.kind is Kind.TEXTS)
_AS_KEPT = {Kind.MONEY: "cast({} * 10000 as bigint)", Kind.TIME: "epoch_us({})"}
_KNOWN = ", ".join(f"{_AS_KEPT.get(one.kind, '{}').format(one.name)} as {one.name}" for one in KEPT)
_COLUMNS = ("shop_id", *SCHEMA.names, "change")


def read_scores(connection: Connection, shop_id: int, profile_id: int) -> dict[str, Any]:
    """The scores of one person and what explains them, by name, lists as such; empty where they have none."""
    query = select(*(scores.c[one.name] for one in KEPT))
    query = query.where(scores.c.shop_id == shop_id, scores.c.profile_id == profile_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return {}
    found = dict(row._mapping)
    if (details := found.pop("details")) is not None:
        found |= unpacked(details)
    return found | {name: json.loads(found[name]) for name in _LISTS if found[name] is not None}


def known_scores(warehouse: WarehouseQuery, shop_id: int) -> pa.Table:
    """The scores of everybody as the warehouse has them, sorted, as a run makes them."""
    sql = f"select profile_id, {_KNOWN} from scores order by profile_id"
    return warehouse.query(shop_id, sql).cast(SCHEMA)


def difference(known: pa.Table, found: pa.Table) -> tuple[pa.Table, list[int]]:
    """The rows of what was found that are new or differ from what is known, and the ids that have none any more."""
    before, after = (one.column("profile_id").to_numpy() for one in (known, found))
    place = np.searchsorted(before, after)
    there = np.zeros(len(after), np.bool_)
    inside = place < len(before)
    there[inside] = before[place[inside]] == after[inside]
    old = known.take(pa.array(place[there]))
    mine = found.filter(pa.array(there))
    same = np.ones(len(mine), np.bool_)
    for name in SCHEMA.names[1:]:
        same &= _equal(old.column(name), mine.column(name))
    differs = ~there
    differs[np.flatnonzero(there)[~same]] = True
    return found.filter(pa.array(differs)), np.setdiff1d(before, after, assume_unique=True).tolist()


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    equal = pc.fill_null(pc.equal(one, other), False)
    equal = pc.or_(equal, pc.and_(pc.is_null(one), pc.is_null(other)))
    return np.asarray(equal.to_numpy(), np.bool_)


def rows_of(table: pa.Table, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Scores as rows to be kept, so many at a time."""
    for start in range(0, len(table), size):
        part = table.slice(start, size)
        columns = [_values(name, part.column(name)) for name in SCHEMA.names]
        yield list(zip(*columns, strict=True))


def _values(name: str, column: pa.ChunkedArray) -> Sequence[Any]:
    values: list[Any] = column.to_pylist()
    if name not in _LISTS:
        return values
    return [None if one is None else json.dumps(texts_in(one)) for one in values]


def keep(connection: Connection, shop_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep the scores of some people in place of what was kept of them."""
    change = next_change(connection, shop_id, moves=True)
    writes = Writes()
    told = [(shop_id, *row, change) for row in rows]
    writes.insert(scores, _COLUMNS, told, replace_on=("shop_id", "profile_id"))
    writes.run(connection)


def forget(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> None:
    """Forget the scores of people who have none any more."""
    change = next_change(connection, shop_id, moves=True)
    writes = Writes()
    writes.each(
        "delete from scores where shop_id = {} and profile_id = {}",
        [(shop_id, one) for one in profile_ids],
    )
    writes.insert(
        tombstones,
        ("shop_id", "change", "mirror", "row_id"),
        [(shop_id, change, SCORES_MIRROR, one) for one in profile_ids],
    )
    writes.run(connection)
