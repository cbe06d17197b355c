"""What one step of the worker works on: the signals that it took, and all that it makes of them before it writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from customer360.events.placed import PlacedEvent
from customer360.identities.linking import Links
from customer360.identities.sightings import Digest, Sighting
from customer360.intake.waiting import Failed, Waiting
from customer360.profiles import checkouts, sessions
from customer360.profiles.fold import Aggregate
from customer360.profiles.ledger import Ledger


@dataclass(slots=True)
class Work:
    """All that one step computes before it writes."""

    seen_change: int
    rows: list[Waiting]
    failed: list[Failed] = field(default_factory=list)
    duplicates: list[Waiting] = field(default_factory=list)
    stored: list[Waiting] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    placed: list[PlacedEvent] = field(default_factory=list)
    evidence: dict[Digest, list[PlacedEvent]] = field(default_factory=dict)
    sightings: dict[Digest, Sighting] = field(default_factory=dict)
    links: Links = field(default_factory=Links)
    ledger: Ledger = field(default_factory=Ledger)
    visits: list[sessions.Visit] = field(default_factory=list)
    checkouts: list[checkouts.Checkout] = field(default_factory=list)
    aggregates: dict[int, Aggregate] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    other_profiles: set[int] = field(default_factory=set)
