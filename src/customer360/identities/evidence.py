"""What holds a profile together? Each event, or decision, that made two of its parts one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import BigInteger, Connection, Select, Table, bindparam, literal, select

from customer360.clock import Instant, to_datetime
from customer360.events.model import Identifier
from customer360.events.tables import events, order_events
from customer360.identities.model import Decision, FragmentId, Resolution
from customer360.identities.naming import named_as
from customer360.identities.normalise import STRENGTH
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.stored import Member, ProfileId, Stored
from customer360.identities.tables import fragments
from customer360.identities.throngs import load_whole
from customer360.storage.database import rows_in


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain: the identifiers that an event named together, or a merge by hand."""

    kind: Literal["event", "merge"]
    at: Instant
    fragment_id: FragmentId
    other_fragment_id: FragmentId | None = None
    """Of a merge by hand, the other side."""
    identifiers: tuple[Identifier, ...] = ()
    event_id: int | None = None
    event_type: str = ""
    source: str = ""
    decision_id: int | None = None
    actor: str = ""

    @property
    def place(self) -> tuple[Instant, FragmentId, int]:
        """Where it stands in the chain."""
        return self.at, self.fragment_id, self.decision_id or 0

    @property
    def sentence(self) -> str:
        """As people read it: "cookie c1 and e-mail ann@x.com in one event on 15 June 2026"."""
        day = _day(self.at)
        if self.kind == "merge":
            return f"merged by {self.actor or 'hand'} on {day}"
        named = _listed([named_as(one) for one in self.identifiers])
        return f"{named} in one event on {day}"


def evidence_of(connection: Connection, shop_id: int, profile_id: ProfileId) -> list[Evidence]:
    """The chain of evidence that holds a profile together, oldest first; empty where one event said it all.

    Raises InThrong: what links whom in a throng shows only where all of it is resolved.
    """
    return described(connection, shop_id, chain_of(connection, shop_id, profile_id))


def chain_of(connection: Connection, shop_id: int, profile_id: ProfileId) -> list[Evidence]:
    """The same without the events and the names of who decided, which `described` adds to the links that are shown.

    Raises InThrong.
    """
    query = select(fragments.c.component).where(
        fragments.c.shop_id == shop_id, fragments.c.profile_id == profile_id
    )
    stored = load_whole(connection, shop_id, connection.scalars(query))
    observations = [member.observation for member in stored.members.values()]
    resolution = resolve(observations, stored.decisions, rules_of(connection, shop_id))
    of_profile = {
        fragment_id
        for fragment_id, member in stored.members.items()
        if member.profile_id == profile_id
    }
    return links_of(stored, resolution, of_profile)


def links_of(
    stored: Stored, resolution: Resolution, members: Iterable[FragmentId]
) -> list[Evidence]:
    """The links, of which none could be left out without these fragments falling apart. Only computes."""
    parts: dict[object, object] = {}

    def root(node: object) -> object:
        while node in parts:
            node = parts[node]
        return node

    wanted = set(members)
    usable = usable_of(stored.members, resolution)
    found: list[Evidence] = []
    for fragment_id in sorted(wanted, key=lambda each: (stored.members[each].first_at, each)):
        named = usable[fragment_id]
        parts[fragment_id] = named[0] if named else None
        by_root: dict[object, Identifier] = {}
        for identifier in named:
            by_root.setdefault(root(identifier), identifier)
        if len(by_root) > 1:
            first, *others = by_root
            parts |= dict.fromkeys(others, first)
            found.append(_told_by(stored, fragment_id, by_root.values()))
    merged = {merge.decision_id for merge in resolution.merges if merge.decision_id is not None}
    for decision in stored.decisions:
        if decision.decision_id in merged and {decision.fragment_a, decision.fragment_b} <= wanted:
            one, other = root(decision.fragment_a), root(decision.fragment_b)
            if one != other:
                parts[other] = one
            found.append(_decided_by(decision))
    return sorted(found, key=lambda link: link.place)


def _told_by(stored: Stored, fragment_id: FragmentId, named: Iterable[Identifier]) -> Evidence:
    """The link that the first event of a fragment is."""
    at = stored.members[fragment_id].first_at
    return Evidence(kind="event", at=at, fragment_id=fragment_id, identifiers=tuple(named))


