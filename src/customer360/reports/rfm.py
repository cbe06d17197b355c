"""How many people are in each RFM group, and what have they brought? As the last run of the scores found them."""

from __future__ import annotations

from typing import Any

from customer360.clock import local_date
from customer360.errors import NotFound
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.browse import RFM_GROUP
from customer360.reports.model import Answer, Column, Question, Report, Row, Who
from customer360.reports.sql import Sql
from customer360.values import AMOUNT_SCALE


def _answer(question: Question) -> Answer:
    sql = Sql()
    zone = question.filter.timezone
    today = sql.value(local_date(question.now, zone))
    found = question.ask(
        sql,
        f"""
        with grouped as (
            select {RFM_GROUP} as name, p.orders_count, p.total_spend, s.churn_risk,
                date_diff('day', {sql.day("p.last_order_at", zone)}, cast({today} as date)) as recency_days
            from profiles p
            left join scores s on s.profile_id = p.profile_id
            where p.kind = 'customer' and {sql.of_segment(question.filter.segment_id, "p.profile_id")}
        )
        select
            name, count(*) as people, coalesce(sum(orders_count), 0) as orders, coalesce(sum(total_spend), 0) as spend,
            avg(recency_days) as recency_days, avg(churn_risk) as churn_risk
        from grouped
        where name is not null
        group by grouping sets ((name), ())
        order by name nulls first
        """,
    )
    total, *rows = (_figures(row, found[0]) for row in found)
    return Answer(rows, total)


def _figures(row: Row, total: Row) -> Row:
    return {
        "group": row["name"],
        "people": row["people"],
        "share": row["people"] / total["people"] if total["people"] else None,
        "orders": int(row["orders"]),
        "spend": round(row["spend"] * AMOUNT_SCALE),
        "spend_share": float(row["spend"] / total["spend"]) if total["spend"] else None,
        "recency_days": row["recency_days"],
        "churn_risk": row["churn_risk"],
    }


def _people(question: Question, sql: Sql, who: Who) -> str:
    if who.get("group", "prospects") not in BY_NAME["rfm_group"].choices:
        raise NotFound
    of_group = f"= {sql.value(who['group'])}" if "group" in who else "is not null"
    return f"""
        select p.profile_id
        from profiles p
        left join scores s on s.profile_id = p.profile_id
        where p.kind = 'customer' and {RFM_GROUP} {of_group}
            and {sql.of_segment(question.filter.segment_id, "p.profile_id")}
        """


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    group = who.get("group")
    of_group = {"op": "eq", "value": group} if group else {"op": "is_not_empty"}
    return question.filter.rule({"attribute": "rfm_group", **of_group})


REPORT = Report(
    name="rfm",
    title="RFM groups",
    asks="Who buys recently, often and much, and who no longer does?",
    icon="squares-2x2",
    is_listed=False,
    chart="table",
    is_of_now=True,
    columns=(
        Column("group", "Group", "word"),
        Column(
            "people",
            "Customers",
            help="Customers of the group, as the last run of the scores found it; prospects have no order.",
            who=("group",),
        ),
        Column("share", "Share", "share", help="Customers / all customers that have a group."),
        Column("orders", "Orders", help="All their orders.", who=("group",)),
        Column("spend", "Spend", "money", help="The totals of their orders.", who=("group",)),
        Column("spend_share", "Share of spend", "share", help="Spend / that of all groups."),
        Column(
            "recency_days",
            "Days since last order",
            "decimal",
            help="Mean calendar days since each one's last order.",
            better="less",
        ),
        Column(
            "churn_risk",
            "Churn risk",
            "share",
            help="Mean probability of no order within the churned window.",
            better="less",
        ),
    ),
    headline=("people", "orders", "spend", "recency_days", "churn_risk"),
    usual_sort="-spend",
    related=(("The grid", "/rfm"),),
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Groups appear here with the first run of the scores.",
)
