"""Reads pages and the API as a browser and a program would, over one kept connection."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import quote

import msgspec

from customer360.bench.served import HOST
from customer360.bench.store import Store
from customer360.errors import Unavailable

_TIMEOUT_SECONDS = 60


class NotReadable(Unavailable):
    """A page of the benchmark could not be read."""


class Reader:
    """One connection, signed in with the shop's API key and as a browser."""

    def __init__(self, store: Store, port: int) -> None:
        self._store = store
        self._connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_SECONDS)

    def page(self, path: str) -> float:
        """Seconds until a page of the shop was here."""
        headers = {"Cookie": f"c360_session={self._store.session}"}
        return self._get(f"/shops/{self._store.shop_id}{path}", headers)[0]

    def api(self, path: str) -> tuple[float, Any]:
        """Seconds until an answer of the API was here, and the answer."""
        headers = {"Authorization": f"Bearer {self._store.api_key}"}
        seconds, body = self._get(f"/api/v1{path}", headers)
        return seconds, msgspec.json.decode(body)

    def profile_of(self, identifier: str) -> str | None:
        """The id of the profile with this identifier, "type:value"."""
        found = self.api(f"/profiles?identifier={quote(identifier)}")[1]["items"]
        return str(found[0]["profile_id"]) if found else None

    def ask(self, path: str, told: Any) -> float:
        """Seconds until the API answered what was posted to it."""
        headers = {
            "Authorization": f"Bearer {self._store.api_key}",
            "Content-Type": "application/json",
        }
        started = time.perf_counter()
        self._exchange("POST", f"/api/v1{path}", headers, msgspec.json.encode(told))
        return time.perf_counter() - started

    def post(self, body: bytes) -> None:
        """Post a batch with the secret key."""
        headers = {"X-Write-Key": self._store.write_key, "Content-Type": "application/json"}
        self._exchange("POST", "/v1/batch", headers, body)

    def close(self) -> None:
        self._connection.close()

    def _get(self, path: str, headers: dict[str, str]) -> tuple[float, bytes]:
        started = time.perf_counter()
        body = self._exchange("GET", path, headers)
        return time.perf_counter() - started, body

    def _exchange(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> bytes:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise NotReadable(f"{method} {path.partition('?')[0]} answered {answer.status}")
        return content
