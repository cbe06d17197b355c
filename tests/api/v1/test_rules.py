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
    assert [(one["name"], one["before"], one["after"], one["by"]) for one in told["changes"]] == [
        ("email", "5", "3", "API"),
        ("placeholders", "", "walk-in", "API"),
    ]
    desk.house.drain()
    assert desk.told("/identity/rules")["resolved"]


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ({"limits": {"email": 0}}, "email"),
        ({"limits": {"cookie": 1}}, "limits"),
        ({"stale_months": 1000}, "stale_months"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(desk: Desk, rules: dict[str, Any], path: str) -> None:
    answer = put(desk, **rules)

    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]
