"""CSV files as answers that the browser saves."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import StreamingResponse


def download(name: str, pieces: Iterator[bytes]) -> StreamingResponse:
    """The pieces as a file that the browser saves under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)
