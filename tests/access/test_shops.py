"""Shops are made whole, changed with care and deleted without a trace."""

from typing import Any

import pytest
from sqlalchemy import func, insert, select

from customer360.access.keys import grant_of, list_keys
from customer360.access.shops import (
    NewShop,
    change_shop,
    close_shop,
    create_shop,
    delete_some,
    find_shop,
    first_organisation,
    get_shop,
    has_rows,
    list_shops,
    reinstall_shop,
    uninstall_shop,
)
from customer360.access.tables import organisations
from customer360.clock import FixedClock
from customer360.errors import InvalidInput, ShopNotFound
from customer360.migrations.catalogue import metadata
from customer360.storage.database import Database, next_change
from tests.access.conftest import make_shop

GOOD = {"name": "Harbour Tea", "currency": "EUR", "timezone": "Europe/Dublin", "country": "IE"}


def test_a_new_shop_reads_as_it_was_made(database: Database, new_shop: NewShop) -> None:
    with database.read() as connection:
        assert get_shop(connection, new_shop.shop.shop_id) == new_shop.shop
        assert list_shops(connection) == [new_shop.shop]
    assert new_shop.shop.plan == "open"
    assert new_shop.shop.state == "active"


def test_a_new_shop_has_a_clock_that_gives_change_numbers(
    database: Database, new_shop: NewShop
) -> None:
    with database.write() as connection:
        assert next_change(connection, new_shop.shop.shop_id) == 1


def test_a_new_shop_has_one_key_of_each_kind(database: Database, new_shop: NewShop) -> None:
    with database.read() as connection:
        kinds = [key.kind for key in list_keys(connection, new_shop.shop.shop_id)]
    assert kinds == ["pixel", "write", "api", "webhook"]


def test_shops_without_an_organisation_join_the_oldest_one(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    second = make_shop(database, clock, "Harbour Coffee")
    assert second.shop.organisation_id == new_shop.shop.organisation_id


@pytest.mark.parametrize("shop_first", [True, False])
def test_an_installation_begins_with_the_same_organisation_whatever_was_made_first(
    database: Database, clock: FixedClock, shop_first: bool
) -> None:
    with database.write() as connection:
        if shop_first:
            create_shop(connection, **GOOD, now=clock.now())
        first_organisation(connection, clock.now())
        create_shop(connection, **GOOD, now=clock.now())
        assert connection.scalars(select(organisations.c.name)).all() == ["Customer 360"]


def test_two_shops_never_share_a_digest_key(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    second = make_shop(database, clock)
    assert len(second.shop.digest_key) == 32
    assert second.shop.digest_key != new_shop.shop.digest_key


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"name": "  Harbour \t Tea "}, {"name": "Harbour Tea"}),
        ({"currency": " gbp "}, {"currency": "GBP"}),
        ({"timezone": " Asia/Kathmandu "}, {"timezone": "Asia/Kathmandu"}),
        ({"country": "gb"}, {"country": "GB"}),
    ],
)
def test_what_people_type_is_made_canonical(
    database: Database, clock: FixedClock, given: dict[str, str], read: dict[str, str]
) -> None:
    with database.write() as connection:
        made = create_shop(connection, **(GOOD | given), now=clock.now()).shop
    assert {name: getattr(made, name) for name in read} == read


