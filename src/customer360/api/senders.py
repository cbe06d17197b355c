"""Who sends? The key of a request, wherever an SDK puts it, and what it may claim."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from customer360.access.directory import Directory
from customer360.errors import Forbidden, Unauthenticated
from customer360.events.model import SourceRank, Trust

# The directory remembers for seconds as well; this only keeps its lock and digest off the hot path.
_REMEMBERED_SECONDS = 1.0
_MOST_REMEMBERED = 1000

_WRONG = "The key is missing or wrong; send the shop's write key, or its pixel key from a browser."


class Sender(NamedTuple):
    """The shop that a key belongs to and how far its claims are believed."""

    shop_id: int
    auth: Literal["write", "pixel"]
    active: bool

    @property
    def trust(self) -> Trust:
        return Trust.FULL if self.auth == "write" else Trust.PUBLIC

    @property
    def rank(self) -> SourceRank:
        return SourceRank.SERVER if self.auth == "write" else SourceRank.PIXEL


class UninstalledShop(Forbidden):
    """This shop has uninstalled the app, so nothing more is collected; link it again to go on."""


class Senders:
    """Finds senders by key and remembers them for a moment."""

    def __init__(
        self, directory: Directory, elapsed_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._elapsed_seconds = elapsed_seconds
        self._remembered: dict[str, tuple[float, Sender]] = {}

    async def find(self, written: str) -> Sender:
        """The sender with this key, also written `id:key`; raises Unauthenticated, UninstalledShop."""
        known = self._remembered.get(written)
        if known is None or known[0] < self._elapsed_seconds():
            # The database must never hold up the loop that answers everybody.
            known = await run_in_threadpool(self._read, written)
        sender = known[1]
        if not sender.active:
            raise UninstalledShop
        return sender

    def _read(self, written: str) -> tuple[float, Sender]:
        name, colon, secret = written.partition(":")
        for key in (written, secret, name) if colon else (written,):
            found = self._directory.by_key(key)
            if found is None:
                continue
            shop, kind = found
            if kind == "write" or kind == "pixel":
                sender = Sender(shop.shop_id, kind, shop.state == "active")
                return self._remember(written, sender)
        raise Unauthenticated(_WRONG)

    def _remember(self, written: str, sender: Sender) -> tuple[float, Sender]:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        known = self._elapsed_seconds() + _REMEMBERED_SECONDS, sender
        self._remembered[written] = known
        return known


def key_of(request: Request) -> str | None:
    """The key that a request carries outside its body: Basic or Bearer, X-Write-Key, ?writeKey=."""
    headers = request.headers
    authorization = headers.get("authorization")
    if authorization:
        return _key_of_authorization(authorization)
    return headers.get("x-write-key") or request.query_params.get("writeKey")


def missing_key() -> Unauthenticated:
    """What to raise when a request carries no key at all."""
    return Unauthenticated(_WRONG)


def _key_of_authorization(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        raise Unauthenticated(_WRONG)
    try:
        user, _, _ = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated(_WRONG) from error
    return user
