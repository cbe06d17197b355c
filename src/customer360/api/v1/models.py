"""The exact shape of every answer; of those about who is who in `identity_models`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from customer360.api.v1.fields import Answer, AttributeValues, Id, Listing, Money, Time
from customer360.events.model import Channel, ConsentState
from customer360.events.vocabulary import Group
from customer360.profiles.attributes import AttributeType
from customer360.segments.catalogue import ValueType

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


class AttributeItem(Answer):
    """An attribute of profiles."""

    name: str
    label: str
    type: AttributeType
    operators: list[str] = Field(description="How a rule may compare it")
    choices: list[str] = Field(description="Every value, where the type is choice")
    help: str
    computed: bool = Field(description="Whether anything tells it; where nothing does, it is null")


class AttributeList(Listing[AttributeItem]):
    """The catalogue of attributes."""


class PropertyItem(Answer):
    """A property of an event."""

    name: str
    label: str
    type: ValueType
    operators: list[str] = Field(description="How a rule may compare it")
    choices: list[str] = Field(description="Every value, where the type is choice")
    help: str
    of_line: bool = Field(
        description="Of an order's lines: conditions on them hold together where one line fits them all"
    )
    told: bool = Field(description="False where no source tells it yet, so it is null")


class EventTypeItem(Answer):
    """An event that a rule can ask for."""

    name: str
    label: str
    group: Group
    phrase: str = Field(description="Completes “who have …”")
    open: bool = Field(description="Whether it may have properties that are not listed")
    properties: list[PropertyItem]


class EventTypeList(Listing[EventTypeItem]):
    """The catalogue of events."""


class FieldProblem(Answer):
    """One thing that is wrong in a request."""

    path: str
    message: str
    position: int | None = Field(
        default=None, description="Of a segment's text: characters before the trouble"
    )


class Problem(Answer):
    """What went wrong and what to do next (RFC 9457)."""

    type: str = Field(description="Stays the same for the same kind of problem")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(
        default=[], description="Which parts of the request are wrong"
    )
