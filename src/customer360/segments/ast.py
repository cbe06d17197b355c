"""A segment's rule as a tree: what the builder, the text form and the API write, and the evaluator reads. Pure.

The trees that `rule` and `parse` make hold only what `conditions` lets through, with each value in one form: numbers
as Decimal, choices and moments as the text that stands for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

from customer360.errors import InvalidRule

MAX_DEPTH = 12
"""Groups and negations within each other: more than people can read, and far from what Python can recurse."""
MAX_CONDITIONS = 300
"""Conditions of one rule, those on properties included; each may cost a look at all events."""

ALL_CUSTOMERS_ID = 1
"""The built-in segment that every shop has; who is in it follows from the profile alone."""

Scalar: TypeAlias = str | bool | Decimal
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None


class AttributeIs(msgspec.Struct, frozen=True):
    """A condition on an attribute of the profile."""

    attribute: str
    op: str
    value: Value = None


class PropertyIs(msgspec.Struct, frozen=True):
    """A condition on a property of an event."""

    property: str
    op: str
    value: Value = None


class Count(msgspec.Struct, frozen=True):
    """How often something happened; 0 where it never did."""

    op: str
    value: Value


class Sum(msgspec.Struct, frozen=True):
    """What a property adds up to; 0 where nothing happened."""

    property: str
    op: str
    value: Value


class Within(msgspec.Struct, frozen=True, omit_defaults=True):
    """When, in days of the shop's calendar as `days` reads them; `after` and `before` exclude the day itself."""

    since: str | None = None
    after: str | None = None
    until: str | None = None
    before: str | None = None


class EventDid(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on events: with neither count nor sum, that one happened; `did` false turns the whole around."""

    event: str
    did: bool = True
    where: tuple[PropertyIs, ...] = ()
    count: Count | None = None
    sum: Sum | None = None
    within: Within | None = None


class MemberOf(msgspec.Struct, frozen=True):
    """A condition on being in another segment."""

    segment_id: int
    member: bool = True


class AllOf(msgspec.Struct, frozen=True):
    """Every part holds; so does a group without parts."""

    parts: tuple[Node, ...] = ()


class AnyOf(msgspec.Struct, frozen=True):
    """At least one part holds; a group without parts holds for nobody."""

    parts: tuple[Node, ...] = ()


class Not(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Node


Condition: TypeAlias = AttributeIs | EventDid | MemberOf
Group: TypeAlias = AllOf | AnyOf
Node: TypeAlias = Group | Not | Condition


class Rule(msgspec.Struct, frozen=True):
    """Whom a segment consists of: customers that the group holds for, and visitors where they are included."""

    root: Group = AllOf()
    include_visitors: bool = False


EVERYONE = Rule()
"""All customers: where a new segment begins."""


def rule_of(node: Node, include_visitors: bool = False) -> Rule:
    """A rule of any node: one that is no group is the only part of one."""
    root = node if isinstance(node, AllOf | AnyOf) else AllOf((node,))
    return Rule(root, include_visitors)


def parts_of(node: Node) -> tuple[Node, ...]:
    """What a node consists of; nothing, where it is a condition."""
    if isinstance(node, AllOf | AnyOf):
        return node.parts
    return (node.part,) if isinstance(node, Not) else ()


def conditions_of(node: Node) -> Iterator[Condition]:
    """Every condition at or below a node, in order."""
    if isinstance(node, AttributeIs | EventDid | MemberOf):
        yield node
    for part in parts_of(node):
        yield from conditions_of(part)


def all_conditions(rule: Rule, others: Mapping[int, Rule]) -> Iterator[Condition]:
    """Every condition of a rule, those of the segments that it asks for included; these are among the others."""
    for condition in conditions_of(rule.root):
        if isinstance(condition, MemberOf) and condition.segment_id in others:
            yield from all_conditions(others[condition.segment_id], others)
        else:
            yield condition


def depth_of(node: Node) -> int:
    """How many groups and negations are within each other."""
    parts = parts_of(node)
    nested = isinstance(node, AllOf | AnyOf | Not)
    return nested + max(map(depth_of, parts), default=0)


def check_size(rule: Rule) -> Rule:
    """The rule; raises InvalidRule where it is larger than a rule may be."""
    found = list(conditions_of(rule.root))
    size = len(found) + sum(len(one.where) for one in found if isinstance(one, EventDid))
    if size > MAX_CONDITIONS:
        raise InvalidRule(f"A rule may have {MAX_CONDITIONS} conditions; this one has {size}")
    if depth_of(rule.root) > MAX_DEPTH:
        raise InvalidRule(f"Groups may be nested {MAX_DEPTH} deep")
    return rule


def segments_in(rule: Rule) -> frozenset[int]:
    """The segments that a rule asks for."""
    return frozenset(
        one.segment_id for one in conditions_of(rule.root) if isinstance(one, MemberOf)
    )


def check_known(rule: Rule, segment_ids: Collection[int]) -> None:
    """Raises InvalidRule where a rule asks for a segment that is not among these."""
    if unknown := segments_in(rule).difference(segment_ids):
        raise InvalidRule(f"There is no segment {min(unknown)}")


def check_cycle(segment_id: int, rule: Rule, others: Mapping[int, Rule]) -> None:
    """Raises InvalidRule where a segment with this rule would ask for itself, directly or by others."""
    waiting, seen = [rule], set[int]()
    while waiting:
        for asked in segments_in(waiting.pop()) - seen:
            if asked == segment_id:
                raise InvalidRule("A segment cannot depend on itself")
            seen.add(asked)
            if asked in others:
                waiting.append(others[asked])
