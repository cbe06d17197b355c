"""The stages of a life: each rule and window, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from customer360.profiles.life import Life, StageSpan, stage_spans, stages_on
from customer360.profiles.stages import Windows

FIRST = date(2026, 1, 1)
USUAL = Windows()


def day(number: int) -> date:
    return FIRST + timedelta(number)


def life(known_since: int = 0, **done: Sequence[int]) -> Life:
    """What was done on which days after the first of January; an order or a visit is an act too."""
    days = {name: [day(number) for number in numbers] for name, numbers in done.items()}
    acts = [
        one
        for name in ("acted", "ordered", "visited", "viewed", "opted_in")
        for one in days.get(name, [])
    ]
    return Life(day(known_since), **days | {"acted": acts})


def told(spans: Sequence[StageSpan]) -> list[tuple[str, int, int | None]]:
    """As days after the first, the oldest first."""
    return [
        (
            one.stage,
            (one.since - FIRST).days,
            None if one.until is None else (one.until - FIRST).days,
        )
        for one in reversed(spans)
    ]


@pytest.mark.parametrize(
    ("lived", "expected"),
    [
        # Nothing but being known: nobody falls silent before they acted.
        (life(5), [("new", 5, None)]),
        # One visit alone is never at risk.
        (life(visited=[0]), [("new", 0, 89), ("churned", 90, None)]),
        (
            life(visited=[0, 3]),
            [("new", 0, 2), ("engaged", 3, 32), ("at_risk", 33, 92), ("churned", 93, None)],
        ),
        (life(viewed=[0, 1, 1]), [("new", 0, 0), ("engaged", 1, 90), ("churned", 91, None)]),
        (life(opted_in=[0]), [("engaged", 0, 29), ("at_risk", 30, 89), ("churned", 90, None)]),
        (life(ordered=[0]), [("converted", 0, 29), ("at_risk", 30, 89), ("churned", 90, None)]),
        # An act on the day that would have been the 30th silent one, and on the one before it.
        (
            life(ordered=[0], acted=[30]),
            [("converted", 0, 59), ("at_risk", 60, 119), ("churned", 120, None)],
        ),
        (
            life(ordered=[0, 29]),
            [("converted", 0, 28), ("loyal", 29, 58), ("at_risk", 59, 118), ("churned", 119, None)],
        ),
        (
            life(ordered=[0, 90]),
            [
                ("converted", 0, 29),
                ("at_risk", 30, 89),
                ("loyal", 90, 119),
                ("at_risk", 120, 179),
                ("churned", 180, None),
            ],
        ),
        # Who comes back by a visit is what they were.
        (
            life(ordered=[0], visited=[100]),
            [
                ("converted", 0, 29),
                ("at_risk", 30, 89),
                ("churned", 90, 99),
                ("converted", 100, 129),
                ("at_risk", 130, 189),
                ("churned", 190, None),
            ],
        ),
        # Two orders on one day are loyal at its end.
        (
            life(ordered=[4, 4]),
            [("new", 0, 3), ("loyal", 4, 33), ("at_risk", 34, 93), ("churned", 94, None)],
        ),
    ],
)
def test_a_life_goes_through_its_stages(
    lived: Life, expected: list[tuple[str, int, int | None]]
) -> None:
    assert told(stage_spans(lived, day(300), USUAL)) == expected


def test_a_shop_may_set_its_own_windows() -> None:
    windows = Windows(at_risk_days=7, churned_days=14)

    assert told(stage_spans(life(ordered=[0]), day(50), windows)) == [
        ("converted", 0, 6),
        ("at_risk", 7, 13),
        ("churned", 14, None),
    ]


@pytest.mark.parametrize(
    ("today", "stage"), [(29, "converted"), (30, "at_risk"), (89, "at_risk"), (90, "churned")]
)
def test_what_is_still_to_come_is_not_told(today: int, stage: str) -> None:
    (present, *_) = stage_spans(life(ordered=[0]), day(today), USUAL)

    assert (present.stage, present.until) == (stage, None)


def test_days_between_two_spans_belong_to_the_earlier_one() -> None:
    lived = life(1, visited=[3, 8], ordered=[20, 47], viewed=[5] * 4)
    days = [day(number) for number in range(1, 200)]

    by_span = {
        one: span.stage
        for span in stage_spans(lived, days[-1], USUAL)
        for one in days
        if span.since <= one <= (span.until or days[-1])
    }

    assert [by_span[one] for one in days] == list(stages_on(lived, days, USUAL))
