"""A shop's own rules of identity over the API."""

from typing import Any

import pytest

from tests.api.v1.conftest import Desk


def put(desk: Desk, **rules: Any) -> Any:
    return desk.ask("/identity/rules", method="PUT", json=rules)


def test_rules_that_are_named_are_changed_and_the_others_stay(desk: Desk) -> None:
    assert desk.told("/identity/rules")["limits"]["email"] == 5

    told = put(desk, limits={"email": 3}, placeholders=["Walk-In"]).json()

    assert told == desk.told("/identity/rules")
    assert (told["limits"]["email"], told["limits"]["phone"]) == (3, 5)
    assert (told["placeholders"], told["resolved"]) == (["walk-in"], False)
    desk.house.drain()
    assert desk.told("/identity/rules")["resolved"]


def test_every_change_is_told_page_by_page_with_who_made_it(desk: Desk) -> None:
    assert desk.page("/identity/rules/versions") == {"items": [], "next_cursor": None, "total": 0}
    for number in (3, 4, 3):
        put(desk, limits={"email": number})
    put(desk, stale_months=24, placeholders=["Walk-In"])

    found = desk.walk("/identity/rules/versions", limit=2)

    def change(name: str, before: str, after: str) -> dict[str, str]:
        return {"name": name, "before": before, "after": after}

    assert [(one["version"], one["changes"]) for one in found] == [
        (4, [change("stale_months", "12", "24"), change("placeholders", "", "walk-in")]),
        (3, [change("email", "4", "3")]),
        (2, [change("email", "3", "4")]),
        (1, [change("email", "5", "3")]),
    ]
    assert {(one["by"], one["at"]) for one in found} == {("API", "2026-06-15T12:00:00Z")}
    assert desk.page("/identity/rules/versions", limit=1)["total"] == 4


LIMITS = "amazon_buyer, ebay_buyer, pos_customer, shopify_customer_id, tiktok_buyer, user_id, email, phone"


@pytest.mark.parametrize(
    ("rules", "path", "message"),
    [
        ({"limits": {"email": 0}}, "limits.email", "Give a whole number from 1 to 100."),
        ({"limits": {"email": "3"}}, "limits.email", "Give a whole number from 1 to 100."),
        ({"limits": {"cookie": 1}}, "limits.cookie", f"There are limits of {LIMITS}."),
        ({"stale_months": 1000}, "stale_months", "Give a whole number from 1 to 120."),
        ({"hub_profiles": 1.5}, "hub_profiles", "Give a whole number from 1 to 1,000."),
        ({"hub_profiles": True}, "hub_profiles", "Give a whole number from 1 to 1,000."),
        ({"hub": 1}, "hub", "unknown parameter"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_path_with_what_can_be(
    desk: Desk, rules: dict[str, Any], path: str, message: str
) -> None:
    answer = put(desk, **rules)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": path, "message": message}]
