"""The weights add up as Fellegi and Sunter say, and lessons count by what they learned from."""

from __future__ import annotations

import math

import pytest
from tests.identities.similarity.people import person

from customer360.identities.similarity.comparisons import comparisons
from customer360.identities.similarity.features import features_of
from customer360.identities.similarity.learned import Lesson, weigh_lessons
from customer360.identities.similarity.weigh import prior_of, probability, steps_of

COMPARED = comparisons(["birthday"])


def test_one_in_ten_has_a_second_profile_before_anything_is_compared() -> None:
    people = 1001
    pairs = people * (people - 1) / 2

    assert prior_of(people) * pairs == pytest.approx(0.1 * people)
    assert 0 < prior_of(0) < 1


def test_the_odds_are_those_of_chance_times_m_over_u_of_every_step() -> None:
    one = features_of(person(1, "Ann Lee", phones=("+353851234567",)))
    other = features_of(person(2, "Ann Lee", phones=("+353869999999",)))
    steps = steps_of(COMPARED, one, other)

    odds = 0.001 / 0.999 * (0.70 / 0.005) * (0.75 / 0.002) * (0.45 / 0.9999)

    assert steps == (0, 0, None, None, 2, None, None)
    assert probability(COMPARED, steps, 0.001) == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize("comparison", COMPARED, ids=lambda comparison: comparison.name)
def test_every_comparison_covers_all_pairs_and_its_steps_go_down(comparison: object) -> None:
    steps = comparison.steps  # type: ignore[attr-defined]

    assert sum(step.m for step in steps) == pytest.approx(1)
    assert sum(step.u for step in steps) == pytest.approx(1, abs=1e-3)
    assert math.log2(steps[0].m / steps[0].u) > 5
    assert math.log2(steps[-1].m / steps[-1].u) < 0


def test_a_lesson_counts_by_the_pairs_it_learned_from() -> None:
    lessons = [Lesson(60, {"name": [0.9, 0.1]}), Lesson(0, {"name": [0.0, 1.0]}), Lesson(5, {})]

    learned = weigh_lessons({"name": [0.5, 0.5], "phone": [0.7, 0.3]}, lessons)

    # 20 pairs of fixed weights against 60 learned ones.
    assert learned["name"] == pytest.approx(
        [(20 * 0.5 + 60 * 0.9) / 80, (20 * 0.5 + 60 * 0.1) / 80]
    )
    assert learned["phone"] == pytest.approx([0.7, 0.3])
