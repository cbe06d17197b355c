"""People to compare, and how a test compares them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from customer360.identities.similarity.model import Person, Place, Suggestion
from customer360.identities.similarity.scan import Options, Scan, scanning

FIXED = Options(learn=False)


def person(person_id: int, name: str = "", address: str = "", **told: Any) -> Person:
    """A person from "First Last" and "Street 1, ZIP, City"."""
    first, _, last = name.partition(" ")
    street, zip_code, city = ((*address.split(", "), "", "") if address else ("", "", ""))[:3]
    places = (Place(street, "", zip_code, city),) if address else ()
    given: dict[str, Any] = {"first_name": first, "last_name": last, "places": places}
    return Person(person_id=person_id, **given | told)


def compare(
    people: Sequence[Person], folder: Path, options: Options = FIXED
) -> tuple[Scan, dict[tuple[int, int], Suggestion]]:
    """The scan, and its suggestions by pair; people are read in several parts."""
    rest = iter(people)
    parts = iter(lambda: list(islice(rest, 700)), [])
    with scanning(parts, folder / "scan", options) as (scan, suggestions):
        found = {(each.person_a, each.person_b): each for part in suggestions for each in part}
    return scan, found
