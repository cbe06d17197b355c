"""How much does each agreement weigh in this shop? Learned by Splink from the shop's own people, without labels.

Fellegi and Sunter's model: `u`, how often two different people agree, from random pairs; `m`, how often two records
of one person agree, by expectation maximisation (Winkler 1988; Linacre et al. 2022, doi 10.23889/ijpds.v7i3.1794).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from customer360.identities.similarity.comparisons import Comparison
from customer360.identities.similarity.weigh import prior_of

if TYPE_CHECKING:
    import duckdb

# Random pairs that `u` is counted on: what one pair in ten thousand agrees on is seen fifty times. In a large shop
# such pairs are rarer, and what weighs most is rarest.
_RANDOM_PAIRS = 500_000
_RANDOM_PAIRS_PER_PERSON = 2
# Of n pairs none is on a step: then with 95 % certainty fewer than 3 / n of all are (the rule of three).
_UNSEEN = 3
# Fewer pairs in a block teach nothing, more take time and teach the same.
_FEWEST_PAIRS = 100
_MOST_PAIRS = 1_000_000
_SEED = 1
# A block that claims more duplicates than this was misled: it would be a shop where everybody is there thrice.
_MOST_MATCHES_PER_PERSON = 2
# The `m` of a comparison add up to 1, or to nearly nothing where it never was made.
_SEEN = 0.5
# What was learned counts against the fixed weights as if these came from so many pairs.
_FIXED_PAIRS = 20

Weights = dict[str, list[float]]
"""By comparison the `m`, or the `u`, of its steps."""


def is_installed() -> bool:
    """Whether the extra `duplicates` is."""
    from importlib.util import find_spec

    return find_spec("splink") is not None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one block taught: about how many pairs of it are one person, and how often these are on each step."""

    matches: float
    m: Weights


