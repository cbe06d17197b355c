"""The cookies of the pages: the session, a guest's mark for the sign-in form, the theme, and one toast."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import Any

from starlette.responses import Response

from customer360.web.visit import Theme, Toast

_YEAR_SECONDS = 365 * 24 * 3600
# Long enough for a redirect, short enough not to show up on a later visit.
_TOAST_SECONDS = 60
_LONGEST_TOAST = 300
LONGEST_KEPT = 2000
"""So much of what was deleted travels in a toast: browsers cut a cookie at 4 kB."""


class Cookies:
    """Reads and writes them; `secure` where people come by HTTPS."""

    def __init__(self, secret_key: str, *, secure: bool) -> None:
        self._secure = secure
        self._key = blake2b(secret_key.encode(), digest_size=32, person=b"c360 toasts").digest()
        # The prefix makes browsers refuse the cookie from anywhere but this very host over HTTPS.
        self._prefix = "__Host-" if secure else ""

    def session(self, cookies: Mapping[str, str]) -> str:
        """The token of the session, "" for none."""
        return cookies.get(self._prefix + "c360_session", "")

    def set_session(self, response: Response, token: str, days: int) -> None:
        """Sign this browser in."""
        self._set(response, self._prefix + "c360_session", token, days * 24 * 3600)

    def end_session(self, response: Response) -> None:
        """Sign this browser out."""
        self._set(response, self._prefix + "c360_session", "", 0)

    def guest(self, cookies: Mapping[str, str]) -> str:
        """The mark of a browser that has not signed in, "" for none."""
        return cookies.get(self._prefix + "c360_guest", "")

    def set_guest(self, response: Response, mark: str) -> None:
        """Give a browser the mark that its sign-in form is bound to; it lasts until the browser closes."""
        self._set(response, self._prefix + "c360_guest", mark, None)

    def theme(self, cookies: Mapping[str, str]) -> Theme:
        """Light, dark, or as the system has it."""
        chosen = cookies.get("c360_theme")
        return chosen if chosen in ("light", "dark") else "system"  # type: ignore[return-value]

    def set_theme(self, response: Response, theme: Theme) -> None:
        """Remember the theme for a year."""
        self._set(response, "c360_theme", theme, _YEAR_SECONDS)

    def toast(self, cookies: Mapping[str, str]) -> Toast | None:
        """What the page before wants told, if it was really us who said it."""
        signed = cookies.get("c360_toast", "")
        encoded, _, mac = signed.partition(".")
        if not encoded or not hmac.compare_digest(mac, self._mac(encoded)):
            return None
        told: dict[str, Any] = json.loads(urlsafe_b64decode(encoded))
        return Toast(**told | {"undo": tuple(told["undo"])})

    def set_toast(self, response: Response, toast: Toast) -> None:
        """Tell something on the page that comes next."""
        told = json.dumps(asdict(replace(toast, text=toast.text[:_LONGEST_TOAST])))
        encoded = urlsafe_b64encode(told.encode()).decode()
        self._set(response, "c360_toast", f"{encoded}.{self._mac(encoded)}", _TOAST_SECONDS)

    def end_toast(self, response: Response) -> None:
        """It has been told."""
        self._set(response, "c360_toast", "", 0)

    def _mac(self, text: str) -> str:
        return blake2b(text.encode(), key=self._key, digest_size=16).hexdigest()

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
