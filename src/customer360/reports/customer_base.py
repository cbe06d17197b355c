"""How much is known of the customers there are, and how many of them buy again?"""

from __future__ import annotations

from typing import Any

from customer360.errors import NotFound
from customer360.reports.model import Answer, Column, Question, Report, Who
from customer360.reports.sql import Sql

_REACHED = {
    "any": [
        {"attribute": "has_email", "op": "eq", "value": True},
        {"attribute": "has_phone", "op": "eq", "value": True},
    ]
}
_VISITED = {"attribute": "sessions_count", "op": "gte", "value": 1}
_BOUGHT = {"attribute": "orders_count", "op": "gte", "value": 1}
PARTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "customers": ("true", []),
    "with_contact_point": ("(has_email or has_phone)", [_REACHED]),
    "with_session": ("sessions_count >= 1", [_VISITED]),
    "with_order": ("orders_count >= 1", [_BOUGHT]),
    "covered": (
        "(has_email or has_phone) and sessions_count >= 1 and orders_count >= 1",
        [_REACHED, _VISITED, _BOUGHT],
    ),
    "repeat_buyers": (
        "orders_count >= 2",
        [{"attribute": "orders_count", "op": "gte", "value": 2}],
    ),
}
"""Which customers each row counts: a condition on `profiles`, and the same as rules of a segment."""
_OF_BUYERS = "repeat_buyers"


def _answer(question: Question) -> Answer:
    sql = Sql()
    counts = ", ".join(
        f"count(*) filter (where {where}) as {name}" for name, (where, _) in PARTS.items()
    )
    (found,) = question.ask(sql, f"select {counts} from profiles where {_customers(question, sql)}")
    customers, buyers = found["customers"], found["with_order"]
    rows = [
        {"part": name, "people": found[name], "share": _share(found[name], whole)}
        for name in PARTS
        for whole in (buyers if name == _OF_BUYERS else customers,)
    ]
    return Answer(rows if customers else [], {"people": customers})


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _customers(question: Question, sql: Sql) -> str:
    return f"kind = 'customer' and {sql.of_segment(question.filter.segment_id)}"


def _people(question: Question, sql: Sql, who: Who) -> str:
    where = f"{_customers(question, sql)} and {_part(who)[0]}"
    return f"select profile_id from profiles where {where}"


def _rule(question: Question, who: Who) -> dict[str, Any] | None:
    return question.filter.rule(*_part(who)[1])


def _part(who: Who) -> tuple[str, list[dict[str, Any]]]:
    part = PARTS.get(who.get("part", "customers"))
    if part is None:
        raise NotFound
    return part


REPORT = Report(
    name="customer-base",
    title="Customer base",
    asks="How much is known of the customers, and how many buy again?",
    icon="user-group",
    chart="table",
    is_of_now=True,
    columns=(
        Column("part", "Customers", "word"),
        Column(
            "people",
            "People",
            help="Customers as they are now. Covered are those with a contact point (an e-mail address or a phone"
            " number), a session and an order; repeat buyers have two counted orders or more.",
            who=("part",),
        ),
        Column(
            "share",
            "Share",
            "share",
            help="Of all customers; of repeat buyers, of all buyers: the repeat-purchase rate.",
        ),
    ),
    headline=("people",),
    answer=_answer,
    people=_people,
    rule=_rule,
    empty="Figures appear here with the first customers.",
)
