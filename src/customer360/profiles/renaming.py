"""What are these profiles called, now that they are made of other fragments than before?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from customer360.profiles.fold import name_of
from customer360.profiles.members import aggregates_of
from customer360.storage.database import Writes, rows_in


def rename(
    connection: Connection, writes: Writes, shop_id: int, profile_ids: Iterable[int]
) -> None:
    """Write the names of profiles, of what their fragments tell by now; one without fragments has none."""
    names = {}
    for profile_id in sorted(set(profile_ids)):
        parts = aggregates_of(connection, shop_id, profile_id).values()
        names[profile_id] = name_of(list(parts))
    write_names(writes, shop_id, names)


def named_among(connection: Connection, shop_id: int, profile_ids: Iterable[int]) -> set[int]:
    """Those of the profiles that have a name."""
    rows = rows_in(connection, _NAMED, (shop_id,), sorted(profile_ids))
    return {profile_id for (profile_id,) in rows}


_NAMED = "select profile_id from profiles where shop_id = {} and name <> '' and profile_id in {}"


def write_names(writes: Writes, shop_id: int, names: Mapping[int, str]) -> None:
    """Write what profiles are called."""
    writes.each(
        "update profiles set name = {}, search_text = {} where shop_id = {} and profile_id = {}",
        [
            (name, name.casefold(), shop_id, profile_id)
            for profile_id, name in sorted(names.items())
        ],
    )
