"""How many people does a rule mean now, who are some of them, and how can they be reached? While it is written.

Where it means nobody: which condition is the bottleneck?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from sqlglot import exp

from customer360.clock import Instant
from customer360.events.model import Channel
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.stages import ShopCalendar
from customer360.segments.ast import (
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    Node,
    Not,
    Rule,
    conditions_of,
    parts_of,
)
from customer360.segments.comparisons import Bound, certain
from customer360.segments.notices import Notice, notices
from customer360.segments.to_sql import DIALECT, Compiled, Evaluator, of_people, select_members
from customer360.values import Amount

SAMPLES = 5
CHANNELS: tuple[Channel, ...] = get_args(Channel)
_ADDRESSES: dict[Channel, str] = {"email": "has_email", "sms": "has_phone", "whatsapp": "has_phone"}
"""By channel, what tells that there is an address at all; nothing does of push."""
# More are not read by anybody, and each is counted by itself.
_MOST_TRIED = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the people: an amount is raw; who it is, the profile store says."""

    profile_id: int
    orders_count: int
    total_spend: Amount


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of the people agreed to a channel, and why not the others: the rest were never asked."""

    granted: int
    pending: int
    withdrawn: int
    no_address: int


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A part of the rule (its places in its groups from the outermost on), and how many there are without it."""

    node: Node
    path: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule means at a time.

    `everyone` is all customers, with visitors where the rule includes them. `samples` are those seen last.
    `bottlenecks` is told where the rule means nobody: the part that hides most people first, and nothing where no
    part alone hides anybody.
    """

    count: int
    everyone: int
    samples: tuple[Sample, ...]
    reach: Mapping[Channel, Reach]
    bottlenecks: tuple[Bottleneck, ...]
    notices: tuple[Notice, ...]

    @property
    def share(self) -> float:
        """The part of everyone, from 0 to 1."""
        return self.count / self.everyone if self.everyone else 0.0

    @property
    def reachable(self) -> dict[Channel, int]:
        """How many can be sent marketing by each channel: they have an address there, and agreed."""
        return {channel: reach.granted for channel, reach in self.reach.items()}


def preview(
    warehouse: WarehouseQuery, shop_id: int, rule: Rule, now: Instant, calendar: ShopCalendar
) -> Preview:
    """Whom a rule means now."""
    compiled = select_members(rule, now, calendar)
    sql = _PREVIEW.format(
        found=compiled.query.select(*(exp.column(name) for name in _TOLD)).sql(DIALECT),
        kinds=", ".join(_KINDS),
        counts=", ".join(
            f"coalesce(sum(n) filter (where {what}), 0)::bigint as {name}"
            for name, what in _COUNTED.items()
        ),
        names=", ".join(_COUNTED),
        everyone="true" if rule.include_visitors else "kind = 'customer'",
    )
    rows = warehouse.query(shop_id, sql, compiled.values).to_pylist()
    counts = rows[0]
    return Preview(
        count=counts["found_count"],
        everyone=counts["everyone"],
        samples=tuple(
            Sample(row["profile_id"], row["orders_count"], int(row["total_spend"].scaleb(4)))
            for row in rows
            if row["profile_id"] is not None
        ),
        reach={channel: _reach(counts, channel) for channel in CHANNELS},
        bottlenecks=()
        if counts["found_count"] or not counts["everyone"]
        else bottlenecks(warehouse, shop_id, rule, now, calendar),
        notices=notices(rule),
    )


_KINDS = ("has_email", "has_phone", *(f"consent_{channel}" for channel in CHANNELS))
_TOLD = ("last_seen_at", "orders_count", "total_spend", *_KINDS)

_PREVIEW = f"""
with
found as materialized ({{found}}),
-- Few kinds of people are counted instead of many people.
kinds as (select {{kinds}}, count(*) as n from found group by {{kinds}}),
counts as (select {{counts}} from kinds),
everyone as (select count(*) as everyone from profiles where {{everyone}}),
samples as (
    select profile_id, orders_count, total_spend, last_seen_at
    from found
    order by last_seen_at desc nulls last, profile_id desc
    limit {SAMPLES}
)
select {{names}}, everyone, profile_id, orders_count, total_spend
from counts cross join everyone left join samples on true
order by last_seen_at desc nulls last, profile_id desc
"""


def _counted() -> Iterator[tuple[str, str]]:
    yield "found_count", "true"
    for channel in CHANNELS:
        for state in ("granted", "pending", "withdrawn"):
            yield f"{channel}_{state}", f"consent_{channel} = '{state}'"
        address = _ADDRESSES.get(channel, "true")
        yield f"{channel}_no_address", f"not {address} and consent_{channel} = 'never'"


_COUNTED = dict(_counted())


def _reach(counts: Mapping[str, Any], channel: Channel) -> Reach:
    return Reach(
        granted=counts[f"{channel}_granted"],
        pending=counts[f"{channel}_pending"],
        withdrawn=counts[f"{channel}_withdrawn"],
        no_address=counts[f"{channel}_no_address"],
    )


def bottlenecks(
    warehouse: WarehouseQuery, shop_id: int, rule: Rule, now: Instant, calendar: ShopCalendar
) -> tuple[Bottleneck, ...]:
    """The parts without which a rule that means nobody would mean somebody, the one that hides most first.

    Every condition is evaluated once for everybody; what the rule would be without a part is counted from that.
    A group is told only where no part of it helps alone.
    """
    tried = [*_parts_below(rule.root)][:_MOST_TRIED]
    if not tried:
        return ()
    conditions = [*dict.fromkeys(conditions_of(rule.root))]
    compiled = _truths(conditions, rule.include_visitors, now, calendar)
    columns = {condition: f"holds_{number}" for number, condition in enumerate(conditions)}
    counts = ", ".join(
        f"count(*) filter (where {_held(without(rule.root, path), columns)}) as n{number}"
        for number, (path, _) in enumerate(tried)
    )
    sql = f"with truths as ({compiled.sql()}) select {counts} from truths"
    (found,) = warehouse.query(shop_id, sql, compiled.values).to_pylist()
    helping = [
        Bottleneck(node, path, count)
        for (path, node), count in zip(tried, found.values(), strict=True)
        if count
    ]
    inner = [one for one in helping if not any(_is_within(other, one) for other in helping)]
    return tuple(sorted(inner, key=lambda one: -one.count))


def _truths(
    conditions: Sequence[Condition], include_visitors: bool, now: Instant, calendar: ShopCalendar
) -> Compiled:
    """Of everybody whether each condition holds: holds_0, holds_1, …

    Of millions, those with events are found by themselves and joined.
    """
    bound = Bound(now, calendar)
    evaluator = Evaluator(bound)
    query = exp.select("p.profile_id")
    for number, condition in enumerate(conditions):
        holds = evaluator.condition(condition)
        if isinstance(condition, AttributeIs):
            holds = certain(holds)
        else:
            name = f"found_{number}"
            found = of_people(exp.select("p.profile_id").where(holds))
            same = exp.column("profile_id", name).eq(exp.column("profile_id", "p"))
            query.join(found.subquery(name), on=same, join_type="left", copy=False)
            holds = exp.not_(exp.column("profile_id", name).is_(exp.null()))
        query.select(holds.as_(f"holds_{number}"), copy=False)
    if not include_visitors:
        query.where(exp.column("kind", "p").eq(exp.Literal.string("customer")), copy=False)
    return Compiled(of_people(query), bound.values)


def without(node: Node, path: tuple[int, ...]) -> Node | None:
    """A node without the part at a path; None where nothing is left, as of a negation of that part."""
    if not path:
        return None
    part = without(parts_of(node)[path[0]], path[1:])
    if not isinstance(node, AllOf | AnyOf):
        return None if part is None else Not(part)
    kept = () if part is None else (part,)
    parts = (*node.parts[: path[0]], *kept, *node.parts[path[0] + 1 :])
    return msgspec.structs.replace(node, parts=parts) if parts else None


def _parts_below(node: Node, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Node]]:
    """What can be left out of a node. A group of one is its part, and a negated condition is left out with its not."""
    for number, part in enumerate(parts_of(node)):
        here = (*path, number)
        group = part.part if isinstance(part, Not) else part
        if isinstance(part, Not) or len(parts_of(part)) != 1:
            yield here, part
        if isinstance(group, AllOf | AnyOf) and (group is part or len(group.parts) > 1):
            yield from _parts_below(group, here if group is part else (*here, 0))


def _is_within(one: Bottleneck, other: Bottleneck) -> bool:
    return len(one.path) > len(other.path) and one.path[: len(other.path)] == other.path


def _held(node: Node | None, columns: Mapping[Condition, str]) -> str:
    """Whether a node holds, of the columns that tell it of every condition."""
    match node:
        case None | AllOf(()):
            return "true"
        case AnyOf(()):
            return "false"
        case AllOf(parts):
            return f"({' and '.join(_held(part, columns) for part in parts)})"
        case AnyOf(parts):
            return f"({' or '.join(_held(part, columns) for part in parts)})"
        case Not(part):
            return f"not {_held(part, columns)}"
        case condition:
            return columns[condition]
