"""The exact shape of every answer about segments."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from customer360.api.v1.fields import Answer, Id, Listing, Money, Time
from customer360.events.model import Channel
from customer360.segments.model import Cause, SegmentState

Channels = dict[Channel, int]


class SegmentName(Answer):
    """A segment that asks for another one."""

    segment_id: Id
    name: str


class SegmentItem(Answer):
    """A named rule and how far its membership follows it."""

    segment_id: Id
    name: str
    rule: dict[str, Any] = Field(description="The rule as JSON, see docs/segments.md")
    query: str = Field(description="The same rule as text")
    sentence: str = Field(description="The same rule in plain words")
    state: SegmentState
    progress: int = Field(description="How much of a syncing one is done, from 0 to 100")
    failure: str | None
    members: int | None = Field(description="Of All customers null while no worker runs")
    share: float | None = Field(description="Of all customers, from 0 to 1; null as above")
    built_in: bool
    created_at: Time | None
    edited_at: Time | None
    refreshed_at: Time | None
    used_by: list[SegmentName]


class SegmentList(Listing[SegmentItem]):
    """Segments, All customers first, then by last activity."""


class SegmentDeleted(Answer):
    """A segment that nobody sees any more."""

    segment_id: Id
    state: Literal["deleted"]


class SampleItem(Answer):
    """One of the people that a rule means."""

    profile_id: Id
    name: str | None
    orders_count: int
    total_spend: Money


class BottleneckItem(Answer):
    """A part of a rule, and how many people it would mean without it."""

    path: list[int] = Field(description="Its place in its group, from the outermost one on")
    condition: dict[str, Any]
    says: str
    count: int


class NoticeItem(Answer):
    """What is to be known of a condition: the warehouse does not have what it asks for."""

    condition: dict[str, Any]
    text: str


class SegmentPreview(Answer):
    """Whom a rule means now."""

    count: int
    everyone: int = Field(description="All customers, with visitors where the rule includes them")
    share: float = Field(description="Of everyone, from 0 to 1")
    samples: list[SampleItem] = Field(description="Up to five, seen last")
    currency: str
    sentence: str
    rule: dict[str, Any]
    query: str
    reachable: Channels = Field(description="How many agreed to marketing, by channel")
    bottleneck: BottleneckItem | None = Field(
        description="Where nobody is found: the part that hides most people; null where none does alone"
    )
    bottlenecks: list[BottleneckItem] = Field(description="All such parts")
    notices: list[NoticeItem]


class MemberItem(Answer):
    """A member of a segment."""

    profile_id: Id
    name: str | None
    email: str | None
    phone: str | None
    address: str | None = Field(description="Told last, in one line")
    zip: str | None
    currency: str
    orders_count: int
    total_spend: Money
    average_order_value: Money | None
    last_order_at: Time | None
    days_since_last_order: int | None
    discount_received: Money
    promo_codes_count: int
    negative_feedback_count: int
    returned_items_count: int
    last_touch_source: str | None
    last_touch_medium: str | None
    last_touch_url: str | None


class MemberList(Listing[MemberItem]):
    """Members of a segment."""


class FunnelItem(Answer):
    """How many people did a step, of those who did the steps before it."""

    step: Literal["visited_site", "checkout_started", "order_placed"]
    people: int
    share: float | None = Field(description="Of all of them, from 0 to 1")


class FiguresItem(Answer):
    """What some people ordered."""

    people: int
    orders: int
    revenue: Money
    average_order_value: Money | None
    revenue_per_person: Money | None
    funnel: list[FunnelItem]


class SegmentDetail(Answer):
    """A segment beside all customers."""

    segment_id: Id
    currency: str
    members: FiguresItem
    all_customers: FiguresItem


class MoveItem(Answer):
    """Somebody came into a segment or left it."""

    change: Id = Field(description="Rises; send the last one as `after` to ask what came since")
    profile_id: Id
    entered: bool
    cause: Cause
    occurred_at: Time


class MoveList(Listing[MoveItem]):
    """Who came and went, oldest first."""


class TemplateItem(Answer):
    """A segment to start from."""

    template_id: str
    name: str
    purpose: str
    action: str = Field(description="What to do with its people")
    rule: dict[str, Any]
    query: str
    sentence: str
    enriched: bool = Field(description="It asks for what enrichment computes")


class TemplateList(Listing[TemplateItem]):
    """Segments to start from."""


class EventsOwnItem(Answer):
    """The person's events that a condition asks for."""

    count: int
    total: float | Money | None = Field(description="What they add up to, where that is asked")
    last_at: Time | None = Field(description="When one happened last, whenever that was")


class ReasonPart(Answer):
    """A part of a rule as it is for one person. A group has parts; a condition says what it asks."""

    group: Literal["all", "any", "not"] | None
    condition: dict[str, Any] | None
    says: str
    holds: bool
    value: Any = Field(description="The person's own value of an attribute, or membership")
    events: EventsOwnItem | None
    parts: list[ReasonPart]


class SegmentReason(Answer):
    """A segment, and why somebody is in it or not."""

    segment_id: Id
    name: str
    member: bool
    entered_at: Time | None
    kind_fits: bool | None = Field(description="False of a visitor where the rule means customers")
    why: ReasonPart | None = Field(description="Null until the warehouse knows the person")


class SegmentReasonList(Listing[SegmentReason]):
    """Segments of one person."""
