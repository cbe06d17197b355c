"""Each step of the funnel equals an independent query over the bare rows; its people open and become a segment."""

from __future__ import annotations

from itertools import pairwise

import pytest

from customer360.errors import NotFound
from customer360.reports.funnel import REPORT, STEPS
from tests.reports.conftest import ZONES, Sample

# Written from the definition alone: sets of people, each step's within those of the step before.
EXPECTED = """
with did as (
    select 'visited_site' as step, fragment_id, first_at as happened_at from sessions
    union all
    select type, fragment_id, occurred_at from events
    union all
    select 'order_placed', fragment_id, placed_at from orders
    where cancelled_at is null and not test and placed_at is not null
)
select distinct step, profile_id
from did
join fragments using (fragment_id)
where cast(timezone(?, to_timestamp(happened_at / 1e6)) as date) between ? and ? and profile_id is not null
"""


def expected(sample: Sample, zone: str, first: str, last: str) -> list[set[int]]:
    who: dict[str, set[int]] = {step: set() for step in STEPS}
    for step, profile_id in sample.rows(EXPECTED, zone, first, last):
        who.get(step, set()).add(profile_id)
    sets = [who[STEPS[0]]]
    for step in STEPS[1:]:
        sets.append(sets[-1] & who[step])
    return sets


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [("2026-03-20", "2026-04-05"), ("2025-06-01", "2026-06-15")])
def test_every_figure_equals_an_independent_query(sample: Sample, zone: str, days: tuple[str, str]):
    rows = sample.ask(REPORT, from_=days[0], to=days[1], timezone=zone).answer.rows
    sets = expected(sample, zone, *days)
    assert sets[-1]
    assert [row["people"] for row in rows] == [len(one) for one in sets]
    assert [row["dropped"] for row in rows[1:]] == [
        len(before - after) for before, after in pairwise(sets)
    ]
    for row, one, before in zip(rows[1:], sets[1:], sets, strict=False):
        assert row["share"] == len(one) / len(sets[0])
        assert row["of_before"] == len(one) / len(before)


def test_a_segment_stands_beside_all_customers(sample: Sample):
    rows = sample.ask(REPORT, range="90d", segment="1").answer.rows
    assert all(row["all_share"] is None for row in rows)
    everybody = sample.ask(REPORT, range="90d").answer.rows
    assert everybody[0]["people"] > rows[0]["people"] > 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("of", ["people", "dropped"])
def test_a_number_opens_its_people_and_becomes_a_segment(sample: Sample, step: str, of: str):
    days = {"from_": "2026-02-01", "to": "2026-06-15"}
    who = {"of": of, "step": step}
    if who == {"of": "dropped", "step": STEPS[0]}:
        with pytest.raises(NotFound):
            sample.people(REPORT, who, **days)
        return
    row = next(row for row in sample.ask(REPORT, **days).answer.rows if row["step"] == step)
    assert sample.people(REPORT, who, **days) == row[of]
    assert sample.members(REPORT, who, **days) == row[of]


def test_days_without_visits_have_no_shares(sample: Sample):
    answer = sample.ask(REPORT, from_="2020-01-01", to="2020-01-31").answer
    assert [row["people"] for row in answer.rows] == [0] * 5
    assert answer.totals == {"people": 0}
    assert answer.rows[1]["share"] is None
