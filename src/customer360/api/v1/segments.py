"""Segments: make, change, preview and delete them; who is in them, what they are worth, who came and went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any

from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from customer360.access.plans import plan
from customer360.api.v1.asked import Asked, Asking, id_of
from customer360.api.v1.cursors import cut_page, decode_cursor, page_of
from customer360.api.v1.fields import Paging
from customer360.api.v1.segment_models import (
    MoveItem,
    MoveList,
    SegmentDeleted,
    SegmentItem,
    SegmentList,
    SegmentName,
    TemplateItem,
    TemplateList,
)
from customer360.clock import to_iso
from customer360.errors import (
    InvalidInput,
    InvalidQuery,
    InvalidRule,
    SegmentNotFound,
    WorkerUnreachable,
)
from customer360.segments.ast import Rule, segments_in
from customer360.segments.detail import count_customers
from customer360.segments.members import count_moves, moves_of
from customer360.segments.model import Move, Segment
from customer360.segments.parse import line_and_column, parse_query
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.sentence import Speaker
from customer360.segments.store import (
    change_segment,
)
from customer360.segments.store import (
    create_segment as create,
)
from customer360.segments.store import (
    delete_segment as delete,
)
from customer360.segments.store import (
    duplicate_segment as duplicate,
)
from customer360.segments.store import (
    get_segment as get,
)
from customer360.segments.store import (
    list_segments as listed,
)
from customer360.segments.store import (
    retry_segment as retry,
)
from customer360.segments.templates import TEMPLATES, Template
from customer360.segments.write import write_query


class AskedRule(BaseModel):
    """A rule, either as JSON or as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: dict[str, Any] | None = Field(None, description="As JSON, see docs/segments.md")
    query: str | None = Field(
        None, description="As text", examples=["orders_count >= 2 AND country = 'IE'"]
    )

    def read(self) -> Rule | None:
        """The rule that is told, None where none is; raises InvalidRule and InvalidQuery."""
        if self.rule is not None and self.query is not None:
            raise InvalidInput("Tell the rule either as rule or as query, not as both", "rule")
        if self.query is not None:
            return _parsed(self.query)
        if self.rule is None:
            return None
        with placed("rule"):
            return read_rule(self.rule)

    def needed(self) -> Rule:
        """The rule, where one has to be told."""
        found = self.read()
        if found is None:
            raise InvalidInput("Tell a rule, as rule or as query", "rule")
        return found

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """What is wrong with the rule as a whole is wrong with the field that told it."""
        with placed("query" if self.query is not None else "rule"):
            yield


class NewSegment(AskedRule):
    """A segment to make."""

    name: str = Field(max_length=500, description="At most 150 characters; no other segment's")


class ChangedSegment(AskedRule):
    """What of a segment is to change; what is left out stays."""

    name: str | None = Field(None, max_length=500)


class MoveQuestion(Paging):
    """Which part of what happened is wanted."""

    after: int = Field(
        0,
        ge=0,
        lt=1 << 63,
        description="A `change`: only what happened after it, and did not before",
    )


def list_segments(asked: Asking, paging: Annotated[Paging, Query()]) -> SegmentList:
    """Segments with their size and state, All customers first, then by last activity."""
    with asked.doors.database.read() as connection:
        found = listed(connection, asked.shop_id)
    page, next_cursor = page_of(
        found,
        lambda one: (int(not one.built_in), -one.active_at, one.segment_id),
        paging.cursor,
        paging.limit,
    )
    return SegmentList(
        items=segment_items(asked, page, found), next_cursor=next_cursor, total=len(found)
    )


def create_segment(asked: Asking, told: Annotated[NewSegment, Body()]) -> SegmentItem:
    """Make a segment; the worker then finds its members."""
    rule, now = told.needed(), asked.doors.clock.now()
    limit = plan(asked.shop.plan).custom_segments
    with asked.doors.database.write() as connection, told.blamed():
        made = create(connection, asked.shop_id, told.name, rule, now, limit=limit)
    return _item(asked, made)


def get_segment(asked: Asking, segment_id: str) -> SegmentItem:
    """One segment: its rule in three forms, size, state and what asks for it."""
    return _item(asked, segment_named(asked, segment_id))


def update_segment(
    asked: Asking, segment_id: str, told: Annotated[ChangedSegment, Body()]
) -> SegmentItem:
    """Change a segment's name or rule; by another rule the worker finds the members anew."""
    number, rule = id_of(segment_id, SegmentNotFound), told.read()
    now = asked.doors.clock.now()
    with asked.doors.database.write() as connection, told.blamed():
        changed = change_segment(connection, asked.shop_id, number, now, name=told.name, rule=rule)
    return _item(asked, changed)


def delete_segment(asked: Asking, segment_id: str) -> SegmentDeleted:
    """Delete a segment that no other one asks for."""
    number = id_of(segment_id, SegmentNotFound)
    with asked.doors.database.write() as connection:
        delete(connection, asked.shop_id, number)
    return SegmentDeleted(segment_id=str(number), state="deleted")


