"""A profile that links no further by itself has an alert, from then until it links again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.house import House, at

from customer360.clock import HOUR
from customer360.errors import AlertNotFound
from customer360.identities.alerts import (
    AlertRow,
    acknowledge,
    alert_of,
    count_alerts,
    list_alerts,
)
from customer360.identities.merge_log import MergeRow
from customer360.identities.rules import Choice, change_rules
from customer360.intake import merging
from customer360.intake.resolving import check_shop, resolve_shop

MOST = 50


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


def seen(house: House, user: str, numbers: range) -> None:
    """One account, seen with an id of the mail tool each time."""
    for number in numbers:
        ids = [{"type": "klaviyo_id", "id": f"{user}-{number}"}]
        call = {"type": "identify", "userId": user, "timestamp": at(number)}
        house.segment({**call, "context": {"externalIds": ids}})
    house.work_off()


def alerts(house: House, state: str = "open") -> list[AlertRow]:
    with house.app.database.read() as connection:
        return list_alerts(connection, house.shop.shop_id, state=state)  # type: ignore[arg-type]


def merge(house: House, one: str, other: str) -> MergeRow:
    ids = (house.profile_id(f"user_id:{one}"), house.profile_id(f"user_id:{other}"))
    with house.app.database.write() as connection:
        return merging.merge(
            connection, house.shop.shop_id, ids, actor="ann@x.example", now=house.clock.now()
        )


def undo(house: House, row: MergeRow) -> None:
    with house.app.database.write() as connection:
        merging.undo(
            connection,
            house.shop.shop_id,
            row.merge_id,
            actor="ann@x.example",
            now=house.clock.now(),
            window=HOUR,
        )


def choose(house: House, known_identifiers: int) -> None:
    """Let another limit hold for everybody."""
    choice, now = Choice(known_identifiers=known_identifiers), house.clock.now()
    with house.app.database.write() as connection:
        change_rules(connection, house.shop.shop_id, choice, "IE", actor="", now=now)
    for _ in resolve_shop(house.app.database, house.clock, house.shop.shop_id):
        pass


def see(house: House, alert_id: int, actor: str) -> AlertRow:
    with house.app.database.write() as connection:
        return acknowledge(
            connection, house.shop.shop_id, alert_id, actor=actor, now=house.clock.now()
        )


def test_the_identifier_above_the_limit_makes_one_alert_that_says_since_when(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    seen(house, "till", range(MOST - 1))
    assert alerts(house) == []
    froze_at = house.clock.now()

    with caplog.at_level(logging.WARNING):
        seen(house, "till", range(MOST - 1, MOST + 5))
        house.clock.advance(HOUR)
        seen(house, "till", range(MOST + 5, MOST + 9))

    (alert,) = alerts(house)
    till = house.profile_id("user_id:till")
    assert (alert.kind, alert.profile_id, alert.made_at) == ("frozen", till, froze_at)
    assert (alert.acknowledged_at, alert.acknowledged_by, alert.ended_at) == (None, "", None)
    assert [record.getMessage() for record in caplog.records] == [
        f"shop {house.shop.shop_id}: profile {till} links no further by itself: it has too many identifiers"
    ]


def test_whoever_sees_an_alert_first_stays_named(house: House) -> None:
    seen(house, "till", range(MOST))
    (alert,) = alerts(house)
    first_at = house.clock.now()

    see(house, alert.alert_id, "ann@x.example")
    house.clock.advance(HOUR)
    again = see(house, alert.alert_id, "bob@x.example")

    assert (again.acknowledged_at, again.acknowledged_by) == (first_at, "ann@x.example")
    assert alerts(house) == [again]
    with house.app.database.read() as connection:
        assert count_alerts(connection, house.shop.shop_id, unseen=True) == 0
        assert alert_of(connection, house.shop.shop_id, again.profile_id) == again


def test_an_undo_after_which_a_profile_links_again_ends_its_alert(house: House) -> None:
    seen(house, "one", range(30))
    seen(house, "two", range(30))
    row = merge(house, "one", "two")
    (alert,) = alerts(house)
    assert alert.profile_id == row.kept_id
    house.clock.advance(HOUR // 2)

    undo(house, row)

    assert alerts(house) == []
    (ended,) = alerts(house, "ended")
    assert (ended.alert_id, ended.ended_at) == (alert.alert_id, house.clock.now())


@pytest.mark.parametrize(("before", "after"), [(50, 100), (100, 50)])
def test_another_limit_makes_and_ends_alerts_where_nothing_else_changes(
    house: House, before: int, after: int
) -> None:
    choose(house, before)
    seen(house, "one", range(30))
    seen(house, "two", range(30))
    merge(house, "one", "two")
    assert len(alerts(house)) == (before == 50)

    choose(house, after)

    assert len(alerts(house)) == (after == 50)
    assert check_shop(house.app.database, house.shop.shop_id).differing == ()


def test_two_frozen_profiles_have_one_alert_while_they_are_one(house: House) -> None:
    seen(house, "one", range(MOST + 1))
    house.clock.advance(HOUR)
    seen(house, "two", range(MOST + 1))
    two, one = alerts(house)

    row = merge(house, "one", "two")

    assert [alert.alert_id for alert in alerts(house)] == [one.alert_id]
    undo(house, row)
    found = {alert.profile_id: alert.alert_id for alert in alerts(house)}
    assert found.keys() == {one.profile_id, two.profile_id}
    assert found[one.profile_id] == one.alert_id


def test_alerts_are_paged_newest_first(house: House) -> None:
    for user in ("one", "two"):
        seen(house, user, range(MOST))
    two, one = alerts(house)

    with house.app.database.read() as connection:
        shop_id = house.shop.shop_id
        assert list_alerts(connection, shop_id, limit=1) == [two]
        assert list_alerts(connection, shop_id, before=two.alert_id) == [one]
        assert count_alerts(connection, shop_id) == 2


def test_an_alert_of_another_shop_is_none(house: House) -> None:
    seen(house, "till", range(MOST))
    (alert,) = alerts(house)
    house.open_shop()

    assert alerts(house) == []
    with pytest.raises(AlertNotFound):
        see(house, alert.alert_id, "eve@x.example")
