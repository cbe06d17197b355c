"""A throng is a component too large to be resolved with each event: what is new in it joins the present owners.

That costs nobody an event, but it may link less, or otherwise, than the rules would. Such fragments are marked
`THRONG` until what made the throng is called a placeholder, which takes it apart. Until then nothing in it is merged,
undone or explained, as all of it would have to be read for that while the shop's signals wait.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, select

from customer360.errors import InThrong
from customer360.events.model import Identifier
from customer360.identities.naming import named_as
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.identities.rules import present_version
from customer360.identities.settle import Settlement
from customer360.identities.stored import (
    THRONG,
    Member,
    ProfileId,
    Stored,
    StoredProfile,
    by_type,
    load,
    sizes_of,
)
from customer360.identities.tables import fragment_identifiers, fragments
from customer360.storage.database import rows_in
from customer360.values import new_ids

logger = logging.getLogger(__name__)

LARGEST_COMPONENT = 5_000
"""Fragments that are resolved together at most: reading more takes as long as a whole batch of the worker."""


def throngs_among(connection: Connection, shop_id: int, components: Iterable[int]) -> set[int]:
    """Those of the components that are throngs."""
    sizes = sizes_of(connection, shop_id, components)
    return {component for component, size in sizes.items() if size > LARGEST_COMPONENT}


def load_whole(connection: Connection, shop_id: int, components: Iterable[int]) -> Stored:
    """Everything of these components; raises InThrong, which says what to do, where one of them is a throng."""
    wanted = set(components)
    for throng in throngs_among(connection, shop_id, wanted):
        raise InThrong(_told(connection, shop_id, throng))
    return load(connection, shop_id, wanted)


def _told(connection: Connection, shop_id: int, throng: int) -> str:
    """What makes a throng, and what to do about it."""
    if present_version(connection, shop_id).resolved_at is None:
        return "Everybody here is being resolved by the newest rules; ask again in some minutes."
    some = (
        select(fragments.c.fragment_id)
        .where(fragments.c.shop_id == shop_id, fragments.c.component == throng)
        .order_by(fragments.c.fragment_id)
        .limit(_ASKED)
        .subquery()
    )
    of_some = and_(
        fragment_identifiers.c.shop_id == shop_id,
        fragment_identifiers.c.fragment_id == some.c.fragment_id,
    )
    carried = select(fragment_identifiers.c.type, fragment_identifiers.c.value)
    rows = connection.execute(carried.join_from(some, fragment_identifiers, of_some))
    [(commonest, _)] = Counter(Identifier(*row) for row in rows).most_common(1)
    named = named_as(commonest)
    return (
        f"{named[:1].upper()}{named[1:]} links more people than can be looked at while you wait. If it stands for"
        " nobody, name it as a placeholder under Settings, Identity: everybody is then resolved without it."
    )


# What makes a throng is carried by most of it.
_ASKED = 1_000


def join_throngs(
    connection: Connection,
    shop_id: int,
    new: Iterable[Member],
    component_of: Mapping[Identifier, int],
    throngs: set[int],
    settled: Settlement,
) -> None:
    """Give the new fragments that touch a throng to whom their strongest owned identifier means now.

    What nobody owns becomes theirs, and whatever else they share an identifier with is part of the throng.
    """
    joining = _joining(new, component_of, throngs)
    carried = {identifier for member, _ in joining for identifier in member.identifiers}
    owners = _owners(connection, shop_id, carried)
    for member, throng in joining:
        components = {component_of[one] for one in member.identifiers if one in component_of}
        member.component, member.company = throng, THRONG
        settled.absorbed |= dict.fromkeys(components - {throng}, throng)
        profile_id = _whose(member, owners)
        if profile_id is None:
            profile_id = new_ids.next()
            settled.born.add(profile_id)
            known = any(one.type in KNOWN for one in member.identifiers)
            settled.profiles[profile_id] = StoredProfile(member.fragment_id, None, known)
        settled.profile_of[member.fragment_id] = profile_id
        for identifier in member.identifiers:
            if identifier not in owners:
                owners[identifier] = (profile_id, "owned")
                _own(connection, shop_id, member, identifier, settled)
    if joining:
        logger.warning("%d fragments joined a throng and were not resolved with it", len(joining))


def _joining(
    new: Iterable[Member], component_of: Mapping[Identifier, int], throngs: set[int]
) -> list[tuple[Member, int]]:
    """The new fragments that touch a throng, or one another that does, oldest first; each with the throng."""
    throng_of = {one: each for one, each in component_of.items() if each in throngs}
    joining: list[tuple[Member, int]] = []
    waiting = sorted(new, key=lambda each: (each.first_at, each.fragment_id))
    while True:
        left = []
        for member in waiting:
            touched = {throng_of[one] for one in member.identifiers if one in throng_of}
            if not touched:
                left.append(member)
                continue
            joining.append((member, max(touched)))
            for identifier in member.identifiers:
                throng_of.setdefault(identifier, max(touched))
        if len(left) == len(waiting):
            return sorted(joining, key=lambda pair: (pair[0].first_at, pair[0].fragment_id))
        waiting = left


def _owners(
    connection: Connection, shop_id: int, identifiers: Iterable[Identifier]
) -> dict[Identifier, _Owner]:
    """Who owns each of these identifiers now, where anybody does."""
    return {
        Identifier(kind, value): (int(owner), state)
        for kind, values in by_type(identifiers)
        for value, owner, state in rows_in(connection, _OWNER, (shop_id, kind), values)
    }


def _own(
    connection: Connection,
    shop_id: int,
    member: Member,
    identifier: Identifier,
    settled: Settlement,
) -> None:
    """Make an identifier that nobody owns, though somebody may have, that of the fragment."""
    former = rows_in(connection, _ERAS, (shop_id, identifier.type), [identifier.value])
    row = (member.fragment_id, member.first_at, None, "owned")
    settled.ownerships[identifier.type, identifier.value, len(former)] = row


def _whose(member: Member, owners: Mapping[Identifier, _Owner]) -> ProfileId | None:
    """The owner of the strongest; who brings a known identifier is nobody that only a device or a hub names."""
    of_type = [one for one in member.identifiers if one.type in KNOWN] or member.identifiers
    usable = [one for one in of_type if owners.get(one, _NOBODY)[1] != "shared"]
    if not usable and len(of_type) == len(member.identifiers):
        usable = list(of_type)
    for identifier in sorted(usable, key=lambda one: (STRENGTH[one.type], one.value)):
        if identifier in owners:
            return owners[identifier][0]
    return None


_Owner = tuple[ProfileId, str]
_NOBODY: _Owner = (0, "")


_OWNER = (
    "select o.value, f.profile_id, o.state from ownerships o"
    " join fragments f on f.shop_id = o.shop_id and f.fragment_id = o.fragment_id"
    " where o.shop_id = {} and o.type = {} and o.until is null and o.value in {}"
)
_ERAS = "select era from ownerships where shop_id = {} and type = {} and value in {}"
