"""What of a person is compared, folded so that ways of writing do not count. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from customer360.identities.normalise import PLACEHOLDER_MAILBOXES, PLACEHOLDERS
from customer360.identities.similarity.model import Person, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One person, folded; None where nothing is told."""

    person_id: int
    first_name: str | None = None
    last_name: str | None = None
    street: str | None = None
    """The name of the street without the house number, which is apart in `house`."""
    house: str | None = None
    street2: str | None = None
    zip: str | None = None
    city: str | None = None
    places: tuple[str, ...] = ()
    """Every address, as street, house number and postal code in one word."""
    phones: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    """Without those that are the person's name and nothing else: whoever has the name may have them."""
    nicknames: tuple[str, ...] = ()
    """The mailboxes that are not made of the name, which may be compared letter by letter."""
    accounts: tuple[str, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


SHARED_MAILBOXES: frozenset[str] = PLACEHOLDER_MAILBOXES | {
    *("admin", "billing", "contact", "hello", "help", "hi", "home", "info", "mail", "me", "office", "orders"),
    *("sales", "service", "shop", "store", "support", "team", "test", "web", "webmaster"),
}  # fmt: skip
"""Mailboxes that many companies have; they say nothing about a person."""

# Shorter values are shared by chance.
_MIN_MAILBOX = 5
_MIN_TRAIT = 4
_MAX_TRAIT = 64
# What more there is of each is older, and would only make chance agreement likelier.
_MOST = 5


def features_of(person: Person) -> Features:
    """The person, folded."""
    places = [_FoldedPlace.of(place) for place in person.places[:_MOST]]
    first_name, last_name = _name(person.first_name), _name(person.last_name)
    mailboxes = _distinct(box for told in person.mailboxes if (box := _mailbox(told)) is not None)
    own = _made_of(first_name, last_name)
    newest = next((place for place in places if place.street or place.zip or place.city), None)
    return Features(
        person_id=person.person_id,
        first_name=first_name,
        last_name=last_name,
        street=newest.street if newest else None,
        house=newest.house if newest else None,
        street2=newest.street2 if newest else None,
        zip=newest.zip if newest else None,
        city=newest.city if newest else None,
        places=_distinct(place.key for place in places if place.street and place.zip),
        phones=_distinct(person.phones),
        mailboxes=tuple(box for box in mailboxes if box not in own),
        nicknames=tuple(box for box in mailboxes if box.rstrip(_DIGITS) not in own),
        accounts=_distinct(person.accounts),
        traits={name: value for name, told in person.traits.items() if (value := _trait(told))},
    )


def tells_enough(features: Features) -> bool:
    """Whether there is enough to compare: one name or one number alone resembles nobody safely."""
    told = (
        features.first_name, features.last_name, features.street, features.zip, features.city,
        features.phones, features.mailboxes,
    )  # fmt: skip
    return sum(map(bool, told)) + len(features.traits) > 1


@dataclass(frozen=True, slots=True)
class _FoldedPlace:
    street: str | None
    house: str | None
    street2: str | None
    zip: str | None
    city: str | None

    @property
    def key(self) -> str:
        return f"{self.street} {self.house or ''} {self.zip}"

    @classmethod
    def of(cls, place: Place) -> _FoldedPlace:
        street = fold(place.street)
        number = _NUMBER.search(street)
        house = number[0] if number else None
        return cls(
            street="".join(_NUMBER.sub("", street, count=1).split()) or None,
            house=house,
            street2=_joined(place.street2),
            zip=_joined(place.zip),
            city=_joined(place.city),
        )


# 12, 12a, 12/3: what is after the number belongs to it.
_NUMBER = re.compile(r"\b\d+[a-z]?\b")


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Words without case, accents and punctuation, one space between."""
    bare = unicodedata.normalize("NFKD", text.translate(_STROKES)).casefold()
    letters = (
        character if character.isalnum() else "" if character in _INSIDE else " "
        for character in bare
        if not unicodedata.combining(character)
    )
    return " ".join("".join(letters).split())


# Letters whose mark Unicode does not take apart.
_STROKES = str.maketrans("øØłŁđĐħĦıŧŦ", "oOlLdDhHitT")
# O'Brien is OBrien, Jean-Luc is JeanLuc.
_INSIDE = frozenset("'’`-.")


def _joined(text: str) -> str | None:
    """Without spaces: people part words as they like."""
    joined = fold(text).replace(" ", "")
    return joined if joined and joined not in PLACEHOLDERS else None


def _name(text: str) -> str | None:
    # Marketplaces mask names with asterisks.
    return None if "*" in text or not any(map(str.isalpha, text)) else _joined(text)


def _mailbox(text: str) -> str | None:
    """What stands before the @, without dots and what is after a plus."""
    bare = fold(text.partition("+")[0].replace("_", "")).replace(" ", "")
    return bare if len(bare) >= _MIN_MAILBOX and bare not in SHARED_MAILBOXES else None


def _made_of(first_name: str | None, last_name: str | None) -> frozenset[str]:
    """What people make of their name for a mailbox: ann, annlee, leeann, alee, leea, annl, lann."""
    one, other = first_name or "", last_name or ""
    return frozenset(
        {
            *(one, other, one + other, other + one),
            *(one[:1] + other, other + one[:1], one + other[:1], other[:1] + one),
        }
    )


_DIGITS = "0123456789"


def _trait(text: str) -> str | None:
    joined = _joined(text)
    return joined if joined and _MIN_TRAIT <= len(joined) <= _MAX_TRAIT else None


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))[:_MOST]
