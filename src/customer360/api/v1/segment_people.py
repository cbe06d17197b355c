"""Whom does a rule or a segment mean, what are they worth, and why is somebody among them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Body, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from customer360.api.v1.asked import Asked, Asking
from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import Paging
from customer360.api.v1.merges import ACTOR
from customer360.api.v1.profiles import SortedPaging
from customer360.api.v1.segment_models import (
    BottleneckItem,
    EventsOwnItem,
    FiguresItem,
    FunnelItem,
    MemberItem,
    MemberList,
    NoticeItem,
    ReasonPart,
    SampleItem,
    SegmentDetail,
    SegmentPreview,
    SegmentReason,
    SegmentReasonList,
)
from customer360.api.v1.segments import AskedRule, segment_named
from customer360.clock import local_date, to_iso
from customer360.events.model import Address
from customer360.exports.export import Export, format_named
from customer360.exports.scope import scope
from customer360.profiles.addressees import addressees
from customer360.profiles.browse import Wanted, browse
from customer360.profiles.card import attributes_json
from customer360.profiles.hydrate import hydrate
from customer360.profiles.stages import shop_calendar
from customer360.segments.ast import AllOf, AnyOf, AttributeIs, EventDid, Not, check_known
from customer360.segments.catalogue import property_of
from customer360.segments.detail import MEMBER_COLUMNS, Figures, detail
from customer360.segments.members import among, segments_of
from customer360.segments.model import Segment
from customer360.segments.preview import Bottleneck, Preview, preview
from customer360.segments.rule import write_node, write_rule
from customer360.segments.sentence import Speaker
from customer360.segments.store import list_segments
from customer360.segments.why import Answer, EventsOwn, Why, why
from customer360.segments.write import write_query
from customer360.values import Amount, money_text


class CsvResponse(StreamingResponse):
    """A file that is sent while it is made."""

    media_type = "text/csv"


class MemberQuestion(SortedPaging):
    """Which page of the members is wanted."""


class ExportQuestion(BaseModel):
    """Which file is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = Field(
        max_length=100, description="One of docs/exports.md", examples=["csv", "meta", "klaviyo"]
    )
    everybody: bool = Field(
        False, description="Also those without consent, where the format asks for it"
    )


class ReasonQuestion(Paging):
    """Which segments of a person are wanted."""

    others: bool = Field(False, description="Also the segments that the person is not in")


def preview_segment(asked: Asking, told: Annotated[AskedRule, Body()]) -> SegmentPreview:
    """How many people a rule means, who some of them are, and what hides them where it means nobody."""
    rule, shop = told.needed(), asked.shop
    with asked.doors.database.read() as connection:
        segments = list_segments(connection, shop.shop_id)
    with told.blamed():
        check_known(rule, [one.segment_id for one in segments])
    found = preview(
        asked.doors.warehouse,
        shop.shop_id,
        rule,
        asked.doors.clock.now(),
        shop_calendar(shop.timezone, shop.settings),
    )
    speaker = Speaker(shop.currency, {one.segment_id: one.name for one in segments})
    hiding = [_bottleneck(one, speaker) for one in found.bottlenecks]
    return SegmentPreview(
        count=found.count,
        everyone=found.everyone,
        share=found.share,
        samples=_samples(asked, found),
        currency=shop.currency,
        sentence=speaker.sentence(rule),
        rule=write_rule(rule),
        query=write_query(rule),
        reachable=found.reachable,
        bottleneck=hiding[0] if hiding else None,
        bottlenecks=hiding,
        notices=[
            NoticeItem(condition=write_node(one.condition), text=one.text) for one in found.notices
        ],
    )


def list_members(
    asked: Asking, segment_id: str, question: Annotated[MemberQuestion, Query()]
) -> MemberList:
    """The members of a segment with what a list of them shows, in the order of an attribute."""
    sort, segment = question.attribute, segment_named(asked, segment_id)
    found = browse(
        asked.doors.warehouse,
        asked.shop_id,
        among(segment, Wanted(kind="all")),
        sort=sort,
        descending=question.descending,
        limit=question.limit + 1,
        after=question.position(),
        columns=MEMBER_COLUMNS,
    )
    rows = found.rows[: question.limit]
    more = len(found.rows) > question.limit
    return MemberList(
        items=_members(asked, {row["profile_id"]: row for row in rows}),
        next_cursor=question.cursor_after(rows[-1]) if more else None,
        total=found.total,
    )


def get_segment_detail(asked: Asking, segment_id: str) -> SegmentDetail:
    """Orders, average order value, revenue per person and the funnel, beside all customers."""
    segment = segment_named(asked, segment_id)
    found = detail(asked.doors.warehouse, asked.shop_id, segment.segment_id)
    currency = asked.shop.currency
    return SegmentDetail(
        segment_id=str(segment.segment_id),
        currency=currency,
        members=_figures(found.members, currency),
        all_customers=_figures(found.customers, currency),
    )


def export_segment(
    asked: Asking, segment_id: str, question: Annotated[ExportQuestion, Query()]
) -> CsvResponse:
    """The members of a segment as a file for a spreadsheet or another system, streamed."""
    segment, format = segment_named(asked, segment_id), format_named(question.format)
    doors = asked.doors
    # Asked first: a stream that has begun can no longer say that nobody answers.
    expected = scope(
        doors.warehouse, asked.shop_id, segment.segment_id, format, everybody=question.everybody
    )
    export = Export(
        doors.database,
        doors.warehouse,
        asked.shop,
        segment,
        format,
        clock=doors.clock,
        actor=ACTOR,
        everybody=question.everybody,
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "X-Left-Out": str(expected.left_out),
    }
    return CsvResponse(export.pieces(), headers=headers)


