"""What a batch brings to know people by: equal evidence of many events is one sighting."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from customer360.clock import Instant
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.model import NO_NAME, Name

Digest = bytes


class Sighting(msgspec.Struct):
    """All events of a batch that carry the same evidence; `rank` is that of the first of them.

    Messages that we sent are not counted, and tell no times where there are other events.
    """

    identifiers: tuple[Identifier, ...]
    trust: Trust
    rank: SourceRank
    first_at: Instant
    last_at: Instant
    events: int = 1
    name: Name = NO_NAME

    def add(self, at: Instant, rank: SourceRank, *, counts: bool) -> None:
        """One more event; `counts`: it is no message that we sent."""
        if not counts and self.events:
            return
        if counts and not self.events:
            self.first_at, self.last_at, self.rank = at, at, rank
        self.events += counts
        if (at, -rank) < (self.first_at, -self.rank):
            self.first_at, self.rank = at, rank
        if at > self.last_at:
            self.last_at = at


def evidence_digest(
    digest_key: bytes, identifiers: Sequence[Identifier], name: Name, trust: Trust
) -> Digest:
    """The key under which a fragment is found again: the same evidence always gives the same one."""
    text = "\x1e".join([f"{identifier.type}\x1f{identifier.value}" for identifier in identifiers])
    return blake2b(
        f"{text}\x1d{' '.join(name).strip()}\x1d{int(trust)}".encode(),
        key=digest_key,
        digest_size=16,
    ).digest()
