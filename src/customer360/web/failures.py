"""What a page says when something went wrong: what happened and what to do next."""

from __future__ import annotations

from typing import NamedTuple

from starlette.exceptions import HTTPException

from customer360.errors import (
    Conflict,
    Customer360Error,
    Forbidden,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)


class Failure(NamedTuple):
    """An error in words."""

    status: int
    title: str
    detail: str
    retry_after_seconds: int = 0
    retry: bool = False
    """Whether trying the same again may help."""


_STATUSES: tuple[tuple[type[Customer360Error], int, str], ...] = (
    (PayloadTooLarge, 413, "This is too large"),
    (InvalidInput, 422, "This could not be used"),
    (Unauthenticated, 401, "You are not signed in"),
    (Forbidden, 403, "You may not do this"),
    (NotFound, 404, "There is nothing here"),
    (Conflict, 409, "Something changed in between"),
    (TooManyRequests, 429, "That was too often"),
    (Unavailable, 503, "This does not work right now"),
)

NOT_FOUND = Failure(404, "There is nothing here", "The address is wrong, or what was here is gone.")
UNKNOWN = Failure(
    500,
    "Something went wrong on our side",
    "Try again; if it happens again, the server's log says where.",
    retry=True,
)


def failure_of(error: Exception) -> Failure:
    """The error in words; what we did not foresee tells nothing about itself."""
    if isinstance(error, HTTPException):
        return _of_framework(error)
    for kind, status, title in _STATUSES:
        if isinstance(error, kind):
            wait = error.retry_after_seconds if isinstance(error, TooManyRequests) else 0
            return Failure(status, title, str(error), wait, retry=status in (409, 429, 503))
    return UNKNOWN


def _of_framework(error: HTTPException) -> Failure:
    if error.status_code == 404:
        return NOT_FOUND
    if error.status_code == 405:
        return Failure(
            405, "This address takes no such request", "Go back and use the page's own buttons."
        )
    return Failure(error.status_code, "This could not be used", "The request was not understood.")
