"""Our own pixel: one small script for every shop; the key stands in its address."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from customer360.api.cross_origin import open_route
from customer360.api.senders import Senders, UninstalledShop
from customer360.errors import Unauthenticated

_SOURCE = Path(__file__).parent / "static" / "pixel.js"
_JAVASCRIPT = "text/javascript; charset=utf-8"
_NO_KEY = "/* Customer 360: this address needs ?k= with a shop's pixel key. */\n"
_SECRET_KEY = (
    "/* Customer 360: this is a secret key. Revoke it, and use the shop's pixel key here. */\n"
)


def pixel_routes(senders: Senders) -> list[BaseRoute]:
    """`GET /pixel.js?k=<pixel key>`."""
    script = strip(_SOURCE.read_text("utf-8")).encode()
    etag = f'"{sha256(script).hexdigest()[:16]}"'
    headers = {
        # An hour: a new version reaches every page on the day it is installed.
        "Cache-Control": "public, max-age=3600",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }

    async def pixel(request: Request) -> Response:
        try:
            sender = await senders.find(request.query_params.get("k", ""))
        except (Unauthenticated, UninstalledShop):
            return _refused(_NO_KEY)
        if sender.auth != "pixel":
            return _refused(_SECRET_KEY)
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(script, headers=headers, media_type=_JAVASCRIPT)

    return [open_route("/pixel.js", pixel, "GET")]


def strip(script: str) -> str:
    """The script without comments, indentation and spaces that mean nothing.

    Not a minifier: it relies on pixel.js having block comments on lines of their own only, single quotes
    without escapes, no spaces in its regular expressions, and a semicolon or brace at the end of statements.
    """
    bare = re.sub(r"(?ms)^\s*/\*.*?\*/\s*$", "", script)
    joined = "".join(line.strip() for line in bare.splitlines())
    parts = re.split(r"('[^']*')", joined)
    parts[::2] = [re.sub(r" ?([^\w\s$]+) ?", r"\1", part) for part in parts[::2]]
    return "".join(parts) + "\n"


def _refused(comment: str) -> Response:
    return Response(comment, 404, {"Cache-Control": "no-store"}, _JAVASCRIPT)
