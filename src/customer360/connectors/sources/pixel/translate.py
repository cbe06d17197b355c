"""Our own pixel speaks Segment's language, so that it needs no translator of its own."""

from __future__ import annotations

from customer360.connectors.sources.segment.translate import translate

__all__ = ["translate"]
