"""What a source is: a name, a label, and a pure function from one signal to events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from customer360.events.model import Event, ShopContext, Signal

Translate = Callable[[Signal, ShopContext], Sequence[Event]]
"""Pure: the same signal always gives the same events. Raises `events.model.Unusable` alone."""


class Source(NamedTuple):
    """A system that signals come from; `name` stands in the inbox, `label` on the page."""

    name: str
    label: str
    translate: Translate
