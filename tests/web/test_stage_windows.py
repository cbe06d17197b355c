"""Settings, Stages and scores: the shop's windows, what changes with them, and who changed them."""

from __future__ import annotations

import pytest

from customer360.access.shops import get_shop
from customer360.profiles.stages import Windows, windows_of
from tests.web.conftest import EMAIL, Site, text_of

USUAL = {"at_risk_days": "30", "churned_days": "90", "rfm_recency_days": "30, 60, 90, 180"}
SEEN = {f"seen_{name}": value for name, value in USUAL.items()}


def saved(site: Site) -> Windows:
    with site.house.app.database.read() as connection:
        return windows_of(get_shop(connection, site.house.shop.shop_id).settings)


def test_a_changed_window_is_listed_and_stages_follow_at_once(site: Site) -> None:
    properties = {"order_id": "1", "total": "5.00", "currency": "EUR"}
    call = {"type": "track", "event": "Order Completed", "userId": "ann", "properties": properties}
    site.house.segment(call | {"timestamp": "2026-06-01T09:00:00Z"})
    site.house.drain()
    customer = f"{site.root}/customers/{site.house.profile_id('user_id:ann')}"
    assert "Converted since 1 Jun 2026" in text_of(site.owner.get(customer).text)

    told = USUAL | SEEN | {"at_risk_days": "10", "rfm_recency_days": "7,14,28,56"}
    page = text_of(site.owner.post(f"{site.root}/settings/stages", told, follow=True).text)

    assert saved(site) == Windows(10, 90, (7, 14, 28, 56))
    assert "Saved. All stages follow at once, RFM with the next run." in page
    assert f"At risk after days 30 10 {EMAIL}" in page
    assert f"Recency limits in days 30, 60, 90, 180 7, 14, 28, 56 {EMAIL}" in page
    assert "At risk since 11 Jun 2026; before: converted" in text_of(site.owner.get(customer).text)


def test_saving_the_same_changes_nothing(site: Site) -> None:
    answer = site.owner.post(f"{site.root}/settings/stages", USUAL | SEEN, follow=True)

    assert "Nothing was changed." in text_of(answer.text)
    assert saved(site) == Windows()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at_risk_days", "0"),
        ("at_risk_days", "90"),
        ("at_risk_days", "soon"),
        ("churned_days", "9" * 5000),
        ("churned_days", "40, 50"),
        ("rfm_recency_days", "30, 60, 90"),
        ("rfm_recency_days", "30, 90, 60, 180"),
    ],
)
def test_a_window_that_cannot_be_is_told_beside_its_field(
    site: Site, field: str, value: str
) -> None:
    answer = site.owner.post(f"{site.root}/settings/stages", USUAL | SEEN | {field: value})

    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in answer.text
    assert saved(site) == Windows()


def test_who_saves_what_somebody_else_has_changed_sees_what_holds_now(site: Site) -> None:
    address = f"{site.root}/settings/stages"
    site.owner.post(address, USUAL | SEEN | {"at_risk_days": "20"})

    answer = site.owner.post(address, USUAL | SEEN | {"churned_days": "60"})

    assert answer.status_code == 409
    assert "Somebody changed the windows meanwhile" in text_of(answer.text)
    assert 'name="at_risk_days" inputmode="numeric" required value="20"' in answer.text
    assert saved(site) == Windows(20)
