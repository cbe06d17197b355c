"""Who are these ids? Names and addresses for a page of profiles, and the ways to find one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from customer360.events.model import Identifier
from customer360.identities.normalise import STRENGTH, normalise_one
from customer360.identities.tables import fragments, ownerships, profiles
from customer360.profiles.identifiers import identifiers_of, shown
from customer360.profiles.members import members_of

_NUMBER_SPACE = {"whatsapp": "phone"}


class Summary(msgspec.Struct, frozen=True):
    """A profile as a list shows it."""

    profile_id: int
    name: str
    email: str
    phone: str


def hydrate(connection: Connection, shop_id: int, profile_ids: Sequence[int]) -> list[Summary]:
    """Name, e-mail and phone of each profile, in the order asked for; merged ids are left out."""
    if not profile_ids:
        return []
    query = select(profiles.c.profile_id, profiles.c.name).where(
        profiles.c.shop_id == shop_id,
        profiles.c.profile_id.in_(profile_ids),
        profiles.c.merged_into.is_(None),
    )
    names: dict[int, str] = {
        profile_id: name or "" for profile_id, name in connection.execute(query)
    }
    members = members_of(connection, shop_id, names)
    held = identifiers_of(connection, shop_id, members)
    return [
        Summary(
            profile_id,
            names[profile_id],
            shown(held.get(profile_id, ()), "email"),
            shown(held.get(profile_id, ()), "phone"),
        )
        for profile_id in profile_ids
        if profile_id in names
    ]


def find_by_identifier(
    connection: Connection, shop_id: int, country: str, type: str, value: str
) -> int | None:
    """The profile that an identifier belongs to; `phone` and `whatsapp` are one number space."""
    if type not in STRENGTH:
        return None
    cleaned = normalise_one(type, value, country)
    if cleaned is None:
        return None
    identifier = Identifier(_NUMBER_SPACE.get(type, type), cleaned)
    query = (
        select(fragments.c.profile_id)
        .join_from(
            ownerships,
            fragments,
            and_(
                fragments.c.shop_id == ownerships.c.shop_id,
                fragments.c.fragment_id == ownerships.c.fragment_id,
            ),
        )
        .where(
            ownerships.c.shop_id == shop_id,
            ownerships.c.type == identifier.type,
            ownerships.c.value == identifier.value,
            ownerships.c.until.is_(None),
        )
    )
    return connection.execute(query).scalar_one_or_none()


def search(connection: Connection, shop_id: int, text: str, limit: int) -> list[int]:
    """Profiles whose name contains the text, or one of whose identifiers begins with it; names first."""
    wanted = text.strip().casefold()
    if not wanted:
        return []
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    by_name = (
        select(profiles.c.profile_id)
        .where(
            profiles.c.shop_id == shop_id,
            profiles.c.merged_into.is_(None),
            profiles.c.search_text.like(pattern, escape="\\"),
        )
        .order_by(profiles.c.profile_id.desc())
        .limit(limit)
    )
    values = _spellings(wanted)
    begins = or_(
        *(
            and_(
                ownerships.c.type == kind,
                ownerships.c.value >= value,
                ownerships.c.value < value + "\U0010ffff",
            )
            for kind in ("email", "phone", "shopify_customer_id", "user_id")
            for value in values
        )
    )
    by_identifier = (
        select(fragments.c.profile_id, func.max(fragments.c.fragment_id))
        .join_from(
            ownerships,
            fragments,
            and_(
                fragments.c.shop_id == ownerships.c.shop_id,
                fragments.c.fragment_id == ownerships.c.fragment_id,
            ),
        )
        .where(ownerships.c.shop_id == shop_id, ownerships.c.until.is_(None), begins)
        .group_by(fragments.c.profile_id)
        .limit(limit)
    )
    found = [row[0] for row in connection.execute(by_name)]
    found += [row[0] for row in connection.execute(by_identifier)]
    return list(dict.fromkeys(found))[:limit]


def _spellings(wanted: str) -> set[str]:
    """The text as e-mails and ids are written, and as a phone number without spaces."""
    digits = "".join(character for character in wanted if character.isdigit() or character == "+")
    return {wanted, digits} if len(digits) >= 5 and digits != wanted else {wanted}
