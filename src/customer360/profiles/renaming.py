"""What are these profiles called, now that they are made of other fragments than before?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from customer360.profiles.fold import combine, names_of
from customer360.profiles.members import aggregates_of
from customer360.storage.database import Writes


def rename(
    connection: Connection, writes: Writes, shop_id: int, profile_ids: Iterable[int]
) -> None:
    """Write the names of profiles, of what their fragments tell by now; one without fragments has none."""
    named = []
    for profile_id in sorted(set(profile_ids)):
        parts = list(aggregates_of(connection, shop_id, profile_id).values())
        names = names_of(parts[0] if len(parts) == 1 else combine(parts)) if parts else None
        name = names.full if names else ""
        named.append((name, name.casefold(), shop_id, profile_id))
    writes.each(
        "update profiles set name = {}, search_text = {} where shop_id = {} and profile_id = {}",
        named,
    )
