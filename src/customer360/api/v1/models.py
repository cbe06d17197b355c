"""The exact shape of every answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from customer360.api.v1.fields import Answer, AttributeValues, Id, Listing, Money, Time
from customer360.events.model import Channel, ConsentState
from customer360.profiles.attributes import AttributeType

Kind = Literal["customer", "visitor"]


class ProfileItem(Answer):
    """A profile as a list shows it; the attributes are those of `profiles.browse.COLUMNS`."""

    profile_id: Id
    kind: Kind
    name: str | None
    email: str | None
    phone: str | None
    currency: str = Field(description="The shop's currency, of every amount here")
    orders_count: int
    items_count: int
    total_spend: Money
    average_order_value: Money | None
    refunded_total: Money
    first_order_at: Time | None
    last_order_at: Time | None
    last_seen_at: Time | None
    country: str | None
    city: str | None
    shopping_place: str | None
    sessions_count: int


class ProfileList(Listing[ProfileItem]):
    """Profiles."""


class PostalAddress(Answer):
    """An address of a person."""

    name: str | None
    company: str | None
    street: str | None
    street2: str | None
    city: str | None
    region: str | None
    zip: str | None
    country: str | None
    phone: str | None


class IdentifierItem(Answer):
    """An identifier of a profile."""

    type: str
    value: str
    source: str
    state: str
    first_seen_at: Time
    last_seen_at: Time


class ContactPointItem(Answer):
    """An address on a channel and the consent to use it."""

    channel: Channel
    address: str
    consent: ConsentState
    consent_at: Time | None
    consent_text: str | None = Field(description="The words that the person agreed to")


class Profile(Answer):
    """Everything about one profile."""

    profile_id: Id
    kind: Kind
    fragments: int
    name: str | None
    first_name: str | None
    last_name: str | None
    currency: str = Field(description="The shop's currency, of every amount in `attributes`")
    addresses: list[PostalAddress]
    identifiers: list[IdentifierItem]
    contact_points: list[ContactPointItem]
    attributes: AttributeValues = Field(
        description="Every attribute of `GET /api/v1/attributes` by its name; null where nothing is known"
    )
    explanations: dict[str, dict[str, Any]] = Field(
        description="Why predictions are as they are, by name"
    )


class EventCountItem(Answer):
    """How often one type of event happened."""

    type: str
    label: str
    count: int
    first_at: Time
    last_at: Time


class EventCountList(Listing[EventCountItem]):
    """Types of events, most frequent first."""


class TimelineItem(Answer):
    """One thing that happened."""

    event_id: Id
    type: str
    label: str
    occurred_at: Time
    source: str
    session_id: Id | None
    properties: dict[str, Any]


class TimelineList(Listing[TimelineItem]):
    """What happened, newest first."""


class OrderLineItem(Answer):
    """One line of an order; a negative quantity came back."""

    product_id: str | None
    variant: str | None
    title: str | None
    vendor: str | None
    sku: str | None
    quantity: int
    unit_price: Money
    discount: Money


class OrderItem(Answer):
    """An order."""

    order_id: str = Field(description="The order's id in the system that it was placed in")
    event_id: Id = Field(description="Its `order_placed` event in the timeline")
    number: str | None
    placed_at: Time
    cancelled_at: Time | None
    test: bool
    counts: bool = Field(description="False for cancelled and test orders, which are in no figure")
    status: str | None
    currency: str
    total: Money
    discount: Money
    refunded: Money
    items_count: int
    promo_codes: list[str]
    place: str
    marketplace: str | None
    location: str | None
    source: str
    lines: list[OrderLineItem]


class OrderList(Listing[OrderItem]):
    """Orders, newest first."""


class SourceBalance(Answer):
    """received = stored + duplicate + rejected + waiting."""

    received: int
    stored: int
    duplicate: int
    rejected: dict[str, int] = Field(description="By reason")
    waiting: int


class Balance(Answer):
    """Where every signal went."""

    total: SourceBalance
    sources: dict[str, SourceBalance] = Field(description="By source")


class DeadLetterItem(Answer):
    """A signal that could not be used."""

    dead_letter_id: Id
    source: str
    reason: str
    detail: str
    received_at: Time
    failed_at: Time
    attempts: int
    retry_at: Time | None = Field(description="When it is tried again by itself, if it is")
    import_id: Id | None
    excerpt: str = Field(description="How the signal begins")


class DeadLetterList(Listing[DeadLetterItem]):
    """Dead letters, newest first."""


class Replayed(Answer):
    """A dead letter that waits in the inbox again."""

    dead_letter_id: Id
    state: Literal["waiting"]


class PersonItem(Answer):
    """One side of a pair, as far as it takes to tell people apart."""

    profile_id: Id
    name: str | None
    email: str | None
    phone: str | None


class ReasonItem(Answer):
    """One reason why two profiles may be one person."""

    word: str = Field(description="The kind of doubt, for programs", examples=["names"])
    text: str = Field(description="The same for people")
    agrees: bool = Field(description="False where a comparison speaks against one person")
    type: str | None = Field(description="Type of the identifier that both have, if any")
    value: str | None
    at: Time | None


class DuplicateItem(Answer):
    """Two profiles that may be one person."""

    candidate_id: Id
    profile_ids: list[Id] = Field(description="The older first")
    profiles: list[PersonItem] = Field(description="The two sides, as they are now")
    score: float = Field(description="From 0 to 1: how much speaks for one person")
    origin: Literal["evidence", "similarity"]
    weak: bool = Field(description="A shared device or a number that was given away prove little")
    evidence: list[ReasonItem]
    hub: str | None = Field(
        description="The shared identifier that made the pair; pairs of one hub stand together"
    )
    state: Literal["open", "dismissed", "merged", "ended"]
    made_at: Time
    decided_at: Time | None
    decided_by: str | None


class DuplicateList(Listing[DuplicateItem]):
    """Pairs of profiles that may be one person."""


class MergeItem(Answer):
    """Two profiles that became one."""

    merge_id: Id
    kept_id: Id
    gone_id: Id = Field(description="Leads to the kept one, and comes back with an undo")
    kind: Literal["automatic", "by_hand", "shopify"]
    actor: str | None = Field(description="Who decided, where somebody did")
    evidence: list[str] = Field(
        description="What showed that both are one, as `type:value`; none where somebody decided"
    )
    merged_at: Time = Field(description="When the two became one in the person's history")
    recorded_at: Time = Field(description="When we did it")
    state: Literal["standing", "undone", "dissolved"] = Field(
        description="`dissolved`: later evidence, or new rules, took the two apart"
    )
    undo_until: Time | None = Field(description="Null where it cannot be undone any more")
    ended_at: Time | None
    ended_by: str | None


class MergeList(Listing[MergeItem]):
    """Merges, newest first."""


class Dismissed(Answer):
    """A pair that was called not the same, for good."""

    candidate_id: Id
    state: Literal["dismissed"]


class RuleChange(Answer):
    """One rule that was changed."""

    name: str = Field(description="Of a limit, the type of identifier")
    before: str
    after: str
    by: str
    at: Time


class RulesAnswer(Answer):
    """The rules by which evidence links people in this shop."""

    limits: dict[str, int]
    known_identifiers: int
    hub_customer_ids: int
    hub_profiles: int
    stale_months: int
    placeholders: list[str]
    resolved: bool = Field(
        description="Whether they hold for everybody yet, or the worker is at it"
    )
    changes: list[RuleChange] = Field(description="Newest first")


class AlertItem(Answer):
    """What people should know of a profile."""

    alert_id: Id
    kind: Literal["frozen"] = Field(
        description="It has so many known identifiers that it links no further by itself"
    )
    profile_id: Id = Field(description="The profile as it is now")
    made_at: Time = Field(description="When that was first so")
    acknowledged_at: Time | None = Field(description="When somebody said that they have seen it")
    acknowledged_by: str | None
    ended_at: Time | None = Field(description="When the profile linked further again")


class AlertList(Listing[AlertItem]):
    """Alerts, newest first."""


class ConsentChangeItem(Answer):
    """The consent of a contact point that a merge would change."""

    channel: Channel
    address: str
    before: ConsentState
    after: ConsentState


class MergePreview(Answer):
    """What two profiles would be as one; nothing was changed."""

    profile_ids: list[Id] = Field(description="The one that would stay, then the other one")
    orders: int = Field(description="Together, without cancelled and test orders")
    emails: list[str]
    phones: list[str]
    identifiers: int
    consents: list[ConsentChangeItem] = Field(description="Only those that would change")
    sentence: str = Field(
        examples=["3 orders, 2 e-mails, consent for SMS becomes withdrawn"],
        description="All of it in a few words",
    )


class EvidenceItem(Answer):
    """One link of the chain that holds a profile together."""

    kind: Literal["event", "merge"] = Field(
        description="An event that named several identifiers, or somebody's decision"
    )
    at: Time
    text: str = Field(
        examples=["e-mail ann@x.com and cookie c1 in one event on 15 June 2026"],
        description="The link in words",
    )
    identifiers: list[str] = Field(description="What the event named together, as `type:value`")
    event_id: Id | None = Field(description="The event in the timeline, where it has a row there")
    event_type: str | None
    source: str | None
    actor: str | None = Field(description="Who decided")


class EvidenceList(Listing[EvidenceItem]):
    """The chain of evidence, oldest first; without any link it would fall apart."""


class AttributeItem(Answer):
    """An attribute of profiles."""

    name: str
    label: str
    type: AttributeType
    operators: list[str] = Field(description="How a rule may compare it")
    choices: list[str] = Field(description="Every value, where the type is choice")
    help: str


class AttributeList(Listing[AttributeItem]):
    """The catalogue of attributes."""


class FieldProblem(Answer):
    """One thing that is wrong in a request."""

    path: str
    message: str


class Problem(Answer):
    """What went wrong and what to do next (RFC 9457)."""

    type: str = Field(description="Stays the same for the same kind of problem")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(
        default=[], description="Which parts of the request are wrong"
    )
