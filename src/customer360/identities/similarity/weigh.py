"""How probably are two people one, by fixed weights? For where Splink is not installed, or too few people to learn of.

Pure. Fellegi and Sunter (1969): every step weighs log2(m / u), and the weights add up to the odds' logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from customer360.identities.similarity.comparisons import Comparison, Step
from customer360.identities.similarity.features import Features
from customer360.identities.similarity.model import DIFFERS

Steps = tuple[int | None, ...]
"""By comparison the index of the step that two people are on; None where a side tells nothing."""

Common = Mapping[str, Mapping[str, float]]
"""By column what many of the shop's people have, each with the share of them."""

# One person in ten has a second profile; a shop with twice as many shifts scores by one bit of some twenty.
_DUPLICATES_PER_PERSON = 0.1


def prior_of(people: int) -> float:
    """The probability that two people drawn at random are one."""
    return 2 * _DUPLICATES_PER_PERSON / max(people - 1, 2)


def steps_of(comparisons: Sequence[Comparison], left: Features, right: Features) -> Steps:
    """How two people compare."""
    return tuple(comparison.step(left, right) for comparison in comparisons)


def probability(
    comparisons: Sequence[Comparison],
    left: Features,
    right: Features,
    steps: Steps,
    prior: float,
    common: Common,
) -> float:
    """That two people on these steps are one, from 0 to 1."""
    weight = math.log2(prior / (1 - prior))
    for comparison, index in zip(comparisons, steps, strict=True):
        if index is not None:
            step = comparison.steps[index]
            weight += math.log2(step.m / step.u) - _commonness(step, left, right, common)
    return 1 / (1 + math.exp2(-weight))


def _commonness(step: Step, left: Features, right: Features, common: Common) -> float:
    """How much less the step weighs since many others have what these two have in common; never all it weighs."""
    word = step.adjusted_by
    if word is None or (value := word.of(left)) != word.of(right) or value is None:
        return 0
    share = common.get(word.column, {}).get(value, 0)
    return math.log2(min(max(share, step.u), step.m) / step.u)


def is_one_household(comparisons: Sequence[Comparison], steps: Steps) -> bool:
    """Whether these two share what a family shares and have different first names: not one person then."""
    told = {
        comparison.name: comparison.steps[index].word
        for comparison, index in zip(comparisons, steps, strict=True)
        if index is not None and comparison.personal
    }
    return told.pop("first_name", "") == DIFFERS and all(word == DIFFERS for word in told.values())
