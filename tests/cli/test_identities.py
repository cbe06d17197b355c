"""`c360 identities`: everybody looked at again, and the shop's own rules."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from customer360.storage.database import Database
from tests.cli.conftest import Run, create_shop, said

ORDERS = """Order,Mail,User,When,Price,Product
1,ann@x.com,u1,2026-01-02 10:00,9.00,tea
2,bob@x.com,u1,2026-01-03 10:00,9.00,tea
3,bob@x.com,u2,2026-01-04 10:00,9.00,tea
"""


@pytest.fixture
def imported(c360: Run, shop: dict[str, str], tmp_path) -> dict[str, str]:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)
    mapping = ("order_id=Order", "email=Mail", "customer_id=User", "placed_at=When")
    mapping += ("unit_price=Price", "product_id=Product")
    pairs = [part for pair in mapping for part in ("--map", pair)]
    c360("import", "orders", str(file), "--shop", "Harbour Tea", "--format", "generic", *pairs)
    return shop


def test_a_check_says_how_much_there_is_and_ends_with_1_where_anything_differs(
    c360: Run, imported: dict[str, str], database: Database
) -> None:
    spoken = c360("identities", "check").stdout
    assert "Harbour Tea: 3 observations in 1 component, of which 1 was replayed; 0 differ" in spoken
    with database.write() as connection:
        connection.execute(text("update ownerships set since = 0"))

    (told,) = said(c360("identities", "check", "--shop", "Harbour Tea", "--json", code=1))

    assert told == {
        "shop_id": imported["shop_id"],
        "name": "Harbour Tea",
        "observations": 3,
        "components": 1,
        "replayed": 1,
        "too_large": 0,
        "differing": 1,
    }
    assert "1 was resolved anew" in c360("identities", "resolve").stdout
    assert "0 differ" in c360("identities", "check").stdout
    (told,) = said(c360("identities", "resolve", "--json"))
    assert (told["differing"], told["resolved"]) == (0, 0)


def test_what_ends_early_is_not_said_to_be_resolved(
    c360: Run, imported: dict[str, str], database: Database
) -> None:
    with database.write() as connection:
        connection.execute(text("update ownerships set since = 0"))
        # Somebody changes the rules between the look at everybody and the first thing that is written.
        connection.execute(
            text(
                "create trigger overtake after update on shop_clock begin insert into identity_rules"
                " values (new.shop_id, 1 + new.change, '{}', 'ann', 0, 0, 0, null); end"
            )
        )

    spoken = c360("identities", "resolve", code=1).stdout
    (told,) = said(c360("identities", "resolve", "--json", code=1))

    assert "of 1 that differed, 0 were resolved anew: the rules were changed meanwhile" in spoken
    assert (told["differing"], told["resolved"]) == (1, 0)


def test_any_name_of_a_shop_can_be_shown_beside_its_progress(c360: Run) -> None:
    name = "Tea [/b] & Co"
    create_shop(c360, name)

    assert f"{name}: 0 observations" in c360("identities", "resolve").stdout


def test_changed_rules_are_shown_with_who_changed_them_and_reach_everybody_with_the_next_drain(
    c360: Run, imported: dict[str, str]
) -> None:
    at = ("--shop", "Harbour Tea")
    spoken = c360("identities", "rules", *at, "--set", "shopify_customer_id=2").stdout
    assert "command line: shopify_customer_id from 1 to 2" in spoken
    assert "Everybody is being resolved by these rules: 0 of 0 components" in spoken
    assert "1 differs from what is stored" in c360("identities", "check", code=1).stdout

    c360("drain")

    told = said(c360("identities", "rules", *at, "--json"))
    assert told["rules"]["shopify_customer_id"] == "2"
    assert (told["version"], told["resolved"]) == (1, True)
    (change,) = told["changes"]
    assert (change["name"], change["from"], change["to"]) == ("shopify_customer_id", "1", "2")
    assert "0 differ" in c360("identities", "check").stdout


@pytest.mark.parametrize(
    ("given", "said_of_it"),
    [
        ("email", "no NAME=VALUE"),
        ("email=many", "email: Give a whole number from 1 to 100"),
        ("email=0", "email: Give a whole number from 1 to 100"),
        ("cookie=3", "There is no rule 'cookie'"),
    ],
)
def test_a_rule_that_cannot_be_is_told(
    c360: Run, shop: dict[str, str], given: str, said_of_it: str
) -> None:
    spoken = c360("identities", "rules", "--shop", "Harbour Tea", "--set", given, code=2).output

    assert said_of_it in spoken


@pytest.mark.timeout(20)
def test_whoever_looks_at_the_rules_waits_for_nobody_who_writes(
    c360: Run, shop: dict[str, str], database: Database
) -> None:
    with database.write():
        told = said(c360("identities", "rules", "--shop", "Harbour Tea", "--json"))

    assert told["version"] == 0
