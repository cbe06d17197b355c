"""What the log says of scans for duplicates."""

from __future__ import annotations

import msgspec

SCAN = "duplicates"
"""The kind of run in the log."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found: candidates that are open now, those of them that are new, and those that ended."""

    people: int
    candidates: int
    new: int
    ended: int
    learned: bool
    """The weights were learned from the shop's own people."""
