"""Do customers come back? Cohorts by the month or week of their first order, and who of them orders again when."""

from __future__ import annotations

from datetime import date
from typing import Any

from customer360.errors import NotFound
from customer360.reports.model import Answer, Choice, Column, Question, Report, Row, Who
from customer360.reports.periods import cut, last_of
from customer360.reports.sql import AMOUNT, PURCHASE, Sql

BY = Choice("by", "By", (("month", "Month"), ("week", "Week")))
MEASURE = Choice(
    "measure",
    "Show",
    (
        ("customers", "Share of customers"),
        ("orders", "Orders per customer"),
        ("revenue", "Revenue per customer"),
    ),
)
VALUES = {"customers": "share", "orders": "orders_per_customer", "revenue": "revenue_per_customer"}
"""The column that each measure prints."""


def _answer(question: Question) -> Answer:
    chosen, sql = question.filter, Sql()
    by = chosen.choices[BY.name]
    found = question.ask(
        sql,
        f"""
        with bought as ({_bought(question, sql)})
        select cohort, began, count(distinct profile_id) as people, count(*) as orders,
            sum(amount) as revenue
        from bought
        group by cohort, began
        """,
    )
    of = {(row["cohort"], row["began"]): row for row in found}
    cohorts = sorted({cohort for cohort, _ in of})
    rows = [
        _row(of, cohort, began, period, question, by)
        for cohort in cohorts
        for period, began in enumerate(cut(cohort, question.today, by))
    ]
    sizes = [of[cohort, cohort]["people"] for cohort in cohorts]
    return Answer(rows, {"customers": sum(sizes)})


def _row(
    of: dict[tuple[date, date], Row],
    cohort: date,
    began: date,
    period: int,
    question: Question,
    by: str,
) -> Row:
    customers = of[cohort, cohort]["people"]
    row = of.get((cohort, began))
    people, orders = (row["people"], row["orders"]) if row else (0, 0)
    revenue = int(row["revenue"].scaleb(4)) if row else 0
    return {
        "cohort": cohort,
        "customers": customers,
        "period": period,
        "began": began,
        "people": people,
        "share": people / customers,
        "orders": orders,
        "orders_per_customer": orders / customers,
        "revenue": revenue,
        "revenue_per_customer": round(revenue / customers),
        "complete": last_of(began, by) < question.today,
    }


def _bought(question: Question, sql: Sql) -> str:
    """Each counted order of those whose first one lies within the days, with when its period and its cohort began."""
    chosen = question.filter
    began = sql.day("placed_at", chosen.timezone, chosen.choices[BY.name])
    cohort = sql.day("first_at", chosen.timezone, chosen.choices[BY.name])
    return f"""
        select profile_id, amount, {began} as began, {cohort} as cohort
        from (
            select f.profile_id, {AMOUNT} as amount, o.placed_at,
                min(o.placed_at) over (partition by f.profile_id) as first_at
            from orders o
            join fragment_profiles f on f.fragment_id = o.fragment_id
            where {PURCHASE} and {sql.of_segment(chosen.segment_id, "f.profile_id")}
        )
        where {sql.within("first_at", chosen.first, chosen.last, chosen.timezone)}
        """


def _people(question: Question, sql: Sql, who: Who) -> str:
    cohort, began = _named(question, who)
    wanted = [
        f"{name} = {sql.value(day)}"
        for name, day in (("cohort", cohort), ("began", began))
        if day is not None
    ]
    return (
        f"select profile_id from ({_bought(question, sql)}) where {' and '.join(wanted) or 'true'}"
    )


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    chosen = question.filter
    if chosen.timezone != question.calendar.timezone:
        return None
    cohort, began = _named(question, who)
    by = chosen.choices[BY.name]
    first, last = chosen.first, chosen.last
    if cohort is not None:
        first, last = max(first, cohort), min(last, last_of(cohort, by))
    rules: list[dict[str, Any]] = [
        {"attribute": "first_order_at", "op": "between", "value": [str(first), str(last)]}
    ]
    if began is not None:
        within = {"from": str(began), "to": str(last_of(began, by))}
        rules.append({"event": "order_placed", "within": within})
    return chosen.rule(*rules)


def _named(question: Question, who: Who) -> tuple[date | None, date | None]:
    """The cohort and the period that a number is of; raises NotFound."""
    days: list[date | None] = []
    by = question.filter.choices[BY.name]
    for name in ("cohort", "began"):
        told = who.get(name)
        try:
            day = None if told is None else date.fromisoformat(told)
        except ValueError as error:
            raise NotFound from error
        if day is not None and cut(day, day, by) != [day]:
            raise NotFound
        days.append(day)
    return days[0], days[1]


REPORT = Report(
    name="cohort-retention",
    title="Retention",
    asks="How many customers come back to buy, by when they first bought?",
    icon="arrow-path",
    chart="cohorts",
    columns=(
        Column("cohort", "First order from", "day"),
        Column(
            "customers",
            "Customers",
            help="Customers whose first counted order lies in this month or week, and within the days above.",
            who=("cohort",),
        ),
        Column("period", "Period"),
        Column("began", "Period from", "day"),
        Column(
            "people",
            "Ordered",
            help="Who of them placed an order in the period.",
            who=("cohort", "began"),
        ),
        Column("share", "Share of customers", "share", help="Ordered / customers of the cohort."),
        Column("orders", "Orders"),
        Column("orders_per_customer", "Orders per customer", "decimal"),
        Column(
            "revenue", "Revenue", "money", help="Order totals as placed, tax and shipping included."
        ),
        Column("revenue_per_customer", "Revenue per customer", "money"),
    ),
    choices=(BY, MEASURE),
    headline=("customers",),
    usual_range="13m",
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Cohorts appear here with the first orders, from a shop system, the till or a file.",
)
