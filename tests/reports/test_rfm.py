"""The figures of each RFM group equal an independent query over the bare rows."""

from __future__ import annotations

import pytest

from customer360.errors import NotFound
from customer360.reports.rfm import REPORT
from tests.reports.conftest import ZONES, Sample

EXPECTED = """
with buyers as (
    select profile_id, count(*) as orders, sum(case when foreign_currency = 0 then total else 0 end) as spend,
        date_diff('day', cast(timezone(?, to_timestamp(max(placed_at) / 1e6)) as date), date '2026-06-15') as days
    from orders
    join fragments using (fragment_id)
    where placed_at is not null and cancelled_at is null and test = 0 and profile_id is not null
    group by profile_id
)
select rfm_group, count(*), sum(orders)::bigint, sum(spend)::bigint, avg(days), avg(churn_risk)
from buyers
join scores using (profile_id)
group by rfm_group
"""


@pytest.mark.parametrize("zone", ZONES)
def test_every_figure_equals_an_independent_query(sample: Sample, zone: str):
    answer = sample.ask(REPORT, timezone=zone).answer
    rows = {name: figures for name, *figures in sample.rows(EXPECTED, zone)}
    found = {row["group"]: row for row in answer.rows}
    assert found.pop("prospects")["orders"] == 0
    assert found.keys() == rows.keys()
    for name, (people, orders, spend, days, risk) in rows.items():
        row = found[name]
        assert (row["people"], row["orders"], row["spend"]) == (people, orders, spend)
        assert (row["recency_days"], row["churn_risk"]) == pytest.approx((days, risk))
        assert row["share"] == people / answer.totals["people"]
        assert row["spend_share"] == pytest.approx(spend / answer.totals["spend"])


def test_a_group_opens_its_people_and_becomes_a_segment(sample: Sample):
    answer = sample.ask(REPORT).answer
    for row in (answer.totals, *answer.rows):
        who = {"of": "people", **({"group": row["group"]} if row["group"] else {})}
        assert sample.people(REPORT, who) == row["people"]
        assert sample.members(REPORT, who) == row["people"]


def test_a_report_of_the_present_takes_no_days(sample: Sample):
    assert sample.ask(REPORT, range="13m") == sample.ask(REPORT)


def test_what_is_no_group_has_no_people(sample: Sample):
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "people", "group": "zzz"})
