"""Writes what linking decided: fragments, the map to profiles, ownerships, candidates and the log of merges."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, update

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.identities.linking import Links
from customer360.identities.model import Candidate, Decision, FragmentId, Merge
from customer360.identities.settle import Settlement
from customer360.identities.stored import Member, ProfileId, Stored, by_type, text_of
from customer360.identities.tables import (
    alerts,
    candidates,
    fragment_identifiers,
    fragments,
    merges,
    observations,
    ownerships,
    profiles,
)
from customer360.storage.database import Writes, rows_in
from customer360.storage.metadata import profile_changes
from customer360.values import new_ids

logger = logging.getLogger(__name__)

_NONE: Mapping[FragmentId, bytes] = MappingProxyType({})


def owners_of(
    connection: Connection, shop_id: int, identifiers: Iterable[Identifier]
) -> set[FragmentId]:
    """The fragments that own these identifiers."""
    found: set[FragmentId] = set()
    for kind, values in by_type(identifiers):
        rows = rows_in(
            connection,
            "select fragment_id from ownerships"
            " where shop_id = {} and type = {} and until is null and value in {}",
            (shop_id, kind),
            values,
        )
        found.update(fragment_id for (fragment_id,) in rows)
    return found


def write(
    writes: Writes,
    shop_id: int,
    change: int,
    links: Links,
    now: Instant,
    aggregates: Mapping[FragmentId, bytes] = _NONE,
) -> None:
    """Store what a batch brought; every profile that it touched takes the change number.

    aggregates: what the events of a member add up to, as it is stored; without one it keeps its own.
    """
    new = [links.members[fragment_id] for fragment_id in sorted(links.new)]
    _write_fragments(writes, shop_id, change, links, new)
    writes.insert(
        observations,
        ("shop_id", "fragment_id", "first_at", "last_at", "rank", "n", "aggregate"),
        [
            (
                shop_id, fragment_id, each.first_at, each.last_at, int(each.rank), each.events,
                aggregates.get(fragment_id),
            )
            for fragment_id, each in sorted(links.members.items())
        ],
        on_conflict=_SEEN_AGAIN,
    )  # fmt: skip
    writes.each(
        "update fragments set begins_at = {}, change = {} where shop_id = {} and fragment_id = {}",
        [(each.begins_at, change, shop_id, each.fragment_id) for each in links.shifted],
    )
    writes.each(
        "update ownerships set since = {} where shop_id = {} and fragment_id = {}",
        [(each.first_at, shop_id, each.fragment_id) for each in links.earlier_alone],
    )
    _write_settlement(writes, shop_id, change, links.stored, links.settled, now)
    writes.each(
        "update fragments set component = {} where shop_id = {} and component in"
        " (select component from fragments where shop_id = {} and fragment_id = {})",
        [
            (throng, shop_id, shop_id, fragment_id)
            for fragment_id, throng in links.settled.absorbed.items()
        ],
    )
    note_changed(writes, shop_id, change, links.profiles)


_SEEN_AGAIN = (
    "(shop_id, fragment_id) do update set first_at = excluded.first_at, last_at = excluded.last_at,"
    " rank = excluded.rank, n = excluded.n, aggregate = coalesce(excluded.aggregate, observations.aggregate)"
)


def note_changed(
    writes: Writes, shop_id: int, change: int, profile_ids: Iterable[ProfileId]
) -> None:
    """Have the warehouse look at these profiles again."""
    writes.insert(
        profile_changes,
        ("shop_id", "change", "profile_id"),
        [(shop_id, change, profile_id) for profile_id in sorted(profile_ids)],
        on_conflict="do nothing",
    )


def name_cause(connection: Connection, shop_id: int, change: int, cause: str) -> None:
    """Say that no event changed the profiles of this change; segments record why their members move."""
    mine = (profile_changes.c.shop_id == shop_id) & (profile_changes.c.change == change)
    connection.execute(update(profile_changes).where(mine).values(cause=cause))


def _write_settlement(
    writes: Writes,
    shop_id: int,
    change: int,
    stored: Stored,
    settled: Settlement,
    now: Instant,
) -> None:
    """Store what resolving some components anew changed."""
    rows = {**stored.members, **settled.members}
    changed = set(settled.members) | set(settled.former)
    writes.each(
        "update fragments set profile_id = {}, component = {}, company = {}, begins_at = {}, change = {}"
        " where shop_id = {} and fragment_id = {}",
        [
            (
                settled.profile_of[each], rows[each].component, rows[each].company, rows[each].begins_at, change,
                shop_id, each,
            )
            for each in sorted(changed & set(stored.members))
        ],
    )  # fmt: skip
    _write_profiles(writes, shop_id, settled, now)
    _write_ownerships(writes, shop_id, settled)
    _write_candidates(writes, shop_id, stored, settled, now)
    _write_merges(writes, shop_id, stored, settled, now)
    _write_alerts(writes, shop_id, settled, now)
    # What a profile owns is part of what is shown of it.
    keys = [*settled.gone_ownerships, *settled.ownerships]
    founders = {row[0] for row in settled.ownerships.values()}
    founders |= {stored.ownerships[key][0] for key in keys if key in stored.ownerships}
    touched = {settled.profile_of[each] for each in founders if each in settled.profile_of}
    note_changed(writes, shop_id, change, touched | settled.reshaped | set(settled.profiles))


def _write_ownerships(writes: Writes, shop_id: int, settled: Settlement) -> None:
    writes.each(
        "delete from ownerships where shop_id = {} and type = {} and value = {} and era = {}",
        [(shop_id, *key) for key in settled.gone_ownerships],
    )
    writes.insert(
        ownerships,
        ("shop_id", "type", "value", "era", "fragment_id", "since", "until", "state"),
        [(shop_id, *key, *row) for key, row in settled.ownerships.items()],
        replace_on=("shop_id", "type", "value", "era"),
    )


def _write_fragments(
    writes: Writes, shop_id: int, change: int, links: Links, new: list[Member]
) -> None:
    writes.insert(
        fragments,
        (
            "shop_id", "fragment_id", "era", "evidence", "trust", "name", "begins_at", "component", "company",
            "profile_id", "change",
        ),
        [
            (
                shop_id, each.fragment_id, each.era, each.evidence, int(each.trust), text_of(each.name),
                each.begins_at, each.component, each.company, links.profile_of(each.fragment_id), change,
            )
            for each in new
        ],
    )  # fmt: skip
    writes.insert(
        fragment_identifiers,
        ("shop_id", "type", "value", "fragment_id"),
        [
            (shop_id, identifier.type, identifier.value, each.fragment_id)
            for each in new
            for identifier in (*each.identifiers, *each.placeholders)
        ],
    )


def _write_profiles(writes: Writes, shop_id: int, settled: Settlement, now: Instant) -> None:
    born = sorted(settled.born)
    writes.insert(
        profiles,
        ("shop_id", "profile_id", "founded_by", "known", "name", "search_text", "created_at"),
        [
            (shop_id, each, settled.profiles[each].founded_by, settled.profiles[each].known, "", "", now)
            for each in born
        ],
    )  # fmt: skip
    writes.each(
        "update profiles set known = {}, merged_into = {} where shop_id = {} and profile_id = {}",
        [
            (profile.known, profile.merged_into, shop_id, each)
            for each, profile in sorted(settled.profiles.items())
            if each not in settled.born
        ],
    )


def _write_candidates(
    writes: Writes, shop_id: int, stored: Stored, settled: Settlement, now: Instant
) -> None:
    writes.each(
        f"update {candidates.name} set state = 'ended', decided_at = {{}} where shop_id = {{}}"
        " and fragment_a = {} and fragment_b = {} and origin = 'evidence' and state = 'open'",
        [(now, shop_id, *pair) for pair in sorted(settled.ended)],
    )
    doubted = {
        pair: (candidate.weak, _reasons(candidate), _hub(candidate))
        for pair, candidate in sorted(settled.candidates.items())
    }
    writes.insert(
        candidates,
        (
            "shop_id", "candidate_id", "fragment_a", "fragment_b", "origin", "weak", "score", "reasons", "hub",
            "state", "made_at",
        ),
        [
            (shop_id, new_ids.next(), *pair, "evidence", weak, None, reasons, hub, "open", now)
            for pair, (weak, reasons, hub) in doubted.items()
            if stored.candidates.get(pair) != (weak, reasons, hub)
        ],
        on_conflict=_STILL_OPEN,
    )  # fmt: skip


_STILL_OPEN = (
    "(shop_id, fragment_a, fragment_b, origin) do update set weak = excluded.weak, reasons = excluded.reasons,"
    " hub = excluded.hub, state = case when candidates.state = 'dismissed' then 'dismissed' else 'open' end,"
    " decided_at = case when candidates.state = 'dismissed' then candidates.decided_at end"
)


def _reasons(candidate: Candidate) -> str:
    return json.dumps(
        [
            {
                "word": reason.word,
                "type": reason.identifier.type if reason.identifier else None,
                "value": reason.identifier.value if reason.identifier else None,
                "fragment_id": str(reason.fragment_id),
                "at": reason.at,
            }
            for reason in candidate.reasons
        ]
    )


def _hub(candidate: Candidate) -> str:
    return f"{candidate.hub.type}:{candidate.hub.value}" if candidate.hub else ""


def _write_alerts(writes: Writes, shop_id: int, settled: Settlement, now: Instant) -> None:
    for fragment_id in settled.frozen:
        logger.warning(
            "shop %d: profile %d links no further by itself: it has too many identifiers",
            shop_id,
            settled.profile_of[fragment_id],
        )
    writes.each(
        f"update {alerts.name} set ended_at = {{}} where shop_id = {{}} and alert_id = {{}}",
        [(now, shop_id, alert_id) for alert_id in settled.thawed],
    )
    writes.insert(
        alerts,
        ("shop_id", "alert_id", "kind", "fragment_id", "made_at"),
        [(shop_id, new_ids.next(), "frozen", fragment_id, now) for fragment_id in settled.frozen],
    )


def _write_merges(
    writes: Writes, shop_id: int, stored: Stored, settled: Settlement, now: Instant
) -> None:
    writes.each(
        f"update {merges.name} set state = 'dissolved', ended_at = {{}}"
        " where shop_id = {} and gone_id = {} and state = 'standing'",
        [(now, shop_id, profile_id) for profile_id in sorted(settled.parted)],
    )
    decided = {decision.decision_id: decision for decision in stored.decisions}
    writes.insert(
        merges,
        (
            "shop_id", "merge_id", "kept_id", "gone_id", "kind", "actor", "merged_at", "recorded_at", "decision_id",
            "fragment_a", "at_a", "fragment_b", "at_b", "by_fragment", "bridges", "state",
        ),
        [
            (shop_id, new_ids.next(), *_merge_row(stored, settled, decided, profile_id, merge, now))
            for profile_id, merge in sorted(settled.merged.items())
        ],
    )  # fmt: skip


def _merge_row(
    stored: Stored,
    settled: Settlement,
    decided: Mapping[int, Decision],
    profile_id: ProfileId,
    merge: Merge | None,
    now: Instant,
) -> tuple[Any, ...]:
    """kept_id, and so on to state: who is kept, why, and what an undo must name."""
    asked_for = settled.asked_for.get(profile_id)
    if asked_for is not None:
        asked = asked_for.decision
        return (
            asked_for.kept_id, profile_id, asked_for.kind, asked_for.actor, asked.acts_at, now, asked.decision_id,
            asked.fragment_a, asked.at_a, asked.fragment_b, asked.at_b, None, "[]", "standing",
        )  # fmt: skip
    gone = settled.profiles[profile_id]
    kept_id = gone.merged_into or profile_id
    kept = settled.profiles.get(kept_id) or stored.profiles[kept_id]
    decision = decided.get(merge.decision_id) if merge and merge.decision_id else None
    if decision is not None:
        sides = (decision.fragment_a, decision.at_a, decision.fragment_b, decision.at_b)
    elif merge is not None and merge.bridges is not None:
        one, other = merge.bridges
        sides = (one.fragment_id, one.at, other.fragment_id, other.at)
    else:
        founders = [kept.founded_by, gone.founded_by]
        (one_at, other_at) = (_first_at(stored, each) for each in founders)
        sides = (founders[0], one_at, founders[1], other_at)
    bridges = [
        {"type": bridge.identifier.type, "value": bridge.identifier.value}
        for bridge in (merge.bridges if merge and merge.bridges else ())
    ]
    return (
        kept_id, profile_id, "by_hand" if decision else "automatic", "", merge.at if merge else now, now,
        merge.decision_id if merge else None, *sides, merge.by[0] if merge and merge.by else None,
        json.dumps(bridges), "standing",
    )  # fmt: skip


def _first_at(stored: Stored, fragment_id: FragmentId) -> Instant:
    member = stored.members.get(fragment_id)
    return member.first_at if member else 0
