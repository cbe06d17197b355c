"""The builder's form as a rule, and a rule as its fields: no rule is lost on the way. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from customer360.errors import InvalidRule
from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import (
    AllOf,
    AnyOf,
    AttributeIs,
    EventDid,
    MemberOf,
    Node,
    Not,
    PropertyIs,
    Rule,
    Scalar,
    Value,
    Within,
    check_size,
)
from customer360.segments.catalogue import COUNT_OPERATORS, ValueType, operators_of, property_of
from customer360.segments.conditions import (
    attribute_is,
    check_event,
    count_is,
    inside,
    property_is,
    property_type,
    segment_id,
    sum_is,
    within,
    within_last,
)
from customer360.segments.days import TODAY, days_back, is_day, offset_of
from customer360.web.segment_form import OTHER, ROOT, Piece

VALUELESS = ("is_empty", "is_not_empty")
LISTS = ("in", "not_in")
LAST_DAYS = ("in_last_days", "not_in_last_days")
UNFINISHED = "Fill this in"

# What people ask most of a value of the type; else the first operator.
_FIRST_OPERATOR: dict[ValueType, str] = {"number": "gte", "money": "gte", "time": "in_last_days"}
_STARTS, _ENDS = ("since", "after"), ("until", "before")


class Drafted(NamedTuple):
    """The rule of all that is a condition already, and by field what the others lack."""

    rule: Rule
    errors: Mapping[str, str]


def rule_of_form(root: Piece, include_visitors: bool) -> Drafted:
    """The rule that a tree means, without what is no condition yet."""
    errors: dict[str, str] = {}
    rule = Rule(_group(root, ROOT, errors), include_visitors)
    try:
        check_size(rule)
    except InvalidRule as error:
        return Drafted(Rule(AllOf(), include_visitors), {**errors, ROOT: str(error)})
    return Drafted(rule, errors)


def settled(piece: Piece) -> Piece:
    """The tree with what stands in the field for one more value among the values of its list."""
    parts = tuple(map(settled, piece.parts))
    told, text = piece.told, piece.get("more")
    if text:
        try:
            # Only what the shop alone knows has a field for the kind of value.
            value = shown("custom", _typed(piece, text)) if "as" in told else text
        except InvalidRule:
            return Piece(told, parts)
        values = dict.fromkeys((*piece.all("values"), value))
        told = {**told, "values": tuple(values), "more": ("",)}
    return Piece(told, parts)


def form_of_rule(rule: Rule) -> Piece:
    """The tree that means a rule."""
    return _piece(rule.root)


def fitting(said: str, operators: Sequence[str], kind: ValueType = "number") -> str:
    """The operator that a field says, or the usual one where it says none that fits."""
    usual = _FIRST_OPERATOR.get(kind, operators[0])
    return said if said in operators else usual


def _group(piece: Piece, path: str, errors: dict[str, str]) -> AllOf | AnyOf:
    found = (
        _node(part, f"{path}.{place}", errors)
        for place, part in enumerate(piece.parts)
    )  # fmt: skip
    parts = tuple(node for node in found if node is not None)
    # A group whose conditions are all unfinished says nothing yet: an empty ANY would mean nobody.
    return (
        AnyOf(parts)
        if piece.get("match") == "any" and bool(parts) == bool(piece.parts)
        else AllOf(parts)
    )


def _node(piece: Piece, path: str, errors: dict[str, str]) -> Node | None:
    node: Node
    if piece.is_group:
        node = _group(piece, path, errors)
        if piece.parts and not node.parts:
            return None
    else:
        try:
            node = _condition(piece)
        except InvalidRule as error:
            errors[f"{path}.{error.path}"] = str(error)
            return None
    for _ in range(piece.negations):
        node = Not(node)
    return node


def _condition(piece: Piece) -> Node:
    kind, name = piece.subject
    if kind == "event":
        return _event(piece, name)
    if kind == "segment":
        with _at("segment"):
            chosen = _filled(piece.get("segment"))
            return MemberOf(segment_id(chosen), piece.get("member") != "no")
    known = BY_NAME.get(name)
    if known is None:
        raise InvalidRule("Choose what to ask for", "what")
    op = fitting(piece.get("op"), operators_of(known.type), known.type)
    with _at_value(op):
        return attribute_is(name, op, _value(piece, "", known.type, op))


def _event(piece: Piece, event: str) -> EventDid:
    with _at("event"):
        check_event(event)
    where: list[PropertyIs] = []
    for place, line in enumerate(piece.parts):
        with inside(place):
            where.append(_property(line, event))
    count_op, summed = piece.get("count-op"), piece.get("sum-property")
    count = sum_ = None
    if count_op in COUNT_OPERATORS:
        with _at("count-value"):
            count = count_is(count_op, _value(piece, "count-", "number", count_op))
    if summed:
        summed = piece.get("sum-name") if summed == OTHER else summed
        sum_op = fitting(piece.get("sum-op"), COUNT_OPERATORS)
        with _at("sum-value"):
            sum_ = sum_is(event, summed, sum_op, _value(piece, "sum-", "number", sum_op))
    return EventDid(
        event=event, did=piece.get("did") != "no", where=tuple(where), count=count, sum=sum_, within=_within(piece),
    )  # fmt: skip


def _property(line: Piece, event: str) -> PropertyIs:
    name = line.property_name
    with _at("name" if line.get("property") == OTHER else "property"):
        kind = property_type(event, name)
    op = fitting(line.get("op"), operators_of(kind), kind)
    with _at_value(op):
        return property_is(event, name, op, _value(line, "", kind, op))


def _within(piece: Piece) -> Within | None:
    how = piece.get("within")
    if how == "last":
        with _at("days"):
            return within_last(_filled(piece.get("days")))
    if how != "between":
        return None
    bounds = {}
    for end, names in (("from", _STARTS), ("to", _ENDS)):
        if (bound := piece.get(end)) in names:
            with _at(f"{end}-value"):
                day = _filled(_moment(piece, f"{end}-"))
                within(**{bound: day})
            bounds[bound] = day
    return within(**bounds)


def _value(piece: Piece, prefix: str, kind: ValueType, op: str) -> Any:
    """What the fields say to compare with, as JSON has it."""
    if op in VALUELESS:
        return None
    if op in LISTS:
        return _listed(piece, kind)
    one = _single(piece, prefix, kind, op)
    return [one, _single(piece, prefix, kind, op, "2")] if op == "between" else one


def _single(piece: Piece, prefix: str, kind: ValueType, op: str, end: str = "") -> Any:
    moment = kind == "time" and op not in LAST_DAYS
    text = _moment(piece, prefix, end) if moment else piece.get(f"{prefix}value{end}")
    _filled(text)
    return _typed(piece, text) if kind == "custom" and op in ("eq", "neq") else text


def _listed(piece: Piece, kind: ValueType) -> list[Any]:
    """The values chosen already, which JSON tells the type of where the shop alone knows it, and the one beside."""
    chosen: list[Any] = list(piece.all("values"))
    if kind == "custom":
        try:
            chosen = [json.loads(text, parse_float=Decimal) for text in chosen]
        except ValueError as error:
            raise InvalidRule("This is no list of values") from error
    if text := piece.get("more"):
        chosen.append(_typed(piece, text) if kind == "custom" else text)
    return list(_filled(chosen))


def _typed(piece: Piece, text: str) -> Scalar:
    """A value of what only the shop knows: text, a number, or yes and no."""
    said = piece.get("as")
    if said == "boolean":
        return text == "true"
    if said != "number":
        return text
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise InvalidRule(f"{text!r} is no number; write digits, such as 3 or 19.90") from error


def _moment(piece: Piece, prefix: str, end: str = "") -> str:
    how, text = piece.get(f"{prefix}how{end}", "-d"), piece.get(f"{prefix}value{end}").strip()
    if how == TODAY or not text:
        return TODAY if how == TODAY else ""
    return text if how in ("date", "time") else f"{how[:1]}{text}{how[1:]}"


def _filled(said: Any) -> Any:
    if not said:
        raise InvalidRule(UNFINISHED)
    return said


@contextmanager
def _at(name: str) -> Iterator[None]:
    """Lets an error name the field it is about."""
    try:
        yield
    except InvalidRule as error:
        raise InvalidRule(str(error), name) from error


def _at_value(op: str) -> Any:
    return _at("more" if op in LISTS else "value")


def _piece(node: Node, negations: int = 0) -> Piece:
    told: dict[str, Sequence[str]]
    parts: tuple[Piece, ...] = ()
    match node:
        case Not(part):
            return _piece(part, negations + 1)
        case AllOf() | AnyOf():
            told = {"match": ("all" if isinstance(node, AllOf) else "any",)}
            parts = tuple(map(_piece, node.parts))
        case AttributeIs(attribute, op, value):
            fields = _written(BY_NAME[attribute].type, op, value)
            told = {"what": (f"attribute:{attribute}",), **fields}
        case MemberOf(segment, member):
            told = {
                "what": ("segment:",),
                "segment": (str(segment),),
                "member": ("yes" if member else "no",),
            }
        case EventDid():
            told = _event_fields(node)
            parts = tuple(_line(node.event, one) for one in node.where)
    return Piece({**told, "not": (str(negations),)} if negations else told, parts)


def _event_fields(node: EventDid) -> dict[str, Sequence[str]]:
    told: dict[str, Sequence[str]] = {"what": (f"event:{node.event}",)}
    if not node.did:
        told["did"] = ("no",)
    if node.count:
        told |= _written("number", node.count.op, node.count.value, "count-")
    if node.sum:
        told["sum-property"] = (node.sum.property,)
        told |= _written("number", node.sum.op, node.sum.value, "sum-")
    if node.within:
        told |= _within_fields(node.within)
    return told


def _line(event: str, node: PropertyIs) -> Piece:
    known = property_of(event, node.property)
    assert known is not None
    return Piece({"property": (node.property,), **_written(known.type, node.op, node.value)})


def _within_fields(when: Within) -> dict[str, Sequence[str]]:
    days = days_back(when.since)
    if days is not None and when == Within(since=when.since):
        return {"within": ("last",), "days": (str(days),)}
    told: dict[str, Sequence[str]] = {"within": ("between",)}
    for end, names in (("from", _STARTS), ("to", _ENDS)):
        for bound in names:
            if day := getattr(when, bound):
                told |= {end: (bound,), **_moment_fields(day, f"{end}-")}
    return told


def _written(kind: ValueType, op: str, value: Value, prefix: str = "") -> dict[str, Sequence[str]]:
    """The fields of an operator and its value."""
    told: dict[str, Sequence[str]] = {f"{prefix}op": (op,)}
    if op in LISTS and isinstance(value, tuple):
        return told | {"values": tuple(shown(kind, one) for one in value)}
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    for one, end in zip(values, ("", "2"), strict=False):
        if kind == "time" and op not in LAST_DAYS:
            told |= _moment_fields(str(one), prefix, end)
        else:
            told[f"{prefix}value{end}"] = (_text(one),)
            if kind == "custom" and op in ("eq", "neq"):
                told["as"] = (_type_of(one),)
    return told


def shown(kind: ValueType, value: Scalar) -> str:
    """A value of a list as its field holds it."""
    if kind != "custom":
        return _text(value)
    return _text(value) if isinstance(value, bool | Decimal) else json.dumps(value)


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else value


def _type_of(value: Scalar) -> str:
    return {bool: "boolean", Decimal: "number"}.get(type(value), "text")


def _moment_fields(moment: str, prefix: str, end: str = "") -> dict[str, Sequence[str]]:
    offset = offset_of(moment)
    how, text = ("date" if is_day(moment) else "time"), moment
    if moment == TODAY:
        how, text = TODAY, ""
    elif offset:
        how, text = ("-" if offset[0] < 0 else "+") + offset[1], str(abs(offset[0]))
    return {f"{prefix}how{end}": (how,), f"{prefix}value{end}": (text,)}
