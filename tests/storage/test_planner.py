"""SQLite looks for a few rows of a large shop by index, however the question is put."""

from pathlib import Path

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.dialects import sqlite

from customer360 import migrations
from customer360.consent.tables import consents
from customer360.identities.tables import fragments, ownerships, profiles
from customer360.profiles.members import DERIVED
from customer360.profiles.tables import checkouts, orders, refunds, sessions
from customer360.storage.database import Database, rows_in

MANY = list(range(500))


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (select(orders).where(orders.c.shop_id == 1, orders.c.fragment_id.in_(MANY)), "fragment"),
        (select(orders).where(orders.c.shop_id == 1, orders.c.order_key.in_(["a", "b"])), "key"),
        (select(refunds).where(refunds.c.shop_id == 1, refunds.c.order_key.in_(["a"])), "order"),
        (
            select(sessions).where(sessions.c.shop_id == 1, sessions.c.fragment_id.in_(MANY)),
            "fragment",
        ),
        (
            select(fragments).where(fragments.c.shop_id == 1, fragments.c.profile_id.in_(MANY)),
            "profile",
        ),
        (
            select(ownerships).where(ownerships.c.shop_id == 1, ownerships.c.fragment_id.in_(MANY)),
            "fragment",
        ),
        (
            select(consents).where(consents.c.shop_id == 1, consents.c.fragment_id.in_(MANY)),
            "fragment",
        ),
        (
            select(checkouts).where(checkouts.c.shop_id == 1, checkouts.c.fragment_id.in_(MANY)),
            "fragment",
        ),
        (
            select(profiles).where(profiles.c.shop_id == 1, profiles.c.merged_into == 7),
            "merged_into",
        ),
    ],
    ids=[
        "orders",
        "orders by key",
        "refunds",
        "sessions",
        "fragments",
        "ownerships",
        "consents",
        "checkouts",
        "profiles",
    ],
)
def test_a_question_about_some_people_reads_the_index_of_theirs(
    question: Select[tuple[object, ...]], index: str, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shop.sqlite'}")
    migrations.upgrade(database)
    statement = str(
        question.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    )
    with database.read() as connection:
        plan = [row[3] for row in connection.execute(text(f"explain query plan {statement}"))]
    database.close()
    table = question.get_final_froms()[0]
    assert any(f"ix_{table}_{index}" in step for step in plan), plan


@pytest.mark.parametrize(
    ("table", "key", "index"),
    [
        ("candidates", "origin = 'similarity' and fragment_a", "pair"),
        ("decisions", "kind in ('not_same', 'undone') and fragment_a", "a"),
        ("fragment_identifiers", "fragment_id", "fragment"),
        ("fragments", "component", "component"),
        ("ownerships", "until is null and fragment_id", "fragment"),
        ("refunds", "refund_key", "key"),
        ("sessions", "visitor", "visitor"),
        *((derived.table, f"{derived.at} < 7 and fragment_id", "fragment") for derived in DERIVED.values()),
    ],
)  # fmt: skip
def test_many_values_at_once_read_the_index_that_has_them(
    table: str, key: str, index: str, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'shop.sqlite'}")
    migrations.upgrade(database)
    statement = (
        f"explain query plan select count(*) from {table} where shop_id = {{}} and {key} in {{}}"
    )
    with database.read() as connection:
        plans = [rows_in(connection, statement, (1,), MANY[:size]) for size in (1, 500)]
    database.close()
    for plan in plans:
        assert any(f"ix_{table}_{index}" in step[3] for step in plan), plan
