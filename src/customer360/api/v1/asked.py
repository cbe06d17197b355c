"""Who asks, and of which shop? Every answer of `/api/v1` begins here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection
from starlette.requests import Request

from customer360.access.shops import Shop
from customer360.api.doors import Doors
from customer360.errors import NotFound, ProfileNotFound, Unauthenticated
from customer360.profiles.card import resolve_id
from customer360.values import parse_id

_WRONG = "The key is missing or wrong; send `Authorization: Bearer` with the shop's api_key."
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="api_key",
    description="The shop's `api_key`, as `Authorization: Bearer <api_key>`.",
)


class MergedAway(Exception):
    """The profile was merged into another one; `location` is the same address of the survivor."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of one shop."""

    doors: Doors
    shop: Shop
    request: Request

    @property
    def shop_id(self) -> int:
        return self.shop.shop_id

    def present(self, connection: Connection, profile_id: str) -> int:
        """The id in the address, of a profile that is still its own.

        Raises ProfileNotFound, also for what is no id and for other shops' ids, and MergedAway.
        """
        number = parse_id(profile_id)
        if number is None:
            raise ProfileNotFound
        survivor = resolve_id(connection, self.shop_id, number)
        if survivor != number:
            raise MergedAway(self._address_of(survivor))
        return number

    def _address_of(self, profile_id: int) -> str:
        template: str = self.request.scope["route"].path
        path = template.replace("{profile_id}", str(profile_id))
        query = self.request.url.query
        return f"{self.request.scope.get('root_path', '')}{path}{'?' * bool(query)}{query}"


def asked(
    request: Request,
    response: Response,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Asked:
    """The request with the shop of its key; raises Unauthenticated."""
    doors = cast(Doors, request.app.state.doors)
    found = doors.directory.by_key(credentials.credentials) if credentials else None
    if found is None or found[1] != "api":
        raise Unauthenticated(_WRONG)
    # Answers hold personal data, which no cache on the way may keep.
    response.headers["Cache-Control"] = "no-store"
    return Asked(doors, found[0], request)


Asking = Annotated[Asked, Depends(asked)]


async def moved(_request: Request, error: Exception) -> Response:
    """The redirect to a survivor; not kept, because an undo brings the old profile back."""
    assert isinstance(error, MergedAway)
    return Response(
        status_code=307, headers={"Location": error.location, "Cache-Control": "no-store"}
    )


def id_of(text: str, missing: type[NotFound]) -> int:
    """An id out of the address; raises `missing` where it cannot be one."""
    found = parse_id(text)
    if found is None:
        raise missing
    return found
