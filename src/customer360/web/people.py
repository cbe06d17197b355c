"""What people are called, and what tells two of one name apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from customer360.profiles.card import kind_of
from customer360.profiles.facts import Facts
from customer360.web.words import folded, identifier_label, title_of

_ACCOUNTS = ("shopify_customer_id", "user_id", "pos_customer")
_SHOWN_VALUES = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """Some values of a person: those that are shown, and how many more there are."""

    values: tuple[str, ...]
    more: int = 0


def cell(values: list[str], first: Collection[str] = ()) -> Cell:
    """As much of the values as is shown; those that are in `first`, folded, stand first."""
    ordered = sorted(values, key=lambda value: folded(value) not in first)
    return Cell(tuple(ordered[:_SHOWN_VALUES]), max(0, len(ordered) - _SHOWN_VALUES))


def title_of_person(facts: Facts) -> str:
    """What a person is called on every page."""
    contacts = [*values_of(facts, "email"), *values_of(facts, "phone")]
    return title_of(facts.name, contacts, facts.profile_id, kind_of(facts))


def known_by(facts: Facts) -> Cell:
    """An address, a number and an account, then more of them, without what the person is called by."""
    title = title_of_person(facts)
    kinds = (values_of(facts, "email"), values_of(facts, "phone"), accounts(facts))
    known = [[value for value in values if value != title] for values in kinds]
    return cell(
        [values[0] for values in known if values]
        + [each for values in known for each in values[1:]]
    )


def accounts(facts: Facts) -> list[str]:
    """The ids that the shop, its site and its tills know a person by, each with its word."""
    return [
        f"{identifier_label(kind)} {value}"
        for kind in _ACCOUNTS
        for value in values_of(facts, kind)
    ]


def values_of(facts: Facts, kind: str) -> list[str]:
    """The identifiers of one type, the one that is shown alone first."""
    held = sorted(facts.identifiers, key=lambda fact: fact.precedence)
    return [fact.identifier.value for fact in held if fact.identifier.type == kind]
