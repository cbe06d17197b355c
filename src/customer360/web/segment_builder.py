"""The builder: a rule as a form or as text, and beside it whom it means now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from starlette.responses import Response

from customer360.access.plans import plan
from customer360.clock import Instant
from customer360.errors import (
    InvalidName,
    InvalidQuery,
    InvalidRule,
    SegmentBuiltIn,
    SegmentLimit,
    SegmentOvertaken,
)
from customer360.profiles.attributes import BY_NAME
from customer360.segments.ast import EVERYONE, Rule
from customer360.segments.catalogue import EVENT_BY_NAME
from customer360.segments.model import LONGEST_NAME, Segment
from customer360.segments.parse import line_and_column, parse_query
from customer360.segments.sentence import Speaker
from customer360.segments.store import (
    change_segment,
    create_segment,
    get_segment,
    list_segments,
    used_by,
)
from customer360.segments.templates import TEMPLATE_BY_ID, TEMPLATES
from customer360.segments.values import (
    Offer,
    events_told,
    values_of_attribute,
    values_of_property,
)
from customer360.segments.write import write_query
from customer360.web.door import Door, Page
from customer360.web.segment_form import Piece, edit, read_form
from customer360.web.segment_inputs import Inputs
from customer360.web.segment_panel import panel_of
from customer360.web.segment_rule import Drafted, form_of_rule, rule_of_form, settled
from customer360.web.visit import Visit

_UNFINISHED = "Finish or remove the marked conditions first."
_SHOWN_OF_LINE = 40
_LONGEST_INSTANT = 20


class Mistake(NamedTuple):
    """What is wrong with a text, and the line around the place where the trouble begins."""

    message: str
    line: int
    column: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What the page holds: a name and a rule, as a form or, where `query` is told, as text.

    `focus` is the piece of the form that a button led to; `complains` says that what is unfinished is wrong by now.
    `edited_at` is of the segment that it began with.
    """

    name: str
    form: Piece
    include_visitors: bool = False
    query: str | None = None
    focus: str = ""
    complains: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    edited_at: Instant | None = None

    def read(self) -> Drafted:
        """The rule so far; raises InvalidQuery where its text is none."""
        if self.query is not None:
            return Drafted(parse_query(self.query), {})
        return rule_of_form(self.form, self.include_visitors)


def show_new(_door: Door, visit: Visit) -> Page:
    """A new segment: of all customers, from a template, or of a rule as text that a link brings."""
    template = TEMPLATE_BY_ID.get(visit.query.get("template", ""))
    if template is None:
        draft = _draft_of(visit.query.get("name", ""), EVERYONE)
        told = visit.query.get("query")
        return _page(visit, draft if told is None else _switched(replace(draft, query=told)), None)
    return _page(visit, _draft_of(template.name, template.rule), None)


def show_edit(_door: Door, visit: Visit) -> Page:
    """A segment as it is."""
    segment = _own(visit)
    draft = _draft_of(segment.name, segment.rule)
    return _page(visit, replace(draft, edited_at=segment.edited_at), segment)


def change_new(door: Door, visit: Visit) -> Page | Response:
    """What a button of a new segment's form does."""
    return _changed(door, visit, None)


def change_edit(door: Door, visit: Visit) -> Page | Response:
    """What a button of a segment's form does."""
    return _changed(door, visit, _own(visit))


def offer(_door: Door, visit: Visit) -> Page:
    """What the shop has to compare with, of an attribute or of an event's property, the most frequent first."""
    kind, _, named = visit.query.get("of", "").partition(":")
    event, _, name = named.rpartition(":")
    part = next((text for key, text in visit.query.multi_items() if key != "of"), "")
    warehouse, shop_id = visit.app.warehouse, visit.shop.shop_id
    found: list[Offer] = []
    if kind == "attribute" and named in BY_NAME:
        found = values_of_attribute(warehouse, shop_id, named, part)
    elif kind == "event" and event:
        found = values_of_property(warehouse, shop_id, event, name, part)
    noun = "event" if kind == "event" else "customer"
    return Page("segments/_offers.html", {"offers": found, "noun": noun})


def _own(visit: Visit) -> Segment:
    with visit.app.database.read() as connection:
        segment = get_segment(connection, visit.shop.shop_id, visit.id_of("segment_id"))
    if segment.built_in:
        raise SegmentBuiltIn
    return segment


def _draft_of(name: str, rule: Rule) -> Draft:
    return Draft(name, form_of_rule(rule), rule.include_visitors)


