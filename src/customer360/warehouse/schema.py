"""What is a warehouse made of? The tables and views of a `Schema`, and the notes that sync keeps beside them."""

from __future__ import annotations

from hashlib import blake2b

import pyarrow as pa

from customer360.storage.engines.engine import Transaction
from customer360.storage.mirror import Kind, Mirror, Schema

COLUMN_TYPES: dict[Kind, str] = {
    Kind.ID: "bigint",
    Kind.COUNT: "bigint",
    Kind.NUMBER: "double",
    Kind.MONEY: "decimal(18, 4)",
    Kind.TIME: "timestamp",
    Kind.FLAG: "boolean",
    Kind.PACKED: "blob",
}
"""In DuckDB's dialect; whatever is not listed is text."""

ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.ID: pa.int64(),
    Kind.COUNT: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.MONEY: pa.decimal128(18, 4),
    Kind.TIME: pa.timestamp("us"),
    Kind.FLAG: pa.bool_(),
    Kind.PACKED: pa.binary(),
}

NOTES = "warehouse_notes"
"""One row per note: `change` is the last change number that is in; `schema` says which schema the tables have."""

CHANGE = "change"
_SCHEMA = "schema"


def column_type(kind: Kind) -> str:
    """The SQL type of a column."""
    return COLUMN_TYPES.get(kind, "varchar")


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type of a column."""
    return ARROW_TYPES.get(kind, pa.string())


def prepare(schema: Schema, transaction: Transaction) -> None:
    """Make the tables and views of an empty warehouse.

    One that another version of the schema made is emptied: the next sync fills it again from the beginning.
    """
    transaction.execute(f"create table if not exists {NOTES} (name varchar, value bigint)")
    wanted = fingerprint(schema)
    if read_notes(transaction).get(_SCHEMA) == wanted:
        return
    _drop_all(transaction)
    for mirror in schema.mirrors:
        transaction.execute(f"create table {mirror.table} ({_columns(mirror)})")
    for view in schema.views:
        transaction.execute(f"create view {view.name} as {view.sql}")
    transaction.execute(f"delete from {NOTES}")
    write_notes(transaction, {_SCHEMA: wanted})


def fingerprint(schema: Schema) -> int:
    """A number that changes whenever a table or view does."""
    parts = [f"{mirror.table}({_columns(mirror)})" for mirror in schema.mirrors]
    parts += [f"{view.name}:{view.sql}" for view in schema.views]
    return int.from_bytes(blake2b("\n".join(parts).encode(), digest_size=7).digest(), "big")


def read_notes(transaction: Transaction) -> dict[str, int]:
    """The notes of a warehouse."""
    table = transaction.query(f"select name, value from {NOTES}")
    names, values = (column.to_pylist() for column in table.columns)
    return dict(zip(names, values, strict=True))


def write_notes(transaction: Transaction, notes: dict[str, int]) -> None:
    """Keep these notes beside the others."""
    table = pa.table({"name": list(notes), "value": pa.array(notes.values(), pa.int64())})
    transaction.delete(NOTES, "name", table.column("name"))
    transaction.append(NOTES, table)


def _columns(mirror: Mirror) -> str:
    return ", ".join(f"{field.name} {column_type(field.kind)}" for field in mirror.fields)


def _drop_all(transaction: Transaction) -> None:
    found = transaction.query(
        "select table_name, table_type from information_schema.tables"
        " where table_schema = 'main' and table_name <> ? order by table_type desc, table_name",
        (NOTES,),
    )
    for name, kind in zip(*(column.to_pylist() for column in found.columns), strict=True):
        transaction.execute(f'drop {"view" if kind == "VIEW" else "table"} "{name}"')
