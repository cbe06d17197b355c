"""Profiles while they are being made: what linking must know of them, and what forbids to make two one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from customer360.identities.model import Doubt, Rules
from customer360.identities.normalise import SINGLE_PER_PROFILE

T = TypeVar("T")

Moment = tuple[int, tuple[object, ...]]
"""A place in canonical order: the time, and what settles ties."""


class Group(msgspec.Struct, eq=False):
    """The observations that are one person so far; `into` leads to the group that took it in."""

    number: int
    """In the order in which groups began."""
    founder: int
    changed: Moment
    """When last something about it changed that may decide a refused link differently."""
    into: Group | None = None
    known: bool = False
    """Whether an event named the person, as against the browser alone."""
    counts: dict[str, int] = {}
    """How many known identifiers it owns, by type."""
    total: int = 0
    customer_ids: int = 0
    """How many of the shop's own, shared ones included."""
    parts: set[str] = set()
    """The parts of every name; two sides conflict when they share none."""
    phones: set[int] = set()
    """Those owned, since time alone can take them away."""
    marks: set[int] = set()
    """Ends of "not the same": 2 n and 2 n + 1 are the two ends of the n-th."""
    refused_more: bool = False

    def root(self) -> Group:
        """The group that this one is now part of."""
        top = self
        while top.into is not None:
            top = top.into
        step = self
        while step.into is not None and step.into is not top:
            step.into, step = top, step.into
        return top

    def take_in(self, other: Group) -> None:
        """Become one with a group that began later."""
        other.into = self
        self.known = self.known or other.known
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        self.total += other.total
        self.customer_ids += other.customer_ids
        self.refused_more = self.refused_more or other.refused_more
        self.parts = _joined(self.parts, other.parts)
        self.phones = _joined(self.phones, other.phones)
        self.marks = _joined(self.marks, other.marks)

    def add(self, kind: str) -> None:
        """Count one more known identifier."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.total += 1

    def lose(self, kind: str) -> None:
        """Count one known identifier less."""
        self.counts[kind] -= 1
        self.total -= 1

    def is_frozen(self, rules: Rules) -> bool:
        """Above the limit in all nothing links by itself any more."""
        return self.total > rules.known_identifiers

    def refuses_identifier(self, kind: str, rules: Rules) -> Literal["limit", "frozen"] | None:
        """What forbids to add a known identifier."""
        limit = rules.limits.get(kind)
        if limit is not None and self.counts.get(kind, 0) >= limit:
            return "limit"
        return "frozen" if self.total >= rules.known_identifiers else None


def breaks_a_limit(one: Group, other: Group, rules: Rules) -> Doubt | None:
    """The limit that forbids to merge.

    Only a value added to a full side breaks it: a side that has none of a type adds nothing.
    """
    broken: Doubt | None = None
    for kind, count in one.counts.items():
        limit = rules.limits.get(kind)
        others = other.counts.get(kind, 0)
        if limit is None or not count or not others or count + others <= limit:
            continue
        if kind in SINGLE_PER_PROFILE:
            return "account_ids"
        broken = "limit"
    if broken:
        return broken
    full = one.total and other.total and one.total + other.total > rules.known_identifiers
    return "frozen" if full or one.is_frozen(rules) or other.is_frozen(rules) else None


def names_conflict(one: set[str], other: set[str]) -> bool:
    """Whether both have names and none of one shares a part, in either place, with any of the other."""
    return bool(one) and bool(other) and one.isdisjoint(other)


def said_not_the_same(
    one: Group, other: Group, decided: Mapping[int, int] | None = None, after: int = 0
) -> bool:
    """Whether somebody said so; with `decided` (decision of each mark), only by a decision after `after`."""
    if not one.marks or not other.marks:
        return False
    few, many = sorted((one.marks, other.marks), key=len)
    return any(mark ^ 1 in many and (decided is None or decided[mark >> 1] > after) for mark in few)


def _joined(one: set[T], other: set[T]) -> set[T]:
    """The union, made by adding the few to the many."""
    if len(one) < len(other):
        one, other = other, one
    one |= other
    return one
