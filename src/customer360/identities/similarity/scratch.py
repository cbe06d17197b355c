"""The tables that a scan compares people in: a DuckDB file, as people are more than fit into memory.

It is in a folder of its own that is removed at the end, and also at the beginning: a scan that was killed leaves
what people told on the disk no longer than until the next.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from customer360.errors import RunUnderWay
from customer360.identities.similarity import blocks
from customer360.identities.similarity.comparisons import Comparison, trait_column
from customer360.identities.similarity.features import Features

WORDS = ("first_name", "last_name", "street", "house", "street2", "zip", "city")
LISTS = ("places", "phones", "mailboxes", "nicknames", "accounts")
COLUMNS = ("person_id", *WORDS, *LISTS)
"""Of the table `people`, before its traits."""

_ROWS_AT_ONCE = 5_000
# Further traits cost time and add little; a trait counts that this share has, and that two share so rarely by chance.
_MOST_TRAITS = 4
_TRAIT_COVERAGE = 0.05
_TRAIT_CHANCE = 0.005


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """The folder while it is empty and ours; raises RunUnderWay where another scan has it."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder.with_name(f"{folder.name}.lock")
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunUnderWay from error
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


@contextmanager
def opened(folder: Path, *, threads: int, memory_mib: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new database in the folder; what does not fit into the memory is sorted and joined on disk."""
    connection = duckdb.connect(
        str(folder / "scratch.duckdb"),
        config={
            "threads": threads,
            "memory_limit": f"{memory_mib}MiB",
            "temp_directory": str(folder / "spilled"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    try:
        yield connection
    finally:
        connection.close()


def load(connection: duckdb.DuckDBPyConnection, people: Iterable[Sequence[Features]]) -> None:
    """Put the people into the tables `told` and `told_traits`."""
    words = ", ".join(f"{name} varchar" for name in WORDS)
    lists = ", ".join(f"{name} varchar[]" for name in LISTS)
    run(connection, f"create table told (person_id bigint, {words}, {lists})")
    run(connection, "create table told_traits (person_id bigint, name varchar, value varchar)")
    for part in people:
        _append(connection, "told", _as_table(part))
        _append(connection, "told_traits", _traits_table(part))


def _as_table(folded: Sequence[Features]) -> pa.Table:
    ids = {"person_id": pa.array([each.person_id for each in folded], pa.int64())}
    words = {
        name: pa.array([getattr(each, name) for each in folded], pa.string()) for name in WORDS
    }
    lists = {
        name: pa.array([getattr(each, name) or None for each in folded], pa.list_(pa.string()))
        for name in LISTS
    }
    return pa.table({**ids, **words, **lists})


def _traits_table(folded: Sequence[Features]) -> pa.Table:
    rows = [(each.person_id, *item) for each in folded for item in each.traits.items()]
    return pa.table(
        {
            "person_id": pa.array([row[0] for row in rows], pa.int64()),
            "name": pa.array([row[1] for row in rows], pa.string()),
            "value": pa.array([row[2] for row in rows], pa.string()),
        }
    )


def choose_traits(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The traits that tell people apart: many have one, and two different people rarely the same.

    One that nobody shares with anybody, such as another system's id, says nothing either.
    """
    rows = ask(
        connection,
        """
        with counted as (
            select name, value, count(*) as size
            from told_traits
            group by name, value
        ),
        described as (
            select name, sum(size) as people, sum(size * (size - 1)) as pairs
            from counted
            group by name
        )
        select name
        from described
        where people >= ? * (select count(*) from told)
            and pairs > 0
            and pairs <= ? * people * (people - 1)
        order by pairs / (people * people), name
        limit ?
        """,
        [_TRAIT_COVERAGE, _TRAIT_CHANCE, _MOST_TRAITS],
    )
    return tuple(name for (name,) in rows)


def common_words(
    connection: duckdb.DuckDBPyConnection, compared: Sequence[Comparison]
) -> dict[str, dict[str, float]]:
    """By column the words that more people have than the steps expect, each with the share of all who have it.

    The two who are compared are left out of it. Few words are so common: at most 200 that one in 200 have.
    """
    words = {
        step.adjusted_by.column: step.u
        for each in compared
        for step in each.steps
        if step.adjusted_by
    }
    return {
        column: dict(
            ask(
                connection,
                f"""
                with told as (
                    select count({column}) as people
                    from people
                )
                select {column}, (count(*) - 2) / max(told.people) as share
                from people, told
                where {column} is not null
                group by {column}
                having share > ?
                """,
                [chance],
            )
        )
        for column, chance in words.items()
    }


def make_people(connection: duckdb.DuckDBPyConnection, traits: Sequence[str]) -> None:
    """The tables `people`, with a column for each of these traits, and `keys`, by which they meet."""
    numbers = range(1, len(traits) + 1)
    values = "".join(
        f", max(value) filter (where name = ?) as {trait_column(number)}" for number in numbers
    )
    columns = "".join(f", {trait_column(number)}" for number in numbers)
    run(
        connection,
        f"""
        create table people as
        select {", ".join(f"told.{name}" for name in COLUMNS)}{columns}
        from told
        left join (
            select person_id{values}
            from told_traits
            group by person_id
        ) as traits on traits.person_id = told.person_id
        """,
        list(traits),
    )
    run(connection, "drop table told")
    run(connection, "drop table told_traits")
    run(connection, f"create table keys as {blocks.keys_sql(len(traits))}")


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.register("given_rows", rows)
    try:
        names = ", ".join(rows.column_names)
        run(connection, f"insert into {table} ({names}) select {names} from given_rows")
    finally:
        connection.unregister("given_rows")


def run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> None:
    """Run a statement that answers nothing."""
    ask(connection, sql, parameters)


def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """The whole answer to a query."""
    # It is fetched to the end, for DuckDB's connection does nothing else before.
    return connection.execute(sql, parameters).fetchall()


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[list[tuple[Any, ...]]]:
    """The answer to a query, part by part."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows
    finally:
        cursor.close()
