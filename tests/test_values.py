"""Counts as people read them, and lists as engines search them."""

import pytest

from customer360.values import LIST_MARK, counted, listed, texts_in


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


@pytest.mark.parametrize("texts", [[], ["VIP"], ["VIP", "", "tea, green"], ["", ""]])
def test_a_list_that_was_made_one_text_is_the_same_list_again(texts: list[str]) -> None:
    assert texts_in(listed(texts)) == texts


@pytest.mark.parametrize(
    ("sought", "there"),
    [("VIP", True), ("tea, green", True), ("tea", False), ("VIP lounge", False), ("", False)],
)
def test_a_list_contains_what_is_one_of_its_texts_and_no_part_of_one(
    sought: str, there: bool
) -> None:
    assert (listed([sought]) in listed(["VIP", "tea, green"])) is there


def test_a_mark_inside_a_text_makes_no_two_of_it() -> None:
    assert texts_in(listed([f"VIP{LIST_MARK}tea"])) == ["VIP tea"]
