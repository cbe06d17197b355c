"""Errors as programs read them: application/problem+json (RFC 9457), without a traceback or a payload."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from customer360.errors import (
    Conflict,
    Customer360Error,
    DiskNearlyFull,
    Forbidden,
    InvalidInput,
    InvalidPayload,
    InvalidQuery,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

# The first that fits decides.
_STATUSES: tuple[tuple[type[Customer360Error], int], ...] = (
    (PayloadTooLarge, 413),
    (InvalidPayload, 400),
    (InvalidInput, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooManyRequests, 429),
    (Unavailable, 503),
)
_MESSAGES = {
    "extra_forbidden": "unknown parameter",
    "missing": "is missing",
    "model_attributes_type": "is no JSON object; send one, with the header Content-Type: application/json",
}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def problem(
    status: int,
    detail: str,
    *,
    name: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; `name` is a class name of the error tree and stays stable for programs."""
    words = _HUMP.sub(" ", name).capitalize() if name else HTTPStatus(status).phrase
    document: dict[str, Any] = {
        "type": f"urn:customer360:problem:{words.lower().replace(' ', '-')}",
        "title": words,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = list(errors)
    content = msgspec.json.encode(document)
    return Response(content, status, headers, media_type="application/problem+json")


def problem_of(error: Customer360Error) -> Response:
    """The problem document of an error of ours."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    path = getattr(error, "path", "")
    place: dict[str, Any] = {"path": path, "message": str(error)}
    if isinstance(error, InvalidQuery):
        place["position"] = error.position
    return problem(
        status,
        str(error),
        name=type(error).__name__,
        errors=[place] if path else (),
        headers=_headers(error),
    )


def internal_problem() -> Response:
    """What an unforeseen error says: nothing about itself."""
    return problem(500, "Something went wrong on our side; the server's log says where.")


def handle_problems(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(Customer360Error, _ours)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(ClientDisconnect, _of_nobody)


def _headers(error: Customer360Error) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, Unavailable):
        return {"Retry-After": "60" if isinstance(error, DiskNearlyFull) else "5"}
    if isinstance(error, PayloadTooLarge):
        # What is left of the body is not read; closing says so.
        return {"Connection": "close"}
    return {}


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Customer360Error)
    return problem_of(error)


async def _of_framework(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {404: "There is nothing here.", 405: "This address does not take such a request."}
    detail = details.get(error.status_code, "The request was not understood.")
    return problem(error.status_code, detail, headers=error.headers)


async def _of_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Only where and what is wrong: the value itself may be personal.
    errors = [
        {"path": _path(entry["loc"]), "message": _MESSAGES.get(entry["type"], str(entry["msg"]))}
        for entry in error.errors()
    ]
    malformed = any(entry["type"] == "json_invalid" for entry in error.errors())
    name = InvalidPayload.__name__ if malformed else InvalidInput.__name__
    detail = "The request cannot be used as it is; see errors."
    return problem(400 if malformed else 422, detail, name=name, errors=errors)


def _path(place: Sequence[Any]) -> str:
    """Where the trouble is, by the caller's own names: query and body hold the same ones."""
    parts = place[1:] or place
    return ".".join(str(part) for part in parts)


async def _of_nobody(_request: Request, _error: Exception) -> Response:
    """The client has gone; nobody reads this."""
    return Response(status_code=400)
