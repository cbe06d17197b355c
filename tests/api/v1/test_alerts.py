"""Alerts, as programs ask for them."""

from __future__ import annotations

from tests.api.v1.conftest import Desk, identify, known_by_many


def test_an_alert_says_who_and_since_when_and_stays_when_it_is_acknowledged(desk: Desk) -> None:
    desk.house.segment(*known_by_many("till"), identify("ann"))
    desk.house.drain()
    page = desk.page("/alerts")
    (alert,) = page["items"]
    assert alert == {
        "alert_id": alert["alert_id"],
        "kind": "frozen",
        "profile_id": str(desk.house.profile_id("user_id:till")),
        "made_at": "2026-06-15T12:00:00Z",
        "acknowledged_at": None,
        "acknowledged_by": None,
        "ended_at": None,
    }

    seen = desk.told(f"/alerts/{alert['alert_id']}/acknowledge", method="POST")

    assert seen == alert | {"acknowledged_at": "2026-06-15T12:00:00Z", "acknowledged_by": "API"}
    assert desk.page("/alerts") == page | {"items": [seen]}
    assert desk.page("/alerts", state="ended")["items"] == []


def test_alerts_are_walked_page_by_page(desk: Desk) -> None:
    desk.house.segment(*known_by_many("till"), *known_by_many("kiosk"))
    desk.house.drain()

    found = desk.walk("/alerts", limit=1)

    assert len({alert["profile_id"] for alert in found}) == 2
    assert found == desk.page("/alerts")["items"]


def test_an_alert_that_is_none_is_not_found(desk: Desk) -> None:
    for number in ("1", "nonsense"):
        desk.problem(desk.ask(f"/alerts/{number}/acknowledge", method="POST"), 404)
