"""A Shopify domain leads to one shop; its secrets are sealed and overlap for an hour when they change."""

import pytest
from sqlalchemy import select

from customer360.access.seal import SealBroken, seal, unseal
from customer360.access.shopify import (
    link_shopify,
    shopify_domain,
    shopify_domains,
    shopify_secrets,
    unlink_shopify,
)
from customer360.access.shops import NewShop, get_shop, uninstall_shop
from customer360.access.tables import shopify_links
from customer360.clock import HOUR, FixedClock
from customer360.errors import Conflict, InvalidInput, ShopNotFound
from customer360.storage.database import Database
from tests.access.conftest import make_shop

KEY = "installation key"
DOMAIN = "harbour-tea.myshopify.com"


def link(
    database: Database, shop: NewShop, clock: FixedClock, secret: str, domain: str = DOMAIN
) -> None:
    with database.write() as connection:
        link_shopify(
            connection,
            shop.shop.shop_id,
            domain=domain,
            secret=secret,
            secret_key=KEY,
            now=clock.now(),
        )


def secrets_now(database: Database, clock: FixedClock) -> tuple[str, ...]:
    with database.read() as connection:
        found = shopify_secrets(connection, DOMAIN, clock.now(), KEY)
    assert found is not None
    return found[1]


def test_a_linked_domain_leads_to_its_shop_and_secret(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    link(database, new_shop, clock, "s1")
    with database.read() as connection:
        assert shopify_secrets(connection, DOMAIN, clock.now(), KEY) == (new_shop.shop, ("s1",))
        assert shopify_domains(connection, new_shop.shop.shop_id) == [DOMAIN]


@pytest.mark.parametrize(
    "written", ["HARBOUR-tea.MyShopify.com", f"https://{DOMAIN}/", f" {DOMAIN} "]
)
def test_a_domain_is_one_however_it_is_written(written: str) -> None:
    assert shopify_domain(written) == DOMAIN


@pytest.mark.parametrize("text", ["", "harbour", "a b.com", "harbour.myshopify.com/admin", "é.com"])
def test_what_is_no_domain_is_not_linked(
    database: Database, new_shop: NewShop, clock: FixedClock, text: str
) -> None:
    with pytest.raises(InvalidInput):
        link(database, new_shop, clock, "s1", text)
    with database.read() as connection:
        assert shopify_secrets(connection, text, clock.now(), KEY) is None


def test_the_old_secret_is_good_for_an_hour_after_a_rotation(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    link(database, new_shop, clock, "s1")
    link(database, new_shop, clock, "s2")
    assert secrets_now(database, clock) == ("s2", "s1")
    clock.advance(HOUR - 1)
    assert secrets_now(database, clock) == ("s2", "s1")
    clock.advance(1)
    assert secrets_now(database, clock) == ("s2",)


def test_linking_with_the_same_secret_again_rotates_nothing(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    for secret in ("s1", "s2", "s2"):
        link(database, new_shop, clock, secret)
    assert secrets_now(database, clock) == ("s2", "s1")


def test_linking_again_brings_an_uninstalled_shop_back(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    link(database, new_shop, clock, "s1")
    with database.write() as connection:
        uninstall_shop(connection, new_shop.shop.shop_id, clock.now())
    link(database, new_shop, clock, "s1")
    with database.read() as connection:
        assert get_shop(connection, new_shop.shop.shop_id).state == "active"


def test_a_domain_cannot_be_taken_from_another_shop(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    link(database, new_shop, clock, "s1")
    with pytest.raises(Conflict):
        link(database, make_shop(database, clock), clock, "s1")


def test_an_unlinked_domain_is_free_for_another_shop(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    link(database, new_shop, clock, "s1")
    with database.write() as connection:
        unlink_shopify(connection, new_shop.shop.shop_id, DOMAIN)
    other = make_shop(database, clock)
    link(database, other, clock, "s2")
    with database.read() as connection:
        assert shopify_secrets(connection, DOMAIN, clock.now(), KEY) == (other.shop, ("s2",))


def test_a_secret_is_not_readable_in_the_database(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    for secret in ("first-secret", "second-secret"):
        link(database, new_shop, clock, secret)
    with database.read() as connection:
        row = connection.execute(select(shopify_links)).one()
    assert unseal(row.secret, KEY) == "second-secret"
    assert b"secret" not in row.secret + row.previous_secret


def test_a_link_needs_a_secret_and_a_shop(
    database: Database, new_shop: NewShop, clock: FixedClock
) -> None:
    with pytest.raises(InvalidInput):
        link(database, new_shop, clock, "  ")
    with pytest.raises(ShopNotFound), database.write() as connection:
        link_shopify(connection, 1, domain=DOMAIN, secret="s", secret_key=KEY, now=clock.now())


def test_nothing_is_unsealed_with_another_key() -> None:
    with pytest.raises(SealBroken):
        unseal(seal("s1", KEY), "another key")
