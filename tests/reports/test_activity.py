"""Users and sessions equal an independent query over the bare rows, in any zone, by day, week and month."""

from __future__ import annotations

import pytest

from customer360.errors import InvalidInput, NotFound
from customer360.reports.activity import REPORT
from tests.reports.conftest import ZONES, Sample

# Written from the definition alone: storefront sessions, counted on the day they start.
EXPECTED = """
with visits as (
    select
        cast(date_trunc(?, timezone(?, to_timestamp(first_at / 1e6))) as date) as began,
        cast(timezone(?, to_timestamp(first_at / 1e6)) as date) as day,
        profile_id
    from sessions
    join fragments using (fragment_id)
)
select began, count(distinct profile_id), count(*)
from visits
where day between ? and ? and profile_id is not null
group by grouping sets ((began), ())
order by began nulls last
"""


def expected(sample: Sample, zone: str, grain: str, first: str, last: str):
    *rows, total = sample.rows(EXPECTED, grain, zone, zone, first, last)
    return {began: (users, sessions) for began, users, sessions in rows}, total[1:]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("grain", "first", "last"),
    [
        ("day", "2026-03-01", "2026-04-12"),
        ("week", "2025-10-01", "2025-11-20"),
        ("month", "2025-04-15", "2026-06-15"),
    ],
)
def test_every_figure_equals_an_independent_query(
    sample: Sample, zone: str, grain: str, first: str, last: str
):
    answer = sample.ask(REPORT, from_=first, to=last, timezone=zone, grain=grain).answer
    rows, total = expected(sample, zone, grain, first, last)
    assert {
        row["date"]: (row["users"], row["sessions"]) for row in answer.rows if row["sessions"]
    } == rows
    assert (answer.totals["users"], answer.totals["sessions"]) == total
    for row in (*answer.rows, answer.totals):
        mean = row["sessions"] / row["users"] if row["users"] else None
        assert row["sessions_per_user"] == mean


def test_a_comparison_answers_for_the_other_period(sample: Sample):
    told = sample.ask(REPORT, range="last_month", compare="previous")
    alone = sample.ask(REPORT, from_="2026-04-01", to="2026-04-30")
    assert told.before == alone.answer


def test_only_the_present_period_is_unfinished(sample: Sample):
    rows = sample.ask(REPORT, range="13m", grain="month").answer.rows
    assert [row["complete"] for row in rows] == [True] * 12 + [False]


def test_days_without_a_visit_are_there_too(sample: Sample):
    rows = sample.ask(REPORT, from_="2020-01-01", to="2020-01-03").answer.rows
    assert [row["users"] for row in rows] == [0, 0, 0]
    assert rows[0]["sessions_per_user"] is None


def test_a_number_opens_its_people_and_becomes_a_segment(sample: Sample):
    days = {"from_": "2026-05-01", "to": "2026-05-31", "grain": "week"}
    told = sample.ask(REPORT, **days).answer
    for row, who in [
        (told.totals, {"of": "users"}),
        *((row, {"of": "users", "date": str(row["date"])}) for row in told.rows),
    ]:
        assert sample.people(REPORT, who, **days) == row["users"]
        assert sample.members(REPORT, who, **days) == row["users"]


def test_another_zones_days_are_no_segments(sample: Sample):
    question = sample.question(REPORT, timezone="America/New_York")
    assert REPORT.rule(question, {"of": "users"}) is None


@pytest.mark.parametrize(
    "who", [{"of": "date"}, {"of": "nothing"}, {"of": "users", "date": "2020-01-01"}]
)
def test_what_is_no_number_has_no_people(sample: Sample, who: dict[str, str]):
    with pytest.raises(NotFound):
        sample.people(REPORT, who)


def test_customers_alone_leave_visitors_out(sample: Sample):
    everybody = sample.ask(REPORT, range="90d").answer.totals["users"]
    customers = sample.ask(REPORT, range="90d", segment="1").answer.totals["users"]
    assert 0 < customers < everybody


def test_more_days_than_a_line_can_show_are_refused(sample: Sample):
    with pytest.raises(InvalidInput):
        sample.ask(REPORT, from_="2020-01-01", to="2026-01-01", grain="day")
