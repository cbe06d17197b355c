"""A rule as text, such that `parse_query` reads the same rule from it. Pure."""

from __future__ import annotations

from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import (
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    Rule,
    Value,
    Within,
)
from customer360.segments.catalogue import (
    EVENT_BY_NAME,
    PROPERTY_BY_NAME,
    ValueType,
)
from customer360.segments.conditions import property_type
from customer360.segments.tokens import OPERATOR_TEXT, quoted, written


def write_query(rule: Rule) -> str:
    """The rule in the text form; everyone is an empty text."""
    root, suffix = rule.root, "INCLUDING VISITORS" if rule.include_visitors else ""
    if root == AllOf():
        text = ""
    elif isinstance(root, AllOf) and len(root.parts) == 1 and not _is_group(root.parts[0]):
        text = _written(root.parts[0])
    else:
        text = _written(root)
    return " ".join(filter(None, (text, suffix)))


def _is_group(node: Node) -> bool:
    return isinstance(node, AllOf | AnyOf)


def _written(node: Node) -> str:
    match node:
        case AllOf(parts):
            return _group("ALL", " AND ", parts)
        case AnyOf(parts):
            return _group("ANY", " OR ", parts)
        case Not(part):
            return f"NOT {_part(part)}"
        case MemberOf(segment, member):
            return f"segments {'' if member else 'NOT '}CONTAINS '{segment}'"
        case AttributeIs(attribute, op, value):
            return f"{attribute} {_test(op, value, BY_NAME[attribute].type)}"
        case EventDid():
            return _event(node)


def _group(name: str, between: str, parts: tuple[Node, ...]) -> str:
    """Two parts and more stand with AND or OR between them; fewer would not say which group they are."""
    if len(parts) > 1:
        return between.join(map(_part, parts))
    return f"{name} ({', '.join(map(_written, parts))})"


def _part(node: Node) -> str:
    """A node within another one; only groups that stand without their name need parentheses."""
    text = _written(node)
    return f"({text})" if isinstance(node, AllOf | AnyOf) and len(node.parts) > 1 else text


def _test(op: str, value: Value, kind: ValueType) -> str:
    said = OPERATOR_TEXT[op]
    if value is None:
        return said
    if op in ("in_last_days", "not_in_last_days"):
        return f"{said} {value} DAYS"
    if not isinstance(value, tuple):
        return f"{said} {written(value, kind)}"
    values = [written(one, kind) for one in value]
    return f"{said} {' AND '.join(values)}" if op == "between" else f"{said} ({', '.join(values)})"


def _event(node: EventDid) -> str:
    event = node.event if node.event in EVENT_BY_NAME else f"event({quoted(node.event)})"
    said = [
        f"{_name('property', '', one.property)}"
        f" {_test(one.op, one.value, property_type(node.event, one.property))}"
        for one in node.where
    ]
    if node.within:
        said += _dates(node.within)
    if node.count:
        said.append(f"count {_test(node.count.op, node.count.value, 'number')}")
    if node.sum:
        name = _name("sum", "sum_", node.sum.property)
        said.append(f"{name} {_test(node.sum.op, node.sum.value, 'number')}")
    return f"{event} {'' if node.did else 'NOT '}MATCHES ({', '.join(said)})"


def _name(custom: str, prefix: str, name: str) -> str:
    return f"{prefix}{name}" if name in PROPERTY_BY_NAME else f"{custom}({quoted(name)})"


def _dates(when: Within) -> list[str]:
    if when.since and when.until:
        if when.since == when.until:
            return [f"date = {when.since}"]
        return [f"date BETWEEN {when.since} AND {when.until}"]
    marks = ((">=", when.since), (">", when.after), ("<=", when.until), ("<", when.before))
    return [f"date {mark} {day}" for mark, day in marks if day]
