"""What each touch brings equals an independent query over the bare rows, in any zone, by first and last touch."""

from __future__ import annotations

import pytest

from customer360.errors import InvalidInput
from customer360.reports import acquisition
from customer360.reports.acquisition import REPORT, UNTOLD
from tests.reports.conftest import ZONES, Sample

DAYS = {"from_": "2025-10-15", "to": "2026-05-02"}
# From the definition alone: counted orders and storefront visits of a profile's fragments.
ACQUIRED = """
with counted as (
    select profile_id, placed_at, case when foreign_currency = 0 then total else 0 end as amount
    from orders
    join fragments using (fragment_id)
    where placed_at is not null and cancelled_at is null and test = 0
), buyers as (
    select profile_id, count(*) as orders, sum(amount) as spend, min(placed_at) as first_at
    from counted
    group by profile_id
), visits as (
    select profile_id, arg_{which}(touch_{by}, touched_at) as touch
    from sessions
    join fragments using (fragment_id)
    where touched_at is not null
    group by profile_id
)
select coalesce(nullif(touch, ''), ?) as told, count(*), sum(orders)::bigint, sum(spend)::bigint,
    count(*) filter (orders > 1) / count(*)
from buyers
left join visits using (profile_id)
where cast(timezone(?, to_timestamp(first_at / 1e6)) as date) between ? and ?
group by told
"""


def expected(sample: Sample, touch: str, by: str, zone: str) -> dict[str, tuple[object, ...]]:
    sql = ACQUIRED.format(which="min" if touch == "first" else "max", by=by)
    rows = sample.rows(sql, UNTOLD[by], zone, *DAYS.values())
    return {told: tuple(figures) for told, *figures in rows}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("touch", ["first", "last"])
@pytest.mark.parametrize("by", ["source", "medium", "campaign"])
def test_every_figure_equals_an_independent_query(sample: Sample, zone: str, touch: str, by: str):
    answer = sample.ask(REPORT, **DAYS, timezone=zone, touch=touch, by=by).answer
    names = ("customers", "orders", "revenue", "repeat_rate")
    found = {row["value"]: tuple(row[name] for name in names) for row in answer.rows}
    rows = expected(sample, touch, by, zone)
    assert found == rows
    assert len(rows) > 1
    for place, name in enumerate(names[:3]):
        assert answer.totals[name] == sum(row[place] for row in rows.values())  # type: ignore[misc]
    for row in (*answer.rows, answer.totals):
        assert row["average_order_value"] == round(row["revenue"] / row["orders"])


def test_scores_are_means_of_those_who_have_any(sample: Sample):
    total = sample.ask(REPORT, from_="2020-01-01", to="2026-06-15").answer.totals
    (expected,) = sample.rows(
        "select count(*), round(avg(ltv))::bigint, avg(churn_risk) from scores where ltv is not null"
    )
    assert total["customers"] == expected[0]
    assert total["ltv"] == expected[1]
    assert total["churn_risk"] == pytest.approx(expected[2])


def test_rows_stand_in_the_order_that_is_asked_for(sample: Sample):
    for sort, largest_first in (("-revenue", True), ("repeat_rate", False), ("value", False)):
        rows = sample.ask(REPORT, **DAYS, sort=sort).answer.rows
        values = [row[sort.removeprefix("-")] for row in rows]
        values = [one.lower() for one in values] if sort == "value" else values
        assert values == sorted(values, reverse=largest_first)
    with pytest.raises(InvalidInput):
        sample.ask(REPORT, sort="name")


@pytest.mark.parametrize("by", ["source", "medium", "campaign"])
def test_a_number_opens_its_people_and_becomes_a_segment(sample: Sample, by: str):
    days = DAYS | {"by": by, "touch": "last"}
    told = sample.ask(REPORT, **days).answer
    assert UNTOLD[by] in {row["value"] for row in told.rows}
    for row in (told.totals, *told.rows):
        value = {"value": row["value"]} if row["value"] else {}
        repeat = round(row["repeat_rate"] * row["customers"])
        for of, people in (("revenue", row["customers"]), ("repeat_rate", repeat)):
            assert sample.people(REPORT, {"of": of, **value}, **days) == people
            assert sample.members(REPORT, {"of": of, **value}, **days) == people


def test_sources_beyond_the_shown_ones_are_told_of(sample: Sample, monkeypatch: pytest.MonkeyPatch):
    whole = sample.ask(REPORT, range="13m").answer
    monkeypatch.setattr(acquisition, "_MOST_ROWS", 2)
    cut = sample.ask(REPORT, range="13m").answer
    assert (cut.rows, cut.totals) == (whole.rows[:2], whole.totals)
    assert cut.note == f"The 2 of {len(whole.rows)} with the most customers."


def test_without_a_customer_there_is_nothing_to_tell(sample: Sample):
    answer = sample.ask(REPORT, from_="2020-01-01", to="2020-01-31").answer
    assert answer.rows == []
    assert answer.totals["customers"] == 0
    assert answer.totals["ltv"] is None
