"""Every cell of the cohorts equals an independent query over the bare rows; its people open and become a segment."""

from __future__ import annotations

import pytest

from customer360.errors import NotFound
from customer360.reports.cohort_retention import REPORT
from tests.reports.conftest import ZONES, Sample

# Written from the definition alone.
EXPECTED = """
with bought as (
    select profile_id, total, cast(timezone($zone, to_timestamp(placed_at / 1e6)) as date) as day
    from orders
    join fragments using (fragment_id)
    where placed_at is not null and cancelled_at is null and not test and profile_id is not null
),
firsts as (
    select profile_id, min(day) as first_day
    from bought
    group by profile_id
    having min(day) between $first and $last
)
select date_trunc($by, first_day)::date, date_trunc($by, day)::date, count(distinct profile_id), count(*),
    coalesce(sum(total), 0)::bigint
from bought
join firsts using (profile_id)
group by all
"""
DAYS = {"from_": "2025-09-10", "to": "2026-06-15"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("by", ["month", "week"])
def test_every_figure_equals_an_independent_query(sample: Sample, zone: str, by: str):
    answer = sample.ask(REPORT, **DAYS, timezone=zone, by=by).answer
    told = {"zone": zone, "by": by, "first": DAYS["from_"], "last": DAYS["to"]}
    found = sample.raw.execute(EXPECTED, told).fetchall()
    expected = {(cohort, began): tuple(rest) for cohort, began, *rest in found}
    assert {
        (row["cohort"], row["began"]): (row["people"], row["orders"], row["revenue"])
        for row in answer.rows
        if row["orders"]
    } == expected
    sizes = {cohort: figures[0] for (cohort, began), figures in expected.items() if cohort == began}
    assert answer.totals["customers"] == sum(sizes.values())
    for row in answer.rows:
        size = sizes[row["cohort"]]
        assert row["customers"] == size
        assert row["share"] == row["people"] / size
        assert row["orders_per_customer"] == row["orders"] / size
        assert row["revenue_per_customer"] == round(row["revenue"] / size)


def test_each_cohort_has_every_period_until_today(sample: Sample):
    rows = sample.ask(REPORT, range="13m").answer.rows
    first = [row for row in rows if row["cohort"] == rows[0]["cohort"]]
    assert [row["period"] for row in first] == list(range(len(first)))
    assert str(first[-1]["began"]) == "2026-06-01"
    assert [row["complete"] for row in first] == [True] * (len(first) - 1) + [False]


def test_a_number_opens_its_people_and_becomes_a_segment(sample: Sample):
    rows = sample.ask(REPORT, **DAYS).answer.rows
    for row in rows[:12]:
        cohort, began = str(row["cohort"]), str(row["began"])
        for who, count in (
            ({"of": "customers", "cohort": cohort}, row["customers"]),
            ({"of": "people", "cohort": cohort, "began": began}, row["people"]),
        ):
            assert sample.people(REPORT, who, **DAYS) == count
            assert sample.members(REPORT, who, **DAYS) == count


@pytest.mark.parametrize("cohort", ["2026-01-02", "January", "2026-13-01"])
def test_what_is_no_cohort_has_no_people(sample: Sample, cohort: str):
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "customers", "cohort": cohort}, **DAYS)
