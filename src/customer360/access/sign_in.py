"""Signing in: one-time links, passwords, the sessions of browsers, and a limit on guessing."""

from __future__ import annotations

import secrets
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from customer360.access.tables import sign_in_attempts, sign_in_links, users, web_sessions
from customer360.access.users import User, get_user, normalise_email
from customer360.clock import DAY, MINUTE, SECOND, Instant
from customer360.errors import TooManyRequests, Unauthenticated

LINK_LIFETIME: Instant = DAY

# A person mistypes a few times; a machine tries thousands of times. An office shares one address.
ATTEMPTS_WINDOW: Instant = 15 * MINUTE
ATTEMPTS_PER_EMAIL = 10
ATTEMPTS_PER_ADDRESS = 50


class LinkUsed(Unauthenticated):
    """This sign-in link is used or too old; `c360 user create --email …` prints a new one."""


class WrongPassword(Unauthenticated):
    """The e-mail address or the password is wrong."""


class TooManyAttempts(TooManyRequests):
    """Too many wrong sign-ins; wait a quarter of an hour or use a sign-in link."""


class WebSession(msgspec.Struct, frozen=True):
    """A browser that is signed in."""

    user: User
    csrf_token: str
    expires_at: Instant


class NewWebSession(msgspec.Struct, frozen=True):
    """A session just begun: the cookie's value, which is kept nowhere, and what it stands for."""

    token: str
    session: WebSession


class Attempt(msgspec.Struct, frozen=True):
    """A sign-in under way: whose password to check, outside any transaction."""

    user_id: int | None
    password_hash: str | None


def make_link(connection: Connection, user_id: int, now: Instant) -> str:
    """The token of a link that signs the user in once, within a day."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(sign_in_links).where(sign_in_links.c.expires_at <= now))
    row = {"digest": _digest(token), "user_id": user_id, "expires_at": now + LINK_LIFETIME}
    connection.execute(insert(sign_in_links).values(row))
    return token


def use_link(connection: Connection, token: str, now: Instant) -> User:
    """Whom the link signs in; it works no second time. Raises LinkUsed."""
    used = connection.execute(
        delete(sign_in_links)
        .where(sign_in_links.c.digest == _digest(token), sign_in_links.c.expires_at > now)
        .returning(sign_in_links.c.user_id)
    ).scalar_one_or_none()
    if used is None:
        raise LinkUsed
    return get_user(connection, used)


def link_works(connection: Connection, token: str, now: Instant) -> bool:
    """Whether the link would sign someone in, without using it: for the page that asks first."""
    alive = select(sign_in_links.c.user_id).where(
        sign_in_links.c.digest == _digest(token), sign_in_links.c.expires_at > now
    )
    return connection.execute(alive).one_or_none() is not None


def begin_attempt(connection: Connection, email: str, address: str, now: Instant) -> Attempt:
    """Count a sign-in with a password before the password is looked at; raises TooManyAttempts.

    address: the network address that it comes from. Outside the transaction then follows
    `users.password_matches`, and `forget_attempts` where it does, else WrongPassword.
    """
    _count(connection, _digest(f"email {email.strip().lower()}"), ATTEMPTS_PER_EMAIL, now)
    _count(connection, _digest(f"address {address}"), ATTEMPTS_PER_ADDRESS, now)
    found = connection.execute(
        select(users.c.user_id, users.c.password_hash).where(users.c.email == email.strip().lower())
    ).one_or_none()
    return Attempt(None, None) if found is None else Attempt(found.user_id, found.password_hash)


def forget_attempts(connection: Connection, email: str) -> None:
    """The password was right: the address has all its attempts again."""
    subject = _digest(f"email {normalise_email(email)}")
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.subject == subject))


def begin_session(
    connection: Connection, user_id: int, now: Instant, session_days: int
) -> NewWebSession:
    """Sign a browser in; `token` goes into its cookie."""
    connection.execute(delete(web_sessions).where(web_sessions.c.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session = WebSession(
        get_user(connection, user_id), secrets.token_urlsafe(32), now + session_days * DAY
    )
    row = {
        "digest": _digest(token),
        "user_id": user_id,
        "csrf_token": session.csrf_token,
        "created_at": now,
        "expires_at": session.expires_at,
    }
    connection.execute(insert(web_sessions).values(row))
    return NewWebSession(token, session)


def find_session(connection: Connection, token: str, now: Instant) -> WebSession | None:
    """Who this browser is; None when it is not signed in, or no longer."""
    row = connection.execute(
        select(users, web_sessions.c.csrf_token, web_sessions.c.expires_at)
        .join(users, users.c.user_id == web_sessions.c.user_id)
        .where(web_sessions.c.digest == _digest(token), web_sessions.c.expires_at > now)
    ).one_or_none()
    if row is None:
        return None
    user = User(user_id=row.user_id, email=row.email, has_password=row.password_hash is not None)
    return WebSession(user, row.csrf_token, row.expires_at)


def end_session(connection: Connection, token: str) -> None:
    """Sign this browser out."""
    connection.execute(delete(web_sessions).where(web_sessions.c.digest == _digest(token)))


def _count(connection: Connection, subject: bytes, most: int, now: Instant) -> None:
    """One more attempt of this subject; raises TooManyAttempts when it has had its share."""
    over = sign_in_attempts.c.since <= now - ATTEMPTS_WINDOW
    connection.execute(delete(sign_in_attempts).where(over))
    mine = sign_in_attempts.c.subject == subject
    counted = connection.execute(
        update(sign_in_attempts)
        .where(mine)
        .values(n=sign_in_attempts.c.n + 1)
        .returning(sign_in_attempts.c.n, sign_in_attempts.c.since)
    ).one_or_none()
    if counted is None:
        connection.execute(insert(sign_in_attempts).values(subject=subject, since=now, n=1))
    elif counted.n > most:
        wait = counted.since + ATTEMPTS_WINDOW - now
        raise TooManyAttempts(retry_after_seconds=wait // SECOND + 1)


def _digest(text: str) -> bytes:
    # Tokens hold 256 random bits, so a plain hash is enough; addresses are just not kept in clear.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
