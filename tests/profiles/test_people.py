"""What a person is shown with: their own address, what trusted sources told, and what brought them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.events.model import Trust
from customer360.profiles.hydrate import hydrate, search
from tests.house import House, at


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def identify(user: str, minutes: float, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "timestamp": at(minutes), "traits": traits}


def email_of(house: House, user: str) -> str:
    with house.app.database.read() as connection:
        profile_id = house.profile_id(f"user_id:{user}")
        (summary,) = hydrate(connection, house.shop.shop_id, [profile_id])
    return summary.email


def found(house: House, text: str) -> list[int]:
    with house.app.database.read() as connection:
        return search(connection, house.shop.shop_id, text, 10)


@pytest.mark.parametrize("trust", [Trust.PUBLIC, Trust.FULL])
def test_nobody_is_shown_with_the_address_of_somebody_else(house: House, trust: Trust) -> None:
    house.segment(identify("ivan", -50, email="ivan@x.com"), identify("hana", -40, plan="a"))
    house.work_off()
    house.segment(identify("hana", -10, email="ivan@x.com"), trust=trust)
    house.work_off()
    assert email_of(house, "hana") == ""
    assert found(house, "ivan@") == [house.profile_id("user_id:ivan")]


def test_an_address_that_a_browser_only_claims_stands_behind_the_persons_own(house: House) -> None:
    house.segment(identify("hana", -50, email="hana@x.com"))
    house.work_off()
    house.segment(identify("hana", -10, email="evil@evil.com"), trust=Trust.PUBLIC)
    house.work_off()
    assert email_of(house, "hana") == "hana@x.com"
    card = house.card("user_id:hana")
    assert card.attributes["email_domain"] == "x.com"
    assert card.contact_points[0].address == "hana@x.com"


def test_a_browser_changes_neither_country_nor_tags_that_the_shop_knows(house: House) -> None:
    told = {"city": "Cork", "country": "IE", "plan": "gold", "tags": "vip"}
    house.segment(identify("hana", -50, **told))
    house.work_off()
    claimed = {"city": "Nice", "country": "FR", "plan": "free", "tags": "none", "zip": "06000"}
    call = identify("hana", -10, **claimed) | {"context": {"locale": "fr-FR"}}
    house.segment(call, trust=Trust.PUBLIC)
    house.work_off()
    known = house.card("user_id:hana").attributes
    assert (known["city"], known["country"], known["tags"]) == ("Cork", "IE", ["vip"])
    assert (known["zip"], known["language"]) == ("06000", "fr-FR")


def test_an_order_that_only_shopify_tells_of_says_what_brought_its_buyer(house: House) -> None:
    order = {
        "id": 71,
        "created_at": at(-30),
        "updated_at": at(-30),
        "currency": "EUR",
        "total_price": "10.00",
        "customer": {"id": 5},
        "landing_site": "/p?utm_source=brevo&utm_medium=email&utm_campaign=may",
        "referring_site": "https://mail.google.com/",
    }
    house.shopify("orders/create", order)
    house.work_off()
    known = house.card("shopify_customer_id:5").attributes
    for end in ("first", "last"):
        told = [known[f"{end}_touch_{part}"] for part in ("source", "medium", "campaign")]
        assert told == ["brevo", "email", "may"]
