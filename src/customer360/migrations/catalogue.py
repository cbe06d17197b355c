"""Every table of the profile store: importing this module fills `metadata`."""

from __future__ import annotations

from customer360.access import tables as access
from customer360.consent import tables as consent
from customer360.enrichment import tables as enrichment
from customer360.events import tables as events
from customer360.exports import tables as exports
from customer360.identities import tables as identities
from customer360.intake import tables as intake
from customer360.jobs import tables as jobs
from customer360.profiles import tables as profiles
from customer360.segments import tables as segments
from customer360.storage.metadata import metadata

MODULES = (
    access,
    consent,
    enrichment,
    events,
    exports,
    identities,
    intake,
    jobs,
    profiles,
    segments,
)

__all__ = ["MODULES", "metadata"]
