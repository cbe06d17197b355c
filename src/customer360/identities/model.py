"""What identity is told and what it answers: observations and decisions in, a resolution out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import msgspec

from customer360.clock import DAY, Instant
from customer360.events.model import Identifier, IdentifierType, SourceRank, Trust
from customer360.identities.normalise import SINGLE_PER_PROFILE

FragmentId = int
Run = tuple[FragmentId, int]
"""Names an observation: its fragment and the number of the run."""
Name = tuple[str, str]
"""The folded parts of a full name; both are empty where none was told."""
NO_NAME: Name = ("", "")

OwnershipState = Literal["owned", "unverified", "shared"]
MergeKind = Literal["automatic", "by_hand", "shopify"]
Doubt = Literal[
    "account_ids",  # both sides have an id of their own
    "limit",  # one side would get too many e-mail addresses or phones
    "frozen",  # one side has too many identifiers in all
    "names",
    "trust",  # only a browser says so
    "taken_over",  # a browser's claim gave way to trusted evidence
    "device",  # weak: a second login on one device
    "phone_reused",  # weak: the number was silent for a year in between
]
Refusal = Literal[
    "account_ids", "limit", "frozen", "names", "trust", "taken_over", "not_same", "hub", "device"
]
"""Why an identifier did not link on an observation; `device` is a known person's cookie on another's event."""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One run of events of one fragment: its evidence, and from when to when it was seen.

    There is no silence of 12 months within it. `rank` is that of its first event. `events` is 0 where all were
    messages that we sent, which prove nobody alive.
    """

    fragment_id: FragmentId
    run: int = 0
    identifiers: tuple[Identifier, ...]
    name: Name = NO_NAME
    trust: Trust
    rank: SourceRank
    first_at: Instant
    last_at: Instant
    events: int = 1
    evidence: bytes = b""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said about two observations, each named by its fragment and a time within it.

    Only "merged" acts in time, at `acts_at`. "undone" is "not the same" between the sides of a merge.
    """

    decision_id: int
    """Rises with each decision: of two that contradict each other the later one holds."""
    kind: Literal["merged", "not_same", "undone"]
    fragment_a: FragmentId
    at_a: Instant
    fragment_b: FragmentId
    at_b: Instant
    acts_at: Instant = 0


def _limits() -> Mapping[str, int]:
    single = dict.fromkeys(sorted(SINGLE_PER_PROFILE), 1)
    return MappingProxyType({**single, IdentifierType.EMAIL: 5, IdentifierType.PHONE: 5})


@dataclass(frozen=True, slots=True)
class Rules:
    """How far linking goes; a shop may set its own."""

    limits: Mapping[str, int] = field(default_factory=_limits)
    """How many identifiers of a type one profile may have; a type that is not listed has no limit of its own."""
    known_identifiers: int = 50
    hub_customer_ids: int = 3
    hub_profiles: int = 20
    stale_after: Instant = 365 * DAY
    placeholders: frozenset[str] = frozenset()
    """The shop's own values that identify nobody, in lower case: new events do not carry them, and what was seen
    with one before is resolved without it."""


DEFAULT_RULES = Rules()


class Ownership(msgspec.Struct, frozen=True, kw_only=True):
    """That an identifier meant the profile of an observation, the first to say so, for a while."""

    identifier: Identifier
    fragment_id: FragmentId
    run: int
    since: Instant
    until: Instant | None
    """None: still."""
    state: OwnershipState


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why two profiles may be one person, and the observation that made us think so."""

    identifier: Identifier | None
    fragment_id: FragmentId
    run: int
    at: Instant
    word: Doubt


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Two groups that may be one person; `older` began before `younger`."""

    older: int
    younger: int
    weak: bool
    reasons: tuple[Reason, ...]
    hub: Identifier | None = None
    """The shared identifier that alone made it; all of one hub are shown together."""


class Bridge(msgspec.Struct, frozen=True, kw_only=True):
    """One end of an automatic merge: the identifier, and the observation that founded its ownership."""

    identifier: Identifier
    fragment_id: FragmentId
    at: Instant


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two groups became one; each is named by the observation it began with.

    `by` is the observation that showed it, or `decision_id` the decision. An undo names the two `bridges`,
    of a merge by hand what the decision named.
    """

    kept: Run
    gone: Run
    at: Instant
    by: Run | None = None
    decision_id: int | None = None
    bridges: tuple[Bridge, Bridge] | None = None


class Demotion(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier that did not link on an observation, and why."""

    fragment_id: FragmentId
    run: int
    identifier: Identifier
    word: Refusal


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who is who, and all that there is to say about it; groups are numbered from 1 in the order they began."""

    profile_of: Mapping[Run, int]
    ownerships: tuple[Ownership, ...]
    shared: frozenset[Identifier]
    """The hubs."""
    candidates: tuple[Candidate, ...]
    merges: tuple[Merge, ...]
    known: frozenset[int]
    """Groups that somebody named."""
    frozen: frozenset[int]
    """Groups that link no further by themselves: they have, or were refused, more than the limit in all."""
    demoted: tuple[Demotion, ...]
    cuts: tuple[tuple[FragmentId, Instant], ...]
    """Within an observation of the fragment an identifier changed hands, or a decision names a later event: cut it
    before the time and ask again."""
