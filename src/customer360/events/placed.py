"""An event that was accepted and whose person is known: what the folding steps of a batch work on."""

from __future__ import annotations

import msgspec

from customer360.clock import Instant
from customer360.events.model import Event, Identifier, SourceRank, Trust


class PlacedEvent(msgspec.Struct):
    """One event of a batch with its fragment (0 for nobody) and where it came from."""

    event: Event
    event_id: int
    source: str
    trust: Trust
    rank: SourceRank
    received_at: Instant
    identifiers: tuple[Identifier, ...]
    fragment_id: int = 0
    session_id: int | None = None