BAD: list[tuple[str, str]] = [
    ("name", ""),
    ("name", " \n "),
    ("name", "x" * 201),
    ("name", "Harbour\x00Tea"),
    ("currency", "EURO"),
    ("currency", ""),
    ("currency", "€"),
    ("timezone", "Dublin"),
    ("timezone", ""),
    ("timezone", "../etc/passwd"),
    ("timezone", "/etc/localtime"),
    ("timezone", "Factory"),
    ("country", "Ireland"),
    ("country", "ZZ"),
    ("country", "EU"),
    ("country", ""),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_new_shop_is_refused_what_is_none(
    database: Database, clock: FixedClock, field: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as raised, database.write() as connection:
        create_shop(connection, **(GOOD | {field: value}), now=clock.now())
    assert raised.value.path == field
    with database.read() as connection:
        assert list_shops(connection) == []


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_change_is_refused_what_is_none(
    database: Database, new_shop: NewShop, field: str, value: str
) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(InvalidInput) as raised, database.write() as connection:
        change_shop(connection, new_shop.shop.shop_id, **changes)
    assert raised.value.path == field


def test_a_change_keeps_what_is_not_given(database: Database, new_shop: NewShop) -> None:
    with database.write() as connection:
        changed = change_shop(
            connection, new_shop.shop.shop_id, name="Tea & Co", settings={"week_starts": "monday"}
        )
    assert (changed.name, changed.currency) == ("Tea & Co", "EUR")
    assert changed.settings == {"week_starts": "monday"}


def test_uninstalling_twice_keeps_the_first_time(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    first = clock.now()
    for _ in range(2):
        with database.write() as connection:
            uninstall_shop(connection, new_shop.shop.shop_id, clock.now())
        clock.advance(1_000_000)
    with database.read() as connection:
        shop = get_shop(connection, new_shop.shop.shop_id)
    assert (shop.state, shop.uninstalled_at) == ("uninstalled", first)


def test_reinstalling_makes_a_shop_active_again(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    with database.write() as connection:
        uninstall_shop(connection, new_shop.shop.shop_id, clock.now())
        reinstall_shop(connection, new_shop.shop.shop_id)
        assert get_shop(connection, new_shop.shop.shop_id) == new_shop.shop


def filled(shop_id: int, number: int) -> dict[str, dict[str, Any]]:
    """A row of nonsense for every table that has a shop_id."""
    rows = {}
    for table in metadata.sorted_tables:
        if "shop_id" not in table.c or table.name in ("shops", "shop_clock", "api_keys"):
            continue
        row: dict[str, Any] = {}
        for column in table.c:
            kind = column.type.python_type
            text = f"{table.name} {shop_id}"
            row[column.name] = {str: text, bytes: text.encode()}.get(kind, kind(number))
        rows[table.name] = row | {"shop_id": shop_id}
    return rows


def test_deleting_a_shop_leaves_no_row_of_it_and_every_row_of_others(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    gone, kept = new_shop.shop.shop_id, make_shop(database, clock).shop.shop_id
    with database.write() as connection:
        for shop_id in (gone, kept):
            for name, row in filled(shop_id, 1).items():
                connection.execute(insert(metadata.tables[name]).values(row))

    with database.write() as connection:
        close_shop(connection, gone)
        while delete_some(connection, gone):
            pass

    with database.read() as connection:
        for table in metadata.sorted_tables:
            if "shop_id" in table.c:
                counted = select(table.c.shop_id, func.count()).group_by(table.c.shop_id)
                assert {shop for shop, _ in connection.execute(counted)} == {kept}, table.name


def test_a_closed_shop_is_not_found_and_its_rows_go_piece_by_piece(
    database: Database, new_shop: NewShop
) -> None:
    shop_id = new_shop.shop.shop_id
    with database.write() as connection:
        for name, row in filled(shop_id, 1).items():
            connection.execute(insert(metadata.tables[name]).values(row))
        close_shop(connection, shop_id)
        assert find_shop(connection, shop_id) is None
        assert grant_of(connection, new_shop.write_key) is None
        with pytest.raises(ShopNotFound):
            next_change(connection, shop_id)
        pieces = 0
        while has_rows(connection, shop_id):
            assert delete_some(connection, shop_id, 1) == 1
            pieces += 1
        assert delete_some(connection, shop_id, 1) == 0
    assert pieces == len(filled(shop_id, 1).keys() - {"memberships", "shopify_links"})


def test_deleting_a_shop_that_is_not_there_says_so(database: Database) -> None:
    with pytest.raises(ShopNotFound), database.write() as connection:
        close_shop(connection, 1)


def test_there_is_no_shop_with_an_unknown_id(database: Database) -> None:
    with database.read() as connection:
        assert find_shop(connection, 1) is None
        with pytest.raises(ShopNotFound):
            get_shop(connection, 1)
