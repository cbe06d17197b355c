import re

import pytest
from sqlalchemy import select

from customer360.access.keys import grant_of
from customer360.access.shopify import shopify_secrets
from customer360.access.shops import get_shop
from customer360.access.tables import sign_in_links
from tests.web.conftest import EMAIL, PASSWORD, Site, text_of

SHOP = {"name": "Tea", "currency": "EUR", "timezone": "Europe/Dublin", "country": "IE"}


def shop_of(site: Site) -> tuple[str, str, str, str]:
    with site.house.app.database.read() as connection:
        shop = get_shop(connection, site.house.shop.shop_id)
    return shop.name, shop.currency, shop.timezone, shop.country


def opens(site: Site, key: str) -> bool:
    with site.house.app.database.read() as connection:
        return grant_of(connection, key) is not None


def test_the_shop_can_be_changed(site: Site) -> None:
    new = {"name": "Tea", "currency": "GBP", "timezone": "Europe/London", "country": "GB"}
    site.owner.post(f"{site.root}/settings", new)
    assert shop_of(site) == ("Tea", "GBP", "Europe/London", "GB")


def test_the_currency_is_fixed_once_data_has_arrived(site: Site) -> None:
    site.house.segment({"type": "track", "event": "A", "userId": "u1"})
    assert "Fixed: there are amounts in it" in site.owner.get(f"{site.root}/settings").text
    site.owner.post(f"{site.root}/settings", SHOP | {"currency": "GBP"})
    assert shop_of(site)[:2] == ("Tea", "EUR")


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("currency", "XXQ"), ("timezone", "Moon/Base"), ("country", "??")],
)
def test_a_value_that_cannot_be_is_told_beside_its_field(
    site: Site, field: str, value: str
) -> None:
    before = shop_of(site)
    answer = site.owner.post(f"{site.root}/settings", SHOP | {field: value})
    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in answer.text
    assert shop_of(site) == before


def test_a_key_is_shown_in_full_only_when_it_is_made(site: Site) -> None:
    made = site.owner.post(f"{site.root}/settings/keys", {"kind": "api"})
    found = re.search(r'id="made"[^>]*>(ak_[\w-]+)<', made.text)
    assert found
    assert opens(site, found[1])
    assert found[1] not in site.owner.get(f"{site.root}/settings/keys").text


def test_a_revoked_key_opens_nothing(site: Site) -> None:
    page = site.owner.get(f"{site.root}/settings/keys").text
    for address in re.findall(r'action="([^"]+/revoke)"', page):
        site.owner.post(address)
    keys = site.house.new_shop
    assert not any(opens(site, key) for key in (keys.pixel_key, keys.write_key, keys.api_key))
    assert "Make a pixel key first" in site.owner.get(f"{site.root}/settings/keys").text
    assert "All pixel keys are revoked" in site.owner.get(f"{site.root}/sources").text


def test_a_key_of_a_kind_that_is_none_is_not_made(site: Site) -> None:
    assert site.owner.post(f"{site.root}/settings/keys", {"kind": "root"}).status_code == 422


def test_a_new_user_signs_in_with_the_link_that_is_shown_once(site: Site) -> None:
    made = site.owner.post(f"{site.root}/settings/users", {"email": "Cy@People.example"})
    link = re.search(r"http://\S+(/sign-in/link/[\w-]+)", made.text)
    assert link
    site.nobody.post(link[1], token_from=link[1])
    assert site.nobody.get(f"{site.root}/sources").status_code == 200
    assert "cy@people.example" in site.owner.get(f"{site.root}/settings/users").text


def test_who_has_an_account_joins_and_nobody_gets_a_link_to_it(site: Site) -> None:
    elsewhere = f"/shops/{site.other_shop.shop_id}/sources"
    assert site.owner.get(elsewhere).status_code == 404
    page = site.owner.post(f"{site.root}/settings/users", {"email": "Bob@Elsewhere.example"})
    assert "has an account here already" in page.text
    assert "/sign-in/link/" not in page.text
    with site.house.app.database.read() as connection:
        assert connection.execute(select(sign_in_links)).all() == []
    assert site.owner.get(elsewhere).status_code == 404
    assert site.stranger.get(f"{site.root}/sources").status_code == 200
    assert site.stranger.get(elsewhere).status_code == 200


def test_who_was_added_before_gets_no_second_link(site: Site) -> None:
    form = {"email": "cy@people.example"}
    assert "/sign-in/link/" in site.owner.post(f"{site.root}/settings/users", form).text
    assert "/sign-in/link/" not in site.owner.post(f"{site.root}/settings/users", form).text


def test_a_removed_user_is_out_at_once(site: Site) -> None:
    made = site.owner.post(f"{site.root}/settings/users", {"email": "cy@people.example"})
    link = re.search(r"http://\S+(/sign-in/link/[\w-]+)", made.text)
    assert link
    site.nobody.post(link[1], token_from=link[1])
    remove = re.findall(
        r'action="([^"]+/remove)"', site.owner.get(f"{site.root}/settings/users").text
    )
    for address in remove:
        if str(site.user_id) not in address:
            site.owner.post(address)
    assert site.nobody.get(f"{site.root}/sources").status_code == 404


def test_the_last_owner_stays(site: Site) -> None:
    answer = site.owner.post(f"{site.root}/settings/users/{site.user_id}/remove", follow=True)
    assert "A shop needs an owner" in answer.text
    assert site.owner.get(f"{site.root}/sources").status_code == 200


def test_what_is_no_address_makes_no_user(site: Site) -> None:
    answer = site.owner.post(f"{site.root}/settings/users", {"email": "cy at home"})
    assert answer.status_code == 422
    assert "is no e-mail address" in text_of(answer.text)


def test_a_shopify_shop_is_linked_and_unlinked(site: Site) -> None:
    def secrets() -> object:
        with site.house.app.database.read() as connection:
            now = site.house.clock.now()
            return shopify_secrets(connection, "tea.myshopify.com", now, "test secret")

    form = {"domain": "Tea.myshopify.com", "secret": "shhh"}
    page = site.owner.post(f"{site.root}/settings/shopify", form, follow=True)
    assert "tea.myshopify.com" in page.text
    assert "shhh" not in page.text
    assert secrets() is not None
    site.owner.post(f"{site.root}/settings/shopify/unlink", {"domain": "tea.myshopify.com"})
    assert secrets() is None


def test_a_domain_of_another_shop_cannot_be_taken(site: Site) -> None:
    form = {"domain": "tea.myshopify.com", "secret": "shhh"}
    site.stranger.post(f"/shops/{site.other_shop.shop_id}/settings/shopify", form)
    answer = site.owner.post(f"{site.root}/settings/shopify", form)
    assert answer.status_code == 422
    assert "linked to another shop" in answer.text


def test_a_new_password_signs_out_every_other_browser(site: Site) -> None:
    site.nobody.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    form = {"present": PASSWORD, "password": "a new and long sentence"}
    page = site.owner.post(f"{site.root}/settings/account", form, follow=True)
    assert "Your password is set" in page.text
    assert site.nobody.get("/shops").status_code == 303


@pytest.mark.parametrize(
    ("present", "new"), [("wrong", "a new and long sentence"), (PASSWORD, "short")]
)
def test_a_password_is_not_changed_without_the_present_one_nor_to_a_short_one(
    site: Site, present: str, new: str
) -> None:
    form = {"present": present, "password": new}
    assert site.owner.post(f"{site.root}/settings/account", form).status_code == 422
    signed_in = site.nobody.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 303
