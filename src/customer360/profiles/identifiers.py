"""Which identifiers does a profile hold, and which address is a person shown with?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.events.model import Identifier
from customer360.storage.database import rows_in


@dataclass(frozen=True, slots=True)
class IdentifierFact:
    """An identifier of the profile with its state and when it was seen."""

    identifier: Identifier
    source: str
    state: str
    first_seen_at: Instant
    last_seen_at: Instant

    @property
    def precedence(self) -> tuple[bool, Instant, Identifier]:
        """Sorts what is shown first to the front: what is truly owned before a mere claim, then the newest seen."""
        return (self.state == "unverified", -self.last_seen_at, self.identifier)


def identifiers_of(
    connection: Connection,
    shop_id: int,
    profile_of: Mapping[int, int],
    first_sources: Mapping[int, str] | None = None,
) -> dict[int, list[IdentifierFact]]:
    """By profile the identifiers that it owns, of the profiles' fragments; one that an event only named is not one.

    `first_sources`: by fragment the source that told of it first, where somebody wants to know.
    """
    members, sources = list(profile_of), first_sources or {}
    seen_at = {
        fragment_id: (first_at, last_at)
        for fragment_id, first_at, last_at in rows_in(connection, _SEEN, (shop_id,), members)
    }
    seen: dict[tuple[int, str, str], tuple[Instant, str, Instant]] = {}
    for fragment_id, kind, value in rows_in(connection, _NAMED, (shop_id,), members):
        first_at, last_at = seen_at[fragment_id]
        source, key = sources.get(fragment_id, ""), (profile_of[fragment_id], kind, value)
        known = seen.get(key)
        seen[key] = (
            (first_at, source, last_at)
            if known is None
            else (*min((first_at, source), known[:2]), max(last_at, known[2]))
        )
    states = {
        (profile_of[fragment_id], kind, value): state
        for fragment_id, kind, value, state in rows_in(connection, _OWNED, (shop_id,), members)
    }
    held: dict[int, list[IdentifierFact]] = defaultdict(list)
    for key, (first_at, source, last_at) in sorted(seen.items()):
        if key in states:
            profile_id, kind, value = key
            held[profile_id].append(
                IdentifierFact(Identifier(kind, value), source, states[key], first_at, last_at)
            )
    return held


def shown(held: Iterable[IdentifierFact], kind: str) -> str:
    """The e-mail address or phone number that a person is shown with; empty when there is none."""
    of_kind = [fact for fact in held if fact.identifier.type == kind]
    return min(of_kind, key=lambda fact: fact.precedence).identifier.value if of_kind else ""


_SEEN = (
    "select fragment_id, min(first_at), max(last_at) from observations"
    " where shop_id = {} and fragment_id in {} group by fragment_id"
)
_NAMED = "select fragment_id, type, value from fragment_identifiers where shop_id = {} and fragment_id in {}"
_OWNED = (
    "select fragment_id, type, value, state from ownerships"
    " where shop_id = {} and until is null and fragment_id in {}"
)
