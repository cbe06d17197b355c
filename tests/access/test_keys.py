"""Keys open one shop, are kept as digests and can be revoked."""

from typing import Any

import pytest
from sqlalchemy import select

from customer360.access.keys import (
    KINDS,
    Grant,
    grant_of,
    issue_key,
    list_keys,
    pixel_key,
    revoke_key,
)
from customer360.access.shops import NewShop
from customer360.access.tables import api_keys
from customer360.clock import FixedClock
from customer360.errors import NotFound
from customer360.storage.database import Database
from tests.access.conftest import make_shop


def keys_of(new: NewShop) -> dict[str, str]:
    """A new shop's keys by kind."""
    keys = (new.pixel_key, new.write_key, new.api_key, new.webhook_secret)
    return dict(zip(KINDS, keys, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_opens_its_own_shop_as_what_it_is(
    database: Database, new_shop: NewShop, clock: FixedClock, kind: Any
) -> None:
    other = make_shop(database, clock)
    with database.read() as connection:
        for shop in (new_shop, other):
            assert grant_of(connection, keys_of(shop)[kind]) == Grant(shop.shop.shop_id, kind)


@pytest.mark.parametrize("change", [str.upper, lambda key: key[:-1], lambda key: key + " "])
def test_a_key_that_is_not_exactly_right_opens_nothing(
    database: Database, new_shop: NewShop, change: Any
) -> None:
    with database.read() as connection:
        assert grant_of(connection, change(new_shop.api_key)) is None


def test_a_secret_key_is_nowhere_in_the_database(database: Database, new_shop: NewShop) -> None:
    with database.read() as connection:
        stored = repr(connection.execute(select(api_keys)).all())
    for kind, key in keys_of(new_shop).items():
        assert (key in stored) == (kind == "pixel")


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    shop_id = new_shop.shop.shop_id
    with database.write() as connection:
        write = next(key for key in list_keys(connection, shop_id) if key.kind == "write")
        revoke_key(connection, shop_id, write.key_id, clock.now())
        assert grant_of(connection, new_shop.write_key) is None
        assert grant_of(connection, new_shop.api_key) is not None
        listed = {key.kind: key.revoked_at for key in list_keys(connection, shop_id)}
    assert listed == {"pixel": None, "write": clock.now(), "api": None, "webhook": None}


def test_no_shop_can_revoke_the_key_of_another(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    other = make_shop(database, clock)
    with database.write() as connection:
        key = list_keys(connection, new_shop.shop.shop_id)[0]
        with pytest.raises(NotFound):
            revoke_key(connection, other.shop.shop_id, key.key_id, clock.now())
        assert grant_of(connection, new_shop.pixel_key) is not None


def test_the_snippet_shows_the_newest_pixel_key_that_works(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    shop_id = new_shop.shop.shop_id
    with database.write() as connection:
        first, *_ = list_keys(connection, shop_id)
        second = issue_key(connection, shop_id, "pixel", clock.now())
        assert pixel_key(connection, shop_id) == second
        for key in list_keys(connection, shop_id):
            if key.readable == second:
                revoke_key(connection, shop_id, key.key_id, clock.now())
        assert pixel_key(connection, shop_id) == first.readable == new_shop.pixel_key
        revoke_key(connection, shop_id, first.key_id, clock.now())
        assert pixel_key(connection, shop_id) is None
