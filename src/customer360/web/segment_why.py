"""A customer's segments, and of each why the person is in it or not: every condition with their own value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from customer360.clock import Instant
from customer360.profiles.attributes import BY_NAME
from customer360.profiles.stages import shop_calendar
from customer360.segments.ast import AllOf, AnyOf, AttributeIs, EventDid, MemberOf, Not
from customer360.segments.catalogue import property_of
from customer360.segments.members import segments_of
from customer360.segments.model import Segment
from customer360.segments.sentence import Speaker
from customer360.segments.store import list_segments
from customer360.segments.why import Answer, EventsOwn, Why, why
from customer360.web import formats
from customer360.web.formats import counted
from customer360.web.visit import Visit


class Reason(NamedTuple):
    """A part of a rule in words, whether it holds, and the person's own value, "" for groups."""

    words: str
    holds: bool
    own: str | Markup
    parts: Sequence[Reason]


class Belonging(NamedTuple):
    """A segment as one person's page shows it; `reason` is None while the warehouse does not know the person yet."""

    segment: Segment
    entered_at: Instant | None
    reason: Reason | None
    kind_fits: bool


def belongings(visit: Visit, profile_id: int) -> list[Belonging]:
    """Every segment of the shop: those that the person is in first, the latest first."""
    shop = visit.shop
    with visit.app.database.read() as connection:
        own = list_segments(connection, shop.shop_id)[1:]
        entered = {
            one.segment_id: one.entered_at
            for one in segments_of(connection, shop.shop_id, profile_id)
        }
    if not own:
        return []
    own.sort(key=lambda one: -entered.get(one.segment_id, 0))
    found = why(
        visit.app.warehouse,
        shop.shop_id,
        [one.rule for one in own],
        profile_id,
        visit.now,
        shop_calendar(shop.timezone, shop.settings),
    )
    speech = _Speech(visit, Speaker(shop.currency, {one.segment_id: one.name for one in own}))
    reasons: Sequence[Why | None] = found or [None] * len(own)
    return [
        Belonging(
            segment,
            entered.get(segment.segment_id),
            speech.reason(told.root) if told else None,
            told is None or told.kind_fits,
        )
        for segment, told in zip(own, reasons, strict=True)
    ]


class _Speech:
    """Puts answers into words as the visited page writes them."""

    def __init__(self, visit: Visit, speaker: Speaker) -> None:
        self._visit = visit
        self._speaker = speaker

    def reason(self, answer: Answer) -> Reason:
        """An answer with everything below it."""
        parts = [self.reason(part) for part in answer.parts]
        match answer.node:
            case AllOf(()):
                words = "Everyone"
            case AnyOf(()):
                words = "Nobody"
            case AllOf():
                words = "All of these"
            case AnyOf():
                words = "At least one of these"
            case Not():
                words = "Not this"
            case condition:
                words = formats.upper_first(self._speaker.clause(condition))
        return Reason(words, answer.holds, self._own(answer), parts)

    def _own(self, answer: Answer) -> str | Markup:
        """The person's own value."""
        match answer.node:
            case AttributeIs(attribute):
                return self._value(BY_NAME[attribute].type, answer.own)
            case MemberOf():
                return "in it" if answer.own else "not in it"
            case EventDid() as asked if isinstance(answer.own, EventsOwn):
                return self._events(asked, answer.own)
        return ""

    def _value(self, kind: str, value: object) -> str | Markup:
        if value is None or value in ("", []):
            return "not known"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int) and kind == "money":
            return formats.money_full(value, self._visit.shop.currency)
        if isinstance(value, int) and kind == "time":
            return formats.when(value, self._visit.now, self._visit.shop.timezone)
        if isinstance(value, int | float):
            return formats.number(value)
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return formats.in_words(str(value)) if kind == "choice" else str(value)

    def _events(self, asked: EventDid, own: EventsOwn) -> str | Markup:
        if not own.count:
            return "never"
        said = Markup(counted(own.count, "time", "times"))
        if asked.sum and own.total is not None:
            known = property_of(asked.event, asked.sum.property)
            kind = known.type if known else "number"
            said += Markup(", {} altogether").format(self._value(kind, own.total))
        if own.last_at is not None:
            last = formats.when(own.last_at, self._visit.now, self._visit.shop.timezone)
            said += Markup(", last {}").format(last)
        return said
