"""Settings, Identity: the shop's rules, who changed them, and how far they have reached."""

import pytest

from customer360.identities.rules import Choice, as_told, present_version
from tests.web.conftest import EMAIL, Site, text_of

DEFAULTS = as_told(Choice())


def saved(site: Site) -> Choice:
    with site.house.app.database.read() as connection:
        return present_version(connection, site.house.shop.shop_id).choice


def test_a_changed_rule_holds_and_is_listed_with_who_changed_it(site: Site) -> None:
    told = DEFAULTS | {"email": "3", "placeholders": "walk-in\ninfo@shop.example"}

    page = text_of(site.owner.post(f"{site.root}/settings/identity", told, follow=True).text)

    assert saved(site).limits["email"] == 3
    assert saved(site).placeholders == ("info@shop.example", "walk-in")
    assert "Saved. Everybody is being resolved anew." in page
    assert "E-mail, per profile 5 3 " + EMAIL in page
    assert "Everybody is being resolved by the newest rules: 0 of 0" in page


def test_once_everybody_is_resolved_the_page_says_nothing_of_it(site: Site) -> None:
    site.owner.post(f"{site.root}/settings/identity", DEFAULTS | {"email": "3"})
    site.house.drain()

    page = text_of(site.owner.get(f"{site.root}/settings/identity").text)

    assert "by the newest rules" not in page


def test_saving_the_same_changes_nothing(site: Site) -> None:
    page = text_of(site.owner.post(f"{site.root}/settings/identity", DEFAULTS, follow=True).text)

    assert "Nothing was changed." in page
    assert "From" not in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "0"),
        ("email", "9" * 5000),
        ("known_identifiers", "lots"),
        ("placeholders", "x" * 300),
    ],
)
def test_a_rule_that_cannot_be_is_told_beside_its_field(site: Site, field: str, value: str) -> None:
    answer = site.owner.post(f"{site.root}/settings/identity", DEFAULTS | {field: value})

    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in answer.text
    assert saved(site) == Choice()
