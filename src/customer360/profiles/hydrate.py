"""Who are these ids? Names and addresses for a page of profiles, and the ways to find one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Select, and_, or_, select

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
    query = _owners(shop_id).where(
        ownerships.c.type == identifier.type, ownerships.c.value == identifier.value
    )
    return connection.execute(query).scalar_one_or_none()


def search(connection: Connection, shop_id: int, text: str, limit: int) -> list[int]:
    """Profiles whose name contains the text, or one of whose identifiers begins with it; names first."""
    wanted = text.strip().casefold()
    if not wanted:
        return []
    found = [
        *connection.scalars(_by_name(shop_id, wanted).limit(limit)),
        *connection.scalars(_by_identifier(shop_id, wanted).limit(limit)),
    ]
    return list(dict.fromkeys(found))[:limit]


def _by_name(shop_id: int, wanted: str) -> Select[int]:
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    return (
        select(profiles.c.profile_id)
        .where(
            profiles.c.shop_id == shop_id,
            profiles.c.merged_into.is_(None),
            profiles.c.search_text.like(pattern, escape="\\"),
        )
        .order_by(profiles.c.profile_id.desc())
    )


def _by_identifier(shop_id: int, wanted: str) -> Select[int]:
    begins = or_(
        *(
            and_(
                ownerships.c.type == kind,
                ownerships.c.value >= value,
                ownerships.c.value < value + "\U0010ffff",
            )
            for kind in ("email", "phone", "shopify_customer_id", "user_id")
            for value in _spellings(wanted)
        )
    )
    return _owners(shop_id).where(begins).distinct().order_by(fragments.c.profile_id.desc())


def _owners(shop_id: int) -> Select[int]:
    """The profiles that own identifiers now, one for each identifier."""
    same = and_(
        fragments.c.shop_id == ownerships.c.shop_id,
        fragments.c.fragment_id == ownerships.c.fragment_id,
    )
    return (
        select(fragments.c.profile_id)
        .join_from(ownerships, fragments, same)
        .where(ownerships.c.shop_id == shop_id, ownerships.c.until.is_(None))
    )


def _spellings(wanted: str) -> set[str]:
    """The text as e-mails and ids are written, and as a phone number without spaces."""
    digits = "".join(character for character in wanted if character.isdigit() or character == "+")
    return {wanted, digits} if len(digits) >= 5 and digits != wanted else {wanted}
