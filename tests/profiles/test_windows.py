"""A shop's own windows: kept beside its other settings, with who changed them, also when two do at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.access.shops import change_shop, get_shop
from customer360.errors import Conflict, InvalidInput
from customer360.profiles.stages import Windows, windows_of
from customer360.profiles.windows import change_windows, window_changes
from tests.house import House


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def change(house: House, seen: Windows | None = None, **told: Any) -> Windows:
    with house.app.database.write() as connection:
        return change_windows(
            connection,
            house.shop.shop_id,
            told,
            seen=seen,
            actor="ann@shop.example",
            now=house.clock.now(),
        )


def settings(house: House) -> dict[str, Any]:
    with house.app.database.read() as connection:
        return get_shop(connection, house.shop.shop_id).settings


def changes(house: House) -> list[tuple[str, Any, Any, str]]:
    with house.app.database.read() as connection:
        found = window_changes(connection, house.shop.shop_id)
    return [(one.name, one.before, one.after, one.actor) for one in found]


def test_what_is_left_out_stays_and_other_settings_too(house: House) -> None:
    with house.app.database.write() as connection:
        change_shop(connection, house.shop.shop_id, settings={"other": 1, "enrichment": {"x": 2}})

    change(house, at_risk_days=20)
    change(house, churned_days=50)

    assert windows_of(settings(house)) == Windows(20, 50)
    assert settings(house) == {
        "other": 1,
        "enrichment": {"x": 2, "at_risk_days": 20, "churned_days": 50},
    }


def test_every_change_is_kept_newest_first(house: House) -> None:
    change(house, at_risk_days=20)
    change(house, at_risk_days=20, rfm_recency_days=[10, 20, 30, 40])
    change(house, at_risk_days=20)

    assert changes(house) == [
        ("rfm_recency_days", [30, 60, 90, 180], [10, 20, 30, 40], "ann@shop.example"),
        ("at_risk_days", 30, 20, "ann@shop.example"),
    ]


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"at_risk_days": 0}, "at_risk_days"),
        ({"at_risk_days": 90}, "at_risk_days"),
        ({"churned_days": 3651}, "at_risk_days"),
        ({"rfm_recency_days": [30, 30, 90, 180]}, "rfm_recency_days"),
        ({"rfm_recency_days": [0, 30, 90, 180]}, "rfm_recency_days"),
    ],
)
def test_windows_that_tell_nobody_apart_change_nothing(
    house: House, told: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        change(house, **told)

    assert error.value.path == wrong
    assert (settings(house), changes(house)) == ({}, [])


def test_who_saw_older_windows_changes_nothing(house: House) -> None:
    change(house, at_risk_days=20)

    with pytest.raises(Conflict):
        change(house, seen=Windows(), at_risk_days=25)

    assert windows_of(settings(house)).at_risk_days == 20


def test_of_two_who_save_at_once_neither_is_lost(house: House) -> None:
    both = (
        threading.Thread(target=change, args=[house], kwargs={"at_risk_days": 20}),
        threading.Thread(target=change, args=[house], kwargs={"churned_days": 60}),
    )
    with house.app.database.write() as connection:
        change_windows(
            connection,
            house.shop.shop_id,
            {"rfm_recency_days": [1, 2, 3, 4]},
            actor="eve@shop.example",
            now=house.clock.now(),
        )
        for one in both:
            one.start()
    for one in both:
        one.join(20)

    assert windows_of(settings(house)) == Windows(20, 60, (1, 2, 3, 4))
