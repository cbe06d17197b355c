"""The weights add up as Fellegi and Sunter say, and lessons count by what they learned from."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.identities.similarity.people import person

from customer360.identities.similarity.comparisons import comparisons
from customer360.identities.similarity.features import features_of
from customer360.identities.similarity.learned import Lesson, weigh_lessons
from customer360.identities.similarity.model import Person
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

    assert steps == (0, 0, None, None, 2, None, None, None)
    assert probability(COMPARED, one, other, steps, 0.001, {}) == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize(
    ("share", "chance"),
    [(0.0, 0.002), (0.001, 0.002), (0.04, 0.04), (0.9, 0.75)],
    ids=["rare", "rarer than by chance", "common", "so common that it says nothing"],
)
def test_a_last_name_that_many_have_weighs_less_and_never_against(
    share: float, chance: float
) -> None:
    one, other = features_of(person(1, "Ann Lee")), features_of(person(2, "Bob Lee"))
    steps = steps_of(COMPARED, one, other)

    odds = 0.001 / 0.999 * (0.13 / 0.985) * (0.75 / chance)

    found = probability(COMPARED, one, other, steps, 0.001, {"last_name": {"lee": share}})
    assert found == pytest.approx(odds / (1 + odds))


def test_what_is_common_but_not_the_same_weighs_as_ever() -> None:
    one, other = features_of(person(1, "Ann Lee")), features_of(person(2, "Ann Moe"))
    steps = steps_of(COMPARED, one, other)
    common = {"last_name": {"lee": 0.3, "moe": 0.3}}

    assert probability(COMPARED, one, other, steps, 0.001, common) == pytest.approx(
        probability(COMPARED, one, other, steps, 0.001, {})
    )


def test_two_accounts_of_the_shop_count_against_one_person() -> None:
    one = person(1, "Ann Lee", "7 Wallaby Place", accounts=("1001",))
    other = person(2, "Ann Lee", "7 Wallaby Place", accounts=("1002",))

    def odds(*people: Person) -> float:
        left, right = map(features_of, people)
        found = probability(COMPARED, left, right, steps_of(COMPARED, left, right), 1e-6, {})
        return found / (1 - found)

    assert odds(one, other) == pytest.approx(0.1 * odds(one, replace(other, accounts=())), rel=1e-3)


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
