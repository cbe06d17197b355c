"""Compares everybody of a shop with everybody they resemble; memory is bounded, for what is large is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from customer360.identities.similarity import blocks
from customer360.identities.similarity.comparisons import Comparison, comparisons
from customer360.identities.similarity.features import Features, features_of, tells_enough
from customer360.identities.similarity.learned import LearnedModel, is_installed
from customer360.identities.similarity.model import Finding, Person, Suggestion
from customer360.identities.similarity.scratch import (
    COLUMNS,
    LISTS,
    WORDS,
    ask,
    choose_traits,
    common_words,
    load,
    make_people,
    opened,
    own_folder,
    read,
    run,
)
from customer360.identities.similarity.weigh import (
    Steps,
    is_one_household,
    prior_of,
    probability,
    steps_of,
)
from customer360.values import counted

THRESHOLD = 0.9
"""Pairs are suggested that are one person with at least this probability."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is (0: nobody knows)."""


def in_silence(_stage: str, _done: int, _total: int) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to scan, and how much of the machine it may use."""

    threshold: float = THRESHOLD
    learn: bool = True
    """Learn the weights from the shop's people, where Splink is installed and they are enough."""
    threads: int = 1
    memory_mib: int = 1024


@dataclass(slots=True)
class Scan:
    """What a scan did; the counts are complete once its suggestions were read to the end."""

    people: int = 0
    pairs: int = 0
    suggested: int = 0
    traits: tuple[str, ...] = ()
    learned: bool = False
    warnings: list[str] = field(default_factory=list)


# With fewer, chance decides what is learned.
_FEWEST_LEARNED = 500
# A person is compared with so many others at most, on average; a small shop may compare more.
_PAIRS_PER_PERSON = 20
_LEAST_BUDGET = 2_000_000
# Pairs that are scored at a time: some hundred megabytes.
_PAIRS_AT_ONCE = 500_000


@contextmanager
def scanning(
    people: Iterable[Sequence[Person]],
    folder: Path,
    options: Options | None = None,
    progress: Progress = in_silence,
) -> Iterator[tuple[Scan, Iterator[list[Suggestion]]]]:
    """Compare these people; gives the scan and its suggestions, part by part.

    folder: for the scan alone; what was in it is removed. Raises RunUnderWay where another scan uses it.
    """
    options = options or Options()
    with (
        own_folder(folder),
        opened(folder, threads=options.threads, memory_mib=options.memory_mib) as connection,
    ):
        scan = Scan()
        load(connection, _folded(people, scan, progress))
        scan.traits = choose_traits(connection)
        compared = comparisons(scan.traits)
        make_people(connection, scan.traits)
        yield scan, _suggestions(connection, compared, scan, options, progress)


def _folded(
    people: Iterable[Sequence[Person]], scan: Scan, progress: Progress
) -> Iterator[list[Features]]:
    for part in people:
        folded = [features for person in part if tells_enough(features := features_of(person))]
        scan.people += len(folded)
        progress("Reading", scan.people, 0)
        yield folded


