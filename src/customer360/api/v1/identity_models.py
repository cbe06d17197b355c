"""The exact shape of every answer about who is who."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from customer360.api.v1.fields import Answer, Id, Listing, Time
from customer360.events.model import Channel, ConsentState


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


class RulesVersion(Answer):
    """What somebody changed of the rules at one time."""

    version: int = Field(description="Counts from 1")
    by: str
    at: Time
    changes: list[RuleChange]


class RulesVersionList(Listing[RulesVersion]):
    """Every change of the rules, newest first."""


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
