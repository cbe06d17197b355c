"""What becomes of messages equals counting the same invented lives by hand, in any zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from customer360.clock import parse_instant
from customer360.profiles.stages import ShopCalendar
from customer360.reports.ask import ask, people
from customer360.reports.asking import read_filter
from customer360.reports.messaging import CHANNELS, REPORT
from customer360.reports.model import Question
from tests.reports.conftest import ZONES
from tests.reports.test_stage_flow import Crowd

NOW = parse_instant("2026-06-15T12:00:00Z")
FIRST, LAST = date(2026, 3, 8), date(2026, 3, 29)
TYPES = (
    *(f"{channel}_sent" for channel in CHANNELS),
    *("email_opened", "email_clicked", "email_unsubscribed", "sms_clicked", "whatsapp_read"),
    *("push_clicked", "push_dismissed", "email_received", "page_viewed"),
)


class Done(NamedTuple):
    """Something that somebody did; an order has an amount, None where another currency is not told in euro."""

    person: int
    what: str
    at: datetime
    amount: int | None = 0


class Sent(NamedTuple):
    """A warehouse, and what was put into it."""

    crowd: Crowd
    done: list[Done]

    def question(self, zone: str) -> Question:
        told = {"from": str(FIRST), "to": str(LAST), "timezone": zone}
        chosen = read_filter(told, REPORT, NOW, "Europe/Dublin")
        return Question(self.crowd, 7, ShopCalendar("Europe/Dublin"), NOW, chosen)

    def within(self, zone: str) -> list[Done]:
        """What lies in the days of a zone."""

        def day(one: Done) -> date:
            return one.at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()

        return [one for one in self.done if FIRST <= day(one) <= LAST]


@pytest.fixture(scope="module")
def sent() -> Iterator[Sent]:
    random, crowd = Random(9), Crowd()
    begin = datetime(2026, 3, 6, tzinfo=UTC).replace(tzinfo=None)
    done = [
        Done(
            random.randrange(40),
            random.choice(TYPES),
            begin + timedelta(minutes=random.randrange(26 * 24 * 60)),
        )
        for _ in range(400)
    ] + [
        Done(
            random.randrange(40),
            random.choice(("ordered", "ordered", "ordered", "cancelled", "tested")),
            begin + timedelta(minutes=random.randrange(26 * 24 * 60)),
            random.choice((None, 10, 25, 99)),
        )
        for _ in range(120)
    ]
    with closing(crowd.connection) as connection:
        connection.begin()
        for person in range(40):
            connection.execute(
                "insert into fragment_profiles values (?, ?)", (person, person + 100)
            )
        for one in done:
            if one.what in TYPES:
                connection.execute(
                    "insert into event_facts (fragment_id, type, occurred_at) values (?, ?, ?)",
                    one[:3],
                )
            else:
                connection.execute(
                    "insert into orders (fragment_id, placed_at, cancelled_at, test, total, foreign_currency)"
                    " values (?, ?, ?, ?, ?, ?)",
                    (
                        one.person,
                        one.at,
                        one.at if one.what == "cancelled" else None,
                        one.what == "tested",
                        one.amount,
                        one.amount is None,
                    ),
                )
        yield Sent(crowd, done)


@pytest.mark.parametrize("zone", ZONES)
def test_every_figure_equals_counting_by_hand(sent: Sent, zone: str):
    answer = ask(REPORT, sent.question(zone)).answer
    done = sent.within(zone)
    spent: dict[int, int] = defaultdict(int)
    for one in done:
        spent[one.person] += (one.amount or 0) if one.what == "ordered" else 0

    def told(channels: tuple[str, ...]) -> tuple[int, int, float, int]:
        mails = [one for one in done if one.what in {f"{channel}_sent" for channel in channels}]
        who = {one.person for one in mails}
        weekly = len(mails) / len(who) / (22 / 7)
        return len(mails), len(who), weekly, sum(spent[person] for person in who) * 10_000

    names = ("sent", "recipients", "weekly_messages", "revenue")
    for row, channels in (
        *((row, (row["channel"],)) for row in answer.rows),
        (answer.totals, CHANNELS),
    ):
        assert tuple(row[name] for name in names) == pytest.approx(told(channels))
        assert row["revenue_per_recipient"] == round(row["revenue"] / row["recipients"])
    assert [row["channel"] for row in answer.rows] == list(CHANNELS)


def test_rates_are_told_by_channels_that_can_tell(sent: Sent):
    answer = ask(REPORT, sent.question("Europe/Dublin")).answer
    done = [one.what for one in sent.within("Europe/Dublin")]

    def rate(event: str) -> float:
        return done.count(event) / done.count(f"{event.split('_')[0]}_sent")

    names = ("open_rate", "click_rate", "unsubscribe_rate")
    assert [tuple(row[name] for name in names) for row in answer.rows] == [
        (rate("email_opened"), rate("email_clicked"), rate("email_unsubscribed")),
        (None, rate("sms_clicked"), None),
        (rate("whatsapp_read"), None, None),
        (None, rate("push_clicked"), None),
    ]
    assert [answer.totals[name] for name in names] == [None] * 3


def test_a_number_opens_its_people(sent: Sent):
    question = sent.question("Europe/Dublin")
    done = sent.within("Europe/Dublin")
    for of, what in (("sent", "email_sent"), ("open_rate", "email_opened")):
        found = people(REPORT, question, {"of": of, "channel": "email"}, limit=100)
        assert sorted(found.profile_ids) == sorted(
            {one.person + 100 for one in done if one.what == what}
        )
    assert REPORT.rule(question, {"of": "open_rate"}) is None
    assert REPORT.rule(question, {"of": "recipients", "channel": "sms"}) == {
        "all": [
            {"any": [{"event": "sms_sent", "within": {"from": "2026-03-08", "to": "2026-03-29"}}]}
        ],
        "include_visitors": True,
    }
