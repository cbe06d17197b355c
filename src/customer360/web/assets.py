"""Static files: read once, compressed once, addressed by what they contain, kept by browsers for a year."""

from __future__ import annotations

import gzip
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from customer360.errors import NotFound

FOLDER = Path(__file__).parent / "static"
HTMX = "vendor/htmx.min.js"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"


class HtmxMissing(RuntimeError):
    """web/static/vendor/htmx.min.js is missing; the build puts it there: run `pip install -e .` or `make install`."""


class Asset(NamedTuple):
    """One file as it is sent."""

    type: str
    plain: bytes
    compressed: bytes


class Assets:
    """Every static file by its path; raises HtmxMissing at start-up instead of failing on a page."""

    def __init__(self, folder: Path = FOLDER) -> None:
        if not (folder / HTMX).is_file():
            raise HtmxMissing(HtmxMissing.__doc__)
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
        self._files = {str(path.relative_to(folder)): _asset(path) for path in paths}
        # One version for all of them: modules import each other by relative paths.
        digest = blake2b(digest_size=8)
        for name, asset in self._files.items():
            digest.update(name.encode() + b"\0" + asset.plain)
        self.version = digest.hexdigest()

    def url(self, name: str) -> str:
        """Where a browser finds the file; raises NotFound for one that is not there."""
        if name not in self._files:
            raise NotFound(f"There is no static file {name}.")
        return f"/static/{self.version}/{name}"

    def answer(self, request: Request) -> Response:
        """The file; 404 for another version, so that an old page reloads instead of mixing versions."""
        asset = self._files.get(request.path_params["name"])
        if asset is None or request.path_params["version"] != self.version:
            return Response("Not found", 404, media_type="text/plain")
        headers = {
            "Cache-Control": _FOREVER,
            "Content-Type": asset.type,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.compressed, headers=headers | {"Content-Encoding": "gzip"})
        return Response(asset.plain, headers=headers)


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(_TYPES[path.suffix], content, gzip.compress(content, 9, mtime=0))
