"""Which segments are these people in? Every rule over the few who changed, in one question on one snapshot.

Their rows are copied once, and all rules look at the copies. A rule that asks for another segment is told what that
one's rule says in the same question, so no answer depends on what was stored before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

import pyarrow as pa
from sqlglot import exp

from customer360.clock import Instant
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import Rule, segments_in
from customer360.segments.at_once import CHANGED, AtOnce
from customer360.segments.comparisons import Bound, certain, table
from customer360.segments.to_sql import PEOPLE, Compiled, Evaluator, compiled, person
from customer360.storage.engines.engine import Session

_ANSWER = "answer"
_ROUND = "round_{}"
"""Where the answers to rules are, those that other rules ask for first."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How to ask about the people in `CHANGED`: tables to make, each of those before it, then a query."""

    copies: dict[str, Compiled]
    answer: Compiled


class Question:
    """All rules, by segment id, as one question; it may be asked again while they and the shop's day are the same.

    Writing the SQL of hundreds of rules takes longer than to run it. Every segment that a rule asks for has to be
    among the rules; nobody is in one that is not.
    """

    def __init__(self, rules: Mapping[int, Rule], now: Instant, calendar: ShopCalendar) -> None:
        self._segments = list(rules)
        steps = select_memberships(rules, now, calendar)
        self._copies = {name: (one.sql(), one.values) for name, one in steps.copies.items()}
        self._answer = (steps.answer.sql(), steps.answer.values)

    def memberships(self, session: Session, profile_ids: Sequence[int]) -> pa.Table:
        """Of these people: (segment_id, profile_id) of whoever a rule means."""
        changed = select_changed(profile_ids)
        session.keep(CHANGED, changed.sql(), changed.values)
        for name, copy in self._copies.items():
            session.keep(name, *copy)
        # So its hundreds of columns are planned once; asked directly, they would be twice.
        session.keep(_ANSWER, *self._answer)
        people, *held = session.query(f"select * from {_ANSWER}").columns
        return pa.concat_tables(
            [_members(0, people[:0])]
            + [
                _members(segment_id, people.filter(means))
                for segment_id, means in zip(self._segments, held, strict=True)
            ]
        )


def select_changed(profile_ids: Sequence[int]) -> Compiled:
    """The ids as a table."""
    bound = Bound(0, ShopCalendar("UTC"))
    ids = exp.Unnest(expressions=[bound.ids(profile_ids)]).as_("profile_id")
    return compiled(exp.select(ids), bound)


def select_memberships(
    rules: Mapping[int, Rule], now: Instant, calendar: ShopCalendar, schema: str = "main"
) -> Steps:
    """Of each person asked for: their id, and in the rules' order whether each means them: means_0, means_1, …"""
    bound = Bound(now, calendar)
    at_once = AtOnce(bound, schema)
    columns = {segment_id: f"means_{number}" for number, segment_id in enumerate(rules)}

    def is_in(segment_id: int) -> exp.Expr | None:
        return exp.column(columns[segment_id], PEOPLE) if segment_id in columns else None

    evaluator = Evaluator(bound, answer=at_once, others=is_in)
    rounds = [
        [certain(evaluator.meant(rules[one])).as_(columns[one]) for one in segments]
        for segments in _in_rounds(rules)
    ]
    steps = [*at_once.steps(one for means in rounds for one in means)]
    queries = [*at_once.measures()]
    for number, means in enumerate(rounds):
        before = table(queries[-1][0], PEOPLE, "")
        queries.append((_ROUND.format(number), exp.select(f"{PEOPLE}.*", *means).from_(before)))
    answer = exp.select(person(), *(exp.column(one, PEOPLE) for one in columns.values()))
    answer = answer.from_(table(queries[-1][0], PEOPLE, ""))
    for name, query in queries:
        answer = answer.with_(name, query)
    return Steps({name: compiled(copy, bound) for name, copy in steps}, compiled(answer, bound))


def _in_rounds(rules: Mapping[int, Rule]) -> Iterator[tuple[int, ...]]:
    """The segments, those that others ask for in a round before them."""
    asked = TopologicalSorter(
        {one: segments_in(rule) & rules.keys() for one, rule in rules.items()}
    )
    asked.prepare()
    while asked.is_active():
        ready = asked.get_ready()
        yield ready
        asked.done(*ready)


def _members(segment_id: int, profile_ids: pa.ChunkedArray | pa.Array) -> pa.Table:
    same = pa.repeat(pa.scalar(segment_id, pa.int64()), len(profile_ids))
    return pa.table({"segment_id": same, "profile_id": profile_ids})
