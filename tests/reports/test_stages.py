"""The stages over time are those of the stage flow at each end, and today's are those of the profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from random import Random

import pytest

from customer360.errors import InvalidInput, NotFound
from customer360.profiles.stages import ShopCalendar, Windows
from customer360.reports.model import Filter, Question
from customer360.reports.stage_flow import STAGES, Between, stage_flow
from customer360.reports.stages import REPORT
from tests.reports.conftest import ZONES, Sample
from tests.reports.test_stage_flow import NOW, Crowd, random_life


@pytest.fixture(scope="module")
def lives() -> Iterator[Crowd]:
    """Two hundred people who did up to eight things near midnights, two of them visitors."""
    random = Random(6)
    one = Crowd()
    with closing(one.connection):
        one.fill({number: random_life(random) for number in range(1, 201)}, visitors={7, 8})
        yield one


def flow_at(question: Question, end: date) -> Counter[str]:
    """How many were in which stage at the end of a day, told by another report."""
    calendar = ShopCalendar(question.filter.timezone, question.calendar.windows)
    between = Between(end, end, calendar)
    flow = stage_flow(question.warehouse, question.shop_id, between)
    return Counter({became: people for (_, became), people in flow.items()})


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("windows", [Windows(), Windows(at_risk_days=12, churned_days=40)])
@pytest.mark.parametrize(
    ("first", "last", "grain", "ends"),
    [
        ("2025-12-01", "2026-06-15", "month", ["2025-12-31", "2026-03-31", "2026-06-15"]),
        ("2026-03-02", "2026-04-19", "week", ["2026-03-08", "2026-03-29", "2026-04-19"]),
        ("2026-02-01", "2026-04-20", "day", ["2026-02-01", "2026-03-29", "2026-04-20"]),
    ],
)
def test_a_crowd_is_in_the_stages_that_the_flow_tells(
    lives: Crowd, zone: str, windows: Windows, first: str, last: str, grain: str, ends: list[str]
):
    days = (date.fromisoformat(first), date.fromisoformat(last))
    chosen = Filter(*days, zone, choices={"grain": grain})
    question = Question(lives, 7, ShopCalendar(zone, windows), NOW, chosen)
    rows = REPORT.answer(question).rows
    for end in map(date.fromisoformat, ends):
        row = [one for one in rows if one["date"] <= end][-1]
        assert Counter({stage: row[stage] for stage in STAGES}) == flow_at(question, end)
        assert row["customers"] > 100


def test_a_shops_stages_are_those_of_the_flow_in_any_zone(sample: Sample):
    for zone in ZONES:
        question = sample.question(REPORT, range="13m", timezone=zone)
        rows = REPORT.answer(question).rows
        for place, end in ((3, date(2025, 9, 30)), (9, date(2026, 3, 31)), (12, date(2026, 6, 15))):
            told = Counter({stage: rows[place][stage] for stage in STAGES})
            assert told == flow_at(question, end)


def test_a_number_opens_its_people_and_todays_becomes_a_segment(sample: Sample):
    answer = sample.ask(REPORT, range="90d", grain="week").answer
    assert answer.totals["customers"] == sum(answer.totals[stage] for stage in STAGES)
    assert answer.totals == {name: answer.rows[-1][name] for name in answer.totals}
    told = {"range": "90d", "grain": "week"}
    for row in (answer.rows[0], answer.rows[-1]):
        for name in ("customers", *STAGES):
            who = {"of": name, "date": str(row["date"])}
            assert sample.people(REPORT, who, **told) == row[name]
    for stage in STAGES:
        assert sample.members(REPORT, {"of": stage}, **told) == answer.totals[stage]
    past = {"of": "loyal", "date": str(answer.rows[0]["date"])}
    assert REPORT.rule(sample.question(REPORT, **told), past) is None


def test_many_ends_are_counted_in_parts_and_too_many_are_refused(sample: Sample):
    rows = sample.ask(REPORT, from_="2026-03-01", to="2026-05-20", grain="day").answer.rows
    assert len(rows) == 81
    question = sample.question(REPORT, from_="2026-03-01", to="2026-05-20")
    for place in (0, 39, 40, 80):
        told = Counter({stage: rows[place][stage] for stage in STAGES})
        assert told == flow_at(question, rows[place]["date"])
    with pytest.raises(InvalidInput):
        sample.ask(REPORT, from_="2025-06-01", to="2026-05-20", grain="day")
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "new", "date": "2020-01-01"})