def _decided_by(decision: Decision) -> Evidence:
    """The link that a merge by hand is."""
    return Evidence(
        kind="merge",
        at=decision.acts_at,
        fragment_id=decision.fragment_a,
        other_fragment_id=decision.fragment_b,
        decision_id=decision.decision_id,
    )


def between(
    stored: Stored, resolution: Resolution, one: FragmentId, other: FragmentId
) -> list[Evidence]:
    """The shortest chain from one fragment to another of the same profile. Only computes."""
    usable = usable_of(stored.members, resolution)
    carriers: dict[Identifier, list[FragmentId]] = defaultdict(list)
    for fragment_id, named in usable.items():
        for identifier in named:
            carriers[identifier].append(fragment_id)
    came: dict[FragmentId, tuple[FragmentId, Identifier] | None] = {one: None}
    rim = [one]
    while rim and other not in came:
        reached = []
        for fragment_id in rim:
            for identifier in usable[fragment_id]:
                for neighbour in carriers[identifier]:
                    if neighbour not in came:
                        came[neighbour] = (fragment_id, identifier)
                        reached.append(neighbour)
        rim = reached
    if other not in came:
        return [link for link in links_of(stored, resolution, usable) if link.kind == "merge"]
    steps: dict[FragmentId, list[Identifier]] = {}
    at: FragmentId = other
    while (step := came[at]) is not None:
        steps.setdefault(at, []).append(step[1])
        steps.setdefault(step[0], []).append(step[1])
        at = step[0]
    # A fragment in the middle links what it came by with where it leads; an end names one identifier alone.
    middle = {each: named for each, named in steps.items() if len(set(named)) > 1}
    return [
        _told_by(stored, fragment_id, sorted(set(named), key=_strength))
        for fragment_id, named in sorted((middle or steps).items())
    ]


def usable_of(
    members: Mapping[FragmentId, Member], resolution: Resolution
) -> dict[FragmentId, list[Identifier]]:
    """By fragment the identifiers that linked it, strongest first: neither refused nor shared by many."""
    refused = {(one.fragment_id, one.identifier) for one in resolution.demoted}
    return {
        fragment_id: sorted(
            (
                identifier
                for identifier in member.identifiers
                if (fragment_id, identifier) not in refused and identifier not in resolution.shared
            ),
            key=_strength,
        )
        for fragment_id, member in members.items()
    }


def described(connection: Connection, shop_id: int, links: Iterable[Evidence]) -> list[Evidence]:
    """The links with the event that each was first told by, and with who decided."""
    links = list(links)
    actors = dict(
        rows_in(
            connection,
            "select decision_id, actor from decisions where shop_id = {} and decision_id in {}",
            (shop_id,),
            [link.decision_id for link in links if link.decision_id is not None],
        )
    )
    told = []
    for link in links:
        if link.decision_id is not None:
            told.append(msgspec.structs.replace(link, actor=actors.get(link.decision_id) or ""))
            continue
        asked = {"shop_id": shop_id, "fragment_id": link.fragment_id, "at": link.at}
        rows = [row for first in _FIRST for row in connection.execute(first, asked)]
        if not rows:
            told.append(link)
            continue
        row = min(rows, key=lambda row: (row.occurred_at, row.event_id))
        event_id = row.event_id if row.in_timeline else None
        told.append(
            msgspec.structs.replace(link, event_id=event_id, event_type=row.type, source=row.source)
        )
    return told


def _first(table: Table) -> Select[Any]:
    return (
        select(
            table.c.event_id,
            table.c.type,
            table.c.source,
            table.c.occurred_at,
            literal(table is events).label("in_timeline"),
        )
        .where(
            table.c.shop_id == bindparam("shop_id", type_=BigInteger),
            table.c.fragment_id == bindparam("fragment_id", type_=BigInteger),
            table.c.occurred_at >= bindparam("at", type_=BigInteger),
        )
        .order_by(table.c.occurred_at, table.c.event_id)
        .limit(1)
    )


# Written once: putting them together anew for each link would take longer than asking them.
_FIRST = (_first(events), _first(order_events))


def _strength(identifier: Identifier) -> tuple[int, Identifier]:
    return STRENGTH[identifier.type], identifier


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _day(at: Instant) -> str:
    moment = to_datetime(at)
    return f"{moment.day} {moment:%B %Y}"
