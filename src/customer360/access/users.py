"""The people who sign in, and the shops they work for."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Literal, get_args

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Table, delete, insert, or_, select, update

from customer360.access.shops import Shop, shop_of
from customer360.access.tables import (
    memberships,
    organisation_members,
    saved_views,
    shops,
    users,
    web_sessions,
)
from customer360.clock import Instant
from customer360.errors import Conflict, InvalidInput, NotFound
from customer360.values import new_ids

Role = Literal["owner"]
ROLES: tuple[Role, ...] = get_args(Role)

# NIST SP 800-63B-4: 15 characters where a password stands alone, and no small upper limit.
SHORTEST_PASSWORD = 15
LONGEST_PASSWORD = 1024

_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"(),:;\\]{1,64}@[^@\s\x00-\x1f<>\"(),:;\\]{1,190}")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who may sign in."""

    user_id: int
    email: str
    has_password: bool


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who works for a shop."""

    user: User
    role: Role
    every_shop: bool
    """Through the organisation, not this shop alone."""


def normalise_email(text: str) -> str:
    """The address as users are told apart by it; raises InvalidInput."""
    email = unicodedata.normalize("NFC", text.strip()).lower()
    if not _EMAIL.fullmatch(email):
        raise InvalidInput(f"{text!r} is no e-mail address.", "email")
    return email


def find_user(connection: Connection, email: str) -> User | None:
    """The user with this address, if there is one."""
    return _user(connection, users.c.email == normalise_email(email))


def get_user(connection: Connection, user_id: int) -> User:
    """The user with this id; raises NotFound."""
    found = _user(connection, users.c.user_id == user_id)
    if found is None:
        raise NotFound("There is no such user.")
    return found


def ensure_user(connection: Connection, email: str, now: Instant) -> User:
    """The user with this address, made when missing."""
    found = find_user(connection, email)
    if found is not None:
        return found
    made = User(user_id=new_ids.next(), email=normalise_email(email), has_password=False)
    connection.execute(insert(users).values(user_id=made.user_id, email=made.email, created_at=now))
    return made


def checked_role(text: str) -> Role:
    """The role of this name; raises InvalidInput."""
    for role in ROLES:
        if text == role:
            return role
    raise InvalidInput(f"There is no role {text!r}; the roles are {', '.join(ROLES)}.", "role")


def join_shop(connection: Connection, user_id: int, shop_id: int, role: Role, now: Instant) -> None:
    """Let the user work for this shop; doing it again changes the role."""
    _join(connection, memberships, {"shop_id": shop_id, "user_id": user_id}, role, now)


def join_organisation(
    connection: Connection, user_id: int, organisation_id: int, role: Role, now: Instant
) -> None:
    """Let the user work for every shop of the organisation, those still to come included."""
    key = {"organisation_id": organisation_id, "user_id": user_id}
    _join(connection, organisation_members, key, role, now)


def shops_of(connection: Connection, user_id: int) -> list[Shop]:
    """The shops that the user works for, oldest first."""
    rows = connection.execute(select(shops).where(_works_for(user_id)).order_by(shops.c.shop_id))
    return [shop_of(row) for row in rows]


def members_of(connection: Connection, shop: Shop) -> list[Member]:
    """Who works for the shop, by e-mail address."""
    found: dict[int, Member] = {}
    for source, here, every_shop in (
        (memberships, memberships.c.shop_id == shop.shop_id, False),
        (
            organisation_members,
            organisation_members.c.organisation_id == shop.organisation_id,
            True,
        ),
    ):
        rows = connection.execute(
            select(users, source.c.role)
            .join(source, source.c.user_id == users.c.user_id)
            .where(here)
        )
        for row in rows:
            found[row.user_id] = Member(user=_user_of(row), role=row.role, every_shop=every_shop)
    return sorted(found.values(), key=lambda member: member.user.email)


def leave_shop(connection: Connection, user_id: int, shop: Shop) -> None:
    """Take a user's work for this shop away, and their saved views of it.

    Raises Conflict for whoever works for every shop, and for the shop's last member.
    """
    members = {member.user.user_id: member for member in members_of(connection, shop)}
    if user_id not in members:
        raise NotFound("This user does not work for this shop.")
    if members[user_id].every_shop:
        raise Conflict("This user works for every shop of the organisation.")
    if len(members) == 1:
        raise Conflict("A shop needs an owner; add another before you remove this one.")
    for gone in (memberships, saved_views):
        connection.execute(
            delete(gone).where(gone.c.user_id == user_id, gone.c.shop_id == shop.shop_id)
        )


def hash_password(password: str) -> str:
    """An argon2id hash, which takes some 50 ms: make it before the transaction begins.

    Raises InvalidInput.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(f"A password needs {SHORTEST_PASSWORD} characters or more.", "password")
    return _hasher().hash(password)


def set_password(connection: Connection, user_id: int, password_hash: str | None) -> None:
    """Set the hash of `hash_password`, or none; every browser of the user is signed out."""
    connection.execute(
        update(users).where(users.c.user_id == user_id).values(password_hash=password_hash)
    )
    connection.execute(delete(web_sessions).where(web_sessions.c.user_id == user_id))


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password.

    It takes as long where there is none, so that time does not tell who has an account.
    """
    try:
        _hasher().verify(password_hash or _nobodys_hash(), password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    # RFC 9106, second recommended option: 64 MiB, three passes.
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def _works_for(user_id: int) -> ColumnElement[bool]:
    direct = select(memberships.c.shop_id).where(memberships.c.user_id == user_id)
    through = select(organisation_members.c.organisation_id).where(
        organisation_members.c.user_id == user_id
    )
    return or_(shops.c.shop_id.in_(direct), shops.c.organisation_id.in_(through))


def _join(
    connection: Connection, table: Table, key: dict[str, int], role: Role, now: Instant
) -> None:
    here = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*here).values(role=role)).rowcount:
        connection.execute(insert(table).values(**key, role=role, created_at=now))


def _user(connection: Connection, where: ColumnElement[bool]) -> User | None:
    row = connection.execute(select(users).where(where)).one_or_none()
    return None if row is None else _user_of(row)


def _user_of(row: Any) -> User:
    return User(user_id=row.user_id, email=row.email, has_password=row.password_hash is not None)
