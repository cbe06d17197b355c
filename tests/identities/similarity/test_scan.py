"""Who is suggested, who is not, and what a scan leaves behind."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from tests.identities.similarity.people import FIXED, compare, person

from customer360.errors import RunUnderWay
from customer360.identities.similarity import blocks
from customer360.identities.similarity.model import Finding, Person
from customer360.identities.similarity.scan import Options, scanning

HOME = "7 Wallaby Place, 2119, Cleveland"

# Two people, and whether they may be one.
PAIRS = {
    "a typo in the name": (person(1, "Stephen Morrison", HOME), person(2, "Stehpen Morison", HOME), True),
    "swapped names": (person(1, "Stephen Morrison", HOME), person(2, "Morrison Stephen", HOME), True),
    "an initial": (person(1, "S. Morrison", HOME), person(2, "Stephen Morrison", HOME), True),
    "a married name": (person(1, "Ann Lee", HOME), person(2, "Ann Morrison", HOME), True),
    "the same mailbox elsewhere": (
        person(1, "Ann Lee", mailboxes=("rosegarden7",)),
        person(2, "Ann Lee", mailboxes=("rosegarden7",)),
        True,
    ),
    "a couple": (person(1, "Ann Morrison", HOME), person(2, "Bob Morrison", HOME), False),
    "a couple with one phone": (
        person(1, "Ann Morrison", HOME, phones=("+353851234567",)),
        person(2, "Bob Morrison", HOME, phones=("+353851234567",)),
        False,
    ),
    "neighbours": (person(1, "Ann Lee", HOME), person(2, "Bob Roy", "9 Wallaby Place, 2119, Cleveland"), False),
    "one name in two cities": (
        person(1, "Ann Lee", HOME),
        person(2, "Ann Lee", "1 Main Street, 7000, Hobart"),
        False,
    ),
    "only a first name": (person(1, "Ann"), person(2, "Ann"), False),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "wanted"), PAIRS.values(), ids=PAIRS)
def test_who_may_be_one_person(one: Person, other: Person, wanted: bool, tmp_path: Path) -> None:
    _, found = compare([one, other, *crowd(400)], tmp_path)

    assert ((1, 2) in found) == wanted
    assert set(found) <= {(1, 2)}


def crowd(count: int) -> list[Person]:
    """People who have nothing in common but that two in three are named Smith, with ids from 101."""
    words, chance = ["".join(letters) for letters in permutations("bdfgkmp", 5)], Random(1)
    return [
        person(
            number + 100,
            f"{chance.choice(words)} {chance.choice(('Smith', 'Smith', words[-number]))}",
            f"{number} {chance.choice(words)}, {chance.randint(1000, 9999)}, {chance.choice(words)}",
        )
        for number in range(1, count + 1)
    ]


def test_a_suggestion_says_what_agrees_and_what_differs(tmp_path: Path) -> None:
    one = person(7, "Stephen Morrison", HOME, phones=("+353851234567",))
    other = person(3, "Stephen Morison", HOME, phones=("+353869999999",))

    _, found = compare([one, other], tmp_path)

    (suggestion,) = found.values()
    assert (suggestion.person_a, suggestion.person_b) == (3, 7)
    assert suggestion.probability > 0.9
    assert suggestion.findings == (
        Finding("first_name", "same"),
        Finding("last_name", "similar"),
        Finding("street", "same"),
        Finding("area", "same"),
        Finding("phone", "differs"),
    )
    assert [finding.sentence for finding in suggestion.findings] == [
        "same first name",
        "similar last name",
        "same street and number",
        "same ZIP and city",
        "different phone",
    ]


def test_a_shop_too_small_to_learn_from_is_told_so(tmp_path: Path) -> None:
    people = [person(1, "Ann Lee", HOME), person(2, "Ann Lee", HOME)]

    scan, found = compare(people, tmp_path, Options())

    assert not scan.learned
    assert "2 people" in scan.warnings[0]
    assert set(found) == {(1, 2)}


def test_without_the_extra_the_weights_are_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    people = [person(1, "Ann Lee", HOME), person(2, "Ann Lee", HOME)]

    scan, found = compare(people, tmp_path, Options())

    assert "customer360[duplicates]" in scan.warnings[0]
    assert set(found) == {(1, 2)}


def test_a_rare_name_says_more_than_a_frequent_one_where_that_was_learned(tmp_path: Path) -> None:
    many = crowd(900)
    # Copies teach what the records of one person have in common.
    copies = [replace(each, person_id=each.person_id + 10_000) for each in many[:200]]
    frequent = [person(1, "Walburga Smith"), person(2, "Walburga Smith")]
    rare = [person(3, "Walburga Quick"), person(4, "Walburga Quick")]

    scan, found = compare([*many, *copies, *frequent, *rare], tmp_path, Options(threshold=0.01))

    assert scan.learned
    assert all(
        found[each.person_id, each.person_id + 10_000].probability > 0.9 for each in many[:200]
    )
    assert found[3, 4].probability > found[1, 2].probability + 0.05


def test_a_word_that_everybody_shares_brings_nobody_together(tmp_path: Path) -> None:
    many = [person(number, "John Smith", "1 Main Street, 1000, Town") for number in range(1, 2500)]

    scan, found = compare(many, tmp_path)

    assert found == {}
    assert scan.pairs == 0
    assert "each shared by more than 1 person." in scan.warnings[0]


@pytest.mark.parametrize(
    ("sizes", "budget", "largest"),
    [([], 10, 0), ([(2, 5)], 10, 2), ([(2, 5), (3, 2)], 10, 2), ([(2, 4), (3, 2)], 10, 3), ([(9, 1)], 10, 0)],
)  # fmt: skip
def test_keys_that_many_share_are_left_out_until_the_rest_fits(
    sizes: list[tuple[int, int]], budget: int, largest: int
) -> None:
    assert blocks.largest_size(sizes, budget) == largest


def test_pairs_in_several_shares_are_the_same_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [person(number, f"Ann Lee{number // 3}", HOME) for number in range(1, 60)]
    _, whole = compare(people, tmp_path)
    monkeypatch.setattr("customer360.identities.similarity.scan._PAIRS_AT_ONCE", 1000)

    _, in_shares = compare(people, tmp_path)

    assert whole == in_shares != {}


def test_a_scan_leaves_nothing_and_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    folder = tmp_path / "deep/scan"
    folder.mkdir(parents=True)
    (folder / "scratch.duckdb").write_text("left by a scan that was killed")

    with scanning([[person(1, "Ann Lee", HOME)]], folder, FIXED) as (_, suggestions):
        assert list(suggestions) == []
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.exists()


def test_two_scans_of_one_shop_do_not_meet(tmp_path: Path) -> None:
    with (
        scanning([], tmp_path / "scan", FIXED),
        pytest.raises(RunUnderWay),
        scanning([], tmp_path / "scan", FIXED),
    ):
        pass