def duplicate_segment(asked: Asking, segment_id: str) -> SegmentItem:
    """Make another segment with the same rule and a name with a number."""
    number, now = id_of(segment_id, SegmentNotFound), asked.doors.clock.now()
    limit = plan(asked.shop.plan).custom_segments
    with asked.doors.database.write() as connection:
        made = duplicate(connection, asked.shop_id, number, now, limit=limit)
    return _item(asked, made)


def retry_segment(asked: Asking, segment_id: str) -> SegmentItem:
    """Have the worker try a segment that failed again at once."""
    number = id_of(segment_id, SegmentNotFound)
    with asked.doors.database.write() as connection:
        tried = retry(connection, asked.shop_id, number)
    return _item(asked, tried)


def list_segment_changes(
    asked: Asking, segment_id: str, question: Annotated[MoveQuestion, Query()]
) -> MoveList:
    """Who came into a segment and who left it, with the cause, oldest first."""
    segment = segment_named(asked, segment_id)
    after = (question.after, (1 << 63) - 1)
    if question.cursor is not None:
        change, profile_id = decode_cursor(question.cursor, int, int)
        after = max(after, (change, profile_id))
    with asked.doors.database.read() as connection:
        found = moves_of(connection, asked.shop_id, segment.segment_id, after, question.limit + 1)
        total = count_moves(connection, asked.shop_id, segment.segment_id, question.after)
    page, next_cursor = cut_page(found, lambda one: (one.change, one.profile_id), question.limit)
    return MoveList(items=[_move(one) for one in page], next_cursor=next_cursor, total=total)


def list_templates(asked: Asking, paging: Annotated[Paging, Query()]) -> TemplateList:
    """Segments to start from, each with what it is for and what to do with its people."""
    places = {template.template_id: place for place, template in enumerate(TEMPLATES)}
    page, next_cursor = page_of(
        TEMPLATES, lambda one: (places[one.template_id],), paging.cursor, paging.limit
    )
    speaker = Speaker(asked.shop.currency)
    items = [_template(one, speaker) for one in page]
    return TemplateList(items=items, next_cursor=next_cursor, total=len(TEMPLATES))


def segment_named(asked: Asked, segment_id: str) -> Segment:
    """The segment in the address; raises SegmentNotFound, also for other shops' ids."""
    number = id_of(segment_id, SegmentNotFound)
    with asked.doors.database.read() as connection:
        return get(connection, asked.shop_id, number)


@contextmanager
def placed(field: str) -> Iterator[None]:
    """Puts the field of the request before the place that an error names."""
    try:
        yield
    except InvalidRule as error:
        error.path = ".".join(filter(None, (field, error.path)))
        raise


def _parsed(query: str) -> Rule:
    try:
        return parse_query(query)
    except InvalidQuery as error:
        line, column = line_and_column(query, error.position)
        told = InvalidQuery(f"Line {line}, column {column}: {error}", error.position)
        told.path = "query"
        raise told from error


def _item(asked: Asked, segment: Segment) -> SegmentItem:
    with asked.doors.database.read() as connection:
        all_of_them = listed(connection, asked.shop_id)
    return segment_items(asked, [segment], all_of_them)[0]


def segment_items(
    asked: Asked, page: Sequence[Segment], all_of_them: Sequence[Segment]
) -> list[SegmentItem]:
    """The segments of a page; all of the shop's say who is called what, and who asks for whom."""
    customers = None
    with suppress(WorkerUnreachable):
        customers = count_customers(asked.doors.warehouse, asked.shop_id)
    names = {one.segment_id: one.name for one in all_of_them}
    users: dict[int, list[SegmentName]] = {}
    for one in all_of_them:
        for used in segments_in(one.rule):
            users.setdefault(used, []).append(
                SegmentName(segment_id=str(one.segment_id), name=one.name)
            )
    speaker = Speaker(asked.shop.currency, names)
    return [_segment(one, customers, speaker, users) for one in page]


def _segment(
    segment: Segment,
    customers: int | None,
    speaker: Speaker,
    users: Mapping[int, list[SegmentName]],
) -> SegmentItem:
    members = customers if segment.built_in else segment.members
    return SegmentItem(
        segment_id=str(segment.segment_id),
        name=segment.name,
        rule=write_rule(segment.rule),
        query=write_query(segment.rule),
        sentence=speaker.sentence(segment.rule),
        state=segment.state,
        progress=segment.progress,
        failure=segment.failure,
        members=members,
        share=members / customers if customers and members is not None else None,
        built_in=segment.built_in,
        created_at=to_iso(segment.created_at or None),
        edited_at=to_iso(segment.edited_at or None),
        refreshed_at=to_iso(segment.refreshed_at),
        used_by=sorted(users.get(segment.segment_id, []), key=lambda one: one.name.casefold()),
    )


def _move(move: Move) -> MoveItem:
    return MoveItem(
        change=str(move.change),
        profile_id=str(move.profile_id),
        entered=move.entered,
        cause=move.cause,
        occurred_at=str(to_iso(move.occurred_at)),
    )


def _template(template: Template, speaker: Speaker) -> TemplateItem:
    return TemplateItem(
        template_id=template.template_id,
        name=template.name,
        purpose=template.purpose,
        action=template.action,
        rule=write_rule(template.rule),
        query=write_query(template.rule),
        sentence=speaker.sentence(template.rule),
        enriched=template.enriched,
    )
