"""How many people visit, how often? Storefront sessions, counted on the day they start."""

from __future__ import annotations

from typing import Any

from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.periods import GRAIN, cut, days_behind, grain_of, last_of
from customer360.reports.sql import Sql


def _answer(question: Question) -> Answer:
    chosen, sql = question.filter, Sql()
    grain = grain_of(chosen)
    visits = _visits(question, sql, sql.day("s.first_at", chosen.timezone, grain))
    found = question.ask(
        sql,
        f"""
        with visits as ({visits})
        select date, count(*) as users, sum(sessions) as sessions
        from visits
        group by date
        union all
        select null, count(distinct profile_id), coalesce(sum(sessions), 0)
        from visits
        """,
    )
    of = {row["date"]: _figures(row) for row in found}
    nobody = _figures({"users": 0, "sessions": 0})
    rows = [
        {"date": day, **of.get(day, nobody), "complete": last_of(day, grain) < question.today}
        for day in cut(chosen.first, chosen.last, grain)
    ]
    return Answer(rows, of[None])


def _visits(question: Question, sql: Sql, day: str) -> str:
    """Who came on which day, or in which week or month, how often."""
    chosen = question.filter
    return f"""
        select {day} as date, f.profile_id, count(*) as sessions
        from sessions s
        join fragment_profiles f on f.fragment_id = s.fragment_id
        where {sql.within("s.first_at", chosen.first, chosen.last, chosen.timezone)}
            and {sql.of_segment(chosen.segment_id, "f.profile_id")}
        group by all
        """


def _figures(row: Row) -> Row:
    users, sessions = int(row["users"]), int(row["sessions"])
    return {
        "users": users,
        "sessions": sessions,
        "sessions_per_user": sessions / users if users else None,
    }


def _people(question: Question, sql: Sql, who: Who) -> str:
    first, last = days_behind(question.filter, who)
    visits = _visits(question.between(first, last), sql, "null")
    return f"select profile_id from ({visits})"


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    if question.filter.timezone != question.calendar.timezone:
        return None
    first, last = days_behind(question.filter, who)
    visited = {
        "event": "visited_site",
        "within": {"from": first.isoformat(), "to": last.isoformat()},
    }
    return question.filter.rule(visited, visitors=True)


REPORT = Report(
    name="activity",
    title="Activity",
    asks="How many people visit the shop, and how often?",
    icon="chart-bar",
    chart="lines",
    rows="series",
    columns=(
        Column("date", "From", "day"),
        Column(
            "users",
            "Total users",
            help="Different people, known or not, with a storefront session that starts in the period. Who"
            " comes on two days is one of each day, and one of the whole.",
            who=("date",),
        ),
        Column(
            "sessions",
            "Total sessions",
            help="Storefront sessions that start in the period: visits with gaps under 30 minutes.",
            who=("date",),
        ),
        Column(
            "sessions_per_user",
            "Average sessions per user",
            "decimal",
            help="Total sessions / total users.",
            who=("date",),
        ),
    ),
    headline=("users", "sessions", "sessions_per_user"),
    choices=(GRAIN,),
    compares=True,
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Visits appear here once the pixel or the Shopify web pixel is in your shop.",
)
