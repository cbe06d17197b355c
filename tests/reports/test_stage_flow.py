"""The stages of everybody on past days are those that each person's own history tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from itertools import count
from random import Random
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pytest

from customer360.app import SCHEMA
from customer360.clock import DAY, HOUR, MINUTE, Instant, local_date, parse_instant, to_datetime
from customer360.errors import InvalidInput
from customer360.profiles.life import Life, stages_on
from customer360.profiles.stages import ShopCalendar, Windows
from customer360.reports.stage_flow import (
    NOT_YET,
    Between,
    between_days,
    people_between,
    stage_flow,
)
from customer360.storage.engines.duckdb import DuckDBTransaction
from customer360.warehouse.schema import prepare

NOW = parse_instant("2026-06-15T12:00:00Z")
USUAL = ShopCalendar("Europe/Dublin")
Done: TypeAlias = Sequence[tuple[str, Instant]]
"""What somebody did, and when."""


class Crowd:
    """A warehouse of invented lives."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self._transaction = DuckDBTransaction(self.connection)
        prepare(SCHEMA, self._transaction)
        self._event_ids = count(1)

    def fill(self, lives: Mapping[int, Done], visitors: Collection[int] = ()) -> None:
        """People of two fragments each, by id, who did these things."""
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for profile_id, done in lives.items():
            kind = "visitor" if profile_id in visitors else "customer"
            rows["profiles"].append({"profile_id": profile_id, "kind": kind, **_known_of(done)})
            rows["fragment_profiles"] += [
                {"fragment_id": 2 * profile_id + part, "profile_id": profile_id} for part in (0, 1)
            ]
            for number, (what, at) in enumerate(done):
                table, row = self._fact(what, _time(at))
                rows[table].append(row | {"fragment_id": 2 * profile_id + number % 2})
        self.connection.begin()
        for name, told in rows.items():
            columns = ", ".join(told[0])
            marks = ", ".join("?" * len(told[0]))
            self.connection.executemany(
                f"insert into {name} ({columns}) values ({marks})",
                [[*row.values()] for row in told],
            )

    def _fact(self, what: str, at: datetime | None) -> tuple[str, dict[str, Any]]:
        number = next(self._event_ids)
        if what == "visited":
            return "sessions", {"session_id": number, "first_at": at}
        if what in ("ordered", "cancelled"):
            cancelled_at = at if what == "cancelled" else None
            order = {"order_id": number, "placed_at": at, "cancelled_at": cancelled_at}
            return "orders", order | {"test": False}
        types = {"viewed": "product_viewed", "acted": "email_opened"}
        # An opt-in stands at the profile; whatever else is heard of somebody is no act.
        kind = types.get(what, "email_sent")
        return "event_facts", {"event_id": number, "type": kind, "occurred_at": at}

    def query(self, _shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """As the product asks a shop's warehouse."""
        return self._transaction.query(sql, params)


def _known_of(done: Done) -> dict[str, Any]:
    """What the profile says of itself."""
    times = {
        what: sorted(at for name, at in done if name == what)
        for what in ("visited", "ordered", "cancelled", "viewed", "acted", "opted_in")
    }
    acts = [at for what in ("ordered", "cancelled", "viewed", "acted") for at in times[what]]
    return {
        "first_seen_at": _time(min(at for _, at in done)),
        "last_seen_at": _time(max(at for _, at in done)),
        "opted_in_at": _time(min(times["opted_in"], default=None)),
        "last_acted_at": _time(max(acts, default=None)),
        "orders_count": len(times["ordered"]),
        "sessions_count": len(times["visited"]),
        "product_views": len(times["viewed"]),
    }


def _time(at: Instant | None) -> datetime | None:
    return None if at is None else to_datetime(at).replace(tzinfo=None)


def life_of(done: Done, timezone: str) -> Life:
    """The same person as their own page sees them."""
    days = {
        what: [local_date(at, timezone) for name, at in done if name == what] for what, _ in done
    }
    bought, cancelled = days.get("ordered", []), days.get("cancelled", [])
    acted = days.get("acted", []) + days.get("viewed", []) + bought + cancelled
    return Life(
        known_since=min(local_date(at, timezone) for _, at in done),
        acted=acted,
        ordered=bought,
        visited=days.get("visited", []),
        viewed=days.get("viewed", []),
        opted_in=days.get("opted_in", []),
    )


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    one = Crowd()
    with closing(one.connection):
        yield one


def random_life(random: Random) -> Done:
    """Up to eight things within seven months, many of them near a midnight of Dublin or New York."""
    kinds = ("visited", "ordered", "cancelled", "viewed", "acted", "heard", "opted_in")
    minutes = (0, 1, 59, 239, 240, 241, 299, 300, 301, 720, 1379, 1380, 1381, 1439)
    midnight = NOW - 36 * HOUR
    return [
        (
            random.choice(kinds),
            midnight - random.randrange(210) * DAY + random.choice(minutes) * MINUTE,
        )
        for _ in range(random.randint(1, 8))
    ]


@pytest.mark.parametrize(
    ("calendar", "first", "last"),
    [
        (USUAL, date(2026, 3, 29), date(2026, 6, 15)),
        (
            ShopCalendar("America/New_York", Windows(at_risk_days=12, churned_days=40)),
            date(2026, 1, 20),
            date(2026, 3, 9),
        ),
    ],
)
def test_everybody_is_in_the_stages_that_their_own_history_tells(
    crowd: Crowd, calendar: ShopCalendar, first: date, last: date
) -> None:
    random = Random(360)
    lives = {profile_id: random_life(random) for profile_id in range(1, 201)}
    crowd.fill(lives)

    expected = {}
    for profile_id, done in lives.items():
        life = life_of(done, calendar.timezone)
        was, became = stages_on(life, [first, last], calendar.windows)
        if life.known_since <= last:
            expected[profile_id] = (was if life.known_since <= first else NOT_YET, became)

    between = Between(first, last, calendar)
    counted = Counter(expected.values())
    assert stage_flow(crowd, 7, between) == counted
    assert len(counted) > 15
    for pair, _ in counted.most_common(3):
        who = [profile_id for profile_id, found in expected.items() if found == pair]
        assert people_between(crowd, 7, between, pair, limit=200).profile_ids == who[::-1]


def test_each_pair_of_stages_is_counted_and_visitors_are_left_out(crowd: Crowd) -> None:
    lives = {
        1: [("ordered", NOW - 40 * DAY)],
        2: [("ordered", NOW - 40 * DAY), ("ordered", NOW)],
        3: [("ordered", NOW - 5 * DAY)],
        4: [("visited", NOW)],
    }
    crowd.fill(lives, visitors={4})

    flow = stage_flow(crowd, 7, Between(date(2026, 5, 16), date(2026, 6, 15), USUAL))

    assert flow == {
        ("converted", "at_risk"): 1,
        ("converted", "loyal"): 1,
        (NOT_YET, "converted"): 1,
    }


def test_who_came_after_the_last_day_is_not_counted(crowd: Crowd) -> None:
    crowd.fill({1: [("ordered", NOW)]})

    assert stage_flow(crowd, 7, Between(date(2026, 5, 1), date(2026, 6, 14), USUAL)) == {}


def test_the_people_of_a_pair_come_in_pages_with_their_number(crowd: Crowd) -> None:
    crowd.fill({profile_id: [("ordered", NOW)] for profile_id in (1, 2, 3)})
    between = Between(date(2026, 6, 14), date(2026, 6, 15), USUAL)

    pages = [
        people_between(crowd, 7, between, (NOT_YET, "converted"), limit=2, offset=offset)
        for offset in (0, 2, 4)
    ]

    assert [(page.profile_ids, page.total) for page in pages] == [([3, 2], 3), ([1], 3), ([], 0)]


def test_without_days_the_last_thirty_are_meant() -> None:
    between = between_days(None, None, NOW, USUAL)

    assert (between.first, between.last) == (date(2026, 5, 16), date(2026, 6, 15))


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        (date(2026, 6, 2), date(2026, 6, 1), "from"),
        (None, date(2026, 6, 16), "to"),
        (date(1, 1, 1), None, "from"),
        (None, date(1, 2, 10), "to"),
    ],
)
def test_days_that_cannot_be_compared_are_named(
    first: date | None, last: date | None, wrong: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        between_days(first, last, NOW, USUAL)

    assert error.value.path == wrong
