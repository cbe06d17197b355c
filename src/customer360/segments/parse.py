"""The text form of a rule: Shopify's segment query language with our additions. Pure.

    query     = [FROM customers [SHOW …] WHERE] [any] [INCLUDING VISITORS] [ORDER BY …]
    any       = all {OR all}            all = not {AND not}            not = NOT not | node
    node      = ( any ) | ALL ( [any {, any}] ) | ANY ( [any {, any}] ) | condition
    condition = attribute operator value | segments [NOT] CONTAINS 'id'
              | event [NOT] MATCHES ( [parameter {, parameter}] ) | event ( parameters ) = true
    event     = name | event('a custom name')
    parameter = (date | count | sum_name | sum('name') | name | property('name')) operator value

Parentheses around a group make it a group of its own. InvalidQuery says where the trouble is.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from customer360.errors import InvalidQuery, InvalidRule
from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    EventDid,
    MemberOf,
    Node,
    Not,
    Rule,
    check_size,
    rule_of,
)
from customer360.segments.catalogue import EVENT_BY_NAME, nearest, operators_of
from customer360.segments.conditions import attribute_is, check_event, segment_id
from customer360.segments.parameters import Parameters
from customer360.segments.reader import Reader
from customer360.segments.shopify import FUNCTIONS, RENAMED, TERMS, Function, Term, why_not
from customer360.segments.tokens import Token

SEGMENTS, EVENT = "segments", "event"
_NAMES = (*BY_NAME, *EVENT_BY_NAME, *RENAMED, *TERMS, *FUNCTIONS, SEGMENTS)


def parse_query(query: str) -> Rule:
    """The rule that a text says; an empty one is everyone. Raises InvalidQuery."""
    rule = _Parser(query).query()
    try:
        return check_size(rule)
    except InvalidRule as error:
        raise InvalidQuery(str(error)) from error


def line_and_column(query: str, position: int) -> tuple[int, int]:
    """Where a position is, as people count: the first line is 1, and so is its first column."""
    before = query[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


class _Parser:
    """One text; each method reads what its name says."""

    def __init__(self, query: str) -> None:
        self._reader = Reader(query)
        self._depth = 0

    def query(self) -> Rule:
        reader = self._reader
        if reader.skip("FROM", "CUSTOMERS"):
            while not reader.has("WHERE") and not self._ends():
                reader.take()
            reader.skip("WHERE")
        node: Node = AllOf() if self._ends() else self._any()
        include_visitors = reader.skip("INCLUDING", "VISITORS")
        if not self._ends():
            reader.fail("AND, OR or the end is wanted here")
        return rule_of(node, include_visitors)

    def _ends(self) -> bool:
        return self._reader.next.kind == "end" or any(
            self._reader.has(*words) for words in (("ORDER", "BY"), ("INCLUDING", "VISITORS"))
        )

    def _any(self) -> Node:
        parts = [self._all()]
        while self._reader.skip("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Node:
        parts = [self._not()]
        while self._reader.skip("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _not(self) -> Node:
        token, reader = self._reader.next, self._reader
        if self._depth > MAX_DEPTH:
            reader.fail(f"Groups may be nested {MAX_DEPTH} deep", token)
        self._depth += 1
        try:
            if reader.skip("NOT"):
                return Not(self._not())
            if reader.has("ALL", "(") or reader.has("ANY", "("):
                group = AllOf if reader.take().word == "ALL" else AnyOf
                return group(tuple(reader.listed(self._any)))
            if reader.skip("("):
                node = self._any()
                reader.want(")")
                return node
            return self._condition()
        finally:
            self._depth -= 1

    def _condition(self) -> Node:
        reader = self._reader
        name = reader.take()
        if name.kind != "name":
            reader.fail("A condition is wanted here, such as total_spend >= 200", name)
        said = name.written.lower()
        if said == SEGMENTS:
            return self._member(name)
        if said == EVENT and reader.has("("):
            return self._custom_event(name)
        if said in FUNCTIONS:
            return self._event(name, FUNCTIONS[said])
        if said in EVENT_BY_NAME:
            return self._event(name, Function(said))
        term = TERMS.get(said) or _attribute(said)
        if term is None:
            reason = why_not(said)
            reader.fail(
                f"{name.written} is not supported: {reason}"
                if reason
                else f"There is no attribute or event {name.written}{nearest(said, _NAMES)}",
                name,
            )
        found = reader.comparison(name.written, term.type, term.operators)
        return reader.make(name, term.make, found)

    def _member(self, name: Token) -> Node:
        found = self._reader.comparison(name.written, "list", ("contains", "not_contains"))
        segment = self._reader.make(name, lambda _op, value: segment_id(value), found)
        return MemberOf(segment, found.op == "contains")

    def _custom_event(self, name: Token) -> Node:
        event = self._reader.name_in_quotes("The name of an event")
        try:
            check_event(event)
        except InvalidRule as error:
            self._reader.fail(str(error), name)
        return self._event(name, Function(event))

    def _event(self, name: Token, function: Function) -> EventDid:
        """One of: event MATCHES (…), event NOT MATCHES (…), event(…) = true, event IS NOT NULL."""
        reader = self._reader
        parameters = Parameters(reader, function.event, function.parameters)
        told = reader.has("(")
        if told:
            reader.listed(parameters.read)
        for words, did in _SAID if told else (*_MATCHES, *_SAID):
            if reader.skip(*words):
                if words[-1] == "MATCHES":
                    reader.listed(parameters.read)
                return parameters.event_did(did)
        reader.fail(f"{name.written} is an event; write {name.written} MATCHES (…)")


_Said: TypeAlias = tuple[tuple[tuple[str, ...], bool], ...]
_MATCHES: _Said = ((("MATCHES",), True), (("NOT", "MATCHES"), False))
_SAID: _Said = (
    (("=", "TRUE"), True),
    (("=", "FALSE"), False),
    (("IS", "NOT", "NULL"), True),
    (("IS", "NULL"), False),
)
"""What may follow the name of an event and, in parentheses, its parameters."""


def _attribute(name: str) -> Term | None:
    """A term of ours, or of Shopify's that is another name of ours."""
    known = BY_NAME.get(RENAMED.get(name, name))
    if known is None:
        return None
    return Term(name, known.type, operators_of(known.type), partial(attribute_is, known.name))
