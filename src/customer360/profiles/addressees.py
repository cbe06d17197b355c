"""How are these people written to? Names, postal addresses and identifiers of many profiles, with a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from customer360.events.model import Address, Identifier
from customer360.profiles.fold import Addressing, names_of
from customer360.profiles.identifiers import identifiers_of
from customer360.profiles.members import addressings_in, members_of
from customer360.storage.database import rows_in


@dataclass(frozen=True, slots=True)
class Addressee:
    """A profile as somebody writes to it; addresses are the newest first, identifiers those shown first."""

    profile_id: int
    first_name: str
    last_name: str
    addresses: tuple[Address, ...]
    identifiers: tuple[Identifier, ...]
    fragments: tuple[int, ...]


@dataclass(slots=True)
class _Told:
    fragments: list[int] = field(default_factory=list)
    whole: Addressing = field(default_factory=Addressing)


def addressees(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> list[Addressee]:
    """These profiles in the order asked for; merged and unknown ones are left out."""
    told = {
        profile_id: _Told()
        for (profile_id,) in rows_in(connection, _ALIVE, (shop_id,), profile_ids)
    }
    members = members_of(connection, shop_id, told)
    for fragment_id, profile_id in sorted(members.items()):
        told[profile_id].fragments.append(fragment_id)
    for fragment_id, addressing in addressings_in(connection, shop_id, members).items():
        told[members[fragment_id]].whole.include(addressing)
    held = identifiers_of(connection, shop_id, members)
    people = []
    for profile_id in profile_ids:
        if (one := told.get(profile_id)) is None:
            continue
        names = names_of(one.whole)
        facts = sorted(held.get(profile_id, ()), key=lambda fact: fact.precedence)
        people.append(
            Addressee(
                profile_id,
                names.first_name if names else "",
                names.last_name if names else "",
                one.whole.newest_addresses(),
                tuple(fact.identifier for fact in facts),
                tuple(one.fragments),
            )
        )
    return people


_ALIVE = "select profile_id from profiles where shop_id = {} and merged_into is null and profile_id in {}"
