"""Seals secrets that must be read again, with a key derived from the installation's own."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from customer360.errors import Unavailable


class SealBroken(Unavailable):
    """A stored secret was sealed with another C360_SECRET_KEY; bring it back or link again."""


def seal(secret: str, secret_key: str) -> bytes:
    """The secret, unreadable without the key."""
    return _fernet(secret_key).encrypt(secret.encode())


def unseal(sealed: bytes, secret_key: str) -> str:
    """The secret again; raises SealBroken under another key."""
    try:
        return _fernet(secret_key).decrypt(sealed).decode()
    except InvalidToken as error:
        raise SealBroken from error


@lru_cache(maxsize=8)
def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"customer360 sealed secrets")
    return Fernet(urlsafe_b64encode(derived.derive(secret_key.encode())))
