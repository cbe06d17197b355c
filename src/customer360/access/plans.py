"""Plans are data: what each allows, as limits and switches."""

from __future__ import annotations

from typing import NamedTuple

from customer360.errors import NotFound


class Plan(NamedTuple):
    """What a shop on this plan may do; whatever is not named here is on in every plan."""

    name: str
    custom_segments: int | None
    """How many segments of its own a shop may have; None is no limit."""
    predictions: bool
    """Predicted lifetime value and next order, lifecycle windows of its own, full CSV export."""
    regional_quiet_hours: bool
    shops_rolled_up: bool
    """Numbers over all shops of an organisation."""
    api: bool
    undo_hours: int
    """How long a merge can be undone."""


PLANS = (
    Plan("open", None, True, True, True, True, 7 * 24),
    Plan("free", 0, False, False, False, False, 24),
    Plan("starter", 5, False, True, False, False, 7 * 24),
    Plan("pro", 10, True, True, False, False, 7 * 24),
    Plan("agency", 10, True, True, True, True, 30 * 24),
    Plan("enterprise", None, True, True, True, True, 90 * 24),
)
"""The default comes first."""

DEFAULT_PLAN = PLANS[0].name


def plan(name: str) -> Plan:
    """The plan of this name; raises NotFound."""
    for candidate in PLANS:
        if candidate.name == name:
            return candidate
    names = ", ".join(known.name for known in PLANS)
    raise NotFound(f"There is no plan {name!r}; the plans are {names}.")
