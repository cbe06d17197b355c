"""What enrichment tells on a person's card: the stage by what they just did, and what follows from their scores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customer360.clock import DAY, parse_instant
from customer360.profiles.attributes import CONSENTS, ENRICHED_ATTRIBUTES
from customer360.profiles.moving import enriched_attributes
from tests.house import House, at

TODAY = date(2026, 6, 15)
ZONE = "Europe/Dublin"


def told(scores: dict[str, Any], **known: Any) -> dict[str, Any]:
    """The enriched attributes of a buyer who can be reached; the action is what it was asked of."""
    usual = {"orders_count": 1, "lifecycle_stage": "loyal", **dict.fromkeys(CONSENTS, "never")}
    asked = {**usual, "consent_sms": "granted", **known}
    return enriched_attributes(scores, asked, TODAY, ZONE, lambda *facts: repr(facts))


def test_scores_are_told_as_they_were_found() -> None:
    found = told({"tier": "vip", "ltv": 1_234_500, "rfm_group": "loyal", "churn_recency": 0.5})

    assert (found["tier"], found["ltv"], found["rfm_group"]) == ("vip", 1_234_500, "loyal")
    assert found["churn_risk"] is None
    # What an index is made of is no attribute.
    assert found.keys() | {"lifecycle_stage"} == {one.name for one in ENRICHED_ATTRIBUTES}


def test_whoever_has_no_order_is_a_prospect() -> None:
    assert told({}, orders_count=0)["rfm_group"] == "prospects"
    assert told({"rfm_group": "new"}, orders_count=0)["rfm_group"] == "prospects"
    assert told({})["rfm_group"] is None


@pytest.mark.parametrize(
    ("expected", "days"),
    [("2026-06-20T12:00", 0), ("2026-06-15T00:00", 0), ("2026-06-14T23:59", 1)],
)
def test_an_order_is_overdue_once_its_day_is_past(expected: str, days: int) -> None:
    scores = {"predicted_next_order_at": parse_instant(expected, ZONE)}

    assert told(scores)["next_order_overdue_days"] == days
    assert told({})["next_order_overdue_days"] is None


@pytest.mark.parametrize(
    ("scores", "known", "asked"),
    [
        ({}, {}, ("loyal", "", True, False)),
        (
            {"churn_band": "drifting", "products_due": ["Tea"]},
            {},
            ("loyal", "drifting", True, True),
        ),
        ({"products_due": []}, {"consent_sms": "pending"}, ("loyal", "", False, False)),
    ],
)
def test_the_next_action_is_asked_of_stage_band_consent_and_products(
    scores: dict[str, Any], known: dict[str, str], asked: tuple[object, ...]
) -> None:
    assert told(scores, **known)["next_best_action"] == repr(asked)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def order(user: str, number: str, minutes: float) -> dict[str, Any]:
    properties = {"order_id": number, "total": 10, "currency": "EUR"}
    told = {"event": "Order Completed", "timestamp": at(minutes), "properties": properties}
    return {"type": "track", "userId": user, **told}


def stage(house: House) -> Any:
    return house.attributes("user_id:u1", "lifecycle_stage")["lifecycle_stage"]


def test_a_stage_follows_what_a_person_does_and_then_does_not(house: House) -> None:
    house.segment({"type": "identify", "userId": "u1", "traits": {"first_name": "Ann"}})
    house.work_off()
    found = [stage(house)]

    for number, minutes in (("1", 1), ("2", 2)):
        house.segment(order("u1", number, minutes))
        house.work_off()
        found.append(stage(house))
    for days in (29, 1, 60):
        house.clock.advance(days * DAY)
        found.append(stage(house))
    settings = {"enrichment": {"at_risk_days": 100, "churned_days": 200}}
    house.shop = msgspec.structs.replace(house.shop, settings=settings)
    found.append(stage(house))

    assert found == ["new", "converted", "loyal", "loyal", "at_risk", "churned", "loyal"]
