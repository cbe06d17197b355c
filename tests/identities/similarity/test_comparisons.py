"""Each step means the same in SQL and in Python, and says what a person would say."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.identities.similarity.people import person

from customer360.identities.similarity.comparisons import comparisons
from customer360.identities.similarity.features import Features, features_of
from customer360.identities.similarity.model import Person, Place
from customer360.identities.similarity.scratch import ask, load, make_people, opened

COMPARED = comparisons(["birthday"])
UNTOLD = "untold"

# One thing of two people, and how it compares.
CASES = [
    ("first_name", person(1, "Ann Lee"), person(2, "ANN Moe"), "same"),
    ("first_name", person(1, "Jean-Luc Roy"), person(2, "jeanluc Roy"), "same"),
    ("first_name", person(1, "Zoë Roy"), person(2, "Zoe Roy"), "same"),
    ("first_name", person(1, "Morrison Robin"), person(2, "Robin Morison"), "swapped"),
    ("first_name", person(1, "Stephen Roy"), person(2, "Stehpen Roy"), "similar"),
    ("first_name", person(1, "S. Roy"), person(2, "Stephen Roy"), "initial"),
    ("first_name", person(1, "Ann Roy"), person(2, "Bob Roy"), "differs"),
    ("first_name", person(1, "Ann Roy"), person(2, "", last_name="Roy"), UNTOLD),
    ("first_name", person(1, "A*** R***"), person(2, "Ann Roy"), UNTOLD),
    ("last_name", person(1, "Ann O'Brien"), person(2, "Ann OBrien"), "same"),
    ("last_name", person(1, "Robin Morrison"), person(2, "Morrisn Robin"), "swapped"),
    ("last_name", person(1, "Ann Morrison"), person(2, "Ann Morisson"), "similar"),
    ("last_name", person(1, "Ann Lee"), person(2, "Ann Moe"), "differs"),
    ("street", person(1, "", "7 Wallaby Place"), person(2, "", "Wallaby Place 7"), "same"),
    ("street", person(1, "", "Hauptstraße 12a"), person(2, "", "hauptstrasse 12A"), "same"),
    ("street", person(1, "", "7 Wallaby Place"), person(2, "", "7 Walaby Place"), "similar"),
    ("street", person(1, "", "7 Wallaby Place"), person(2, "", "9 Wallaby Place"), "other_number"),
    ("street", person(1, "", "7 Wallaby Place"), person(2, "", "7 Main Street"), "only_number"),
    ("street", person(1, "", "7 Wallaby Place"), person(2, "", "9 Main Street"), "differs"),
    (
        "street",
        person(1, places=(Place("New Road 1", "", "1000", "Bonn"), Place("Old Road 2", "", "2000", "Ulm"))),
        person(2, places=(Place("Old Road 2", "", "2000", "Ulm"),)),
        "same",
    ),
    (
        "street",
        person(1, places=(Place("4 Tyrone Hills", "Wellington Street", "1000", "Bonn"),)),
        person(2, places=(Place("4 Wellington Street", "Tyrone Hills", "1000", "Bonn"),)),
        "similar",
    ),
    ("area", person(1, "", "A 1, 2119, Cleveland"), person(2, "", "B 2, 2119, CLEVELAND"), "same"),
    ("area", person(1, "", "A 1, 2119, Cleveland"), person(2, "", "B 2, 2191, Cleveland"), "similar"),
    ("area", person(1, "", "A 1, 2119, Cleveland"), person(2, "", "B 2, 2119, Clevelnad"), "similar"),
    ("area", person(1, "", "A 1, 2119, Cleveland"), person(2, "", "B 2, 2119, Ormiston"), "partly"),
    ("area", person(1, "", "A 1, 2119, Cleveland"), person(2, "", "B 2, 7000, Hobart"), "differs"),
    ("phone", person(1, phones=("+353851234567", "+353861111111")), person(2, phones=("+353861111111",)), "same"),
    ("phone", person(1, phones=("+353851234567",)), person(2, phones=("+353851234576",)), "similar"),
    ("phone", person(1, phones=("+353851234567",)), person(2, phones=("+353869999999",)), "differs"),
    ("mailbox", person(1, mailboxes=("rose.garden",)), person(2, mailboxes=("rosegarden+shop",)), "same"),
    ("mailbox", person(1, mailboxes=("rosegarden7",)), person(2, mailboxes=("rosegadren7",)), "similar"),
    ("mailbox", person(1, mailboxes=("rosegarden7",)), person(2, mailboxes=("sailor1971",)), "differs"),
    ("mailbox", person(1, mailboxes=("support",)), person(2, mailboxes=("support",)), UNTOLD),
    ("mailbox", person(1, "Ann Lee", mailboxes=("ann.lee",)), person(2, "Ann Lee", mailboxes=("annlee",)), UNTOLD),
    ("mailbox", person(1, "Ann Lee", mailboxes=("annlee7",)), person(2, "Ann Lee", mailboxes=("annlee1",)), "differs"),
    ("account", person(1, accounts=("1001",)), person(2, accounts=("1002",)), "differs"),
    ("account", person(1, accounts=("1001", "1002")), person(2, accounts=("1002",)), "same"),
    ("account", person(1, accounts=("1001",)), person(2), UNTOLD),
    ("trait_1", person(1, traits={"birthday": "1956-04-09"}), person(2, traits={"birthday": "19560409"}), "same"),
    ("trait_1", person(1, traits={"birthday": "1956-04-09"}), person(2, traits={"birthday": "1956-09-04"}), "similar"),
    ("trait_1", person(1, traits={"birthday": "1956-04-09"}), person(2, traits={"birthday": "1971-11-30"}), "differs"),
    ("trait_1", person(1, traits={"birthday": "1956-04-09"}), person(2), UNTOLD),
]  # fmt: skip


def in_python(name: str, one: Features, other: Features) -> str:
    comparison = next(each for each in COMPARED if each.name == name)
    index = comparison.step(one, other)
    return UNTOLD if index is None else comparison.steps[index].word


@pytest.mark.parametrize(("name", "one", "other", "word"), CASES)
def test_a_comparison_says_what_a_person_would_say(
    name: str, one: Person, other: Person, word: str
) -> None:
    assert in_python(name, features_of(one), features_of(other)) == word
    assert in_python(name, features_of(other), features_of(one)) == word


def test_every_step_means_the_same_in_sql(tmp_path: Path) -> None:
    told = [features_of(each) for _, one, other, _ in CASES for each in (one, other)]
    people = [
        Features(
            **{name: getattr(each, name) for name in Features.__slots__} | {"person_id": number}
        )
        for number, each in enumerate(told)
    ]
    columns = ", ".join(
        f"case when {comparison.untold_sql} then '{UNTOLD}' "
        + " ".join(
            f"else '{step.word}'" if step.sql == "else" else f"when {step.sql} then '{step.word}'"
            for step in comparison.steps
        )
        + " end"
        for comparison in COMPARED
    )
    with opened(tmp_path, threads=1, memory_mib=256) as connection:
        load(connection, [people])
        make_people(connection, ["birthday"])
        names = [row[0] for row in ask(connection, "describe people")]
        sides = ", ".join(f"{side}.{name} as {name}_{side}" for side in "lr" for name in names)
        rows = ask(
            connection,
            f"select person_id_l, person_id_r, {columns}"
            f" from (select {sides} from people as l join people as r on l.person_id < r.person_id)",
        )

    different = [
        (people[one], people[other], comparison.name, word)
        for one, other, *words in rows
        for comparison, word in zip(COMPARED, words, strict=True)
        if in_python(comparison.name, people[one], people[other]) != word
    ]
    assert len(rows) == len(people) * (len(people) - 1) // 2
    assert different == []
