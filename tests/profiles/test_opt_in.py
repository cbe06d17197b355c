"""When did somebody agree to be written to? A fact of their events, whatever order these come in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from customer360.clock import DAY, parse_instant
from customer360.events.model import ConsentReport, ConsentState, Event, Trust
from customer360.profiles.fold import Aggregate, combine, fold

MAY = parse_instant("2026-05-01T12:00:00Z")
JUNE = MAY + 31 * DAY


def event(kind: str, at: int = JUNE, state: ConsentState | None = None, told_at: int = 0) -> Event:
    report = ConsentReport(
        channel="email", address="", state=state or "granted", occurred_at=told_at
    )
    return Event(
        type=kind,
        occurred_at=at,
        dedupe_key=f"{kind}-{at}",
        consents=(report,) if state else (),
    )


def opted_in_at(events: Sequence[Event], trust: Trust = Trust.FULL) -> int:
    aggregate = Aggregate()
    for one in events:
        fold(aggregate, one, source="segment", trust=trust, kept=True, known=True)
    return aggregate.opted_in_at


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([event("page_viewed")], 0),
        ([event("consent_granted")], JUNE),
        ([event("email_resubscribed")], JUNE),
        ([event("consent_withdrawn", state="withdrawn")], 0),
        ([event("contact_updated", state="pending")], 0),
        ([event("contact_updated", state="granted")], JUNE),
        ([event("contact_updated", state="granted", told_at=MAY)], MAY),
        ([event("consent_granted", MAY), event("consent_withdrawn", state="withdrawn")], MAY),
    ],
)
def test_an_opt_in_is_the_first_consent_and_stays(told: list[Event], expected: int) -> None:
    assert opted_in_at(told) == expected


def test_a_consent_that_a_browser_claims_is_no_opt_in() -> None:
    assert opted_in_at([event("contact_updated", state="granted")], Trust.PUBLIC) == 0


def test_the_first_opt_in_wins_in_any_order_and_of_any_fragment() -> None:
    told = [event("page_viewed"), event("consent_granted"), event("consent_granted", MAY)]

    for order in permutations(told):
        assert opted_in_at(order) == MAY
        parts = [Aggregate(opted_in_at=opted_in_at([one])) for one in order]
        assert combine(parts).opted_in_at == MAY
