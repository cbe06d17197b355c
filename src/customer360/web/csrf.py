"""Tokens which prove that a form was written by us for this very browser."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hashlib import blake2b
from urllib.parse import urlsplit

FIELD = "csrf"
HEADER = "x-csrf-token"

_NONCE_BYTES = 12
_MAC_BYTES = 16


def make_token(secret: str) -> str:
    """A token for a form; each is different, so a compressed page tells nothing about the secret by its length."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return urlsafe_b64encode(nonce + _mac(secret, nonce)).decode()


def token_matches(secret: str, token: str) -> bool:
    """Whether the token was made with this secret."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii", "replace"))
    except (BadBase64, ValueError):
        return False
    nonce, mac = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    return hmac.compare_digest(mac, _mac(secret, nonce))


def same_origin(origin: str | None, fetch_site: str | None, host: str, public_url: str) -> bool:
    """Whether a browser says that one of our own pages sent this request.

    origin and fetch_site: the headers Origin and Sec-Fetch-Site. A client that sends neither is no browser that an
    attacker could steer; it still needs the token.
    """
    if fetch_site is not None and fetch_site != "same-origin":
        return False
    if origin is None:
        return True
    return urlsplit(origin).netloc in (host, urlsplit(public_url).netloc) and origin != "null"


def _mac(secret: str, nonce: bytes) -> bytes:
    return blake2b(nonce, key=secret.encode()[:64], digest_size=_MAC_BYTES).digest()
