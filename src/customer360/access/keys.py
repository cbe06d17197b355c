"""Keys that programs show: issued once in clear, kept as digests, revoked at once."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Literal, get_args

import msgspec
from sqlalchemy import Connection, insert, select, update

from customer360.access.tables import api_keys
from customer360.clock import Instant
from customer360.errors import NotFound
from customer360.values import new_ids

KeyKind = Literal["pixel", "write", "api", "webhook"]
"""pixel: public, sends from browsers; write: secret, sends from servers; api: reads; webhook:
proves who calls a webhook address."""

KINDS: tuple[KeyKind, ...] = get_args(KeyKind)

# Says at a glance what a leaked key is.
_PREFIXES: dict[KeyKind, str] = {"pixel": "pk_", "write": "wk_", "api": "ak_", "webhook": "whk_"}
# No key that we issue is longer; anything longer need not be looked up.
LONGEST_KEY = 64


class Key(msgspec.Struct, frozen=True):
    """A key as its shop sees it afterwards."""

    key_id: int
    kind: KeyKind
    readable: str | None
    """The key itself where it is public, else None."""
    ending: str
    created_at: Instant
    revoked_at: Instant | None


class Grant(msgspec.Struct, frozen=True):
    """What a key opens."""

    shop_id: int
    kind: KeyKind


def issue_key(connection: Connection, shop_id: int, kind: KeyKind, now: Instant) -> str:
    """A new key for the shop; only a pixel key can ever be read again."""
    # 192 random bits: nobody guesses them, so a plain SHA-256 is as good as a slow hash.
    key = _PREFIXES[kind] + secrets.token_urlsafe(24)
    row = {
        "shop_id": shop_id,
        "key_id": new_ids.next(),
        "kind": kind,
        "digest": digest_of(key),
        "readable": key if kind == "pixel" else None,
        "ending": key[-4:],
        "created_at": now,
    }
    connection.execute(insert(api_keys).values(row))
    return key


def grant_of(connection: Connection, key: str) -> Grant | None:
    """What this key opens; None for a key that is unknown or revoked.

    The database looks for a digest, not for the key: the time that it takes tells nothing.
    """
    digest = digest_of(key)
    found = connection.execute(
        select(api_keys.c.shop_id, api_keys.c.kind, api_keys.c.digest).where(
            api_keys.c.digest == digest, api_keys.c.revoked_at.is_(None)
        )
    ).one_or_none()
    if found is None or not hmac.compare_digest(found.digest, digest):
        return None
    return Grant(found.shop_id, found.kind)


def list_keys(connection: Connection, shop_id: int) -> list[Key]:
    """The shop's keys, revoked ones too, oldest first."""
    columns = (api_keys.c[name] for name in Key.__struct_fields__)
    rows = connection.execute(
        select(*columns).where(api_keys.c.shop_id == shop_id).order_by(api_keys.c.key_id)
    )
    return [Key(*row) for row in rows]


def pixel_key(connection: Connection, shop_id: int) -> str | None:
    """The shop's newest public key, for the snippet; None when all are revoked."""
    live = [
        key for key in list_keys(connection, shop_id) if key.readable and key.revoked_at is None
    ]
    return live[-1].readable if live else None


def revoke_key(connection: Connection, shop_id: int, key_id: int, now: Instant) -> None:
    """Make a key useless; servers learn of it within the few seconds of their `Directory`.

    Raises NotFound.
    """
    revoked = connection.execute(
        update(api_keys)
        .where(
            api_keys.c.shop_id == shop_id,
            api_keys.c.key_id == key_id,
            api_keys.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    if not revoked.rowcount:
        raise NotFound("This shop has no such key, or it is revoked already.")


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
