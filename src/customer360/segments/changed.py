"""Which segments are these people in? Every rule over the few who changed, in one question on one snapshot.

Their rows are copied once, and all rules look at the copies. A rule that asks for another segment is told what that
one's rule says in the same question, so no answer depends on what was stored before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlglot import exp

from customer360.clock import Instant
from customer360.segments.ast import Rule
from customer360.segments.comparisons import Bound, certain, table
from customer360.segments.to_sql import Compiled, Evaluator
from customer360.storage.engines.engine import Session

_COPIES = (
    ("profiles", "profile_id"),
    ("fragment_profiles", "profile_id"),
    ("events_all", "fragment_id"),
    ("orders", "fragment_id"),
    ("order_lines", "fragment_id"),
    ("segment_members", "profile_id"),
)
"""What rules read, and by which column a row is somebody's."""


def memberships(
    session: Session,
    rules: Mapping[int, Rule],
    profile_ids: Sequence[int],
    now: Instant,
    timezone: str,
) -> pa.Table:
    """Of these people and these rules, by segment id: (segment_id, profile_id) of whoever a rule means.

    Every segment that a rule asks for has to be among the rules; nobody is in one that is not.
    """
    if not rules:
        return _members(0, pa.array([], pa.int64()))
    compiled = select_memberships(rules, profile_ids, now, timezone)
    truths = session.query(compiled.sql(), compiled.values)
    people, *held = truths.columns
    return pa.concat_tables(
        _members(segment_id, people.filter(means))
        for segment_id, means in zip(rules, held, strict=True)
    )


def select_memberships(
    rules: Mapping[int, Rule],
    profile_ids: Sequence[int],
    now: Instant,
    timezone: str,
    schema: str = "main",
) -> Compiled:
    """Of each of these people: their id, and in the rules' order whether each means them: means_0, means_1, …"""
    bound = Bound(now, timezone)
    evaluator = Evaluator(bound, others=rules)
    held = [
        certain(evaluator.meant(rule)).as_(f"means_{number}")
        for number, rule in enumerate(rules.values())
    ]
    people = exp.column("profile_id", "p")
    query = exp.select(people, *held).from_(table("profiles", "p", ""))
    changed = exp.select(exp.Unnest(expressions=[_ids(bound, profile_ids)]).as_("profile_id"))
    return Compiled(over_rows_of(changed, query, schema), bound.values)


def over_rows_of(people: exp.Select, query: exp.Select, schema: str = "main") -> exp.Select:
    """The query over copies of some people's rows, which stand under the names of the tables; changes the query.

    `people` selects their profile ids. What the query does not read is not copied.
    """
    query.with_("changed", people, materialized=True, copy=False)
    for name, key in _COPIES:
        owners = "fragment_profiles" if key == "fragment_id" else "changed"
        rows = (
            exp.select("r.*")
            .from_(table(name, "r", schema))
            .where(exp.column(key, "r").isin(query=exp.select(key).from_(owners)))
        )
        query.with_(name, rows, materialized=True, copy=False)
    return query


def _members(segment_id: int, profile_ids: pa.ChunkedArray | pa.Array) -> pa.Table:
    same = pa.repeat(pa.scalar(segment_id, pa.int64()), len(profile_ids))
    return pa.table({"segment_id": same, "profile_id": profile_ids})


def _ids(bound: Bound, profile_ids: Sequence[int]) -> exp.Expr:
    return exp.cast(bound.value(list(profile_ids)), "bigint[]", dialect="duckdb")