def _draft_told(visit: Visit) -> Draft:
    fields = [(name, text) for name, text in visit.form.multi_items() if isinstance(text, str)]
    told = "query" in visit.form
    return Draft(
        visit.field("name"),
        read_form(fields),
        visit.field("include_visitors") == "yes",
        visit.field("query").replace("\r\n", "\n") if told else None,
        edited_at=_instant(visit.field("edited_at")),
    )


def _instant(text: str) -> Instant | None:
    return int(text) if text.isdecimal() and len(text) < _LONGEST_INSTANT else None


def _changed(door: Door, visit: Visit, segment: Segment | None) -> Page | Response:
    action, draft = visit.field("do"), _draft_told(visit)
    if action == "save":
        return _save(door, visit, draft, segment)
    if action in ("text", "builder"):
        return _page(visit, _switched(draft), segment)
    edited = edit(settled(draft.form), action)
    return _page(visit, replace(draft, form=edited.root, focus=edited.focus), segment)


def _switched(draft: Draft) -> Draft:
    """The same rule the other way; one that is not finished stays as it is, and says what it lacks."""
    try:
        rule, errors = draft.read()
    except InvalidQuery:
        return replace(draft, complains=True)
    if errors:
        return replace(draft, complains=True, errors={"": _UNFINISHED})
    query = write_query(rule) if draft.query is None else None
    return replace(_draft_of(draft.name, rule), query=query, edited_at=draft.edited_at)


def _save(door: Door, visit: Visit, draft: Draft, segment: Segment | None) -> Page | Response:
    try:
        rule, errors = draft.read()
    except InvalidQuery:
        return _page(visit, replace(draft, complains=True), segment, 422)
    if errors:
        told = replace(draft, complains=True, errors={"": _UNFINISHED})
        return _page(visit, told, segment, 422)
    shop = visit.shop
    try:
        with visit.app.database.write() as connection:
            if segment is None:
                limit = plan(shop.plan).custom_segments
                saved = create_segment(
                    connection, shop.shop_id, draft.name, rule, visit.now, limit=limit
                )
            else:
                saved = change_segment(
                    connection,
                    shop.shop_id,
                    segment.segment_id,
                    visit.now,
                    name=draft.name,
                    rule=rule,
                    edited_at=draft.edited_at,
                )
    except SegmentOvertaken as error:
        told = replace(draft, errors={"": str(error)}, edited_at=_own(visit).edited_at)
        return _page(visit, told, segment, 409)
    except (InvalidName, InvalidRule, SegmentLimit) as error:
        at = "name" if isinstance(error, InvalidName) else ""
        return _page(visit, replace(draft, errors={at: str(error)}), segment, 422)
    return door.redirect(f"{visit.root}/segments/{saved.segment_id}", f"{saved.name} is saved.")


def _page(visit: Visit, draft: Draft, segment: Segment | None, status: int = 200) -> Page:
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        segments = list_segments(connection, shop_id)
        users = used_by(connection, shop_id, segment.segment_id) if segment else []
    others = [one for one in segments if segment is None or one.segment_id != segment.segment_id]
    speaker = Speaker(visit.shop.currency, {one.segment_id: one.name for one in segments})
    mistake = None
    try:
        drafted = draft.read()
    except InvalidQuery as error:
        drafted, mistake = None, _mistake(draft.query or "", error)
    errors = drafted.errors if drafted and draft.complains else {}
    inputs = Inputs(
        visit.shop.currency,
        errors,
        _own_events(visit) if draft.query is None else (),
        [(one.segment_id, one.name) for one in others],
    )
    return Page(
        "segments/builder.html",
        {
            "draft": draft,
            "root": None if draft.query is not None else inputs.group(draft.form),
            "focus": draft.focus,
            "segment": segment,
            "used_by": users,
            "mistake": mistake,
            "unfinished": len(drafted.errors) if drafted else 0,
            "panel": panel_of(visit, drafted.rule, speaker) if drafted else None,
            "longest_name": LONGEST_NAME,
            "templates": TEMPLATES if segment is None and not draft.form.parts else (),
        },
        status,
    )


def _own_events(visit: Visit) -> list[str]:
    """The events that only the shop knows."""
    told = events_told(visit.app.warehouse, visit.shop.shop_id)
    return [one.value for one in told if one.value not in EVENT_BY_NAME]


def _mistake(query: str, error: InvalidQuery) -> Mistake:
    line, column = line_and_column(query, error.position)
    text = query.split("\n")[line - 1]
    return Mistake(
        str(error),
        line,
        column,
        text[max(0, column - 1 - _SHOWN_OF_LINE) : column - 1],
        text[column - 1 : column - 1 + _SHOWN_OF_LINE],
    )
