"""Whom does a rule mean? SQL on the warehouse's tables: the only evaluator there is. Pure SQLGlot expressions.

The same SQL answers a preview, a refresh over copied rows (another schema) and the question why one person is in it.
Relative times count the shop's days, so an answer changes with an event or at the shop's midnight and never between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from customer360.clock import Instant
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import (
    ALL_CUSTOMERS_ID,
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    Rule,
)
from customer360.segments.comparisons import Bound, certain, compare, elapsed, table
from customer360.segments.enriched import OVERDUE, Enriched
from customer360.segments.event_sql import Answer, EventSql
from customer360.segments.semi_joins import SCORES, SemiJoins

DIALECT = "duckdb"
PEOPLE = "p"
"""What `profiles` is called in every query."""
MEASURED = ("messages_today", "messages_7d", "fatigue")
"""Attributes that are counted on reading."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query and the values that it names by number."""

    query: exp.Query
    values: list[Any]

    def sql(self, dialect: str = DIALECT) -> str:
        """The query in an engine's dialect."""
        return self.query.sql(dialect)


def compiled(query: exp.Query, bound: Bound) -> Compiled:
    """The query with those values that it names, which are numbered anew."""
    told: dict[int, int] = {}
    for one in query.find_all(exp.Placeholder):
        one.set("this", str(told.setdefault(int(one.name), len(told) + 1)))
    return Compiled(query, [bound.values[place - 1] for place in told])


def select_members(
    rule: Rule,
    now: Instant,
    calendar: ShopCalendar,
    schema: str = "",
    others: Mapping[int, Rule] | None = None,
) -> Compiled:
    """The profile ids that a rule means at a time; `schema` is where the warehouse's tables are.

    A segment among `others` that it asks for means whom its rule means, not who its members are.
    """

    def is_in(segment_id: int) -> exp.Expr | None:
        other = (others or {}).get(segment_id)
        return None if other is None else certain(evaluator.meant(other))

    bound = Bound(now, calendar)
    evaluator = Evaluator(bound, schema, others=is_in)
    query = exp.select(person()).where(evaluator.meant(rule))
    return Compiled(of_people(query, schema), bound.values)


def of_people(query: exp.Select, schema: str = "") -> exp.Select:
    """The query asked of everybody; their scores are beside them where it looks at any."""
    query = query.from_(table("profiles", PEOPLE, schema))
    if all(one.table != SCORES for one in query.find_all(exp.Column)):
        return query
    same = exp.column("profile_id", SCORES).eq(person())
    return query.join(table("scores", SCORES, schema), on=same, join_type="left")


class Evaluator:
    """Conditions on the rows of `profiles p`, with values bound beside them.

    `answer` says how a question about events is asked, by default to all of them. `others` says whether a
    person is in a segment, or None: of that one, the warehouse knows the members.
    """

    def __init__(
        self,
        bound: Bound,
        schema: str = "",
        *,
        answer: Answer | None = None,
        others: Callable[[int], exp.Expr | None] = lambda _: None,
    ) -> None:
        self._bound = bound
        self._schema = schema
        self._others = others
        answer = answer or SemiJoins(bound, schema, person())
        self._events = EventSql(bound, answer)
        self._enriched = Enriched(bound, _column, answer)

    def meant(self, rule: Rule) -> exp.Expr:
        """What holds for the people that a rule means; where it is null, it does not hold."""
        condition = self.condition(rule.root)
        return condition if rule.include_visitors else exp.and_(_is_customer(), condition)

    def condition(self, node: Node) -> exp.Expr:
        """What holds for the people that a node means; where it is null, it does not hold."""
        match node:
            case AllOf(()):
                return exp.true()
            case AnyOf(()):
                return exp.false()
            case AllOf(parts):
                return exp.and_(*map(self.condition, parts))
            case AnyOf(parts):
                return exp.or_(*map(self.condition, parts))
            case Not(part):
                return exp.not_(certain(self.condition(part)))
            case AttributeIs():
                return self._attribute(node)
            case EventDid():
                return self._events.did(node)
            case MemberOf():
                return self._member(node)

    def value(self, attribute: str) -> exp.Expr:
        """The person's value of an attribute that is not counted on reading."""
        if BY_NAME[attribute].enriched:
            return self._enriched.value(attribute)
        return _column(attribute)

    def _attribute(self, node: AttributeIs) -> exp.Expr:
        known = BY_NAME[node.attribute]
        if node.attribute == "days_since_last_order":
            return elapsed(_column("last_order_at"), node.op, node.value, self._bound)
        if node.attribute == OVERDUE:
            return elapsed(self._enriched.due_since(), node.op, node.value, self._bound)
        if node.attribute in MEASURED:
            return self._events.messages(node)
        return compare(self.value(node.attribute), known.type, node.op, node.value, self._bound)

    def _member(self, node: MemberOf) -> exp.Expr:
        if node.segment_id == ALL_CUSTOMERS_ID:
            return _is_customer() if node.member else exp.not_(_is_customer())
        known = self._others(node.segment_id)
        if known is not None:
            return known if node.member else exp.not_(known)
        members = (
            exp.select("m.profile_id")
            .from_(table("segment_members", "m", self._schema))
            .where(exp.column("segment_id", "m").eq(self._bound.value(node.segment_id)))
        )
        found = person().isin(query=members)
        return found if node.member else exp.not_(found)


def person() -> exp.Expr:
    """The id of the person that a condition is about."""
    return exp.column("profile_id", PEOPLE)


def _column(name: str) -> exp.Expr:
    return exp.column(name, PEOPLE)


def _is_customer() -> exp.Expr:
    return exp.column("kind", PEOPLE).eq(exp.Literal.string("customer"))
