"""Tiers over time equal an independent query over the bare orders, and today's are those of the last run."""

from __future__ import annotations

from datetime import date

import pytest

from customer360.errors import NotFound
from customer360.reports.tiers import REPORT
from tests.reports.conftest import ZONES, Sample

# From the definition alone: who has at least four fifths of all buyers strictly below is of the top fifth.
EXPECTED = """
with buyers as (
    select profile_id, count(*) as orders, sum(case when foreign_currency = 0 then total else 0 end) as spend
    from orders
    join fragments using (fragment_id)
    where placed_at is not null and cancelled_at is null and test = 0 and profile_id is not null
        and cast(timezone(?, to_timestamp(placed_at / 1e6)) as date) <= ?
    group by profile_id
), told as (
    select orders,
        (select count(*) from buyers as other where other.spend < one.spend)
            >= 0.8 * (select count(*) from buyers) as is_top,
        greatest(3, (select coalesce(median(orders), 0) from buyers where orders > 1)) as least
    from buyers as one
)
select count(*), count(*) filter (orders = 1),
    count(*) filter (orders > 1 and not (is_top and orders >= least)),
    count(*) filter (is_top and orders >= least)
from told
"""
FIGURES = ("buyers", "new", "regular", "vip")


@pytest.mark.parametrize("zone", ZONES)
def test_every_figure_equals_an_independent_query(sample: Sample, zone: str):
    answer = sample.ask(REPORT, range="13m", timezone=zone).answer
    for place, end in ((0, date(2025, 6, 30)), (5, date(2025, 11, 30)), (9, date(2026, 3, 31))):
        row = answer.rows[place]
        assert [tuple(row[name] for name in FIGURES)] == sample.rows(EXPECTED, zone, end)
    assert min(answer.rows[9][name] for name in FIGURES) > 0


def test_days_and_weeks_are_told_at_their_ends(sample: Sample):
    days = sample.ask(REPORT, from_="2026-03-25", to="2026-04-10", grain="day").answer.rows
    weeks = sample.ask(REPORT, from_="2026-03-25", to="2026-04-10", grain="week").answer.rows
    by_day = {row["date"]: [row[name] for name in FIGURES] for row in days}
    assert [by_day[date(2026, 3, 29)], by_day[date(2026, 4, 5)], by_day[date(2026, 4, 10)]] == [
        [row[name] for name in FIGURES] for row in weeks
    ]


def test_todays_tiers_are_those_of_the_last_run(sample: Sample):
    totals = sample.ask(REPORT, range="30d").answer.totals
    told = dict(
        sample.rows("select tier, count(*) from scores where tier is not null group by tier")
    )
    assert {name: totals[name] for name in FIGURES[1:]} == told


def test_a_number_opens_its_people_and_todays_can_become_a_segment(sample: Sample):
    told = {"range": "90d", "grain": "month"}
    answer = sample.ask(REPORT, **told).answer
    for row in (answer.rows[0], answer.rows[-1]):
        for name in FIGURES:
            who = {"of": name, "date": str(row["date"])}
            assert sample.people(REPORT, who, **told) == row[name]
    for name in ("buyers", "new"):
        assert sample.members(REPORT, {"of": name}, **told) == answer.totals[name]
    assert REPORT.rule(sample.question(REPORT, **told), {"of": "vip"}) is None
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "vip", "date": "2020-01-01"}, **told)


def test_a_segments_tiers_are_told_by_the_thresholds_of_the_shop(sample: Sample):
    everybody = sample.ask(REPORT, range="90d").answer
    assert sample.ask(REPORT, range="90d", segment="1").answer == everybody


def test_before_the_first_order_there_is_nobody(sample: Sample):
    totals = sample.ask(REPORT, from_="2020-01-01", to="2020-01-31").answer.totals
    assert totals == dict.fromkeys(FIGURES, 0)
