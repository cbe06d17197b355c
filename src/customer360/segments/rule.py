"""The JSON form of a rule, as the API has it. Pure.

{"all": […]}, {"any": […]}, {"not": …}, {"attribute", "op", "value"}, {"event", "did", "where", "count", "sum",
"within"}, {"segment", "member"}; beside the outermost, "include_visitors". InvalidRule names the place by its path,
such as "all.1.any.0.value".
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from customer360.errors import InvalidRule
from customer360.segments.ast import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    PropertyIs,
    Rule,
    Value,
    Within,
    check_size,
    rule_of,
)
from customer360.segments.catalogue import nearest
from customer360.segments.conditions import (
    attribute_is,
    check_event,
    count_is,
    inside,
    property_is,
    segment_id,
    sum_is,
    within,
    within_last,
)
from customer360.segments.days import days_back

_KINDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "any": (),
    "not": (),
    "attribute": ("op", "value"),
    "event": ("did", "where", "count", "sum", "within"),
    "segment": ("member",),
}
"""By the key that says what a node is, the keys that may stand beside it."""

_BOUNDS = {"from": "since", "after": "after", "to": "until", "before": "before"}


def read_rule(data: Any) -> Rule:
    """The rule that JSON tells; raises InvalidRule."""
    told = dict(_mapping(data))
    include_visitors = told.pop("include_visitors", False)
    with inside("include_visitors"):
        _flag(include_visitors)
    return check_size(rule_of(_node(told, 1), include_visitors))


def write_rule(rule: Rule) -> dict[str, Any]:
    """The rule as JSON."""
    return {**write_node(rule.root), "include_visitors": rule.include_visitors}


def _node(data: Any, depth: int) -> Node:
    told = _mapping(data)
    kind = next((kind for kind in _KINDS if kind in told), None)
    if kind is None:
        raise InvalidRule(f"A condition has one of the keys {', '.join(_KINDS)}")
    _check_keys(told, (kind, *_KINDS[kind]))
    if kind == "attribute":
        return attribute_is(_name(told, "attribute"), _name(told, "op"), told.get("value"))
    if kind == "event":
        return _event(told)
    if kind == "segment":
        return MemberOf(segment_id(told["segment"]), _told_flag(told, "member"))
    if depth > MAX_DEPTH:
        raise InvalidRule(f"Groups may be nested {MAX_DEPTH} deep")
    with inside(kind):
        if kind == "not":
            return Not(_node(told["not"], depth + 1))
        parts = tuple(_each(told[kind], lambda part: _node(part, depth + 1)))
    return AllOf(parts) if kind == "all" else AnyOf(parts)


def _event(told: dict[str, Any]) -> EventDid:
    event = check_event(_name(told, "event"))
    count = sum_ = None
    with inside("where"):
        where = tuple(_each(told.get("where") or [], lambda one: _property(event, one)))
    with inside("count"):
        if told.get("count") is not None:
            counted = _mapping(told["count"], ("op", "value"))
            count = count_is(_name(counted, "op"), counted.get("value"))
    with inside("sum"):
        if told.get("sum") is not None:
            summed = _mapping(told["sum"], ("property", "op", "value"))
            sum_ = sum_is(
                event, _name(summed, "property"), _name(summed, "op"), summed.get("value")
            )
    with inside("within"):
        when = None if told.get("within") is None else _within(_mapping(told["within"]))
    return EventDid(
        event=event, did=_told_flag(told, "did"), where=where, count=count, sum=sum_, within=when
    )


def _property(event: str, data: Any) -> PropertyIs:
    told = _mapping(data, ("property", "op", "value"))
    return property_is(event, _name(told, "property"), _name(told, "op"), told.get("value"))


def _within(told: dict[str, Any]) -> Within | None:
    if "last_days" in told:
        _check_keys(told, ("last_days",))
        with inside("last_days"):
            return within_last(told["last_days"])
    _check_keys(told, ("last_days", *_BOUNDS))
    try:
        return within(**{bound: told.get(key) for key, bound in _BOUNDS.items()})
    except InvalidRule as error:
        key = next(key for key, bound in _BOUNDS.items() if bound == error.path)
        raise InvalidRule(str(error), key) from error


def _each(data: Any, read: Any) -> Iterable[Any]:
    if not isinstance(data, list | tuple):
        raise InvalidRule("A list is wanted")
    for place, one in enumerate(data):
        with inside(place):
            yield read(one)


def _mapping(data: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidRule("An object is wanted")
    if known:
        _check_keys(data, known)
    return data


def _check_keys(told: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in told:
        if key not in known:
            raise InvalidRule(f"There is no {key!r} here{nearest(str(key), known)}", str(key))


def _name(told: dict[str, Any], key: str) -> str:
    name = told.get(key)
    if not isinstance(name, str) or not name:
        raise InvalidRule(f"{key!r} is wanted, as text", key)
    return name


def _told_flag(told: dict[str, Any], key: str) -> bool:
    with inside(key):
        return _flag(told.get(key, True))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidRule("true or false is wanted")
    return value


def write_node(node: Node) -> dict[str, Any]:
    """Any part of a rule as JSON."""
    match node:
        case AllOf(parts):
            return {"all": [write_node(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [write_node(part) for part in parts]}
        case Not(part):
            return {"not": write_node(part)}
        case MemberOf(segment, member):
            return {"segment": str(segment), "member": member}
        case AttributeIs(attribute, op, value):
            return {"attribute": attribute, **_write_test(op, value)}
        case EventDid():
            return _write_event(node)


def _write_event(node: EventDid) -> dict[str, Any]:
    told: dict[str, Any] = {"event": node.event}
    if not node.did:
        told["did"] = False
    if node.where:
        told["where"] = [
            {"property": one.property, **_write_test(one.op, one.value)} for one in node.where
        ]
    if node.count:
        told["count"] = _write_test(node.count.op, node.count.value)
    if node.sum:
        told["sum"] = {"property": node.sum.property, **_write_test(node.sum.op, node.sum.value)}
    if node.within:
        told["within"] = _write_within(node.within)
    return told


def _write_test(op: str, value: Value) -> dict[str, Any]:
    return {"op": op} if value is None else {"op": op, "value": _plain(value)}


def _write_within(when: Within) -> dict[str, Any]:
    days = days_back(when.since)
    if days is not None and when == Within(since=when.since):
        return {"last_days": days}
    bounds = {key: getattr(when, bound) for key, bound in _BOUNDS.items()}
    return {key: bound for key, bound in bounds.items() if bound is not None}


def _plain(value: Value) -> Any:
    """A value as JSON has it: numbers as numbers, without a fraction where they have none."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value
