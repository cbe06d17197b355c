"""What every table must say of itself: whose it is, and what an erasure does to it."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Table

from customer360.migrations.catalogue import MODULES
from customer360.storage.metadata import metadata

assert MODULES, "importing the catalogue registers every table"

TABLES = sorted(metadata.tables.values(), key=lambda table: table.name)
COLUMNS = [column for table in TABLES for column in table.columns]
# These are about the installation and its staff: who signs in is the same person in every shop of theirs.
NOT_OF_ONE_SHOP = {
    "organisations", "organisation_members", "users", "sign_in_attempts", "sign_in_links", "web_sessions",
    "shopify_links", "memberships",
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_column_says_what_an_erasure_does_to_it(column: Column[object]) -> None:
    assert column.info.get("personal") in ("keep", "null", "delete")


@pytest.mark.parametrize(
    "table", [one for one in TABLES if one.name not in NOT_OF_ONE_SHOP], ids=str
)
def test_the_shop_leads_every_primary_key(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "shop_id"


@pytest.mark.parametrize(
    "column", [one for one in COLUMNS if one.info.get("personal") == "null"], ids=str
)
def test_what_an_erasure_empties_is_part_of_no_key(column: Column[object]) -> None:
    assert not column.primary_key