def _suggestions(
    connection: duckdb.DuckDBPyConnection,
    compared: Sequence[Comparison],
    scan: Scan,
    options: Options,
    progress: Progress,
) -> Iterator[list[Suggestion]]:
    scorer = _scorer(connection, compared, scan, options, progress)
    budget = max(_PAIRS_PER_PERSON * scan.people, _LEAST_BUDGET)
    sizes = ask(connection, blocks.SIZES_SQL)
    largest = blocks.largest_size(sizes, budget)
    if left_out := sum(keys for size, keys in sizes if size > largest):
        scan.warnings.append(
            f"Not followed: {counted(left_out, 'word or number', 'words or numbers')}, each shared by more than"
            f" {counted(max(largest, 1), 'person', 'people')}."
        )
    run(connection, blocks.MEETINGS_SQL, [largest])
    meeting = sum(keys * size * (size - 1) // 2 for size, keys in sizes if size <= largest)
    shares = meeting // _PAIRS_AT_ONCE + 1
    for share in range(shares):
        progress("Comparing", share, shares)
        run(connection, blocks.PAIRS_SQL, [shares, share])
        [(pairs,)] = ask(connection, "select count(*) from pairs")
        scan.pairs += pairs
        if not pairs:
            continue
        for rows in scorer():
            found = [
                _suggestion(compared, *row)
                for row in rows
                if not is_one_household(compared, row[3])
            ]
            scan.suggested += len(found)
            yield found
    progress("Comparing", shares, shares)


Scored = tuple[int, int, float, Steps]
Scorer = Callable[[], Iterator[list[Scored]]]


def _scorer(
    connection: duckdb.DuckDBPyConnection,
    compared: Sequence[Comparison],
    scan: Scan,
    options: Options,
    progress: Progress,
) -> Scorer:
    """Scores the table `pairs`: by what was learned where that is possible, else by fixed weights."""
    prior = prior_of(scan.people)
    if not options.learn:
        return lambda: _by_fixed_weights(connection, compared, prior, options.threshold)
    if not is_installed():
        scan.warnings.append(
            "Fixed weights were used; the extra customer360[duplicates] learns them from the shop's own data."
        )
    elif scan.people < _FEWEST_LEARNED:
        scan.warnings.append(
            f"Fixed weights were used: {counted(scan.people, 'person has', 'people have')} a name or address, and"
            f" {_FEWEST_LEARNED:,} are needed to learn from."
        )
    else:
        progress("Learning", 0, 0)
        model = LearnedModel(connection, compared, scan.people)
        if model.learn():
            scan.learned = True
            return lambda: _by_model(connection, model, compared, options.threshold)
        scan.warnings.append(
            "Fixed weights were used: too few people of the shop resemble each other to learn from."
        )
    return lambda: _by_fixed_weights(connection, compared, prior, options.threshold)


def _by_model(
    connection: duckdb.DuckDBPyConnection,
    model: LearnedModel,
    compared: Sequence[Comparison],
    threshold: float,
) -> Iterator[list[Scored]]:
    names = ", ".join(f"gamma_{comparison.name}" for comparison in compared)
    with model.scored(threshold) as table:
        for rows in read(
            connection, f"select person_id_l, person_id_r, match_probability, {names} from {table}"
        ):
            yield [
                (
                    *sorted(row[:2]),
                    row[2],
                    tuple(
                        # Splink counts from the last step up, and -1 is that a side tells nothing.
                        None if level < 0 else len(comparison.steps) - 1 - level
                        for comparison, level in zip(compared, row[3:], strict=True)
                    ),
                )
                for row in rows
            ]  # fmt: skip


def _by_fixed_weights(
    connection: duckdb.DuckDBPyConnection,
    compared: Sequence[Comparison],
    prior: float,
    threshold: float,
) -> Iterator[list[Scored]]:
    common = common_words(connection, compared)
    traits = [comparison for comparison in compared if comparison.name.startswith("trait_")]
    columns = [*COLUMNS, *(trait.name for trait in traits)]
    names = [trait.about for trait in traits]
    asked = ", ".join(f"{side}.{column}" for side in ("l", "r") for column in columns)
    for rows in read(
        connection,
        f"select {asked} from pairs join people as l on l.person_id = join_key_l"
        " join people as r on r.person_id = join_key_r",
    ):
        found: list[Scored] = []
        for row in rows:
            left = _features(row[: len(columns)], names)
            right = _features(row[len(columns) :], names)
            steps = steps_of(compared, left, right)
            likely = probability(compared, left, right, steps, prior, common)
            if likely >= threshold:
                found.append((left.person_id, right.person_id, likely, steps))
        yield found


def _features(row: Sequence[Any], traits: Sequence[str]) -> Features:
    person_id, *told = row[: len(COLUMNS)]
    words, lists = told[: len(WORDS)], told[len(WORDS) :]
    told_by_name: dict[str, Any] = dict(zip(WORDS, words, strict=True))
    told_by_name |= {name: tuple(values or ()) for name, values in zip(LISTS, lists, strict=True)}
    return Features(
        person_id=person_id,
        **told_by_name,
        traits=dict(zip(traits, row[len(COLUMNS) :], strict=True)),
    )


def _suggestion(
    compared: Sequence[Comparison], one: int, other: int, likely: float, steps: Steps
) -> Suggestion:
    return Suggestion(
        person_a=one,
        person_b=other,
        probability=likely,
        findings=tuple(
            Finding(comparison.about, comparison.steps[index].word)
            for comparison, index in zip(compared, steps, strict=True)
            if index is not None
        ),
    )
