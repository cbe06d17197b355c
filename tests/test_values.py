"""Counts as people read them."""

import pytest

from customer360.values import counted


@pytest.mark.parametrize(
    ("count", "words", "expected"),
    [
        (0, ("pair",), "0 pairs"),
        (1, ("pair",), "1 pair"),
        (4000, ("pair",), "4,000 pairs"),
        (1, ("person", "people"), "1 person"),
        (2, ("person", "people"), "2 people"),
    ],
)
def test_a_count_has_its_word_in_the_number_that_fits(
    count: int, words: tuple[str, ...], expected: str
) -> None:
    assert counted(count, *words) == expected
