"""Measured on the people of the sample shop, who live in a few streets under a few names.

Who has a second e-mail address has ordered with it too, without signing in: that is another profile of one person.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.identities.similarity.people import compare

from customer360.demo.people import Person as Invented
from customer360.demo.people import make_people
from customer360.identities.similarity.model import Person, Place
from customer360.identities.similarity.scan import Options

GUEST = 10_000


def as_customer(one: Invented) -> Person:
    return Person(
        person_id=one.number,
        first_name=one.first_name,
        last_name=one.last_name,
        places=(Place(one.street, "", one.zip, one.city),),
        phones=(one.phone,) if one.phone else (),
        mailboxes=(one.email.partition("@")[0],),
        accounts=(str(one.customer_id),),
    )


def as_guest(one: Invented) -> Person:
    return Person(
        person_id=one.number + GUEST,
        first_name=one.first_name,
        last_name=one.last_name,
        places=(Place(one.street, "", one.zip, one.city),),
        mailboxes=(one.second_email.partition("@")[0],),
    )


@pytest.mark.parametrize("learn", [True, False], ids=["learned", "fixed"])
def test_people_of_common_names_are_rarely_taken_for_one(learn: bool, tmp_path: Path) -> None:
    invented = make_people(Random("1:people"), 2000)
    twice = [one for one in invented if one.second_email]
    truth = {(one.number, one.number + GUEST) for one in twice}

    scan, found = compare(
        [*map(as_customer, invented), *map(as_guest, twice)], tmp_path, Options(learn=learn)
    )

    assert scan.learned == learn
    right = len(truth & set(found))
    assert right / len(truth) >= 0.99, (right, len(truth))
    assert right / len(found) >= 0.9, (right, len(found))
