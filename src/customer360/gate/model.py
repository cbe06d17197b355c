"""What the gate looks at, by which rules it decides, and what it may say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal, TypeAlias

from customer360.clock import Instant
from customer360.events.model import Channel, ConsentState

Purpose = Literal["marketing", "transactional"]


@dataclass(frozen=True, slots=True)
class Send:
    """It may leave now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now; `until` says when the gate is worth asking again, None where only a change of rules would help."""

    reason: str
    until: Instant | None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not as things are; no time alone changes that."""

    reason: str


Decision: TypeAlias = Send | Hold | Refuse


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when until when nothing that rings is sent, on the customer's clock.

    `begins` is quiet and `ends` is not; a span that ends before it begins goes over midnight, and equal ends are none.
    """

    begins: time = time(21)
    ends: time = time(9)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """A shop's rules, or those of one of its regions. A cap of None is unlimited, one of 0 blocks."""

    global_cap: int | None = 3
    channel_caps: Mapping[Channel, int | None] = field(
        default_factory=lambda: {"email": 5, "sms": 1, "whatsapp": 2, "push": 3}
    )
    """Messages a customer's calendar day; a channel that is not named is unlimited."""
    tired_from: int = 7
    """So many messages in seven days are fatigue: 0.7 of ten."""
    quiet_hours: QuietHours | None = QuietHours()
    rings: frozenset[Channel] = frozenset(("sms", "whatsapp", "push"))
    """Channels that keep quiet hours; an e-mail wakes nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The address that the message would go to, None where there is none, and what was agreed to there."""

    address: str | None
    consent: ConsentState = "never"
    is_suppressed: bool = False
    """It bounced for good, or its owner called a message spam."""
    is_unsubscribed: bool = False
    """The person turned every channel off at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Which marketing messages the person got: in their present calendar day, and in the last seven days."""

    today: int = 0
    today_on_channel: int = 0
    in_seven_days: int = 0
    rested_at: Instant | None = None
    """When so many are older than seven days that the rest is no fatigue any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Now, and the zone on the customer's clock: their own, else the shop's."""

    now: Instant
    timezone: str
