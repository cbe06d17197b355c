"""A throng is a component too large to be resolved with each event: what is new in it joins the present owners.

That costs nobody an event, but it may link less, or otherwise, than the rules would. Such fragments are marked
`THRONG` until their component is resolved anew, as every merge by hand and undo in it does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from customer360.events.model import Identifier
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.identities.settle import Settlement
from customer360.identities.stored import THRONG, Member, ProfileId, StoredProfile, sizes_of
from customer360.storage.database import rows_in
from customer360.values import new_ids

logger = logging.getLogger(__name__)

LARGEST_COMPONENT = 5_000
"""Fragments that are resolved together at most: reading more takes as long as a whole batch of the worker."""


def throngs_among(connection: Connection, shop_id: int, components: Iterable[int]) -> set[int]:
    """Those of the components that are throngs."""
    sizes = sizes_of(connection, shop_id, components)
    return {component for component, size in sizes.items() if size > LARGEST_COMPONENT}


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
    owners: dict[Identifier, _Owner] = {}
    joined = 0
    for member in sorted(new, key=lambda each: (each.first_at, each.fragment_id)):
        components = {component_of[one] for one in member.identifiers if one in component_of}
        if not components & throngs:
            continue
        joined += 1
        member.component, member.company = max(components & throngs), THRONG
        settled.absorbed |= dict.fromkeys(components - {member.component}, member.component)
        for identifier in member.identifiers:
            if identifier not in owners:
                for owner, state in rows_in(
                    connection, _OWNER, (shop_id, identifier.type), [identifier.value]
                ):
                    owners[identifier] = (int(owner), state)
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
                era = len(
                    rows_in(connection, _ERAS, (shop_id, identifier.type), [identifier.value])
                )
                row = (member.fragment_id, member.first_at, None, "owned")
                settled.ownerships[identifier.type, identifier.value, era] = row
    if joined:
        logger.warning("%d fragments joined a throng and were not resolved with it", joined)


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
    "select f.profile_id, o.state from ownerships o"
    " join fragments f on f.shop_id = o.shop_id and f.fragment_id = o.fragment_id"
    " where o.shop_id = {} and o.type = {} and o.until is null and o.value in {}"
)
_ERAS = "select era from ownerships where shop_id = {} and type = {} and value in {}"
