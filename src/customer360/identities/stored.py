"""What the profile store knows of some components: read whole, so that they can be resolved anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.model import (
    NO_NAME,
    Decision,
    FragmentId,
    Name,
    Observation,
)
from customer360.identities.normalise import identifies
from customer360.identities.rules import rules_of
from customer360.identities.sightings import Digest
from customer360.storage.database import rows_in

ProfileId = int
ALWAYS: Instant = -(1 << 62)
"""When the first era of a fragment begins."""
FOREVER: Instant = 1 << 62
ALONE, TOGETHER, CONTESTED, THRONG = 0, 1, 2, 3
"""What `fragments.company` says."""

OwnershipKey = tuple[str, str, int]
"""Type and value of the identifier, and the number of the owner, from the first on."""
AlertId = int
OwnershipRow = tuple[FragmentId, Instant, Instant | None, str]
"""The fragment that founded it, since, until and state."""
Pair = tuple[FragmentId, FragmentId]
"""The fragments that founded two profiles, the smaller first."""
Doubted = tuple[bool, str, str]
"""Whether a candidate is weak, its reasons as they are stored, and the hub that made it."""

Beginning = tuple[Instant, SourceRank, bool]
"""The first event of a fragment, the rank of who told it, and whether it was more than messages that we sent."""


class Member(msgspec.Struct):
    """A fragment with its observation; `profile_id` is None until it has one."""

    fragment_id: FragmentId
    evidence: Digest
    identifiers: tuple[Identifier, ...]
    name: Name
    trust: Trust
    rank: SourceRank
    first_at: Instant
    last_at: Instant
    events: int
    begins_at: Instant = ALWAYS
    era: int = 0
    component: int = 0
    company: int = ALONE
    profile_id: ProfileId | None = None
    began: Beginning | None = None
    """Its beginning as it is stored; of a new fragment, none."""
    placeholders: tuple[Identifier, ...] = ()
    """What it was seen with besides, and what points at nobody by the rules of now."""

    def see(self, first_at: Instant, last_at: Instant, rank: SourceRank, events: int) -> None:
        """Take in events of the batch, as a sighting tells them."""
        if not events and self.events:
            return
        if events and not self.events:
            self.first_at, self.last_at, self.rank = first_at, last_at, rank
        if (first_at, -rank) < (self.first_at, -self.rank):
            self.first_at, self.rank = first_at, rank
        if last_at > self.last_at:
            self.last_at = last_at
        self.events += events

    @property
    def beginning(self) -> Beginning:
        """What decides its place among others."""
        return self.first_at, self.rank, self.events > 0

    @property
    def observation(self) -> Observation:
        """As `resolve` reads it."""
        return Observation(
            fragment_id=self.fragment_id,
            identifiers=self.identifiers,
            name=self.name,
            trust=self.trust,
            rank=self.rank,
            first_at=self.first_at,
            last_at=self.last_at,
            events=self.events,
            evidence=self.evidence,
        )


class StoredProfile(msgspec.Struct):
    """A profile id: whose it is, and the id that it redirects to."""

    founded_by: FragmentId
    merged_into: ProfileId | None
    known: bool


@dataclass(slots=True)
class Stored:
    """Some components, whole."""

    members: dict[FragmentId, Member] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    profiles: dict[ProfileId, StoredProfile] = field(default_factory=dict)
    ownerships: dict[OwnershipKey, OwnershipRow] = field(default_factory=dict)
    candidates: dict[Pair, Doubted] = field(default_factory=dict)
    """Those that evidence made and that are open."""
    alerts: dict[AlertId, FragmentId] = field(default_factory=dict)
    """Those that have not ended."""


def load(connection: Connection, shop_id: int, components: Iterable[int]) -> Stored:
    """Everything of these components that resolving them needs or may change."""
    return _stored(connection, shop_id, _OF_COMPONENTS, sorted(set(components)))


def load_fragments(
    connection: Connection, shop_id: int, fragment_ids: Iterable[FragmentId]
) -> Stored:
    """The same of these fragments, whatever is stored of their components; nothing else may hang on them."""
    return _stored(connection, shop_id, _OF_FRAGMENTS, sorted(fragment_ids))


def company_of(
    connection: Connection, shop_id: int, fragment_ids: Iterable[FragmentId]
) -> set[FragmentId]:
    """These fragments and all that hang together with them, found anew, whatever is stored of their components."""
    found = set(fragment_ids)
    rim = set(found)
    while rim:
        reached = {
            fragment_id
            for decision in _decisions(connection, shop_id, _OF_FRAGMENTS, sorted(rim))
            for fragment_id in (decision.fragment_a, decision.fragment_b)
        }
        carried, _ = _identifiers(connection, shop_id, _OF_FRAGMENTS, sorted(rim))
        for kind, values in by_type(one for some in carried.values() for one in some):
            rows = rows_in(connection, _ALL_CARRIERS, (shop_id, kind), values)
            reached.update(fragment_id for (fragment_id,) in rows)
        rim = reached - found
        found |= rim
    return found


def _stored(
    connection: Connection, shop_id: int, questions: _Questions, wanted: Sequence[int]
) -> Stored:
    """Everything of the fragments that these are, or whose components these are."""
    stored = Stored()
    identifiers, placeholders = _identifiers(connection, shop_id, questions, wanted)
    present = set()
    for row in rows_in(connection, questions.members, (shop_id,), wanted):
        member = member_of(row, in_order(identifiers[row[0]]))
        member.placeholders = in_order(placeholders[row[0]])
        stored.members[member.fragment_id] = member
        present.add(member.profile_id)
    stored.decisions = _decisions(connection, shop_id, questions, wanted)
    for kind, value, era, *told in rows_in(connection, questions.ownerships, (shop_id,), wanted):
        fragment_id, since, until, state = told
        stored.ownerships[kind, value, era] = (fragment_id, since, until, state)
    for statement in questions.candidates:
        for one, other, weak, reasons, hub in rows_in(connection, statement, (shop_id,), wanted):
            stored.candidates[one, other] = (bool(weak), reasons, hub)
    for alert_id, fragment_id in rows_in(connection, _ALERTS, (), [shop_id]):
        if fragment_id in stored.members:
            stored.alerts[alert_id] = fragment_id
    for statement in (_PROFILES, _REDIRECTS):
        for profile_id, founded_by, merged_into, known in rows_in(
            connection, statement, (shop_id,), sorted(present)
        ):
            # One that something else founded stays with that, and is settled there.
            if founded_by in stored.members:
                stored.profiles[profile_id] = StoredProfile(founded_by, merged_into, bool(known))
    return stored


def components_carrying(
    connection: Connection, shop_id: int, identifiers: Iterable[Identifier]
) -> dict[Identifier, int]:
    """The component of each identifier that somebody has brought before."""
    found: dict[Identifier, FragmentId] = {}
    for kind, values in by_type(identifiers):
        for value, fragment_id in rows_in(connection, _CARRIERS, (shop_id, kind), values):
            found[Identifier(kind, value)] = fragment_id
    of_fragment: dict[FragmentId, int] = dict(
        rows_in(connection, _COMPONENTS, (shop_id,), sorted(set(found.values())))
    )
    return {identifier: of_fragment[fragment] for identifier, fragment in found.items()}


def _identifiers(
    connection: Connection, shop_id: int, questions: _Questions, wanted: Sequence[int]
) -> tuple[dict[FragmentId, list[Identifier]], dict[FragmentId, list[Identifier]]]:
    """By fragment what it carries: the identifiers, and the placeholders that point at nobody."""
    rules = rules_of(connection, shop_id)
    identifiers: dict[FragmentId, list[Identifier]] = defaultdict(list)
    placeholders: dict[FragmentId, list[Identifier]] = defaultdict(list)
    for fragment_id, kind, value in rows_in(connection, questions.identifiers, (shop_id,), wanted):
        one = Identifier(kind, value)
        of_kind = identifiers if identifies(one, rules.placeholders) else placeholders
        of_kind[fragment_id].append(one)
    return identifiers, placeholders


def _decisions(
    connection: Connection, shop_id: int, questions: _Questions, wanted: Sequence[int]
) -> list[Decision]:
    """The decisions about these, the first first."""
    found = {
        row[0]: row
        for statement in questions.decisions
        for row in rows_in(connection, statement, (shop_id,), wanted)
    }
    return [decision_of(found[decision_id]) for decision_id in sorted(found)]


def by_type(identifiers: Iterable[Identifier]) -> Iterable[tuple[str, list[str]]]:
    """The values of each type: what one question asks for."""
    values: dict[str, list[str]] = defaultdict(list)
    for identifier in identifiers:
        values[identifier.type].append(identifier.value)
    return values.items()


def sizes_of(connection: Connection, shop_id: int, components: Iterable[int]) -> dict[int, int]:
    """How many fragments each component has."""
    return dict(rows_in(connection, _SIZES, (shop_id,), sorted(set(components))))


def member_of(row: Sequence[Any], identifiers: tuple[Identifier, ...]) -> Member:
    """A row of fragments with its observation."""
    (
        fragment_id, evidence, era, begins_at, trust, name, component, company, first_at, last_at, rank, events,
        profile_id,
    ) = row  # fmt: skip
    member = Member(
        fragment_id=fragment_id,
        evidence=bytes(evidence),
        identifiers=identifiers,
        name=name_of(name),
        trust=_TRUST[trust],
        rank=_RANK[rank],
        first_at=first_at,
        last_at=last_at,
        events=events,
        begins_at=begins_at,
        era=era,
        component=component,
        company=company,
        profile_id=profile_id,
    )
    member.began = member.beginning
    return member


# Asking the types themselves takes as long as the rest of a row.
_TRUST = {int(trust): trust for trust in Trust}
_RANK = {int(rank): rank for rank in SourceRank}


def in_order(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """As `normalise` hands them over."""
    return tuple(sorted(identifiers))


def name_of(text: str) -> Name:
    """The parts of a folded name as it is stored."""
    one, _, other = text.partition("\x1f")
    return (one, other) if one else NO_NAME


def text_of(name: Name) -> str:
    """A folded name as it is stored."""
    return "\x1f".join(name) if name[0] else ""


def decision_of(row: Sequence[Any]) -> Decision:
    """A row of `DECISION`."""
    decision_id, kind, fragment_a, at_a, fragment_b, at_b, acts_at = row
    return Decision(
        decision_id=decision_id,
        kind=kind,
        fragment_a=fragment_a,
        at_a=at_a,
        fragment_b=fragment_b,
        at_b=at_b,
        acts_at=acts_at,
    )


MEMBER_COLUMNS = (
    "f.fragment_id, f.evidence, f.era, f.begins_at, f.trust, f.name, f.component, f.company, o.first_at, o.last_at,"
    " o.rank, o.n, f.profile_id from fragments f"
    " join observations o on o.shop_id = f.shop_id and o.fragment_id = f.fragment_id"
)
_DECIDED = "decision_id, kind, fragment_a, at_a, fragment_b, at_b, acts_at"
DECISION = f"select {_DECIDED} from decisions"
_SIDES = ("fragment_a", "fragment_b")
_IS_OPEN = " and origin = 'evidence' and state = 'open'"


class _Questions(NamedTuple):
    """What is asked of the fragments of some components, which may be thousands, without naming each; or of some."""

    members: str
    identifiers: str
    ownerships: str
    decisions: tuple[str, ...]
    candidates: tuple[str, ...]


def _questions(by: str) -> _Questions:
    which = f"where f.shop_id = {{}} and f.{by} in {{}}"

    def beside(columns: str, table: str, side: str = "fragment_id", only: str = "") -> str:
        return (
            f"select {columns} from fragments f join {table} on {table}.shop_id = f.shop_id"
            f" and {table}.{side} = f.fragment_id{only} {which}"
        )

    return _Questions(
        members=f"select {MEMBER_COLUMNS} {which}",
        identifiers=beside("fragment_identifiers.fragment_id, type, value", "fragment_identifiers"),
        ownerships=beside(
            "type, value, ownerships.era, ownerships.fragment_id, since, until, state", "ownerships"
        ),
        decisions=tuple(beside(_DECIDED, "decisions", side) for side in _SIDES),
        candidates=tuple(
            beside("fragment_a, fragment_b, weak, reasons, hub", "candidates", side, _IS_OPEN)
            for side in _SIDES
        ),
    )


_OF_COMPONENTS = _questions("component")
_OF_FRAGMENTS = _questions("fragment_id")
# A shop has few, so all are read; a question for these fragments would be one for each thousand of a batch.
_ALERTS = "select alert_id, fragment_id from alerts where ended_at is null and shop_id in {}"
_PROFILE = "select profile_id, founded_by, merged_into, known from profiles"
_PROFILES = f"{_PROFILE} where shop_id = {{}} and profile_id in {{}}"
_REDIRECTS = f"{_PROFILE} where shop_id = {{}} and merged_into in {{}}"
_CARRIERS = (
    "select value, min(fragment_id) from fragment_identifiers"
    " where shop_id = {} and type = {} and value in {} group by value"
)
_ALL_CARRIERS = (
    "select fragment_id from fragment_identifiers where shop_id = {} and type = {} and value in {}"
)
_COMPONENTS = (
    "select fragment_id, component from fragments where shop_id = {} and fragment_id in {}"
)
_SIZES = "select component, count(*) from fragments where shop_id = {} and component in {} group by component"