def list_profile_segments(
    asked: Asking, profile_id: str, question: Annotated[ReasonQuestion, Query()]
) -> SegmentReasonList:
    """The segments that a person is in, each with why: every condition and the person's own value."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        entered = {
            one.segment_id: one.entered_at
            for one in segments_of(connection, asked.shop_id, present)
        }
        segments = list_segments(connection, asked.shop_id)
    shown = [one for one in segments[1:] if question.others or one.segment_id in entered]
    page, next_cursor = page_of(
        shown, lambda one: (-one.active_at, one.segment_id), question.cursor, question.limit
    )
    shop, now = asked.shop, asked.doors.clock.now()
    reasons: Sequence[Why | None] | None = why(
        asked.doors.warehouse,
        shop.shop_id,
        [one.rule for one in page],
        present,
        now,
        shop_calendar(shop.timezone, shop.settings),
    )
    speaker = Speaker(shop.currency, {one.segment_id: one.name for one in segments})
    items = [
        _reason(one, entered.get(one.segment_id), reason, speaker)
        for one, reason in zip(page, reasons or [None] * len(page), strict=True)
    ]
    return SegmentReasonList(items=items, next_cursor=next_cursor, total=len(shown))


def _samples(asked: Asked, found: Preview) -> list[SampleItem]:
    ids = [one.profile_id for one in found.samples]
    with asked.doors.database.read() as connection:
        people = {one.profile_id: one for one in hydrate(connection, asked.shop_id, ids)}
    return [
        SampleItem(
            profile_id=str(one.profile_id),
            name=people[one.profile_id].name or None,
            orders_count=one.orders_count,
            total_spend=str(money_text(one.total_spend, asked.shop.currency)),
        )
        for one in found.samples
        if one.profile_id in people
    ]


def _bottleneck(one: Bottleneck, speaker: Speaker) -> BottleneckItem:
    return BottleneckItem(
        path=list(one.path),
        condition=write_node(one.node),
        says=speaker.clause(one.node),
        count=one.count,
    )


def _members(asked: Asked, rows: Mapping[int, Mapping[str, Any]]) -> list[MemberItem]:
    """The warehouse says which, the profile store says who."""
    shop = asked.shop
    with asked.doors.database.read() as connection:
        people = hydrate(connection, shop.shop_id, list(rows))
        written = {
            one.profile_id: one.addresses
            for one in addressees(connection, shop.shop_id, list(rows))
        }
    today = local_date(asked.doors.clock.now(), shop.timezone)
    items = []
    for person in people:
        row = rows[person.profile_id]
        last, addresses = row["last_order_at"], written.get(person.profile_id, ())
        told = attributes_json({name: row[name] for name in MEMBER_COLUMNS}, shop.currency)
        items.append(
            MemberItem(
                profile_id=str(person.profile_id),
                name=person.name or None,
                email=person.email or None,
                phone=person.phone or None,
                address=_in_one_line(addresses[0]) if addresses else None,
                currency=shop.currency,
                days_since_last_order=None
                if last is None
                else (today - local_date(last, shop.timezone)).days,
                **told,
            )
        )
    return items


def _in_one_line(address: Address) -> str | None:
    parts = (address.street, address.street2, address.city, address.region, address.country)
    return ", ".join(filter(None, parts)) or None


def _figures(figures: Figures, currency: str) -> FiguresItem:
    def money(amount: Amount | None) -> str | None:
        return money_text(amount, currency)

    steps = (
        ("visited_site", figures.visited),
        ("checkout_started", figures.checkout),
        ("order_placed", figures.ordered),
    )
    return FiguresItem(
        people=figures.people,
        orders=figures.orders,
        revenue=str(money(figures.revenue)),
        average_order_value=money(figures.average_order_value),
        revenue_per_person=money(figures.revenue_per_person),
        funnel=[
            FunnelItem(
                step=step, people=people, share=people / figures.people if figures.people else None
            )
            for step, people in steps
        ],
    )


def _reason(
    segment: Segment, entered_at: int | None, reason: Why | None, speaker: Speaker
) -> SegmentReason:
    return SegmentReason(
        segment_id=str(segment.segment_id),
        name=segment.name,
        member=entered_at is not None,
        entered_at=to_iso(entered_at),
        kind_fits=None if reason is None else reason.kind_fits,
        why=None if reason is None else _part(reason.root, speaker),
    )


def _part(answer: Answer, speaker: Speaker) -> ReasonPart:
    node, own = answer.node, answer.own
    group = {AllOf: "all", AnyOf: "any", Not: "not"}.get(type(node))
    value = None if isinstance(own, EventsOwn) else own
    if isinstance(node, AttributeIs):
        value = attributes_json({node.attribute: value}, speaker.currency)[node.attribute]
    return ReasonPart(
        group=group,
        condition=None if group else write_node(node),
        says=speaker.clause(node),
        holds=answer.holds,
        value=value,
        events=_events_own(node, own, speaker.currency)
        if isinstance(node, EventDid) and isinstance(own, EventsOwn)
        else None,
        parts=[_part(part, speaker) for part in answer.parts],
    )


def _events_own(node: EventDid, own: EventsOwn, currency: str) -> EventsOwnItem:
    known = property_of(node.event, node.sum.property) if node.sum else None
    is_money = known is not None and known.type == "money"
    total = (
        money_text(int(own.total), currency) if is_money and own.total is not None else own.total
    )
    return EventsOwnItem(count=own.count, total=total, last_at=to_iso(own.last_at))
