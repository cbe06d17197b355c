"""People as they are compared, and the pairs that look alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

DIFFERS = "differs"
"""The word of everything that does not agree."""

_WORDS = {
    "same": "same",
    "similar": "similar",
    "swapped": "swapped",
    "initial": "same initial of the",
    "partly": "partly the same",
    DIFFERS: "different",
}
_SENTENCES = {
    ("first_name", "swapped"): "first and last name swapped",
    ("last_name", "swapped"): "last and first name swapped",
    ("street", "same"): "same street and number",
    ("street", "similar"): "similar street, same number",
    ("street", "other_number"): "same or similar street, another number",
    ("street", "only_number"): "another street, same number",
    ("area", "same"): "same ZIP and city",
    ("area", "similar"): "similar ZIP and city",
    ("area", "partly"): "same ZIP or same city",
    ("area", DIFFERS): "different ZIP and city",
    ("mailbox", "same"): "same e-mail name at another provider",
    ("mailbox", "similar"): "similar e-mail name",
    ("mailbox", DIFFERS): "different e-mail name",
    ("account", DIFFERS): "each with an account of the shop",
}


class Place(NamedTuple):
    """An address as it is written."""

    street: str = ""
    street2: str = ""
    zip: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is told of one person; the newest comes first.

    `person_id` is any number that orders the two of a pair. `phones` are in E.164, `mailboxes` are what stands
    before the @ of the e-mail addresses, `accounts` the shop's own customer ids, `traits` what else may tell people
    apart, a birthday for example.
    """

    person_id: int
    first_name: str = ""
    last_name: str = ""
    places: tuple[Place, ...] = ()
    phones: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


class Finding(NamedTuple):
    """How one thing compares: `about` is first_name, last_name, street, area, phone, mailbox, account or the name of a
    trait; `word` is same, swapped, similar, ..., or differs.
    """

    about: str
    word: str

    @property
    def agrees(self) -> bool:
        """Whether it speaks for one person."""
        return self.word != DIFFERS

    @property
    def sentence(self) -> str:
        """As people read it: "similar last name"."""
        name = self.about.removeprefix("custom.").replace("_", " ")
        return _SENTENCES.get((self.about, self.word)) or f"{_WORDS[self.word]} {name}"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two people who may be one, the smaller id first."""

    person_a: int
    person_b: int
    probability: float
    """That they are one person, as far as the model knows; from 0 to 1."""
    findings: tuple[Finding, ...]
    """What both sides tell, compared. What only one side tells is left out."""
