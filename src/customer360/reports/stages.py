"""How many customers were in which stage at the end of each day, week or month?

The rule is that of `profiles.stage_sql`, on what people had done by then. All that a stage asks of somebody's acts is
whether the last one lies before one of a few midnights. So many millions of facts become one number a person: a bit
for each span between two midnights in which they acted, and comparing numbers tells the stage at any end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlglot import exp

from customer360.clock import start_of_day
from customer360.events.vocabulary import ACTED
from customer360.profiles.stage_sql import stage_sql
from customer360.profiles.stages import INTERESTED_SESSIONS, INTERESTED_VIEWS, Windows
from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.periods import GRAIN, days_behind, grain_of, last_of, points
from customer360.reports.sql import PURCHASE, Sql
from customer360.reports.stage_flow import STAGES

# Each end asks for three midnights, and a whole number has 127 bits.
_ENDS_AT_ONCE = 40
_BITS_OF_A_BIGINT = 62
_ACTS = tuple(sorted(ACTED))


class Midnights(NamedTuple):
    """The midnights between which acts are told apart, in order, and the days at whose ends stages are told."""

    days: list[date]
    ends: list[date]
    windows: Windows

    @classmethod
    def of(cls, ends: Sequence[date], windows: Windows) -> Midnights:
        """All that the stages at these ends ask for."""
        silent = (windows.at_risk_days - 1, windows.churned_days - 1)
        days = {end - timedelta(days) for end in ends for days in silent}
        days |= {end + timedelta(1) for end in ends}
        return cls(sorted(days), list(ends), windows)

    def bit(self, day: date) -> int:
        """The bit of the first acts from this midnight on: acts before it have lower ones."""
        return 1 << self.days.index(day) + 1

    def span(self, marks: Sequence[str], first: int = 0) -> str:
        """The bit of a time `t`, by few comparisons; the marks stand for these midnights."""
        if not marks:
            return str(1 << first)
        middle = len(marks) // 2
        before, after = self.span(marks[:middle], first), marks[middle + 1 :]
        return (
            f"case when t < {marks[middle]} then {before}"
            f" else {self.span(after, first + middle + 1)} end"
        )


def _answer(question: Question) -> Answer:
    chosen, grain = question.filter, grain_of(question.filter)
    periods = points(chosen)
    counts: dict[tuple[date, str], int] = {}
    for first in range(0, len(periods), _ENDS_AT_ONCE):
        counts |= _counts(question, [end for _, end in periods[first : first + _ENDS_AT_ONCE]])
    rows = [
        {"date": day, **_figures(counts, end), "complete": last_of(day, grain) < question.today}
        for day, end in periods
    ]
    return Answer(rows, {name: rows[-1][name] for name in ("customers", *STAGES)})


def _figures(counts: dict[tuple[date, str], int], end: date) -> Row:
    found = {stage: counts.get((end, stage), 0) for stage in STAGES}
    return {"customers": sum(found.values()), **found}


def _counts(question: Question, ends: Sequence[date]) -> dict[tuple[date, str], int]:
    sql = Sql()
    staged = _staged(question, sql, ends)
    rows = question.ask(
        sql, f"{staged} select day, stage, count(*) as people from staged group by day, stage"
    )
    return {(row["day"], row["stage"]): row["people"] for row in rows}


def _people(question: Question, sql: Sql, who: Who) -> str:
    end = days_behind(question.filter, who)[1]
    staged = _staged(question, sql, [end])
    of_stage = "true" if who["of"] == "customers" else f"stage = {sql.value(who['of'])}"
    return f"{staged} select profile_id from staged where {of_stage}"


def _staged(question: Question, sql: Sql, ends: Sequence[date]) -> str:
    """The stage of each customer at each of these ends, from when they were heard of."""
    zone, midnights = question.filter.timezone, Midnights.of(ends, question.calendar.windows)
    marks = [sql.time(start_of_day(day, zone)) for day in midnights.days]
    place = dict(zip(midnights.days, marks, strict=True))
    return _STAGED.format(
        ends=", ".join(f"({_end(midnights, end, place)})" for end in ends),
        first_end=place[ends[0] + timedelta(1)],
        last_end=marks[-1],
        span=midnights.span(marks),
        whole="bigint" if len(marks) < _BITS_OF_A_BIGINT else "hugeint",
        acts=_ACTS,
        purchase=PURCHASE,
        sessions=INTERESTED_SESSIONS,
        views=INTERESTED_VIEWS,
        of_segment=sql.of_segment(question.filter.segment_id, "p.profile_id"),
        stage=_stage(midnights.windows),
    )


def _end(midnights: Midnights, end: date, place: dict[date, str]) -> str:
    """What a stage at the end of a day is told by: the first bits that are not silent, and those of all until then."""
    windows = midnights.windows
    silent = [
        midnights.bit(end - timedelta(days - 1))
        for days in (windows.at_risk_days, windows.churned_days)
    ]
    until = midnights.bit(end + timedelta(1)) - 1
    return f"date '{end}', {place[end + timedelta(1)]}, {silent[0]}, {silent[1]}, {until}"


def _stage(windows: Windows) -> str:
    """The one rule, on the columns of `lives` at an end."""
    begins = {windows.at_risk_days - 1: "at_risk_from", windows.churned_days - 1: "churned_from"}
    return stage_sql(windows, exp.column, lambda days: exp.column(begins[days])).sql("duckdb")


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen, (_, end) = question.filter, days_behind(question.filter, who)
    is_now = end == question.today and chosen.timezone == question.calendar.timezone
    if not is_now or who["of"] == "customers":
        return None
    stage = {"attribute": "lifecycle_stage", "op": "eq", "value": who["of"]}
    return chosen.rule(stage)


# When somebody came twice or looked three times matters only where they neither ordered nor agreed before. People stand
# there as a table before each end meets all of them.
_STAGED = """
with
ends(day, ends_at, at_risk_from, churned_from, until) as (values {ends}),
people as (
    select p.profile_id, least(p.first_seen_at, p.opted_in_at) as seen_at, p.opted_in_at, p.sessions_count,
        p.product_views
    from profiles p
    where p.kind = 'customer' and {of_segment}
),
acts as (
    select fragment_id, occurred_at as t
    from event_facts
    where type in {acts} and occurred_at < {last_end}
    union all
    select fragment_id, placed_at
    from orders
    where placed_at < {last_end}
),
parts as (
    select fragment_id, bit_or({span}) as spans
    from acts
    group by fragment_id
),
wholes as (
    select f.profile_id, cast(bit_or(a.spans) as {whole}) as spans
    from parts a
    join fragment_profiles f on f.fragment_id = a.fragment_id
    group by f.profile_id
),
bought as (
    select f.profile_id, min(o.placed_at) as placed_at, min(o.placed_at, 2) filter ({purchase}) as counted
    from orders o
    join fragment_profiles f on f.fragment_id = o.fragment_id
    where o.placed_at < {last_end}
    group by f.profile_id
),
lives as materialized (
    select p.profile_id, least(p.seen_at, b.placed_at) as known_at, p.opted_in_at, p.sessions_count,
        p.product_views, b.counted[1] as ordered_at, b.counted[2] as reordered_at,
        coalesce(w.spans, 0) as spans,
        coalesce(ordered_at < {first_end} or p.opted_in_at < {first_end}, false) as is_active
    from people p
    left join bought b on b.profile_id = p.profile_id
    left join wholes w on w.profile_id = p.profile_id
),
visits as (
    select l.profile_id, min(s.first_at, {sessions})[{sessions}] as visited_at
    from lives l
    join fragment_profiles f on f.profile_id = l.profile_id
    join sessions s on s.fragment_id = f.fragment_id
    where not l.is_active and l.sessions_count >= {sessions} and s.first_at < {last_end}
    group by l.profile_id
),
views as (
    select l.profile_id, min(e.occurred_at, {views})[{views}] as viewed_at
    from lives l
    join fragment_profiles f on f.profile_id = l.profile_id
    join event_facts e on e.fragment_id = f.fragment_id
    where not l.is_active and l.product_views >= {views} and e.type = 'product_viewed' and e.occurred_at < {last_end}
    group by l.profile_id
),
known as materialized (
    select l.profile_id, l.known_at, l.opted_in_at, l.ordered_at, l.reordered_at, l.spans, v.visited_at, w.viewed_at
    from lives l
    left join visits v on v.profile_id = l.profile_id
    left join views w on w.profile_id = l.profile_id
),
told as (
    select l.profile_id, e.day, e.at_risk_from, e.churned_from,
        nullif(l.spans & e.until, 0) as last_acted_at,
        case when l.reordered_at < e.ends_at then 2 when l.ordered_at < e.ends_at then 1 else 0 end as orders_count,
        case when l.visited_at < e.ends_at then {sessions} else 0 end as sessions_count,
        case when l.viewed_at < e.ends_at then {views} else 0 end as product_views,
        case when l.opted_in_at < e.ends_at then l.opted_in_at end as opted_in_at
    from known l
    join ends e on l.known_at < e.ends_at
),
staged as (
    select profile_id, day, {stage} as stage
    from told
)"""

_MEANS = {
    "new": "Heard of, and no more yet.",
    "engaged": "No order, and two visits, three product views or an opt-in.",
    "converted": "One order.",
    "loyal": "Two orders or more.",
    "at_risk": "Silent for the at-risk window, and had ordered, come twice or agreed to messages.",
    "churned": "Silent for the churned window.",
}

REPORT = Report(
    name="stages",
    title="Stages",
    asks="How many customers were in which stage of their life with the shop, and when?",
    icon="arrow-trending-up",
    chart="lines",
    rows="series",
    columns=(
        Column("date", "From", "day"),
        Column(
            "customers",
            "Customers",
            help="Today's customers who had been heard of by the end of the period.",
            who=("date",),
        ),
        *(
            Column(
                stage,
                stage.replace("_", " ").capitalize(),
                help=f"{_MEANS[stage]} At the end of the period, by what people had done by then; the first"
                " stage that fits, from churned to new.",
                who=("date",),
                better="less" if stage in ("at_risk", "churned") else "more",
            )
            for stage in STAGES
        ),
    ),
    headline=("customers", *STAGES),
    choices=(GRAIN,),
    compares=True,
    answer=_answer,
    people=_people,
    rule=_rule,
    usual_range="90d",
    related=(("Who moved between them", "/reports/stage-flow"),),
    empty="Customers appear here once they are heard of.",
)