class LearnedModel:
    """Scores pairs with what was learned of the people in the table `people`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        comparisons: Sequence[Comparison],
        people: int,
    ) -> None:
        from splink import DuckDBAPI

        logging.getLogger("splink").setLevel(logging.ERROR)
        self._connection = connection
        self._comparisons = comparisons
        self._count = people
        self._shares = 0
        self._database = DuckDBAPI(connection)
        self._people = self._database.register("people", table_name="splink_people")
        self._m: Weights = {each.name: [step.m for step in each.steps] for each in comparisons}
        self._u: Weights = {each.name: [step.u for step in each.steps] for each in comparisons}
        self._linker = self._model()

    def learn(self) -> bool:
        """Learn from the people; says whether there was anything to learn from."""
        pairs = max(_RANDOM_PAIRS, _RANDOM_PAIRS_PER_PERSON * self._count)
        self._linker.training.estimate_u_using_random_sampling(max_pairs=pairs, seed=_SEED)
        model = self._linker.misc.save_model_to_json()
        self._u = _read_u(model, self._comparisons, pairs)
        lessons = [lesson for rule in self._rules() if (lesson := self._taught_by(rule))]
        self._m = weigh_lessons(self._m, lessons)
        self._linker = self._model()
        return bool(lessons)

    @contextmanager
    def scored(self, threshold: float) -> Iterator[str]:
        """Score the table `pairs`; the name of a table of those at or above the threshold, while it is asked."""
        self._shares += 1
        pairs = self._database.register("pairs", table_name=f"splink_pairs_{self._shares}")
        self._linker.table_management.register_blocked_pairs_for_predict(pairs)
        found = self._linker.inference.predict(
            threshold_match_probability=threshold, warning_mode="never"
        )
        try:
            yield str(found.physical_name)
        finally:
            found.drop_table_from_database_and_remove_from_cache()

    def _rules(self) -> list[str]:
        """The blocks to learn in. What defines a block is not learned in it.

        A household shares name, address and phone, and most pairs in such a block would be of a family: so the
        first name, which tells them apart, is part of those blocks. Mailboxes made of a name are shared by people
        of that name, so only the others are a block.
        """
        first_name = "l.first_name = r.first_name"
        traits = [each.name for each in self._comparisons if each.name.startswith("trait_")]
        return [
            f"{first_name} and l.last_name = r.last_name",
            f"{first_name} and l.zip = r.zip and l.house = r.house",
            f"{first_name} and l.phones[1] = r.phones[1]",
            "l.nicknames[1] = r.nicknames[1]",
            *(f"l.{name} = r.{name}" for name in traits),
        ]

    def _taught_by(self, rule: str) -> Lesson | None:
        from splink.internals.exceptions import EMTrainingException

        pairs = self._pairs_of(rule)
        if pairs < _FEWEST_PAIRS:
            return None
        try:
            session = self._model().training.estimate_parameters_using_expectation_maximisation(
                rule,
                estimate_without_term_frequencies=True,
                max_pairs=_MOST_PAIRS if pairs > _MOST_PAIRS else None,
            )
        except (EMTrainingException, ValueError):
            # Nobody in it is one person, so that what they have in common went to nought.
            return None
        learned = session.core_model_settings
        matches = float(learned.probability_two_random_records_match) * min(pairs, _MOST_PAIRS)
        if matches > _MOST_MATCHES_PER_PERSON * self._count:
            # What the others in it have in common was taken for one person's.
            return None
        m = {
            each.output_column_name: [
                float(level.m_probability or 0)
                for level in each.comparison_levels
                if not level.is_null_level
            ]
            for each in learned.comparisons
        }
        # What nobody in it tells was not learned.
        return Lesson(matches, {name: steps for name, steps in m.items() if sum(steps) > _SEEN})

    def _pairs_of(self, rule: str) -> int:
        # All of the answer is fetched: DuckDB's connection does nothing else before.
        [(count,)] = self._connection.execute(
            f"select count(*) from people as l join people as r on {rule} and l.person_id < r.person_id"
        ).fetchall()
        return int(count)

    def _model(self) -> Any:
        from splink import Linker, SettingsCreator

        settings = SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="person_id",
            comparisons=[
                _as_splink(each, self._m[each.name], self._u[each.name])
                for each in self._comparisons
            ],
            probability_two_random_records_match=prior_of(self._count),
            # Among them the steps, which are the reasons of a suggestion.
            retain_matching_columns=True,
            retain_intermediate_calculation_columns=False,
        )
        return Linker(self._people, settings, log_level=None)


def weigh_lessons(fixed: Mapping[str, Sequence[float]], lessons: Sequence[Lesson]) -> Weights:
    """The `m` of every step: the mean of all lessons, each as heavy as the pairs it learned from."""
    found: Weights = {}
    for name, steps in fixed.items():
        about = [lesson for lesson in lessons if name in lesson.m]
        pairs = _FIXED_PAIRS + sum(lesson.matches for lesson in about)
        found[name] = [
            (_FIXED_PAIRS * m + sum(lesson.matches * lesson.m[name][index] for lesson in about))
            / pairs
            for index, m in enumerate(steps)
        ]
    return found


def _read_u(model: Mapping[str, Any], comparisons: Sequence[Comparison], pairs: int) -> Weights:
    """The `u` of every step as counted on so many random pairs; the fixed one where none was on it."""
    found: Weights = {}
    for told, comparison in zip(model["comparisons"], comparisons, strict=True):
        levels = [level for level in told["comparison_levels"] if not level.get("is_null_level")]
        u = [
            float(level.get("u_probability") or step.u)
            for level, step in zip(levels, comparison.steps, strict=True)
        ]
        # Splink leaves as it was what no pair was on. Only equality is believed to be as rare as it then seems.
        if u[0] == comparison.steps[0].u:
            u[0] = min(u[0], _UNSEEN / pairs)
        found[comparison.name] = u
    return found


def _as_splink(comparison: Comparison, m: Sequence[float], u: Sequence[float]) -> Any:
    from splink import comparison_library
    from splink.internals import comparison_level_library as levels

    made: list[Any] = [levels.CustomLevel(comparison.untold_sql).configure(is_null_level=True)]
    for step, of_one, of_others in zip(comparison.steps, m, u, strict=True):
        level = (
            levels.ElseLevel() if step.sql == "else" else levels.CustomLevel(step.sql, step.word)
        )
        given: dict[str, Any] = {"m_probability": of_one, "u_probability": of_others}
        if step.adjusted_by:
            given["tf_adjustment_column"] = step.adjusted_by.column
            given["disable_tf_exact_match_detection"] = True
        if comparison.given:
            given["fix_m_probability"] = given["fix_u_probability"] = True
        made.append(level.configure(**given))
    return comparison_library.CustomComparison(
        output_column_name=comparison.name, comparison_levels=made
    )
